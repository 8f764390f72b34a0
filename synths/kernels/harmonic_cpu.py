"""A bank of harmonic oscillators for CPUs, compiled by Numba.

All harmonics of a sample are multiples of one angle, so their sines and cosines come from the first
one's by repeated rotation; the samples of a frame go through it side by side, so it runs in vector
registers, and harmonics above Nyquist cost nothing. (Clenshaw's recurrence would need half the
arithmetic, but loses 60 dB of precision near multiples of half a turn.) Phase is kept in float64
cycles per frame, wrapped, and is the exact integral of the piecewise linear F0.

The frames of all rows are shared out evenly between threads; compiled code holds no Python lock.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.sines import (
    METHODS,  # noqa: F401
    OPTIONS,
    fade,
    fine_sine,
    frame_at,
    frame_phases,
    gather_f0,
    n_audible,
)
from synths.kernels.sizes import check_sizes

_QUARTER = np.float32(0.25)
_HALF = np.float32(0.5)
_ZERO = np.float32(0.0)

# Numbers that are not finite decide about nothing here: `n_audible` alone looks for them.
_OPTIONS = OPTIONS | {"fastmath": True}

# Less than this many sines are not worth a second thread.
_SINES_A_THREAD = 200_000


@compiled(**_OPTIONS)
def _enter(i, f0, phases, n_samples, n_harmonics, sample_rate, method, s1, c1, s, c, w):
    """Begins frame i of all frames of all rows.

    Fills s1, c1, s, c: sine and cosine of the fundamental's angle at its samples, and w: how much
    its amplitudes are the next frame's.

    Returns:
      (row, j, j_after, first, n, k_here, k_after): the frame, the next one, its first sample,
      its number of samples, and how many harmonics lie below Nyquist at the two frames.
    """
    n_frames = f0.shape[1]
    row, j, j_after, first, n = frame_at(i, n_frames, n_samples)
    f_here = np.float64(f0[row, j])
    f_after = np.float64(f0[row, j_after])
    period = n_samples / sample_rate / n_frames
    sample_period = 1.0 / sample_rate
    offset = j * period
    phase = phases[row, j]
    slope = (f_after - f_here) / (2.0 * period)
    for t in range(n):
        tau = (first + t) * sample_period - offset
        cycles = phase + tau * (f_here + slope * tau)
        r = np.float32(cycles - np.rint(cycles))
        # Folded without a difference where it is small: errors grow with the order.
        a = abs(r)
        u = r if a <= _QUARTER else ((_HALF - a) if r > _ZERO else (a - _HALF))
        s1[t] = fine_sine(u)
        c1[t] = fine_sine(_QUARTER - a)
        s[t] = s1[t]
        c[t] = c1[t]
    fade(first, n, j, n_frames, n_samples, method, w)
    k_here = n_audible(f_here, 0.5 * sample_rate, n_harmonics)
    k_after = n_audible(f_after, 0.5 * sample_rate, n_harmonics)
    return row, j, j_after, first, n, k_here, k_after


@compiled(**_OPTIONS)
def _forward(low, high, f0, amplitudes, phases, sample_rate, method, audio):
    """The sound of the frames low to high, counted through all rows."""
    n_frames, n_harmonics = amplitudes.shape[1:]
    n_samples = audio.shape[1]
    size = n_samples // n_frames + 2
    s1 = np.empty(size, np.float32)
    c1 = np.empty(size, np.float32)
    s = np.empty(size, np.float32)
    c = np.empty(size, np.float32)
    w = np.empty(size, np.float32)
    total = np.empty(size, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n, k_here, k_after = _enter(
            i, f0, phases, n_samples, n_harmonics, sample_rate, method, s1, c1, s, c, w
        )
        total[:n] = _ZERO
        for k in range(max(k_here, k_after)):
            a = amplitudes[row, j, k] if k < k_here else _ZERO
            d = (amplitudes[row, j_after, k] if k < k_after else _ZERO) - a
            for t in range(n):
                total[t] += (a + w[t] * d) * s[t]
                rotated = s[t] * c1[t] + c[t] * s1[t]
                c[t] = c[t] * c1[t] - s[t] * s1[t]
                s[t] = rotated
        for t in range(n):
            audio[row, first + t] = total[t]


@compiled(**_OPTIONS)
def _backward(
    low, high, f0, amplitudes, phases, sample_rate, method, g, g_cycles, g_amplitudes, g_edge
):
    """Gradients of the frames low to high, counted through all rows.

    What the last of them adds to the amplitudes of the frame behind it goes to g_edge, as another
    thread may be writing there. g_cycles, float64 [3, batch, n_frames]: gradients with respect to
    the phase at the frame, and to the F0 of this and of the next frame by way of the frame's own
    samples.
    """
    n_frames, n_harmonics = amplitudes.shape[1:]
    n_samples = g.shape[1]
    period = n_samples / sample_rate / n_frames
    size = n_samples // n_frames + 2
    s1 = np.empty(size, np.float32)
    c1 = np.empty(size, np.float32)
    s = np.empty(size, np.float32)
    c = np.empty(size, np.float32)
    w = np.empty(size, np.float32)
    g_phase = np.empty(size, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n, k_here, k_after = _enter(
            i, f0, phases, n_samples, n_harmonics, sample_rate, method, s1, c1, s, c, w
        )
        g_after = g_edge if i == high - 1 else g_amplitudes[row, j_after]
        # One piece of memory from its first number on. By places in the whole array the compiler
        # can't tell it from the arrays beside it, and where they lie would decide how sums round.
        g_here = g[row, first : first + n]
        g_phase[:n] = _ZERO
        for k in range(max(k_here, k_after)):
            a = amplitudes[row, j, k] if k < k_here else _ZERO
            d = (amplitudes[row, j_after, k] if k < k_after else _ZERO) - a
            order = np.float32(k + 1)
            total = _ZERO
            late = _ZERO
            for t in range(n):
                gs = g_here[t] * s[t]
                total += gs
                late += gs * w[t]
                g_phase[t] += order * (a + w[t] * d) * c[t]
                rotated = s[t] * c1[t] + c[t] * s1[t]
                c[t] = c[t] * c1[t] - s[t] * s1[t]
                s[t] = rotated
            if k < k_here:
                g_amplitudes[row, j, k] += total - late
            if k < k_after:
                g_after[k] += late
        whole = 0.0
        early = 0.0
        late_f = 0.0
        for t in range(n):
            gp = 2.0 * np.pi * g_here[t] * g_phase[t]
            tau = (first + t) / sample_rate - j * period
            bend = 0.5 * tau * tau / period
            whole += gp
            early += gp * (tau - bend)
            late_f += gp * bend
        g_cycles[0, row, j] = whole
        g_cycles[1, row, j] = early
        g_cycles[2, row, j] = late_f


def _shares(amplitudes, n_samples):
    """(low, high) of each thread's share of the frames of all rows."""
    n_rows, n_frames, n_harmonics = amplitudes.shape
    n_parts = n_rows * n_samples * n_harmonics // _SINES_A_THREAD
    n_parts = max(1, min(threads.n_threads(), n_parts, n_rows * n_frames))
    return threads.shares(n_rows * n_frames, n_parts)


