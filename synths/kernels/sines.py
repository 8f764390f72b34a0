"""What kernels of oscillators share: sines in vector registers, frames, and fades between them.

Numba keeps compiled kernels by the file that they stand in: after a change here, touch the kernels.
"""

import numpy as np

from synths.kernels.compiling import compiled

# How amplitudes go from frame to frame; `synths.resample.neighbour_shares` says what they mean.
METHODS = {"nearest": 0, "linear": 1, "window": 2}

# Without "nnan" and "ninf": what is not finite must not pass as sound.
OPTIONS = {
    "fastmath": {"reassoc", "contract", "nsz", "arcp", "afn"},
    "error_model": "numpy",
}

_QUARTER = np.float32(0.25)


def _sine_polynomial(degree):
    """sin(2 pi u) / u on |u| <= 1/4 as a polynomial of u * u: least squares on Chebyshev nodes."""
    nodes = 0.25 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    fit = np.polynomial.polynomial.polyfit(nodes**2, np.sin(2.0 * np.pi * nodes) / nodes, degree)
    return [np.float32(c) for c in fit]


_S0, _S1, _S2, _S3, _S4 = _sine_polynomial(4)
_F0, _F1, _F2, _F3, _F4, _F5 = _sine_polynomial(5)


@compiled(inline="always", **OPTIONS)
def sine(u):
    """sin(2 pi u) of a float32 u in [-1/4, 1/4], to 3e-8, less than float32's rounding."""
    v = u * u
    return u * (_S0 + v * (_S1 + v * (_S2 + v * (_S3 + v * _S4))))


@compiled(inline="always", **OPTIONS)
def fine_sine(u):
    """The same to 2e-9 before rounding: for rotations, which add up errors."""
    v = u * u
    return u * (_F0 + v * (_F1 + v * (_F2 + v * (_F3 + v * (_F4 + v * _F5)))))


@compiled(**OPTIONS)
def frame_at(i, n_frames, n_samples):
    """(row, frame, next frame, first sample, number of samples) of frame i of all rows' frames."""
    row = i // n_frames
    j = i - row * n_frames
    first = -((-j * n_samples) // n_frames)
    return row, j, min(j + 1, n_frames - 1), first, -((-(j + 1) * n_samples) // n_frames) - first


@compiled(**OPTIONS)
def fade(low, n, j, n_frames, n_samples, method, w):
    """Fills w with the next frame's part in the n samples from sample low of frame j."""
    for t in range(n):
        w[t] = np.float32(min(((low + t) * n_frames - j * n_samples) / n_samples, 1.0))
    if method == 0:
        w[:n] = np.float32(0.0)
    elif method == 2:
        for t in range(n):
            quarter = sine(_QUARTER * w[t])
            w[t] = quarter * quarter


@compiled(**OPTIONS)
def frame_phases(f0, initial, period, phases):
    """Fills phases, float64 [batch, n_frames], with cycles at frames, 0 to 1."""
    n_rows, n_frames = f0.shape
    for row in range(n_rows):
        phase = initial[row]
        for j in range(n_frames):
            phase -= np.floor(phase)
            phases[row, j] = phase
            j_after = min(j + 1, n_frames - 1)
            phase += 0.5 * (np.float64(f0[row, j]) + np.float64(f0[row, j_after])) * period


@compiled(**OPTIONS)
def n_audible(f_hz, nyquist, n_harmonics):
    """How many harmonics of f_hz lie below Nyquist; all where it is not a number."""
    if not abs(f_hz) * n_harmonics >= nyquist:
        return n_harmonics
    return int(np.ceil(nyquist / abs(f_hz))) - 1


@compiled(**OPTIONS)
def gather_f0(g_cycles, period, g_f0):
    """Gradients with respect to F0: by way of its frames' samples, and of all later phases.

    Args:
      g_cycles: float64 [3, batch, n_frames]: with respect to the phase at the frame, and to the F0
        of this and of the next frame by way of the frame's own samples.
      period: Seconds from frame to frame.
      g_f0: float64 [batch, n_frames], to which they are added.
    """
    n_rows, n_frames = g_f0.shape
    for row in range(n_rows):
        later = 0.0
        for j in range(n_frames - 1, -1, -1):
            j_after = min(j + 1, n_frames - 1)
            g_f0[row, j] += g_cycles[1, row, j] + 0.5 * period * later
            g_f0[row, j_after] += g_cycles[2, row, j] + 0.5 * period * later
            later += g_cycles[0, row, j]
