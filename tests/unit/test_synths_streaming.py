"""Streams: equal to the whole for any blocks, for hours."""

import numpy as np
import pytest
import tensorflow as tf

from synths import (
    ConvolutionStream,
    FilteredNoise,
    FilteredNoiseStream,
    Harmonic,
    HarmonicStream,
    fft_convolve,
    white_noise,
)

pytestmark = pytest.mark.usefixtures("native")
HOP = 40
# Numbers of frames of the blocks in which 17 frames come.
BLOCKS = [[3, 3, 3, 3, 3, 2], [17], [1] * 17, [5, 1, 11], [0, 0, 4, 0, 13, 0]]


def harmonic_controls(stiff=False, n_frames=17, dtype=tf.float32):
    rng = np.random.default_rng(0)
    controls = {
        "amplitudes": rng.uniform(0.1, 1.0, (2, n_frames, 1)),
        "harmonic_distribution": rng.uniform(0.0, 0.2, (2, n_frames, 6)),
        "f0_hz": rng.uniform(100.0, 1500.0, (2, n_frames, 1)),
    }
    if stiff:
        controls["inharmonicity"] = rng.uniform(1e-3, 1e-2, (2, 1, 1))
    return {name: tf.constant(value, dtype) for name, value in controls.items()}


def noise_controls(n_frames=17, n_bands=9, dtype=tf.float32):
    rng = np.random.default_rng(1)
    return {"magnitudes": tf.constant(rng.uniform(0, 1, (2, n_frames, n_bands)), dtype)}


def parts(controls, sizes):
    """The controls in blocks of so many frames; a single frame for all goes into each."""
    low = 0
    for size in sizes:
        yield {
            name: value if value.shape[1] == 1 else value[:, low : low + size]
            for name, value in controls.items()
        }
        low += size


def streamed(stream, controls, sizes, state):
    """All that a stream gives, without the samples by which it is late."""
    sounds = []
    for size, block in zip(sizes, parts(controls, sizes), strict=True):
        audio, state = stream(block, state)
        assert audio.shape == (2, size * HOP)
        sounds.append(audio)
    end = stream.finish(state)
    assert end.shape == (2, stream.latency)
    late = np.concatenate([*sounds, end], axis=1)
    if isinstance(stream, HarmonicStream):
        assert (late[:, : stream.latency] == 0).all()
    return late[:, stream.latency :]


@pytest.mark.parametrize("sizes", BLOCKS)
@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_harmonics(sizes, method):
    synth = Harmonic(17 * HOP, amp_resample_method=method)
    controls = harmonic_controls()
    stream = HarmonicStream(synth, HOP)
    answer = streamed(stream, controls, sizes, stream.initial_state(controls))
    np.testing.assert_allclose(answer, synth.get_signal(**controls), atol=1e-5)


@pytest.mark.parametrize("sizes", BLOCKS)
def test_a_stiff_string(sizes):
    synth = Harmonic(17 * HOP)
    controls = harmonic_controls(stiff=True)
    stream = HarmonicStream(synth, HOP)
    answer = streamed(stream, controls, sizes, stream.initial_state(controls))
    np.testing.assert_allclose(answer, synth.get_signal(**controls), atol=1e-5)


@pytest.mark.parametrize("sizes", BLOCKS)
@pytest.mark.parametrize(("n_bands", "window_size"), [(9, 7), (65, 257)])
def test_noise(sizes, n_bands, window_size):
    synth = FilteredNoise(17 * HOP, window_size, seed=5)
    controls = noise_controls(n_bands=n_bands)
    stream = FilteredNoiseStream(synth, HOP, n_bands)
    for seed in (None, [7, 7]):
        state = stream.initial_state(controls, seed)
        answer = streamed(stream, controls, sizes, state)
        np.testing.assert_allclose(answer, synth.get_signal(**controls, seed=seed), atol=1e-5)


@pytest.mark.parametrize("sizes", [[300], [0, 100, 1, 0, 199, 0], [7] * 42 + [6]])
@pytest.mark.parametrize("n_taps", [1, 50, 1000])
def test_convolution(sizes, n_taps):
    rng = np.random.default_rng(2)
    audio = rng.normal(size=(2, 300)).astype(np.float32)
    taps = rng.normal(size=(1, n_taps)).astype(np.float32) / np.sqrt(n_taps)
    stream = ConvolutionStream(taps)
    state = stream.initial_state(2)
    sounds = []
    for block in np.split(audio, np.cumsum(sizes)[:-1], axis=1):
        wet, state = stream(block, state)
        assert wet.shape == block.shape
        sounds.append(wet)
    sounds.append(stream.finish(state))
    expected = fft_convolve(audio, taps, "valid", 0)
    np.testing.assert_allclose(np.concatenate(sounds, axis=1), expected, atol=1e-5)


