"""Filters: agreement with SciPy and NumPy, no delay, gains that follow ramps, any lengths."""

import importlib.util

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from synths import (
    crop_and_compensate_delay,
    fft_convolve,
    frequency_filter,
    frequency_impulse_response,
    resample,
    set_native_kernels,
    sinc_filter,
    sinc_impulse_response,
)
from synths.filters import filter_hops, response_margin, taps_of_bands

needs_numba = pytest.mark.skipif(not importlib.util.find_spec("numba"), reason="no Numba")
pytestmark = pytest.mark.usefixtures("native")


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "unknown sizes"])
def test_an_empty_sound_through_filters_that_change(graph):
    empty = np.zeros((2, 0), np.float32)
    for function, filters in (
        (lambda x, f: sinc_filter(x, f, 64), np.full((2, 3, 1), 0.5, np.float32)),
        (fft_convolve, np.ones((2, 3, 400), np.float32)),
        (frequency_filter, np.ones((2, 3, 9), np.float32)),
        (lambda x, f: fft_convolve(x, f, "valid"), np.ones((2, 3, 400), np.float32)),
    ):
        if graph:
            unknown = [tf.TensorSpec([None] * (x.ndim - 1) + [None], x.dtype) for x in (empty,)]
            unknown.append(tf.TensorSpec([None, None, filters.shape[2]], filters.dtype))
            function = tf.function(function, input_signature=unknown)
        sound = function(tf.constant(empty), tf.constant(filters)).numpy()
        assert sound.shape[0] == 2
        assert sound.shape[1] in (0, 399)
        assert not np.any(sound)


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


LENGTHS = [
    (1, 1),
    (5, 4),
    (100, 29),
    (129, 1),
    (1, 300),
    (513, 512),
    (1000, 25),
    (97, 1000),
    (640, 1),
    (0, 3),
]


@pytest.mark.parametrize(("padding", "delay"), [("same", 2), ("valid", 0)])
@pytest.mark.parametrize(("n_samples", "n_taps"), LENGTHS)
def test_convolution_of_any_lengths_is_numpys(n_samples, n_taps, padding, delay):
    audio, taps = noise(2, n_samples), noise(2, n_taps, seed=1)
    wet = fft_convolve(audio, taps, padding, delay)
    n = n_samples + (n_taps - 1 if padding == "valid" else 0)
    assert wet.shape == (2, n)
    for row, response, answer in zip(audio, taps, wet, strict=True):
        whole = np.convolve(np.append(row.astype(np.float64), 0.0), response)
        expected = np.append(whole, np.zeros(5))[delay : delay + n]
        np.testing.assert_allclose(answer, expected, atol=1e-4)


