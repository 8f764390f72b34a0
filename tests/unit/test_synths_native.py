"""Compiled kernels: used where available, never under XLA or in an exported model."""

import importlib.util
import pathlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from synths import FilteredNoise, Harmonic, set_native_kernels
from synths.filters import frequency_filter
from synths.native import native_kernels_used
from synths.oscillators import harmonic_synthesis

HAS_NUMBA = importlib.util.find_spec("numba") is not None
needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="no Numba")
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _default():
    yield
    set_native_kernels(None)


@pytest.fixture
def answers(monkeypatch):
    """A function to trace, and what `native_kernels_used` answered in it."""
    set_native_kernels(None)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: [])
    said = []

    @tf.autograph.experimental.do_not_convert
    def probe(x):
        said.append(native_kernels_used())
        return x + 1.0

    return probe, said


X = tf.ones([3])


@needs_numba
def test_used_in_eager_code_and_in_graphs(answers):
    probe, said = answers
    probe(X)
    tf.function(probe)(X)
    tf.function(lambda x: tf.while_loop(lambda x: x[0] < 3, lambda x: [probe(x)], [x]))(X)
    list(tf.data.Dataset.from_tensors(X).map(probe))
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    tf.function(lambda: strategy.run(probe, (X,)))()
    assert len(said) >= 5
    assert all(said)


def test_never_under_xla(answers):
    probe, said = answers
    inner = tf.function(probe)

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = probe(x)
        return tape.gradient(y, x)

    for enabled in (None, True):
        set_native_kernels(enabled)
        tf.function(probe, jit_compile=True)(X)
        compiled = tf.function(probe, jit_compile=True)
        tf.function(lambda x, compiled=compiled: compiled(x))(X)
        tf.function(inner, jit_compile=True)(X)
        tf.function(gradient, jit_compile=True)(X)
        tf.function(
            lambda x: tf.while_loop(lambda x: x[0] < 3, lambda x: [probe(x)], [x]),
            jit_compile=True,
        )(X)
    assert len(said) >= 9
    assert not any(said)


def test_never_in_an_exported_model(answers, tmp_path):
    probe, said = answers

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None])])
        def sound(self, x):
            return probe(x)

    module = Module()
    if HAS_NUMBA:
        module.sound(X)
        assert said == [True]
    said.clear()
    tf.saved_model.save(module, str(tmp_path / "traced"))
    module = Module()
    signature = module.sound.get_concrete_function()
    tf.saved_model.save(module, str(tmp_path / "untraced"), signatures=signature)
    model = keras.Sequential([keras.Input([3]), keras.layers.Lambda(probe)])
    model.export(str(tmp_path / "keras"), verbose=False)
    assert len(said) >= 4
    # Keras makes the model itself from symbols, before the export.
    assert not any(said[-3:])
    assert not any(said[:2])


@needs_numba
def test_choosing(monkeypatch):
    set_native_kernels(False)
    assert not native_kernels_used()
    set_native_kernels(True)
    assert native_kernels_used()
    assert tf.function(native_kernels_used).get_concrete_function()().numpy()


def test_where_the_default_is_plain(monkeypatch):
    found = importlib.util.find_spec
    with monkeypatch.context() as patch:
        patch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "numba" else found(name)
        )
        assert not native_kernels_used()
    for kind in ("GPU", "TPU"):
        with monkeypatch.context() as patch:
            patch.setattr(
                tf.config, "list_logical_devices", lambda k, kind=kind: [kind] * (k == kind)
            )
            assert not native_kernels_used()


