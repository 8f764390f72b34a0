"""What kernels of oscillators share: a sine in vector registers, frames, and fades between them.

Numba keeps compiled kernels by the file that they stand in: after a change here, touch the kernels.
"""

import numba
import numpy as np

# How amplitudes go from frame to frame; `synths.resample.neighbour_shares` says what they mean.
METHODS = {"nearest": 0, "linear": 1, "window": 2}

# Without "nnan" and "ninf": what is not finite must not pass as sound.
OPTIONS = {
    "nogil": True,
    "fastmath": {"reassoc", "contract", "nsz", "arcp", "afn"},
    "cache": True,
    "error_model": "numpy",
}

# sin(2 pi u) on |u| <= 1/4 as u * polynomial(u * u): a least-squares fit on Chebyshev nodes,
# largest error 3e-8, less than float32's rounding.
_NODES = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
_SINE = [
    float(c)
    for c in np.polynomial.polynomial.polyfit(
        (0.25 * _NODES) ** 2, np.sin(0.5 * np.pi * _NODES) / (0.25 * _NODES), 4
    )
]
_S0, _S1, _S2, _S3, _S4 = (np.float32(c) for c in _SINE)
_QUARTER = np.float32(0.25)


@numba.njit(inline="always", **OPTIONS)
def sine(u):
    """sin(2 pi u) of a float32 u in [-1/4, 1/4]."""
    v = u * u
    return u * (_S0 + v * (_S1 + v * (_S2 + v * (_S3 + v * _S4))))


@numba.njit(**OPTIONS)
def frame_at(i, n_frames, n_samples):
    """(row, frame, next frame, first sample, number of samples) of frame i of all rows' frames."""
    row = i // n_frames
    j = i - row * n_frames
    first = -((-j * n_samples) // n_frames)
    return row, j, min(j + 1, n_frames - 1), first, -((-(j + 1) * n_samples) // n_frames) - first


@numba.njit(**OPTIONS)
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