def test_float64():
    harmonic, noise = Harmonic(17 * HOP), FilteredNoise(17 * HOP)
    for synth, controls, stream in (
        (harmonic, harmonic_controls(dtype=tf.float64), HarmonicStream(harmonic, HOP)),
        (noise, noise_controls(dtype=tf.float64), FilteredNoiseStream(noise, HOP, 9)),
    ):
        answer = streamed(stream, controls, BLOCKS[0], stream.initial_state(controls))
        assert answer.dtype == np.float64
        np.testing.assert_allclose(answer, synth.get_signal(**controls), atol=1e-12)


def test_a_state_from_an_empty_block():
    harmonic, noise = Harmonic(17 * HOP), FilteredNoise(17 * HOP)
    for synth, controls, stream in (
        (harmonic, harmonic_controls(), HarmonicStream(harmonic, HOP)),
        (harmonic, harmonic_controls(stiff=True), HarmonicStream(harmonic, HOP)),
        (noise, noise_controls(), FilteredNoiseStream(noise, HOP, 9)),
    ):
        state = stream.initial_state(next(parts(controls, [0])))
        answer = streamed(stream, controls, BLOCKS[-1], state)
        np.testing.assert_allclose(answer, synth.get_signal(**controls), atol=1e-5)


def test_in_a_graph_of_unknown_sizes():
    synth = Harmonic(17 * HOP)
    controls = harmonic_controls()
    stream = HarmonicStream(synth, HOP)
    state = stream.initial_state(controls)
    unknown = tf.nest.map_structure(
        lambda x: tf.TensorSpec([None] * min(x.shape.rank, 2) + x.shape[2:], x.dtype),
        (controls, state),
    )
    graph = tf.function(stream, input_signature=unknown)
    sounds = []
    for block in parts(controls, BLOCKS[-1]):
        audio, state = graph(block, state)
        sounds.append(audio)
    answer = np.concatenate([*sounds, stream.finish(state)], axis=1)[:, stream.latency :]
    np.testing.assert_allclose(answer, synth.get_signal(**controls), atol=1e-5)


def test_harmonics_after_an_hour():
    """At a rate of 500 Hz, which is fast and wraps phases as often."""
    rate, hop, seconds = 500, 2, 3600
    n_frames = rate * seconds // hop
    f0_hz = np.float32([[61.7], [80.3]])
    controls = {
        "amplitudes": tf.fill([2, 10_000, 1], 1.0),
        "harmonic_distribution": tf.tile(tf.constant([[[0.5, 0.3, 0.2]]]), [2, 10_000, 1]),
        "f0_hz": tf.tile(f0_hz[:, None], [1, 10_000, 1]),
    }
    stream = HarmonicStream(Harmonic(sample_rate=rate), hop)
    state = stream.initial_state(controls)
    for _ in range(n_frames // 10_000):
        audio, state = stream(controls, state)
    assert int(state["n_frames"]) == n_frames
    first = (n_frames - 10_000 - 1) * hop
    time = (first + np.arange(20_000))[None, :] / rate
    expected = sum(
        share * np.sin(2 * np.pi * np.mod(np.float64(f0_hz) * k * time, 1)) * (f0_hz * k < rate / 2)
        for k, share in ((1, 0.5), (2, 0.3), (3, 0.2))
    )
    np.testing.assert_allclose(audio, expected, atol=1e-5)


def test_noise_after_many_hours():
    """The counter goes past what 32 bits hold."""
    synth = FilteredNoise(window_size=0, scale_fn=None)
    controls = {"magnitudes": tf.ones([2, 6, 9])}
    stream = FilteredNoiseStream(synth, HOP, 9)
    for samples in (2**31, 2**32, 40 * 3600 * 48000):
        n_frames = samples // HOP
        state = stream.initial_state(controls, seed=[3, 4])
        # One frame late and with the tail of what came before.
        _, state = stream(controls, state | {"n_frames": tf.constant(n_frames, tf.int64)})
        audio, state = stream(controls, state)
        first = (n_frames + 6) * HOP - stream.latency
        expected = white_noise([3, 4], 6 * HOP, first)
        np.testing.assert_allclose(audio, expected, atol=1e-5)
