"""A bank of harmonic oscillators for CPUs, compiled by Numba.

All harmonics of a sample are multiples of one angle, so their sines and cosines come from the first
one's by repeated rotation; the samples of a frame go through it side by side, so it runs in vector
registers, and harmonics above Nyquist cost nothing. (Clenshaw's recurrence would need half the
arithmetic, but loses 60 dB of precision near multiples of half a turn.) Phase is kept in float64
cycles per frame, wrapped, and is the exact integral of the piecewise linear F0.

Rows of a batch are shared out between threads; compiled code holds no Python lock.
"""

import concurrent.futures
import functools
import os

import numba
import numpy as np

# sin(2 pi u) on |u| <= 1/4 as u * polynomial(u * u): a least-squares fit on Chebyshev nodes,
# largest error 2e-9.
_NODES = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
_SINE = [
    float(c)
    for c in np.polynomial.polynomial.polyfit(
        (0.25 * _NODES) ** 2, np.sin(0.5 * np.pi * _NODES) / (0.25 * _NODES), 5
    )
]
_S0, _S1, _S2, _S3, _S4, _S5 = (np.float32(c) for c in _SINE)

_options = {"nogil": True, "fastmath": True, "cache": True, "error_model": "numpy"}


@numba.njit(inline="always", **_options)
def _sine(u):
    v = u * u
    return u * (_S0 + v * (_S1 + v * (_S2 + v * (_S3 + v * (_S4 + v * _S5)))))


@numba.njit(**_options)
def _angles(f_here, f_after, start_phase, period, sample_period, first, n, offset, weight, s, c):
    """Sine and cosine of the fundamental's angle at the samples of one frame."""
    slope = (f_after - f_here) / (2.0 * period)
    for i in range(n):
        tau = (first + i) * sample_period - offset
        cycles = start_phase + tau * (f_here + slope * tau)
        r = np.float32(cycles - np.round(cycles))
        a = abs(r)
        u = (
            r
            if a <= np.float32(0.25)
            else ((np.float32(0.5) - a) if r > 0 else (a - np.float32(0.5)))
        )
        s[i] = _sine(u)
        c[i] = _sine(np.float32(0.25) - a)
        weight[i] = np.float32(tau / period)


@numba.njit(**_options)
def _n_audible(f_hz, nyquist, n_harmonics):
    """How many harmonics of f_hz lie below Nyquist."""
    if f_hz <= 0.0:
        return n_harmonics
    return min(n_harmonics, int(np.ceil(nyquist / f_hz)) - 1)


