"""Shape checks, and broadcasting of batches and frames of 1."""

import numpy as np
import pytest
import tensorflow as tf

import synths
from synths.shapes import ShapeError, check_shape

N = 1600


def test_a_shape_matches_its_rank_and_its_numbers():
    check_shape("x", None, "[batch, 1]")
    check_shape("x", tf.zeros([2, 1]), "[batch, 1]")
    check_shape("x", tf.zeros([2, 5]), "[batch, 1]", "[batch, n_frames]")
    for shape in ([2], [2, 3], [2, 1, 1]):
        with pytest.raises(ShapeError, match=r"^x: expected \[batch, 1\] or \[n, n, n, n\], got"):
            check_shape("x", tf.zeros(shape), "[batch, 1]", "[n, n, n, n]")
    with pytest.raises(ShapeError):
        check_shape("x", tf.zeros([2, 0, 1]), "[batch, n_frames, 1]")
    unknown = tf.function(lambda x: check_shape("x", x, "[batch, 1]"))
    unknown.get_concrete_function(tf.TensorSpec(None))
    unknown.get_concrete_function(tf.TensorSpec([None, None]))


def test_a_graph_raises_the_error_with_its_type():
    graph = tf.function(lambda x: synths.harmonic_synthesis(x, x))
    with pytest.raises(ShapeError, match=r"frequencies: expected \[batch, n_frames, 1\]"):
        graph(tf.zeros([2, 3]))


def ones(*shape):
    return np.ones(shape, np.float32)


def ramp(*shape):
    """Numbers that differ from row to row and frame to frame."""
    return np.linspace(0.2, 1.0, int(np.prod(shape))).reshape(shape).astype(np.float32)


def shares(*shape):
    x = ramp(*shape)
    return x / x.sum(axis=-1, keepdims=True)


HARMONIC = {
    "frequencies": 200 + 100 * ramp(3, 20, 1),
    "amplitudes": ramp(3, 20, 1),
    "harmonic_distribution": shares(3, 20, 5),
    "initial_phase": np.array([0.1, 0.2, 0.3]),
}
STIFF = HARMONIC | {"inharmonicity": 1e-3 * ramp(3, 20, 1)}
SHIFTED = HARMONIC | {"harmonic_shifts": 0.1 * ramp(3, 20, 5)}
SINUSOIDAL = {"frequencies": 300 * ramp(3, 20, 4), "amplitudes": ramp(3, 20, 4)}
WAVETABLE = {
    "frequencies": 200 + 100 * ramp(3, 20, 1),
    "amplitudes": ramp(3, 20, 1),
    "wavetables": ramp(3, 20, 32),
    "initial_phase": np.array([0.1, 0.2, 0.3]),
}
MODAL = {
    "frequencies": 900 * ramp(3, 6),
    "amplitudes": ramp(3, 6),
    "decay_seconds": ramp(3, 6),
    "onset_seconds": 0.01 * ramp(3, 1),
}
FILTERED = {"audio": ramp(3, N) - 0.5, "magnitudes": ramp(3, 20, 9)}

BANKS = {
    "harmonic": (synths.harmonic_synthesis, HARMONIC),
    "stiff": (synths.harmonic_synthesis, STIFF),
    "shifted": (synths.harmonic_synthesis, SHIFTED),
    "sinusoidal": (synths.sinusoidal_synthesis, SINUSOIDAL),
    "wavetable": (synths.wavetable_synthesis, WAVETABLE),
    "modal": (synths.modal_synthesis, MODAL),
    "filter": (synths.frequency_filter, FILTERED),
}
ALL = [(kind, name) for kind, (_, inputs) in BANKS.items() for name in inputs]


def sound(kind, inputs):
    function, _ = BANKS[kind]
    length = {} if kind == "filter" else {"n_samples": N}
    return function(**inputs, **length).numpy()


def of_unknown_sizes(kind, inputs):
    """The sound, by a graph that knows ranks and last axes alone."""
    function, _ = BANKS[kind]
    length = {} if kind == "filter" else {"n_samples": N}
    names = list(inputs)
    # What has two axes has samples, modes or one number in the last one.
    specs = [
        tf.TensorSpec([None] * min(x.ndim, 2) + list(x.shape[2:]), tf.as_dtype(x.dtype))
        for x in inputs.values()
    ]
    graph = tf.function(lambda *x: function(**dict(zip(names, x, strict=True)), **length), specs)
    return graph(*[tf.constant(x) for x in inputs.values()]).numpy()