@pytest.mark.parametrize("n_taps", [1, 2, 7, 8, 256, 257])
def test_symmetric_responses_leave_no_delay(n_taps):
    impulse = np.zeros((1, 600), np.float32)
    impulse[0, 300] = 1.0
    taps = np.zeros((1, n_taps), np.float32)
    taps[0, n_taps // 2] = 1.0
    np.testing.assert_allclose(fft_convolve(impulse, taps), impulse, atol=1e-6)
    np.testing.assert_allclose(fft_convolve(impulse, taps[None]), impulse, atol=1e-6)


@pytest.mark.parametrize(("n_samples", "n_taps"), [(300_000, 300), (140_000, 2), (131_073, 9000)])
def test_long_sounds_are_convolved_in_blocks(n_samples, n_taps):
    audio, taps = noise(1, n_samples), noise(1, n_taps, seed=1)
    expected = scipy.signal.fftconvolve(np.float64(audio), np.float64(taps))
    size = np.abs(expected).max()
    wet = fft_convolve(audio, taps, "valid", 0)
    np.testing.assert_allclose(wet, expected, atol=3e-6 * size)
    unknown = tf.function(
        lambda audio, taps: fft_convolve(audio, taps, "valid", 0),
        input_signature=[tf.TensorSpec([None, None])] * 2,
    )
    np.testing.assert_allclose(unknown(audio, taps), expected, atol=3e-6 * size)


@pytest.mark.parametrize("n_frames", [1, 4, 7])
def test_few_frames_over_a_long_sound_take_no_huge_transform(n_frames):
    audio, magnitudes = tf.zeros([1, 2_000_000]), tf.ones([1, n_frames, 65])
    # get_concrete_function traces the plain path.
    set_native_kernels(None)
    graph = tf.function(frequency_filter).get_concrete_function(audio, magnitudes).graph
    bins = [op.outputs[0].shape[-1] for op in graph.get_operations() if op.type == "RFFT"]
    assert 0 < max(bins) < 10_000


# Of 10010 samples from frame to frame the smallest parts below 512 do not divide them.
@pytest.mark.parametrize("n_samples", [40_000, 40_040])
def test_frames_far_apart_are_as_frames_in_between(n_samples):
    magnitudes = np.random.default_rng(11).uniform(size=(1, 4, 17)).astype(np.float32)
    audio = noise(1, n_samples, seed=12)
    expected = frequency_filter(audio, resample(magnitudes, n_samples // 10))
    np.testing.assert_allclose(frequency_filter(audio, magnitudes), expected, atol=2e-5)


# Responses that change


def crossfaded(audio, taps, n_samples):
    """The full convolution of each sample with its own taps, linear between frames, float64."""
    audio, taps = np.float64(audio), np.float64(taps)
    n_frames, n_taps = taps.shape[1:]
    whole = np.zeros((len(audio), n_samples + n_taps - 1))
    for n in range(n_samples):
        place = n * n_frames / n_samples
        frame = int(place)
        after = min(frame + 1, n_frames - 1)
        here = taps[:, frame] + (place - frame) * (taps[:, after] - taps[:, frame])
        whole[:, n : n + n_taps] += audio[:, n : n + 1] * here
    return whole


@pytest.mark.parametrize(("padding", "delay"), [("same", -1), ("valid", 0), ("same", 5)])
@pytest.mark.parametrize(
    ("n_frames", "n_taps", "hop"), [(7, 20, 30), (3, 1, 50), (40, 33, 3), (5, 8, 16), (2, 301, 40)]
)
def test_responses_that_change_crossfade(n_frames, n_taps, hop, padding, delay):
    n_samples = n_frames * hop
    audio, taps = noise(2, n_samples), noise(2, n_frames, n_taps, seed=1)
    wet = fft_convolve(audio, taps, padding, delay)
    start = n_taps // 2 if delay < 0 else delay
    n = n_samples + (n_taps - 1 if padding == "valid" else 0)
    expected = np.pad(crossfaded(audio, taps, n_samples), [[0, 0], [0, start]])
    np.testing.assert_allclose(wet, expected[:, start : start + n], atol=1e-4)


@needs_numba
@pytest.mark.parametrize("batch", [1, 3])
def test_threads_share_the_hops_of_a_row(monkeypatch, batch):
    from synths.kernels import filter_cpu, threads

    audio = tf.constant(noise(batch, 23 * 16))
    magnitudes = tf.constant(np.abs(noise(batch, 23, 9, seed=1)))

    def both():
        with tf.GradientTape() as tape:
            tape.watch([audio, magnitudes])
            filtered = frequency_filter(audio, magnitudes)
            total = tf.reduce_sum(filtered**2)
        return filtered, *tape.gradient(total, [audio, magnitudes])

    alone = both()
    monkeypatch.setattr(filter_cpu, "_SAMPLES_A_THREAD", 1)
    monkeypatch.setattr(threads, "n_threads", lambda: 5)
    for one, other in zip(both(), alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize(("n_bands", "window_size"), [(2, 0), (9, 0), (9, 6), (9, 7), (17, 1)])
def test_a_filter_reaches_as_far_as_its_taps(n_bands, window_size):
    response = frequency_impulse_response(tf.eye(n_bands), window_size).numpy()
    margin = response_margin(n_bands, window_size)
    middle = response.shape[1] // 2
    assert margin == middle - np.flatnonzero(np.abs(response).max(axis=0) > 1e-7)[0]
    taps = taps_of_bands(n_bands, window_size)
    np.testing.assert_allclose(taps, response[:, middle : middle + margin + 1], atol=1e-7)


def test_parts_of_a_sound_join():
    n_bands, hop, n_frames = 9, 16, 12
    magnitudes = tf.constant(np.abs(noise(2, n_frames, n_bands)))
    audio = noise(2, n_frames * hop, seed=1)
    margin = response_margin(n_bands)
    joined = np.zeros((2, n_frames * hop + 2 * margin))
    for low, high in ((0, 1), (1, 5), (5, 12)):
        part = filter_hops(
            audio[:, low * hop : high * hop],
            magnitudes[:, low : high + 1],
            hop,
            high - low,
            0,
            -margin,
            (high - low) * hop + 2 * margin,
        )
        joined[:, low * hop : high * hop + 2 * margin] += part
    expected = frequency_filter(audio, magnitudes)
    np.testing.assert_allclose(joined[:, margin:-margin], expected, atol=1e-5)


# Ends, precision, other filters


@pytest.mark.parametrize("n_frames", [1, 10])
@pytest.mark.parametrize("window_size", [0, 9])
def test_valid_holds_the_tail(n_frames, window_size):
    magnitudes = np.random.default_rng(13).uniform(size=(1, 1, 17)).astype(np.float32)
    magnitudes = np.tile(magnitudes, (1, n_frames, 1))
    audio = noise(1, 200, seed=14)
    n_taps = window_size or 32
    valid = frequency_filter(audio, magnitudes, window_size, "valid")
    assert valid.shape == (1, 200 + n_taps - 1)
    longer = np.pad(audio, [[0, 0], [0, 100]])
    expected = frequency_filter(longer, magnitudes[:, :1], window_size)[:, : valid.shape[1]]
    np.testing.assert_allclose(valid, expected, atol=1e-5)
    same = frequency_filter(audio, magnitudes, window_size)
    np.testing.assert_allclose(valid[:, :200], same, atol=1e-5)


@pytest.mark.parametrize("high_pass", [False, True])
@pytest.mark.parametrize("window_size", [256, 257])
def test_sinc_filters_pass_their_band(high_pass, window_size):
    time = np.arange(8000) / 16000
    for hz in (500, 1500, 2500, 3500, 6000):
        sine = np.sin(2 * np.pi * hz * time).astype(np.float32)[None]
        cutoff = np.full((1, 10, 1), 2000.0, np.float32)
        filtered = sinc_filter(sine, cutoff, window_size, 16000, high_pass=high_pass)
        assert filtered.shape == (1, 8000)
        passes = (hz > 2000) == high_pass
        middle = slice(500, -500)
        expected = sine[0, middle] if passes else 0.0
        np.testing.assert_allclose(filtered[0, middle], expected, atol=0.01)
        ratio = sinc_filter(sine, cutoff / 8000, window_size, high_pass=high_pass)
        np.testing.assert_allclose(ratio, filtered, atol=1e-5)


def test_the_part_that_is_kept():
    whole = np.arange(10.0, dtype=np.float32)[None]
    same = crop_and_compensate_delay(whole, 7, 4, "same", 0)
    np.testing.assert_array_equal(same[0], np.arange(7))
    late = crop_and_compensate_delay(whole, 7, 4, "valid", -1)
    np.testing.assert_array_equal(late[0], [2, 3, 4, 5, 6, 7, 8, 9, 0, 0])


@pytest.mark.parametrize("function", [frequency_filter, fft_convolve])
def test_a_wrong_padding_is_named(function):
    with pytest.raises(ValueError, match="padding: got 'full', expected"):
        function(tf.zeros([1, 8]), tf.zeros([1, 2, 3]), padding="full")


@pytest.mark.parametrize(("cutoff", "rate"), [(0.25, None), (2000, 16000)])
def test_a_cutoff_may_be_a_number(cutoff, rate):
    audio = np.random.default_rng(0).normal(size=(2, 900)).astype(np.float32)
    frames = np.full((2, 3, 1), cutoff, np.float32)
    for high_pass in (False, True):
        filtered = sinc_filter(audio, cutoff, 64, rate, high_pass=high_pass)
        expected = sinc_filter(audio, frames, 64, rate, high_pass=high_pass)
        np.testing.assert_allclose(filtered, expected, atol=1e-5)
    assert sinc_impulse_response(cutoff, 64, rate).shape == (1, 1, 65)