@numba.njit(**_options)
def _forward(f0, amplitudes, sample_rate, initial, audio):
    n_rows, n_frames, n_harmonics = amplitudes.shape
    n_samples = audio.shape[1]
    period = n_samples / sample_rate / n_frames
    sample_period = 1.0 / sample_rate
    size = n_samples // n_frames + 2
    s = np.empty(size, np.float32)
    c = np.empty(size, np.float32)
    w = np.empty(size, np.float32)
    s1 = np.empty(size, np.float32)
    c1 = np.empty(size, np.float32)
    total = np.empty(size, np.float32)
    for row in range(n_rows):
        phase = initial[row]
        for j in range(n_frames):
            j_after = min(j + 1, n_frames - 1)
            f_here = np.float64(f0[row, j])
            f_after = np.float64(f0[row, j_after])
            first = -((-j * n_samples) // n_frames)
            n = -((-(j + 1) * n_samples) // n_frames) - first
            k_here = _n_audible(f_here, 0.5 * sample_rate, n_harmonics)
            k_after = _n_audible(f_after, 0.5 * sample_rate, n_harmonics)
            k_top = max(k_here, k_after)
            _angles(f_here, f_after, phase, period, sample_period, first, n, j * period, w, s1, c1)
            for i in range(n):
                s[i] = s1[i]
                c[i] = c1[i]
                total[i] = 0.0
            for k in range(k_top):
                a = amplitudes[row, j, k] if k < k_here else np.float32(0.0)
                d = (amplitudes[row, j_after, k] if k < k_after else np.float32(0.0)) - a
                for i in range(n):
                    total[i] += (a + w[i] * d) * s[i]
                    rotated = s[i] * c1[i] + c[i] * s1[i]
                    c[i] = c[i] * c1[i] - s[i] * s1[i]
                    s[i] = rotated
            for i in range(n):
                audio[row, first + i] = total[i]
            phase += 0.5 * (f_here + f_after) * period
            phase -= np.floor(phase)


@numba.njit(**_options)
def _backward(f0, amplitudes, sample_rate, initial, g, g_f0, g_amplitudes):
    n_rows, n_frames, n_harmonics = amplitudes.shape
    n_samples = g.shape[1]
    period = n_samples / sample_rate / n_frames
    sample_period = 1.0 / sample_rate
    two_pi = 2.0 * np.pi
    size = n_samples // n_frames + 2
    s1 = np.empty(size, np.float32)
    c1 = np.empty(size, np.float32)
    s = np.empty(size, np.float32)
    c = np.empty(size, np.float32)
    w = np.empty(size, np.float32)
    g_phase = np.empty(size, np.float32)
    frame_sum = np.empty(n_frames, np.float64)
    for row in range(n_rows):
        phase = initial[row]
        for j in range(n_frames):
            j_after = min(j + 1, n_frames - 1)
            f_here = np.float64(f0[row, j])
            f_after = np.float64(f0[row, j_after])
            first = -((-j * n_samples) // n_frames)
            n = -((-(j + 1) * n_samples) // n_frames) - first
            k_here = _n_audible(f_here, 0.5 * sample_rate, n_harmonics)
            k_after = _n_audible(f_after, 0.5 * sample_rate, n_harmonics)
            k_top = max(k_here, k_after)
            _angles(f_here, f_after, phase, period, sample_period, first, n, j * period, w, s1, c1)
            for i in range(n):
                s[i] = s1[i]
                c[i] = c1[i]
                g_phase[i] = 0.0
            for k in range(k_top):
                a = amplitudes[row, j, k] if k < k_here else np.float32(0.0)
                d = (amplitudes[row, j_after, k] if k < k_after else np.float32(0.0)) - a
                order = np.float32(k + 1)
                total = np.float32(0.0)
                late = np.float32(0.0)
                for i in range(n):
                    gs = g[row, first + i] * s[i]
                    total += gs
                    late += gs * w[i]
                    g_phase[i] += order * (a + w[i] * d) * c[i]
                    rotated = s[i] * c1[i] + c[i] * s1[i]
                    c[i] = c[i] * c1[i] - s[i] * s1[i]
                    s[i] = rotated
                if k < k_here:
                    g_amplitudes[row, j, k] += total - late
                if k < k_after:
                    g_amplitudes[row, j_after, k] += late
            whole = 0.0
            early = 0.0
            late_f = 0.0
            for i in range(n):
                gp = two_pi * g[row, first + i] * g_phase[i]
                tau = (first + i) * sample_period - j * period
                bend = 0.5 * tau * tau / period
                whole += gp
                early += gp * (tau - bend)
                late_f += gp * bend
            frame_sum[j] = whole
            g_f0[row, j] += early
            g_f0[row, j_after] += late_f
            phase += 0.5 * (f_here + f_after) * period
            phase -= np.floor(phase)
        rest = 0.0
        for j in range(n_frames - 1, -1, -1):
            j_after = min(j + 1, n_frames - 1)
            g_f0[row, j] += 0.5 * period * rest
            g_f0[row, j_after] += 0.5 * period * rest
            rest += frame_sum[j]


@functools.cache
def _pool():
    return concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1, "harmonic")


def _over_rows(function, n_rows, arguments):
    """Calls `function` on slices of the rows of every argument that has rows, in threads."""
    n_parts = min(n_rows, os.cpu_count() or 1)
    bounds = [n_rows * i // max(n_parts, 1) for i in range(n_parts + 1)]
    parts = [
        [a[low:high] if isinstance(a, np.ndarray) else a for a in arguments]
        for low, high in zip(bounds, bounds[1:], strict=False)
    ]
    if len(parts) == 1:
        function(*parts[0])
    else:
        for done in [_pool().submit(function, *part) for part in parts]:
            done.result()


def forward(f0_hz, amplitudes, initial_phase, n_samples, sample_rate):
    """Audio of a bank of harmonics.

    Args:
      f0_hz: float32 [batch, n_frames].
      amplitudes: float32 [batch, n_frames, n_harmonics], linear.
      initial_phase: float64 [batch], cycles.
      n_samples: int.
      sample_rate: Hz.

    Returns:
      float32 [batch, n_samples].
    """
    audio = np.zeros((f0_hz.shape[0], int(n_samples)), np.float32)
    if audio.size and amplitudes.size:
        arguments = [f0_hz, amplitudes, float(sample_rate), initial_phase, audio]
        _over_rows(_forward, len(audio), [_contiguous(a) for a in arguments])
    return audio


def backward(f0_hz, amplitudes, initial_phase, sample_rate, gradient):
    """Gradients of `forward`.

    Args:
      f0_hz, amplitudes, initial_phase, sample_rate: As in `forward`.
      gradient: float32 [batch, n_samples], with respect to the audio.

    Returns:
      (float32 [batch, n_frames], float32 [batch, n_frames, n_harmonics]): with respect to f0_hz
      and to the amplitudes.
    """
    g_f0 = np.zeros(f0_hz.shape, np.float64)
    g_amplitudes = np.zeros(amplitudes.shape, np.float32)
    if gradient.size and amplitudes.size:
        inputs = [f0_hz, amplitudes, float(sample_rate), initial_phase, gradient]
        arguments = [_contiguous(a) for a in inputs] + [g_f0, g_amplitudes]
        _over_rows(_backward, len(f0_hz), arguments)
    return g_f0.astype(np.float32), g_amplitudes


def _contiguous(a):
    return np.ascontiguousarray(a) if isinstance(a, np.ndarray) else a