def _prepared(f0_hz, amplitudes, initial_phase, n_samples, sample_rate):
    f0_hz, amplitudes = np.ascontiguousarray(f0_hz), np.ascontiguousarray(amplitudes)
    period = n_samples / float(sample_rate) / f0_hz.shape[1]
    phases = np.empty(f0_hz.shape, np.float64)
    frame_phases(f0_hz, np.ascontiguousarray(initial_phase), period, phases)
    return f0_hz, amplitudes, phases, period


def forward(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method):
    """Audio of a bank of harmonics.

    Args:
      f0_hz: float32 [batch, n_frames].
      amplitudes: float32 [batch, n_frames, n_harmonics], linear.
      initial_phase: float64 [batch], cycles.
      n_samples: int.
      sample_rate: Hz.
      method: A value of METHODS.

    Returns:
      float32 [batch, n_samples].
    """
    check_sizes(f0_hz, amplitudes, initial_phase)
    audio = np.zeros((f0_hz.shape[0], int(n_samples)), np.float32)
    if audio.size and amplitudes.size:
        f0_hz, amplitudes, phases, _ = _prepared(
            f0_hz, amplitudes, initial_phase, int(n_samples), sample_rate
        )
        shared = (f0_hz, amplitudes, phases, float(sample_rate), int(method), audio)
        shares = _shares(amplitudes, audio.shape[1])
        threads.run(_forward, [(*share, *shared) for share in shares])
    return audio


def backward(f0_hz, amplitudes, initial_phase, sample_rate, method, gradient):
    """Gradients of `forward`.

    Args:
      f0_hz, amplitudes, initial_phase, sample_rate, method: As in `forward`.
      gradient: float32 [batch, n_samples], with respect to the audio.

    Returns:
      (float32 [batch, n_frames], float32 [batch, n_frames, n_harmonics]): with respect to f0_hz
      and to the amplitudes.
    """
    g_f0 = np.zeros(f0_hz.shape, np.float64)
    g_amplitudes = np.zeros(amplitudes.shape, np.float32)
    if gradient.size and amplitudes.size:
        n_samples = gradient.shape[1]
        f0_hz, amplitudes, phases, period = _prepared(
            f0_hz, amplitudes, initial_phase, n_samples, sample_rate
        )
        shares = _shares(amplitudes, n_samples)
        g_cycles = np.zeros((3, *f0_hz.shape), np.float64)
        g_edges = np.zeros((len(shares), amplitudes.shape[2]), np.float32)
        shared = (f0_hz, amplitudes, phases, float(sample_rate), int(method))
        shared += (np.ascontiguousarray(gradient), g_cycles, g_amplitudes)
        each = zip(shares, g_edges, strict=True)
        threads.run(_backward, [(*share, *shared, g_edge) for share, g_edge in each])
        n_frames = f0_hz.shape[1]
        for (_, high), g_edge in zip(shares, g_edges, strict=True):
            row, frame = divmod(high - 1, n_frames)
            g_amplitudes[row, min(frame + 1, n_frames - 1)] += g_edge
        gather_f0(g_cycles, period, g_f0)
    return g_f0.astype(np.float32), g_amplitudes
