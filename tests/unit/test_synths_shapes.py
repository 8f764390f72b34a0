"""Shapes, types and extremes, for all synthesis functions alike."""

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
STIFF = HARMONIC | {"inharmonicity": 1e-3 * ramp(3, 1, 1)}
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


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_one_row_broadcasts(kind, name):
    inputs = dict(BANKS[kind][1])
    inputs[name] = inputs[name][1:2]
    repeated = inputs | {name: np.repeat(inputs[name], 3, axis=0)}
    np.testing.assert_allclose(sound(kind, inputs), sound(kind, repeated), atol=1e-6)


IN_FRAMES = [
    (kind, name)
    for kind, (_, inputs) in BANKS.items()
    for name, x in inputs.items()
    if x.ndim == 3 and kind != "filter" and name != "inharmonicity"
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


F, H, T = ones(2, 5, 1), ones(2, 5, 3), ones(2, 5, 8)
WRONG = {
    "frequencies": lambda x: synths.harmonic_synthesis(x(F), F, None, H, 100),
    "amplitudes": lambda x: synths.harmonic_synthesis(F, x(F), None, H, 100),
    "harmonic_distribution": lambda x: synths.harmonic_synthesis(F, F, None, x(H), 100),
    "inharmonicity": lambda x: synths.Harmonic().get_controls(F, H, F, x(F)),
    "f0_hz": lambda x: synths.Wavetable().get_controls(F, T, x(F)),
    "frequency_envelopes": lambda x: synths.oscillator_bank(x(H), H),
    "amplitude_envelopes": lambda x: synths.oscillator_bank(H, x(H)),
    "sin_freqs": lambda x: synths.sinusoidal_to_harmonic(H, x(H), F),
    "onset_seconds": lambda x: synths.Modal()(*[ones(2, 4)] * 3, onset_seconds=x(ones(2, 1))),
    "pulse": lambda x: synths.Transient()(ones(2, 9), ones(2, 1), pulse=x(ones(2, 4))),
    "magnitudes": lambda x: synths.FilteredNoise().get_controls(x(ones(2, 5, 9))[..., None]),
    "impulse_response": lambda x: synths.fft_convolve(ones(2, 64), x(ones(2, 5, 9))[None]),
    "cutoff_frequency": lambda x: synths.sinc_filter(ones(2, 64), x(F)),
    "phase": lambda x: synths.variable_length_delay(x(F), ones(2, 5)),
    "ir": lambda x: synths.Reverb()(ones(2, 64), x(ones(2, 9, 1))[..., None]),
    "inputs": lambda x: synths.upsample_with_windows(x(H), 100),
    "freqs": lambda x: synths.frequencies_softmax(x(H)[0], 2),
    "audio": lambda x: synths.stft(x(ones(2, 64, 1))[..., None]),
    "seed": lambda x: synths.white_noise(x(np.ones((2, 2), int)), 100),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_shape_is_an_error_that_names_it(name):
    with pytest.raises(ShapeError, match=name):
        WRONG[name](lambda x: x[..., None])


def weighted_slopes(kind, inputs):
    """The audio, and the gradients of its sum."""
    tensors = {name: tf.constant(x) for name, x in inputs.items()}
    function, _ = BANKS[kind]
    length = {} if kind == "filter" else {"n_samples": N}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        audio = function(**tensors, **length)
    return audio, {k: v for k, v in tape.gradient(audio, tensors).items() if v is not None}


@pytest.mark.parametrize("kind", BANKS)
def test_types(native, kind):
    inputs = {k: v for k, v in BANKS[kind][1].items() if k != "initial_phase"}
    narrow = sound(kind, inputs)
    wide = sound(kind, {k: v.astype(np.float64) for k, v in inputs.items()})
    assert (narrow.dtype, wide.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(narrow, wide, atol=2e-5)
    halves = {k: tf.cast(v, tf.float16) for k, v in inputs.items()}
    exact = {k: tf.cast(v, tf.float32) for k, v in halves.items()}
    np.testing.assert_array_equal(sound(kind, halves), sound(kind, exact))


@pytest.mark.parametrize("kind", BANKS)
def test_silence_is_silent_with_finite_gradients(native, kind):
    name = "audio" if kind == "filter" else "amplitudes"
    inputs = BANKS[kind][1]
    audio, slopes = weighted_slopes(kind, inputs | {name: 0.0 * inputs[name]})
    assert not np.any(audio)
    assert slopes
    assert all(np.isfinite(slope).all() for slope in slopes.values())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", BANKS)
def test_audio_of_inputs_that_are_not_finite_is_not_finite(native, kind, bad):
    inputs = {name: x.copy() for name, x in BANKS[kind][1].items()}
    inputs["audio" if kind == "filter" else "amplitudes"][1] = bad
    audio = sound(kind, inputs)
    assert not np.isfinite(audio[1, 1:]).all()
    assert np.isfinite(audio[[0, 2]]).all()


@pytest.mark.parametrize("n_samples", [0, 1])
@pytest.mark.parametrize("kind", [kind for kind in BANKS if kind != "filter"])
def test_no_samples_and_one(native, kind, n_samples):
    function, inputs = BANKS[kind]
    audio = function(**inputs, n_samples=n_samples)
    assert audio.shape == (3, n_samples)
    assert np.isfinite(audio).all()