def test_a_tensorflow_that_cannot_be_asked_keeps_its_graphs_plain(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow.python.saved_model.save_context", None)
    said = []
    tf.function(lambda x: [said.append(native_kernels_used()), x][1])(X)
    assert said == [False]


def controls(batch=2, n_frames=12):
    rng = np.random.default_rng(0)
    return [
        tf.constant(rng.uniform(0.1, 1.0, (batch, n_frames, 1)), tf.float32),
        tf.constant(rng.uniform(0.1, 1.0, (batch, n_frames, 7)), tf.float32),
        tf.constant(rng.uniform(100.0, 900.0, (batch, n_frames, 1)), tf.float32),
        tf.constant(rng.uniform(0.1, 1.0, (batch, n_frames, 9)), tf.float32),
    ]


def sound(amplitudes, distribution, f0_hz, magnitudes):
    """A synth and a noise, with what each kernel has to do."""
    harmonic = Harmonic(960, scale_fn=None)(amplitudes, distribution, f0_hz)
    return harmonic + FilteredNoise(960, scale_fn=None)(magnitudes)


class Instrument(tf.Module):
    """Exported module with unknown batch and frames."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, n]) for n in (1, 7, 1, 9)])
    def sound(self, amplitudes, distribution, f0_hz, magnitudes):
        return sound(amplitudes, distribution, f0_hz, magnitudes)


def test_a_saved_model_has_no_kernels_and_gives_the_same_audio(tmp_path):
    module = Instrument()
    # Traced here with the kernels; the export traces again without.
    expected = [module.sound(*controls(*sizes)) for sizes in ((2, 12), (3, 5))]
    tf.saved_model.save(module, str(tmp_path))
    for path in tmp_path.rglob("saved_model.pb"):
        assert b"PyFunc" not in path.read_bytes()
    loaded = tf.saved_model.load(str(tmp_path))
    names = ("amplitudes", "distribution", "f0_hz", "magnitudes")
    for sizes, audio in zip(((2, 12), (3, 5)), expected, strict=True):
        inputs = controls(*sizes)
        np.testing.assert_allclose(loaded.sound(*inputs), audio, atol=1e-5)
        serving = loaded.signatures["serving_default"](**dict(zip(names, inputs, strict=True)))
        np.testing.assert_allclose(serving["output_0"], audio, atol=1e-5)


def _second_order_cases():
    rng = np.random.default_rng(3)

    def uniform(low, high, *shape):
        return rng.uniform(low, high, (2, 5, *shape))

    f0_hz = uniform(200.0, 300.0, 1)
    cases = {
        "harmonic": (
            lambda f0_hz, amplitudes: harmonic_synthesis(
                f0_hz, tf.ones_like(f0_hz), None, amplitudes, 160
            ),
            {"f0_hz": f0_hz, "amplitudes": uniform(0.1, 1.0, 4)},
        ),
        "stretched": (
            lambda f0_hz, amplitudes, inharmonicity: harmonic_synthesis(
                f0_hz, tf.ones_like(f0_hz), None, amplitudes, 160, inharmonicity=inharmonicity
            ),
            {
                "f0_hz": f0_hz,
                "amplitudes": uniform(0.1, 1.0, 4),
                "inharmonicity": rng.uniform(1e-3, 1e-2, (2, 1, 1)),
            },
        ),
        "filter": (
            frequency_filter,
            {"audio": rng.normal(size=(2, 160)), "magnitudes": uniform(0.1, 1.0, 9)},
        ),
    }
    return [pytest.param(*case, id=name) for name, case in cases.items()]


def _slopes(function, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(function(*inputs) ** 2)
    return tape.gradient(loss, inputs)


@needs_numba
@pytest.mark.parametrize("run", [lambda function: function, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize(("function", "inputs"), _second_order_cases())
def test_gradients_of_gradients(function, inputs, run):
    rng = np.random.default_rng(4)
    values = list(inputs.values())
    ways = [np.abs(x).mean() * rng.normal(size=x.shape) for x in values]
    set_native_kernels(False)
    ends = [
        _slopes(
            function, [tf.constant(x + sign * 1e-5 * v) for x, v in zip(values, ways, strict=True)]
        )
        for sign in (1.0, -1.0)
    ]
    expected = [
        (after.numpy() - before.numpy()) / 2e-5 for after, before in zip(*ends, strict=True)
    ]
    set_native_kernels(True)
    ways = [tf.constant(v, tf.float32) for v in ways]

    @run
    def second(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            slopes = _slopes(function, inputs)
        return tape.gradient(slopes, inputs, ways)

    got = second(*[tf.constant(x, tf.float32) for x in values])
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3 * np.abs(other).max())


@needs_numba
@pytest.mark.parametrize(("function", "inputs"), _second_order_cases())
def test_forward_mode_is_an_error_rather_than_silently_nothing(function, inputs):
    set_native_kernels(True)
    values = [tf.constant(x, tf.float32) for x in inputs.values()]
    forward = tf.autodiff.ForwardAccumulator(values, values)
    with forward, pytest.raises(RuntimeError, match="set_native_kernels"):
        function(*values)
    set_native_kernels(False)
    with tf.autodiff.ForwardAccumulator(values, values) as forward:
        sound = function(*values)
    assert np.abs(forward.jvp(sound)).max() > 0.0
