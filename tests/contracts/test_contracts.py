"""Contract tests of every public processor, network, discriminator, voice and generator."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import tests.contracts
from discriminators.base import Discriminator, WaveformDiscriminator
from discriminators.growing import GrowingDiscriminator
from noisygan.generators.generator import Generator
from noisygan.generators.growing import GrowingWaveform
from noisygan.generators.jitter import Jitter
from noisygan.generators.raw_waveform import RawWaveform
from synths import Processor, Reverb
from tests.contracts.cases import BATCH

PACKAGES = ("synths", "cppn", "discriminators", "noisygan.generators")
ABSTRACT = {
    *(Processor, Generator, RawWaveform, GrowingWaveform),
    *(Discriminator, WaveformDiscriminator, GrowingDiscriminator),
}

# From every module of this folder whose name begins with "cases".
CASES = {
    name: case
    for module in pkgutil.iter_modules(tests.contracts.__path__)
    if module.name.startswith("cases")
    for name, case in importlib.import_module(f"tests.contracts.{module.name}").CASES.items()
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def make(case, seed=0):
    """Create a small object with all its variables, which depend on the seed only."""
    keras.utils.set_random_seed(seed)
    thing = case.make()
    case.call(thing, case.inputs)
    return thing


def assert_close(outputs, expected, tolerance):
    """Assert that outputs are equal except for rounding relative to their largest number."""
    assert set(outputs) == set(expected)
    for name, value in expected.items():
        value = np.asarray(value)
        size = max(np.abs(value).max(), 1e-6)
        np.testing.assert_allclose(outputs[name], value, atol=tolerance * size, err_msg=name)


def test_shapes_are_the_documented_ones(case):
    outputs = case.call(make(case), case.inputs)
    assert {name: tuple(value.shape) for name, value in outputs.items()} == case.shapes
    for name, value in outputs.items():
        assert value.dtype == tf.float32, name
        assert np.isfinite(value).all(), name
        assert np.ptp(np.asarray(value)) > 0, name


def test_the_gradient_reaches_every_input_and_every_variable(case):
    thing = make(case)
    inputs = {
        name: value
        for name, value in case.inputs.items()
        if value.dtype.is_floating and name not in case.without_gradient
    }
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = case.call(thing, case.inputs | inputs)
        # Weighted at random, so that nothing cancels (shares sum to 1, whatever they are).
        loss = tf.add_n(
            [
                tf.reduce_sum(value * tf.random.stateless_normal(value.shape, [0, i]))
                for i, value in enumerate(outputs.values())
            ]
        )
    slopes, variable_slopes = tape.gradient(loss, [inputs, thing.trainable_variables])
    for name, slope in slopes.items():
        assert slope is not None, name
        assert np.isfinite(slope).all(), name
        by_row = np.abs(tf.reshape(slope, [BATCH, -1])).max(axis=1)
        assert (by_row > 0).all(), name
    for variable, slope in zip(thing.trainable_variables, variable_slopes, strict=True):
        if variable.path.endswith(case.unused):
            continue
        assert slope is not None, variable.path
        assert np.isfinite(slope).all(), variable.path
        assert np.abs(slope).max() > 0, variable.path


def test_a_graph_of_unknown_sizes_gives_what_eager_gives(case):
    thing = make(case)

    def unknown(tensor):
        known = tensor.shape[case.unknown_axes :]
        axes = min(case.unknown_axes, tensor.shape.rank)
        return tf.TensorSpec([None] * axes + list(known), tensor.dtype)

    signature = [{name: unknown(value) for name, value in case.inputs.items()}]
    graph = tf.function(lambda inputs: case.call(thing, inputs), input_signature=signature)
    for n_rows in (BATCH, 1):
        inputs = {name: value[:n_rows] for name, value in case.inputs.items()}
        assert_close(graph(inputs), case.call(thing, inputs), case.tolerance)


def test_xla_gives_what_eager_gives(case):
    thing = make(case)
    compiled = tf.function(lambda inputs: case.call(thing, inputs), jit_compile=True)
    assert_close(compiled(case.inputs), case.call(thing, case.inputs), 10 * case.tolerance)


def test_a_batch_of_one_is_a_row_of_the_batch(case):
    thing = make(case)
    batch = case.call(thing, case.inputs)
    for i in range(case.n_rows):
        alone = case.call(thing, {name: value[i : i + 1] for name, value in case.inputs.items()})
        row = {name: value[i : i + 1] for name, value in batch.items()}
        assert_close(alone, row, case.tolerance)


def test_weights_saved_and_loaded_make_the_same(case, tmp_path):
    thing, other = make(case, seed=1), make(case, seed=2)
    if not thing.weights:
        return
    before = case.call(other, case.inputs)
    expected = case.call(thing, case.inputs)
    differences = [np.abs(expected[name] - before[name]).max() for name in expected]
    starts_alike = isinstance(thing, (Reverb, Jitter))
    assert starts_alike or max(differences) > 0

    def checkpoint(of):
        return tf.train.Checkpoint(weights=[v.value for v in of.weights])

    path = checkpoint(thing).write(str(tmp_path / "weights"))
    checkpoint(other).read(path).assert_consumed()
    assert [v.shape for v in other.weights] == [v.shape for v in thing.weights]
    assert_close(case.call(other, case.inputs), expected, 1e-6)


def test_seeds_decide_and_nothing_else_does(case):
    thing = make(case)
    expected = case.call(thing, case.inputs)
    tf.random.set_seed(99)
    np.random.seed(99)  # noqa: NPY002 (the state that a careless formula would read)
    again = case.call(thing, case.inputs)
    for name, value in expected.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    if case.seed:
        other = case.call(thing, case.inputs | {case.seed: case.inputs[case.seed] + 100})
        changed = [name for name in expected if np.abs(other[name] - expected[name]).max() > 1e-6]
        assert changed == [name for name in expected if name in ("audio", "signal")]


def public_layers(packages):
    """Find all public Keras layers of packages; those of `synths.compat` only adapt arguments."""
    found = set()
    for name in packages:
        package = importlib.import_module(name)
        modules = [package]
        for info in pkgutil.walk_packages(package.__path__, f"{name}."):
            modules.append(importlib.import_module(info.name))
        for module in modules:
            for class_name, value in vars(module).items():
                is_layer = inspect.isclass(value) and issubclass(value, keras.layers.Layer)
                ours = is_layer and value.__module__.startswith(f"{name}.")
                ours = ours and not value.__module__.startswith("synths.compat.")
                if ours and not class_name.startswith("_"):
                    found.add(value)
    return found - ABSTRACT


def test_every_public_class_has_an_entry():
    covered = {type(case.make()) for case in CASES.values()}
    found = public_layers(PACKAGES)
    assert len(found) >= 13
    missing = sorted(f"{c.__module__}.{c.__name__}" for c in found - covered)
    assert not missing, f"{missing} need an entry in tests/contracts"
    assert covered == found
