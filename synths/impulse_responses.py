"""Impulse responses of filters given by gains or cut-off frequencies.

All are symmetric about tap `n_taps // 2`, so that `fft_convolve` applies them without delay.
"""

import math

import tensorflow as tf

from synths import portable
from synths.precision import as_float
from synths.shapes import ShapeError, check_shape, length

BANDS = "[batch, n_frames, n_bands]", "[batch, n_bands]"


def frequency_impulse_response(magnitudes, window_size=0):
    """Zero-phase impulse responses of given gains, cut by a Hann window.

    Args:
      magnitudes: Linear gains at bands spaced evenly from 0 Hz to Nyquist, [batch, n_bands] or
        [batch, n_frames, n_bands], n_bands >= 2.
      window_size: Length of the window in samples; below 1 or above 2 (n_bands - 1):
        2 (n_bands - 1).

    Returns:
      [batch, n_taps] or [batch, n_frames, n_taps]; n_taps is 2 (n_bands - 1), or for a shorter
      window the largest odd number up to window_size. Tap n_taps // 2 is at lag 0.
    """
    magnitudes = as_float(magnitudes)
    check_bands(magnitudes)
    if portable.portable_operations_used():
        with tf.init_scope():
            of_each_band = _without_phase(tf.eye(magnitudes.shape[-1]), window_size).numpy()
        return tf.matmul(magnitudes, tf.constant(of_each_band))
    return _without_phase(magnitudes, window_size)


def _without_phase(magnitudes, window_size):
    n_bands = length(magnitudes, -1)
    spectrum = tf.complex(magnitudes, tf.zeros_like(magnitudes))
    response = tf.signal.irfft(spectrum, [2 * (n_bands - 1)])
    return apply_window_to_impulse_response(response, window_size)


def check_bands(magnitudes):
    """Raise ShapeError unless magnitudes are [batch, n_bands] or [batch, n_frames, n_bands]."""
    shape = magnitudes.shape
    check_shape("magnitudes", magnitudes, *BANDS)
    if shape.rank and shape[-1] is not None and shape[-1] < 2:
        raise ShapeError(f"magnitudes: expected 2 bands or more, got shape {tuple(shape)}.")


def apply_window_to_impulse_response(impulse_response, window_size=0, causal=False):
    """Window impulse responses around lag 0 and bring them to causal form.

    Args:
      impulse_response: [..., n], with lag 0 at sample 0 and negative lags at the end, or in
        causal form.
      window_size: Length of the window in samples; below 1 or above n: n.
      causal: Whether lag 0 is at sample n // 2 of impulse_response.

    Returns:
      [..., n_taps] with lag 0 at tap n_taps // 2; n_taps is n, or for a shorter window the largest
      odd number up to window_size. For an odd number of taps the window is symmetric about lag 0.
    """
    response = as_float(impulse_response)
    size = length(response, -1)
    if not causal:
        response = tf.signal.fftshift(response, axes=-1)
    window_size, n_taps = window_and_taps(size, window_size)
    lag = tf.range(n_taps) - n_taps // 2
    begin = size // 2 - n_taps // 2
    return response[..., begin : begin + n_taps] * hann(lag, window_size, response.dtype)


def window_and_taps(size, window_size):
    """Length of the window and number of taps of a response of `size` samples."""
    if isinstance(size, int) and isinstance(window_size, int):
        short = 0 < window_size < size
        return (window_size, window_size - 1 + window_size % 2) if short else (size, size)
    short = (window_size > 0) & (window_size < size)
    odd = window_size - 1 + window_size % 2
    return tf.where(short, window_size, size), tf.where(short, odd, size)


def hann(lag, window_size, dtype):
    """Hann window at integer lags from its middle, within its ends."""
    place = tf.cast(lag, dtype) / tf.cast(window_size, dtype)
    return 0.5 + 0.5 * tf.cos(2.0 * math.pi * place)


def sinc(x, threshold=1e-20):
    """sin(pi x) / (pi x), 1 at 0; any shape.

    Args:
      x: Any shape.
      threshold: For abs(x) below it the value is 1 and the gradient 0.
    """
    x = as_float(x)
    near = tf.abs(x) < threshold
    turn = math.pi * tf.where(near, tf.ones_like(x), x)
    return tf.where(near, tf.ones_like(x), tf.sin(turn) / turn)


def sinc_impulse_response(cutoff_frequency, window_size=512, sample_rate=None, high_pass=False):
    """Zero-phase impulse responses of low-pass or high-pass filters with gain 1.

    Args:
      cutoff_frequency: [batch, n_frames, 1] or a number: Hz if sample_rate is given, else a ratio
        to Nyquist, 0 to 1.
      window_size: Length of the Hamming window in samples.
      sample_rate: Hz, or None.
      high_pass: Whether frequencies below the cut-off are removed rather than those above it.

    Returns:
      [batch, n_frames, n_taps] with n_taps = 2 (window_size // 2) + 1; batch and n_frames are 1
      for a number.
    """
    cutoff = as_float(cutoff_frequency)
    if cutoff.shape.rank == 0:
        cutoff = cutoff[None, None, None]
    check_shape("cutoff_frequency", cutoff, "[batch, n_frames, 1]")
    if sample_rate is not None:
        cutoff *= 2.0 / float(sample_rate)
    half = window_size // 2
    lag = tf.cast(tf.range(-half, half + 1), cutoff.dtype)
    window = 0.54 + 0.46 * tf.cos(math.pi * lag / max(half, 1))
    response = sinc(cutoff * lag) * window
    response /= tf.abs(tf.reduce_sum(response, axis=-1, keepdims=True))
    if high_pass:
        response = tf.cast(lag == 0.0, cutoff.dtype) - response
    return response
