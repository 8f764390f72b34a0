"""Impulse responses: lengths, symmetry, windows, gains."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from synths import (
    apply_window_to_impulse_response,
    frequency_impulse_response,
    sinc,
    sinc_impulse_response,
)


def gains(*shape):
    return np.random.default_rng(0).uniform(size=shape)


@pytest.mark.parametrize(
    ("n_bands", "window_size", "n_taps"),
    [
        (65, 0, 128),
        (65, -1, 128),
        (65, 257, 128),
        (65, 128, 128),
        (65, 65, 65),
        (65, 64, 63),
        (5, 1, 1),
        (2, 0, 2),
    ],
)
def test_lengths(n_bands, window_size, n_taps):
    taps = frequency_impulse_response(gains(2, 3, n_bands), window_size)
    assert taps.shape == (2, 3, n_taps)
    assert frequency_impulse_response(gains(2, n_bands), window_size).shape == (2, n_taps)
    # Symmetric about the middle tap; of an even number the first one is 0.
    taps = taps.numpy()[..., 1:] if n_taps % 2 == 0 else taps.numpy()
    np.testing.assert_allclose(taps, taps[..., ::-1], atol=1e-12)


def test_the_response_has_the_gains_under_a_window():
    magnitudes = gains(33)
    taps = frequency_impulse_response(magnitudes[None])[0].numpy()
    unwindowed = np.fft.fftshift(np.fft.irfft(magnitudes))
    np.testing.assert_allclose(
        taps, unwindowed * scipy.signal.windows.hann(64, sym=False), atol=1e-12
    )
    # A Hann window mixes a quarter of both neighbours into each band.
    answer = np.abs(np.fft.rfft(taps))
    smooth = np.convolve(np.pad(magnitudes, 1, mode="reflect"), [0.25, 0.5, 0.25], "valid")
    np.testing.assert_allclose(answer, smooth, atol=1e-12)


@pytest.mark.parametrize("n", [32, 33])
@pytest.mark.parametrize("window_size", [0, 11, 12])
def test_windows_of_responses_in_either_form(n, window_size):
    response = np.random.default_rng(1).normal(size=(2, n))
    taps = apply_window_to_impulse_response(response, window_size)
    n_taps = {0: n, 11: 11, 12: 11}[window_size]
    assert taps.shape == (2, n_taps)
    lag = np.arange(n_taps) - n_taps // 2
    cut = window_size or n
    window = 0.5 + 0.5 * np.cos(2 * np.pi * lag / cut)
    np.testing.assert_allclose(taps, response[:, lag % n] * window, atol=1e-12)
    shifted = np.fft.fftshift(response, axes=-1)
    causal = apply_window_to_impulse_response(shifted, window_size, causal=True)
    np.testing.assert_array_equal(causal, taps)


def test_sinc():
    x = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(sinc(x), np.sinc(x), atol=1e-15)
    tensor = tf.constant([0.0, 1e-30, 0.5])
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = sinc(tensor)
    np.testing.assert_allclose(y, [1.0, 1.0, 2 / np.pi], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(y, tensor), [0.0, 0.0, -4 / np.pi], rtol=1e-5)


@pytest.mark.parametrize(("window_size", "n_taps"), [(512, 513), (513, 513), (1, 1), (2, 3)])
def test_sinc_responses_are_symmetric_and_of_gain_one(window_size, n_taps):
    cutoff = np.float64([[[0.1], [0.5]], [[0.9], [0.3]]])
    low = sinc_impulse_response(cutoff, window_size).numpy()
    assert low.shape == (2, 2, n_taps)
    np.testing.assert_allclose(low, low[..., ::-1], atol=1e-15)
    np.testing.assert_allclose(low.sum(axis=-1), 1.0, rtol=1e-12)
    in_hz = sinc_impulse_response(cutoff * 22050, window_size, 44100)
    np.testing.assert_allclose(in_hz, low, atol=1e-12)
    high = sinc_impulse_response(cutoff, window_size, high_pass=True)
    delta = np.zeros(n_taps)
    delta[n_taps // 2] = 1.0
    np.testing.assert_allclose(high + low, np.broadcast_to(delta, low.shape), atol=1e-12)


@pytest.mark.parametrize("n_taps", [3, 5, 101])
def test_sinc_responses_are_scipys(n_taps):
    taps = sinc_impulse_response(np.float64([[[0.25]]]), n_taps)[0, 0]
    expected = scipy.signal.firwin(n_taps, 0.25, window="hamming")
    np.testing.assert_allclose(taps, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (frequency_impulse_response, gains(1, 2, 5)),
        (lambda m: frequency_impulse_response(m, 5), gains(1, 2, 5)),
        (lambda x: sinc_impulse_response(x, 8), gains(1, 2, 1)),
        (lambda x: sinc_impulse_response(x, 8, high_pass=True), gains(1, 2, 1)),
    ],
)
def test_gradients_by_finite_differences(function, inputs):
    weight = np.random.default_rng(2).normal(size=function(inputs).shape)
    tensor = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(weight * function(tensor))
    slope = tape.gradient(total, tensor).numpy()
    for index in np.ndindex(inputs.shape):
        step = np.zeros_like(inputs)
        step[index] = 1e-6
        difference = np.sum(weight * (function(inputs + step) - function(inputs - step)))
        np.testing.assert_allclose(slope[index], difference / 2e-6, atol=1e-7)
