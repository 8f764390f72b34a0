"""Filters: SciPy and NumPy agreement, no delay, gains that follow their ramps, any lengths."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from synths import ShapeError, fft_convolve, frequency_filter, resample
from synths.filters import _fast_length


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def zero_phase_response(magnitudes, window_size=0):
    """Taps -half .. half of the filter with these magnitudes, in float64."""
    impulse = np.fft.fftshift(np.fft.irfft(magnitudes))
    half = len(impulse) // 2
    impulse = np.append(impulse, impulse[0])
    lag = np.arange(-half, half + 1)
    cut = window_size if 0 < window_size <= 2 * half else 2 * half
    window = np.where(np.abs(lag) <= cut / 2, 0.5 + 0.5 * np.cos(2 * np.pi * lag / cut), 0.0)
    return impulse * window


@pytest.mark.parametrize("n_bands", [2, 64, 65, 128])
@pytest.mark.parametrize(("n_samples", "n_frames"), [(1000, 10), (1001, 10), (997, 1), (500, 500)])
def test_ones_change_nothing(n_bands, n_samples, n_frames):
    audio = noise(2, n_samples)
    filtered = frequency_filter(audio, tf.ones([2, n_frames, n_bands]))
    assert filtered.shape == (2, n_samples)
    np.testing.assert_allclose(filtered, audio, atol=1e-5)


@pytest.mark.parametrize(("n_bands", "window_size"), [(65, 0), (64, 0), (33, 21), (9, 1000)])
def test_a_constant_filter_is_scipys(n_bands, window_size):
    magnitudes = np.random.default_rng(1).uniform(size=n_bands).astype(np.float32)
    audio = noise(1, 1200, seed=2)
    frames = np.tile(magnitudes, (1, 24, 1))
    filtered = frequency_filter(audio, frames, window_size)
    taps = zero_phase_response(magnitudes, window_size)
    padded = np.pad(audio[0].astype(np.float64), len(taps))
    expected = scipy.signal.fftconvolve(padded, taps, mode="same")[len(taps) : -len(taps)]
    np.testing.assert_allclose(filtered[0], expected, atol=1e-5)


@pytest.mark.parametrize("n_bands", [64, 65])
def test_no_delay(n_bands):
    magnitudes = np.linspace(1, 0, n_bands)[None, None].repeat(10, axis=1)
    impulse = np.zeros((1, 1000), np.float32)
    impulse[0, 500] = 1.0
    answer = frequency_filter(impulse, magnitudes)[0].numpy()
    assert np.argmax(np.abs(answer)) == 500
    around = answer[500 - n_bands : 501 + n_bands]
    np.testing.assert_allclose(around, around[::-1], atol=1e-6)
    audio = noise(1, 4000, seed=3)
    filtered = frequency_filter(audio, magnitudes)[0].numpy()
    lags = scipy.signal.correlation_lags(4000, 4000)
    assert lags[np.argmax(scipy.signal.correlate(filtered, audio[0]))] == 0


@pytest.mark.parametrize(("hz", "gain"), [(1000, 1.0), (3000, 1.0), (5000, 0.0), (7000, 0.0)])
def test_bands_lie_evenly_up_to_nyquist(hz, gain):
    magnitudes = (np.arange(65) <= 32).astype(np.float32)[None, None]  # 0 .. 4 kHz of 8 kHz
    sine = np.sin(2 * np.pi * hz * np.arange(4000) / 16000).astype(np.float32)[None]
    filtered = frequency_filter(sine, magnitudes)[0, 500:-500].numpy()
    np.testing.assert_allclose(np.sqrt(2 * np.mean(filtered**2)), gain, atol=0.01)


@pytest.mark.parametrize("n_samples", [1000, 1007])
def test_a_gain_on_a_ramp_follows_the_ramp(n_samples):
    n_frames = 20
    gains = np.linspace(0, 1, n_frames)
    magnitudes = np.tile(gains[None, :, None], (1, 1, 17))
    audio = noise(1, n_samples, seed=4)
    filtered = frequency_filter(audio, magnitudes)[0].numpy()
    expected = audio[0] * resample(gains[None, :, None], n_samples)[0, :, 0].numpy()
    before_end = (n_frames - 2) * n_samples // n_frames
    np.testing.assert_allclose(filtered[:before_end], expected[:before_end], atol=1e-5)


def test_between_frames_filters_crossfade():
    a, b = np.random.default_rng(5).uniform(size=(2, 17)).astype(np.float32)
    audio = noise(1, 200, seed=6)
    filtered = frequency_filter(audio, np.stack([a, b])[None])[0].numpy()
    only_a, only_b = (
        frequency_filter(x, m[None, None])[0].numpy()
        for x, m in (
            (audio * np.clip(1 - np.arange(200) / 100, 0, 1), a),
            (audio * np.clip(np.arange(200) / 100, 0, 1), b),
        )
    )
    np.testing.assert_allclose(filtered, only_a + only_b, atol=1e-5)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(4410, 25), (1, 1), (5, 12), (640, 63)])
def test_frames_need_not_divide_samples(n_samples, n_frames):
    magnitudes = np.random.default_rng(7).uniform(0.5, 1, size=(1, n_frames, 9))
    filtered = frequency_filter(noise(1, n_samples), magnitudes)
    assert filtered.shape == (1, n_samples)
    assert np.isfinite(filtered).all()
    if n_samples > 5 * n_frames:
        # The same responses on a fine grid that does divide.
        fine = resample(magnitudes, n_samples)
        expected = frequency_filter(noise(1, n_samples), fine)
        assert np.std(filtered - expected) < 0.04 * np.std(expected)


def test_sizes_that_are_known_only_when_it_runs():
    function = tf.function(
        frequency_filter,
        input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None, None])],
    )
    for n_samples, n_frames, n_bands in [(300, 10, 9), (301, 7, 8)]:
        audio = noise(2, n_samples)
        magnitudes = np.random.default_rng(8).uniform(size=(2, n_frames, n_bands))
        magnitudes = magnitudes.astype(np.float32)
        expected = frequency_filter(audio, magnitudes)
        np.testing.assert_allclose(function(audio, magnitudes), expected, atol=1e-6)


def test_gradients_by_finite_differences():
    audio = tf.constant(noise(1, 60))
    magnitudes = tf.constant(np.random.default_rng(9).uniform(size=(1, 4, 5)), tf.float32)
    weight = noise(1, 60, seed=10)

    def loss(audio, magnitudes):
        return float(np.sum(weight.astype(np.float64) * frequency_filter(audio, magnitudes)))

    with tf.GradientTape() as tape:
        tape.watch([audio, magnitudes])
        total = tf.reduce_sum(weight * frequency_filter(audio, magnitudes))
    g_audio, g_magnitudes = tape.gradient(total, [audio, magnitudes])
    # The filter is linear in either, so a large step has no error but rounding.
    for index in [(0, 0), (0, 31), (0, 59)]:
        step = np.zeros(audio.shape, np.float32)
        step[index] = 8.0
        slope = (loss(audio + step, magnitudes) - loss(audio - step, magnitudes)) / 16
        np.testing.assert_allclose(g_audio[index], slope, atol=1e-4)
    for index in [(0, 0, 0), (0, 2, 3), (0, 3, 4)]:
        step = np.zeros(magnitudes.shape, np.float32)
        step[index] = 8.0
        slope = (loss(audio, magnitudes + step) - loss(audio, magnitudes - step)) / 16
        np.testing.assert_allclose(g_magnitudes[index], slope, atol=1e-4)


@pytest.mark.parametrize(
    ("n_samples", "n_taps"),
    [(1, 1), (5, 4), (100, 29), (129, 1), (1, 300), (513, 512), (1000, 25), (97, 1000), (640, 1)],
)
def test_convolution_of_any_lengths_is_numpys(n_samples, n_taps):
    audio, taps = noise(2, n_samples), noise(2, n_taps, seed=1)
    wet = fft_convolve(audio, taps)
    assert wet.shape == (2, n_samples)
    for row, response, answer in zip(audio, taps, wet, strict=True):
        expected = np.convolve(row.astype(np.float64), response)[:n_samples]
        np.testing.assert_allclose(answer, expected, atol=1e-4)


def test_one_response_serves_a_batch():
    audio, taps = noise(3, 50), noise(1, 20, seed=1)
    each = [fft_convolve(row[None], taps)[0] for row in audio]
    np.testing.assert_allclose(fft_convolve(audio, taps), each, atol=1e-6)


def test_convolution_of_sizes_known_only_when_it_runs():
    function = tf.function(fft_convolve, input_signature=[tf.TensorSpec([None, None])] * 2)
    for n_samples, n_taps in [(100, 29), (64, 65)]:
        audio, taps = noise(2, n_samples), noise(2, n_taps, seed=1)
        np.testing.assert_allclose(function(audio, taps), fft_convolve(audio, taps), atol=1e-5)


def test_fast_lengths():
    fast = {m * 2**a for m in (1, 3, 5) for a in range(30)}
    for n in [1, 8, 9, 24, 25, 40, 41, 1024, 1025, 1280, 1281, 1536, 1537, 79_999, 2**20 + 1]:
        assert int(_fast_length(n)) == min(x for x in fast if x >= max(n, 8)), n


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (frequency_filter, ([8], [1, 2, 3]), r"audio: expected \[batch, n_samples\].*\(8,\)"),
        (frequency_filter, ([1, 8], [2, 3]), r"magnitudes: expected \[batch, n_f.*\(2, 3\)"),
        (
            frequency_filter,
            ([1, 8], [1, 2, 1]),
            r"magnitudes: expected 2 bands or more.*\(1, 2, 1\)",
        ),
        (fft_convolve, ([1, 8, 1], [1, 3]), r"audio: expected \[batch, n_samples\]"),
        (fft_convolve, ([1, 8], [3]), r"impulse_response: expected \[batch, n_taps\].*\(3,\)"),
    ],
)
def test_a_wrong_shape_is_named(function, arguments, message):
    with pytest.raises(ShapeError, match=message):
        function(*[tf.zeros(shape) for shape in arguments])
