"""Sines, frames and phases of the oscillator kernels.

Numba caches compiled kernels by file: after a change here, touch the kernels.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled

# Interpolation methods of amplitudes, as of `synths.resample`.
METHODS = {"nearest": 0, "linear": 1, "window": 2}

# Without "nnan" and "ninf": NaN must be recognized.
OPTIONS = {
    "fastmath": {"reassoc", "contract", "nsz", "arcp", "afn"},
    "error_model": "numpy",
}

# Where no decision depends on values that are not finite.
FAST = OPTIONS | {"fastmath": True}

# Fewer sines than this are not worth a second thread.
_SINES_A_THREAD = 200_000

QUARTER = np.float32(0.25)
HALF = np.float32(0.5)
ZERO = np.float32(0.0)


def _sine_polynomial():
    """Polynomial of u * u that fits sin(2 pi u) / u on |u| <= 1/4, by Chebyshev nodes."""
    nodes = 0.25 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    fit = np.polynomial.polynomial.polyfit(nodes**2, np.sin(2.0 * np.pi * nodes) / nodes, 5)
    return [np.float32(c) for c in fit]


_S0, _S1, _S2, _S3, _S4, _S5 = _sine_polynomial()


@compiled(inline="always", **OPTIONS)
def sine(u):
    """sin(2 pi u) of a float32 u in [-1/4, 1/4], to 2e-9 before rounding."""
    v = u * u
    return u * (_S0 + v * (_S1 + v * (_S2 + v * (_S3 + v * (_S4 + v * _S5)))))


@compiled(**OPTIONS)
def frame_at(i, n_frames, n_samples):
    """(row, frame, next frame, first sample, number of samples) of frame i of all rows."""
    row = i // n_frames
    j = i - row * n_frames
    first = -((-j * n_samples) // n_frames)
    return row, j, min(j + 1, n_frames - 1), first, -((-(j + 1) * n_samples) // n_frames) - first


@compiled(**OPTIONS)
def fade(low, n, j, n_frames, n_samples, method, w):
    """Fill w with the weight of the next frame in the n samples from sample low of frame j."""
    for t in range(n):
        w[t] = np.float32(min(((low + t) * n_frames - j * n_samples) / n_samples, 1.0))
    if method == 0:
        w[:n] = ZERO
    elif method == 2:
        for t in range(n):
            quarter = sine(QUARTER * w[t])
            w[t] = quarter * quarter


def phases_at_frames(frequencies, initial_phase, n_samples, sample_rate):
    """Cycles at frames, float64 [batch, n_frames], not wrapped; initial_phase: [batch]."""
    f = frequencies.astype(np.float64)
    period = n_samples / float(sample_rate) / f.shape[1]
    phases = np.empty(f.shape)
    phases[:, 0] = initial_phase
    phases[:, 1:] = 0.5 * period * (f[:, :-1] + f[:, 1:])
    return np.cumsum(phases, axis=1, out=phases)


def add_phase_slopes(g_phases, n_samples, sample_rate, g_frequencies):
    """Add the gradients of frequencies through the phases at all later frames."""
    total = np.cumsum(g_phases[:, ::-1], axis=1)[:, ::-1]
    slopes = total - g_phases
    slopes[:, 1:] += total[:, 1:]
    g_frequencies += 0.5 * n_samples / float(sample_rate) / g_phases.shape[1] * slopes


def shares_of_frames(amplitudes, n_samples):
    """(low, high) of each thread's frames, counted through all rows."""
    n_rows, n_frames, n_partials = amplitudes.shape
    n_parts = n_rows * n_samples * n_partials // _SINES_A_THREAD
    n_parts = max(1, min(threads.n_threads(), n_parts, n_rows * n_frames))
    return threads.shares(n_rows * n_frames, n_parts)