@pytest.mark.parametrize("make", [sound, of_unknown_sizes])
@pytest.mark.parametrize(("kind", "name"), ALL)
def test_one_row_broadcasts(kind, name, make):
    inputs = dict(BANKS[kind][1])
    inputs[name] = inputs[name][1:2]
    repeated = inputs | {name: np.repeat(inputs[name], 3, axis=0)}
    np.testing.assert_allclose(make(kind, inputs), sound(kind, repeated), atol=1e-6)


IN_FRAMES = [
    (kind, name)
    for kind, (_, inputs) in BANKS.items()
    for name, x in inputs.items()
    if x.ndim == 3 and kind != "filter"
]


@pytest.mark.parametrize("make", [sound, of_unknown_sizes])
@pytest.mark.parametrize(("kind", "name"), IN_FRAMES)
def test_one_frame_broadcasts(kind, name, make):
    inputs = dict(BANKS[kind][1])
    inputs[name] = inputs[name][:, 3:4]
    repeated = inputs | {name: np.repeat(inputs[name], 20, axis=1)}
    np.testing.assert_allclose(make(kind, inputs), sound(kind, repeated), atol=2e-6)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_another_batch_is_an_error_that_names_it(kind, name):
    inputs = dict(BANKS[kind][1])
    inputs[name] = inputs[name][:2]
    with pytest.raises(
        ShapeError, match=rf"{name}.* expected the same batch, or 1, .*{name} \(2,?"
    ):
        sound(kind, inputs)
    with pytest.raises(tf.errors.InvalidArgumentError):
        of_unknown_sizes(kind, inputs)


@pytest.mark.parametrize(
    ("kind", "name"), [pair for pair in IN_FRAMES if pair != ("wavetable", "wavetables")]
)
def test_other_frames_are_an_error_that_names_them(kind, name):
    inputs = dict(BANKS[kind][1])
    inputs[name] = inputs[name][:, :7]
    with pytest.raises(ShapeError, match=rf"{name}.* expected the same n_frames.*{name} \(3, 7"):
        sound(kind, inputs)
    with pytest.raises(tf.errors.InvalidArgumentError):
        of_unknown_sizes(kind, inputs)


def test_gradients_of_a_broadcast_row_add_up(native):
    inputs = {name: tf.constant(x) for name, x in HARMONIC.items()}
    few = inputs["amplitudes"][:1]
    weights = np.random.default_rng(0).normal(size=(3, N)).astype(np.float32)

    def slope(amplitudes):
        with tf.GradientTape() as tape:
            tape.watch(amplitudes)
            audio = synths.harmonic_synthesis(**(inputs | {"amplitudes": amplitudes}), n_samples=N)
            total = tf.reduce_sum(weights * audio)
        return tape.gradient(total, amplitudes).numpy()

    many = slope(tf.repeat(few, 3, axis=0)).sum(axis=0, keepdims=True)
    np.testing.assert_allclose(slope(few), many, rtol=1e-4, atol=1e-4)


def test_an_empty_batch_stays_empty(native):
    inputs = {name: x[:0] for name, x in HARMONIC.items()}
    assert sound("harmonic", inputs).shape == (0, N)
    assert of_unknown_sizes("harmonic", inputs).shape == (0, N)
    one_row = inputs | {"amplitudes": HARMONIC["amplitudes"][:1]}
    assert sound("harmonic", one_row).shape == (0, N)
    assert of_unknown_sizes("harmonic", one_row).shape == (0, N)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: synths.oscillator_bank(ones(1, 100, 2), ones(1, 99, 2)), "frequency_envelopes"),
        (lambda: synths.remove_above_nyquist(ones(1, 10, 5), ones(1, 10, 4)), "amplitude_env"),
        (lambda: synths.variable_length_delay(ones(1, 10, 1), ones(1, 11)), "phase"),
        (lambda: synths.linear_lookup(ones(3, 10, 1), ones(2, 64)), "wavetables"),
        (lambda: synths.fft_convolve(ones(3, 64), ones(2, 5)), "impulse_response"),
        (
            lambda: synths.ModDelay().get_signal(ones(3, 64), ones(2, 5, 1), ones(3, 5, 1)),
            "gain",
        ),
        (lambda: synths.SpectralLoss()(ones(1, 2000), ones(1, 1900)), "audio"),
        (lambda: synths.Transient(N)(*[ones(3, 8)] * 3, onset_seconds=ones(2, 1)), "onset_seconds"),
    ],
)
def test_other_functions_name_what_does_not_fit(call, named):
    with pytest.raises(ShapeError, match=named):
        call()
