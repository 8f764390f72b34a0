"""Filters and reverbs beside ddsp's, once ddsp's lag is taken into account."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

import synths
from benchmarks import exact


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape).astype(np.float32)


def best_shift(ours, theirs, reach=4):
    """(shift, signal-to-error in dB) where theirs, read `shift` samples on, is nearest to ours."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    middle = slice(reach, ours.shape[1] - reach)
    found = {
        shift: exact.signal_to_error_db(ours[:, middle], np.roll(theirs, -shift, 1)[:, middle])
        for shift in range(-reach, reach + 1)
    }
    shift = max(found, key=found.get)
    return shift, found[shift]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("n_taps", [1, 7, 64, 200])
def test_convolution_without_compensation(ddsp, padding, n_taps):
    audio, ir = noise(2, 300), noise(2, n_taps, seed=1)
    options = {"padding": padding, "delay_compensation": 0}
    ours = np.asarray(synths.fft_convolve(audio, ir, **options))
    wanted = np.stack([signal.convolve(*pair) for pair in zip(audio, ir, strict=True)])
    wanted = wanted if padding == "valid" else wanted[:, :300]
    np.testing.assert_allclose(ours, wanted, atol=2e-5)
    theirs = np.asarray(ddsp.core.fft_convolve(audio, ir, **options))
    if theirs.shape == ours.shape:
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_ddsp_returns_nothing_for_some_lengths_and_we_do(ddsp):
    audio, ir = noise(1, 449), noise(1, 64, seed=1)
    options = {"padding": "valid", "delay_compensation": 0}
    assert ddsp.core.fft_convolve(audio, ir, **options).shape[1] == 0
    assert synths.fft_convolve(audio, ir, **options).shape[1] == 449 + 64 - 1


@pytest.mark.parametrize(("n_bands", "window_size"), [(65, 0), (65, 257), (33, 0)])
def test_a_constant_filter_is_ddsps_without_its_lag(ddsp, n_bands, window_size):
    audio = noise(2, 2000)
    magnitudes = np.tile(np.random.default_rng(1).random([2, 1, n_bands], np.float32), [1, 10, 1])
    theirs = ddsp.core.frequency_filter(audio, magnitudes, window_size)
    ours = synths.frequency_filter(audio, magnitudes, window_size)
    shift, ratio_db = best_shift(ours, theirs)
    assert ratio_db > 40.0
    assert shift == 2  # ddsp's: flat magnitudes delay the sound by two samples
    flat = np.ones_like(magnitudes)
    assert best_shift(audio, ddsp.core.frequency_filter(audio, flat, window_size))[0] == 2
    shift, ratio_db = best_shift(audio, synths.frequency_filter(audio, flat, window_size))
    assert (shift, ratio_db > 100.0) == (0, True)


class TestFilteredNoise:
    """The processor."""

    def test_controls(self, ddsp):
        raw = np.random.default_rng(2).normal(size=[2, 5, 65]).astype(np.float32)
        for options in ({}, {"initial_bias": 0.0}, {"scale_fn": tf.nn.softplus}):
            theirs = ddsp.synths.FilteredNoise(**options).get_controls(raw)
            ours = synths.FilteredNoise(**options).get_controls(raw)
            assert set(ours) == set(theirs)
            np.testing.assert_allclose(
                ours["magnitudes"], theirs["magnitudes"], rtol=2e-5, atol=1e-8
            )

    def test_spectrum_on_the_average(self, ddsp):
        magnitudes = np.tile(np.float32(np.linspace(1.0, 0.1, 65)), [4, 100, 1])
        levels = []
        for library in (synths, ddsp.synths):
            audio = library.FilteredNoise(n_samples=64000).get_signal(magnitudes)
            density = signal.welch(np.asarray(audio), nperseg=256)[1].mean(0)
            levels.append(10.0 * np.log10(density[2:-2]))
        assert np.abs(levels[0] - levels[1]).max() < 1.0
        assert np.abs(np.mean(levels[0] - levels[1])) < 0.1


@pytest.mark.parametrize("sizes", [(30, 20), (100, 29), (64, 65), (1000, 257)])
@pytest.mark.parametrize("power_of_2", [True, False])
def test_transform_lengths(ddsp, sizes, power_of_2):
    theirs = ddsp.core.get_fft_size(*sizes, power_of_2=power_of_2)
    assert synths.get_fft_size(*sizes, power_of_2=power_of_2) == theirs


@pytest.mark.parametrize("options", [{}, {"sample_rate": 16000}, {"high_pass": True}])
@pytest.mark.parametrize("window_size", [128, 129])
def test_sinc_responses(ddsp, options, window_size):
    cutoff = np.float32([0.1, 0.5, 0.9]).reshape(1, 3, 1)
    if "sample_rate" in options:
        cutoff = cutoff * np.float32(8000.0)
    theirs = ddsp.core.sinc_impulse_response(tf.constant(cutoff), window_size, **options)
    ours = synths.sinc_impulse_response(cutoff, window_size, **options)
    assert ours.shape == theirs.shape
    # ddsp's window is the periodic kind, a sample longer than the response.
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_sinc_filter(ddsp):
    audio = noise(2, 1000)
    cutoff = np.full([2, 1, 1], 0.3, np.float32)
    theirs = ddsp.core.sinc_filter(audio, cutoff, 129)
    shift, ratio_db = best_shift(synths.sinc_filter(audio, cutoff, 129), theirs)
    assert (shift, ratio_db > 35.0) == (1, True)


@pytest.mark.parametrize("window_size", [0, 64])
def test_responses_of_magnitudes(ddsp, window_size):
    magnitudes = np.random.default_rng(3).random([2, 4, 33], np.float32)
    theirs = np.asarray(ddsp.core.frequency_impulse_response(magnitudes, window_size))
    ours = np.asarray(synths.frequency_impulse_response(magnitudes, window_size))
    # The same response; ours has its middle in the middle.
    centre = ours.shape[-1] // 2
    offset = np.argmax(np.abs(theirs).mean((0, 1))) - np.argmax(np.abs(ours).mean((0, 1)))
    near = np.arange(-20, 21)
    np.testing.assert_allclose(
        ours[..., centre + near], theirs[..., centre + offset + near], atol=1e-6
    )
