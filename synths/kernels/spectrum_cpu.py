"""Short-time magnitude spectra for CPUs: frames, transforms and magnitudes row by row, in cache.

A row's frames are cut and windowed by compiled code, transformed by SciPy, and made magnitudes
before the next row is begun, so nothing but the magnitudes goes through main memory; the gradient
transforms again, which is faster than to keep the spectra. Rows are shared between threads.
"""

import numba
import numpy as np
import scipy.fft

from synths.kernels import threads

_options = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}

# Added to squared magnitudes: where a bin is exactly zero, so is its gradient.
TINY = np.float32(1e-14)


@numba.njit(**_options)
def _cut(audio, window, hop, before, frames):
    n_samples, n_fft = audio.shape[0], window.shape[0]
    for i in range(frames.shape[0]):
        start = i * hop - before
        low = min(max(-start, 0), n_fft)
        high = max(min(n_fft, n_samples - start), low)
        for k in range(low):
            frames[i, k] = np.float32(0.0)
        for k in range(low, high):
            frames[i, k] = audio[start + k] * window[k]
        for k in range(high, n_fft):
            frames[i, k] = np.float32(0.0)


@numba.njit(**_options)
def _sizes(parts, size):
    for i in range(size.shape[0]):
        for k in range(size.shape[1]):
            re, im = parts[i, 2 * k], parts[i, 2 * k + 1]
            size[i, k] = np.sqrt(re * re + im * im + TINY)


@numba.njit(**_options)
def _shares(parts, upstream, scale):
    """Makes spectra to spectra times upstream / size, as an inverse real transform wants them."""
    n_bins = upstream.shape[1]
    half = np.float32(0.5) * scale
    for i in range(upstream.shape[0]):
        for k in range(n_bins):
            re, im = parts[i, 2 * k], parts[i, 2 * k + 1]
            share = half * upstream[i, k] / np.sqrt(re * re + im * im + TINY)
            parts[i, 2 * k] = re * share
            parts[i, 2 * k + 1] = im * share
        for k in (0, n_bins - 1):
            parts[i, 2 * k] *= np.float32(2.0)
            parts[i, 2 * k + 1] *= np.float32(2.0)


@numba.njit(**_options)
def _overlap_add(frames, window, hop, before, slope):
    n_samples, n_fft = slope.shape[0], window.shape[0]
    slope[:] = np.float32(0.0)
    for i in range(frames.shape[0]):
        start = i * hop - before
        low = min(max(-start, 0), n_fft)
        high = max(min(n_fft, n_samples - start), low)
        for k in range(low, high):
            slope[start + k] += frames[i, k] * window[k]


def forward(audio, window, hop, before, n_frames):
    """Magnitudes.

    Args:
      audio: float32 [batch, n_samples].
      window: float32 [n_fft], n_fft even.
      hop: Samples from a frame to the next.
      before: Samples by which frame i begins before sample i * hop; silence lies outside the sound.
      n_frames: Number of frames.

    Returns:
      float32 [batch, n_frames, n_fft // 2 + 1].
    """
    size = np.empty((len(audio), int(n_frames), len(window) // 2 + 1), np.float32)

    def rows(low, high):
        frames = np.empty((size.shape[1], len(window)), np.float32)
        for row in range(low, high):
            _cut(audio[row], window, hop, before, frames)
            _sizes(scipy.fft.rfft(frames, axis=1).view(np.float32), size[row])

    _run(rows, len(audio))
    return size


def backward(audio, upstream, window, hop, before):
    """Gradient with respect to the audio, float32 [batch, n_samples]; arguments as of `forward`."""
    slope = np.empty(audio.shape, np.float32)

    def rows(low, high):
        frames = np.empty((upstream.shape[1], len(window)), np.float32)
        for row in range(low, high):
            _cut(audio[row], window, hop, before, frames)
            spectra = scipy.fft.rfft(frames, axis=1)
            _shares(spectra.view(np.float32), upstream[row], np.float32(len(window)))
            back = scipy.fft.irfft(spectra, len(window), axis=1, overwrite_x=True)
            _overlap_add(back, window, hop, before, slope[row])

    _run(rows, len(audio))
    return slope


def _run(rows, n_rows):
    if n_rows:
        parts = threads.shares(n_rows, min(threads.n_threads(), n_rows))
        threads.run(rows, parts)
