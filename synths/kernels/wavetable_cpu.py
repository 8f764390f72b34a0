"""A bank of harmonics with a sine and a cosine part each for CPUs, compiled by Numba.

Sines and cosines of a harmonic come from those of the one before by rotation; samples go through
it side by side, in vector registers. After so many harmonics they are taken anew from the phase in
float64, so that errors do not grow with the order: a table may have a thousand harmonics. Harmonics
above Nyquist cost nothing.

The frames of all rows are shared out evenly between threads; compiled code holds no Python lock.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.sines import (
    METHODS,  # noqa: F401
    OPTIONS,
    fade,
    frame_at,
    frame_phases,
    gather_f0,
    n_audible,
    sine,
)
from synths.kernels.sizes import check_sizes

_QUARTER = np.float32(0.25)
_ZERO = np.float32(0.0)

# Samples of a block, and what the length of a block is rounded up to: loops of whole vectors only.
_BLOCK = 64
_STEP = 32

# So many harmonics by rotation.
_ROTATIONS = 32

# Less than this many sines are not worth a second thread.
_SINES_A_THREAD = 200_000


@compiled(**OPTIONS)
def _cycles(low, n, j, n_frames, n_samples, f_here, f_after, phase, period, cycles):
    """Fills cycles with the phase at n samples from sample low of frame j on, float64, wrapped."""
    rise = f_after - f_here
    for t in range(n):
        way = ((low + t) * n_frames - j * n_samples) / n_samples
        turns = phase + period * way * (f_here + 0.5 * way * rise)
        cycles[t] = turns - np.rint(turns)


@compiled(**OPTIONS)
def _waves(order, cycles, n, s, c):
    """Fills s and c with sine and cosine of a multiple of a phase."""
    for t in range(n):
        turns = order * cycles[t]
        r = np.float32(turns - np.rint(turns))
        u = _QUARTER - abs(r)
        c[t] = sine(u)
        folded = sine(_QUARTER - abs(u))
        s[t] = folded if r > _ZERO else -folded


@compiled(**OPTIONS)
def _forward(low, high, f0, sines, cosines, phases, sample_rate, method, audio):
    """The sound of the frames low to high, counted through all rows."""
    n_frames, n_harmonics = sines.shape[1:]
    n_samples = audio.shape[1]
    period = n_samples / sample_rate / n_frames
    cycles = np.empty(_BLOCK, np.float64)
    w = np.empty(_BLOCK, np.float32)
    s1 = np.empty(_BLOCK, np.float32)
    c1 = np.empty(_BLOCK, np.float32)
    s = np.empty(_BLOCK, np.float32)
    c = np.empty(_BLOCK, np.float32)
    total = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame = frame_at(i, n_frames, n_samples)
        f_here = np.float64(f0[row, j])
        f_after = np.float64(f0[row, j_after])
        k_here = n_audible(f_here, 0.5 * sample_rate, n_harmonics)
        k_after = n_audible(f_after, 0.5 * sample_rate, n_harmonics)
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            padded = -(-n // _STEP) * _STEP
            fade(begin, padded, j, n_frames, n_samples, method, w)
            _cycles(
                begin,
                padded,
                j,
                n_frames,
                n_samples,
                f_here,
                f_after,
                phases[row, j],
                period,
                cycles,
            )
            _waves(1.0, cycles, padded, s1, c1)
            total[:padded] = _ZERO
            for k in range(max(k_here, k_after)):
                a = sines[row, j, k] if k < k_here else _ZERO
                b = cosines[row, j, k] if k < k_here else _ZERO
                da = (sines[row, j_after, k] if k < k_after else _ZERO) - a
                db = (cosines[row, j_after, k] if k < k_after else _ZERO) - b
                if k % _ROTATIONS == 0:
                    _waves(k + 1.0, cycles, padded, s, c)
                for t in range(padded):
                    total[t] += (a + w[t] * da) * s[t] + (b + w[t] * db) * c[t]
                    rotated = s[t] * c1[t] + c[t] * s1[t]
                    c[t] = c[t] * c1[t] - s[t] * s1[t]
                    s[t] = rotated
            for t in range(n):
                audio[row, begin + t] = total[t]


@compiled(**OPTIONS)
def _backward(
    low,
    high,
    f0,
    sines,
    cosines,
    phases,
    sample_rate,
    method,
    g,
    g_cycles,
    g_sines,
    g_cosines,
    g_edge,
):
    """Gradients of the frames low to high, counted through all rows.

    What the last of them adds to the parts of the frame behind it goes to g_edge,
    [2, n_harmonics], as another thread may be writing there. g_cycles, float64 [3, batch,
    n_frames]: gradients with respect to the phase at the frame, and to the F0 of this and of the
    next frame by way of the frame's own samples.
    """
    n_frames, n_harmonics = sines.shape[1:]
    n_samples = g.shape[1]
    period = n_samples / sample_rate / n_frames
    cycles = np.empty(_BLOCK, np.float64)
    w = np.empty(_BLOCK, np.float32)
    s1 = np.empty(_BLOCK, np.float32)
    c1 = np.empty(_BLOCK, np.float32)
    s = np.empty(_BLOCK, np.float32)
    c = np.empty(_BLOCK, np.float32)
    g_0 = np.empty(_BLOCK, np.float32)
    g_w = np.empty(_BLOCK, np.float32)
    g_phase = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame = frame_at(i, n_frames, n_samples)
        sines_after = g_edge[0] if i == high - 1 else g_sines[row, j_after]
        cosines_after = g_edge[1] if i == high - 1 else g_cosines[row, j_after]
        f_here = np.float64(f0[row, j])
        f_after = np.float64(f0[row, j_after])
        k_here = n_audible(f_here, 0.5 * sample_rate, n_harmonics)
        k_after = n_audible(f_after, 0.5 * sample_rate, n_harmonics)
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            padded = -(-n // _STEP) * _STEP
            fade(begin, padded, j, n_frames, n_samples, method, w)
            _cycles(
                begin,
                padded,
                j,
                n_frames,
                n_samples,
                f_here,
                f_after,
                phases[row, j],
                period,
                cycles,
            )
            _waves(1.0, cycles, padded, s1, c1)
            for t in range(padded):
                g_0[t] = g[row, begin + t] if t < n else _ZERO
                g_w[t] = g_0[t] * w[t]
                g_phase[t] = _ZERO
            for k in range(max(k_here, k_after)):
                a = sines[row, j, k] if k < k_here else _ZERO
                b = cosines[row, j, k] if k < k_here else _ZERO
                da = (sines[row, j_after, k] if k < k_after else _ZERO) - a
                db = (cosines[row, j_after, k] if k < k_after else _ZERO) - b
                if k % _ROTATIONS == 0:
                    _waves(k + 1.0, cycles, padded, s, c)
                order = np.float32(k + 1)
                sine_part = _ZERO
                sine_late = _ZERO
                cosine_part = _ZERO
                cosine_late = _ZERO
                for t in range(padded):
                    sine_part += g_0[t] * s[t]
                    sine_late += g_w[t] * s[t]
                    cosine_part += g_0[t] * c[t]
                    cosine_late += g_w[t] * c[t]
                    turned = (a + w[t] * da) * c[t] - (b + w[t] * db) * s[t]
                    g_phase[t] += order * turned
                    rotated = s[t] * c1[t] + c[t] * s1[t]
                    c[t] = c[t] * c1[t] - s[t] * s1[t]
                    s[t] = rotated
                if k < k_here:
                    g_sines[row, j, k] += sine_part - sine_late
                    g_cosines[row, j, k] += cosine_part - cosine_late
                if k < k_after:
                    sines_after[k] += sine_late
                    cosines_after[k] += cosine_late
            whole = 0.0
            early = 0.0
            late = 0.0
            for t in range(n):
                way = ((begin + t) * n_frames - j * n_samples) / n_samples
                gp = 2.0 * np.pi * np.float64(g_0[t]) * np.float64(g_phase[t])
                whole += gp
                early += gp * period * way * (1.0 - 0.5 * way)
                late += gp * period * way * 0.5 * way
            g_cycles[0, row, j] += whole
            g_cycles[1, row, j] += early
            g_cycles[2, row, j] += late


def _shares(sines, n_samples):
    """(low, high) of each thread's share of the frames of all rows."""
    n_rows, n_frames, n_harmonics = sines.shape
    n_parts = n_rows * n_samples * n_harmonics // _SINES_A_THREAD
    n_parts = max(1, min(threads.n_threads(), n_parts, n_rows * n_frames))
    return threads.shares(n_rows * n_frames, n_parts)


def _prepared(f0_hz, sines, cosines, initial_phase, n_samples, sample_rate):
    f0_hz, sines, cosines = (np.ascontiguousarray(x) for x in (f0_hz, sines, cosines))
    period = n_samples / float(sample_rate) / f0_hz.shape[1]
    phases = np.empty(f0_hz.shape, np.float64)
    frame_phases(f0_hz, np.ascontiguousarray(initial_phase), period, phases)
    return f0_hz, sines, cosines, phases, period


def forward(f0_hz, sines, cosines, initial_phase, n_samples, sample_rate, method):
    """Audio of a bank of harmonics.

    Args:
      f0_hz: float32 [batch, n_frames].
      sines, cosines: Linear, float32 [batch, n_frames, n_harmonics].
      initial_phase: float64 [batch], cycles.
      n_samples: int.
      sample_rate: Hz.
      method: A value of METHODS.

    Returns:
      float32 [batch, n_samples].
    """
    check_sizes(f0_hz, sines, cosines, initial_phase)
    audio = np.zeros((f0_hz.shape[0], int(n_samples)), np.float32)
    if audio.size and sines.size:
        *inputs, _ = _prepared(f0_hz, sines, cosines, initial_phase, int(n_samples), sample_rate)
        shared = (*inputs, float(sample_rate), int(method), audio)
        shares = _shares(sines, audio.shape[1])
        threads.run(_forward, [(*share, *shared) for share in shares])
    return audio


def backward(f0_hz, sines, cosines, initial_phase, sample_rate, method, gradient):
    """Gradients of `forward`.

    Args:
      f0_hz, sines, cosines, initial_phase, sample_rate, method: As in `forward`.
      gradient: float32 [batch, n_samples], with respect to the audio.

    Returns:
      Arrays like f0_hz, sines and cosines: with respect to them.
    """
    g_f0 = np.zeros(f0_hz.shape, np.float64)
    g_sines = np.zeros(sines.shape, np.float32)
    g_cosines = np.zeros(sines.shape, np.float32)
    if gradient.size and sines.size:
        n_samples = gradient.shape[1]
        *inputs, period = _prepared(f0_hz, sines, cosines, initial_phase, n_samples, sample_rate)
        shares = _shares(sines, n_samples)
        g_cycles = np.zeros((3, *f0_hz.shape), np.float64)
        g_edges = np.zeros((len(shares), 2, sines.shape[2]), np.float32)
        shared = (*inputs, float(sample_rate), int(method), np.ascontiguousarray(gradient))
        shared += (g_cycles, g_sines, g_cosines)
        each = zip(shares, g_edges, strict=True)
        threads.run(_backward, [(*share, *shared, g_edge) for share, g_edge in each])
        n_frames = f0_hz.shape[1]
        for (_, high), g_edge in zip(shares, g_edges, strict=True):
            row, frame = divmod(high - 1, n_frames)
            frame = min(frame + 1, n_frames - 1)
            g_sines[row, frame] += g_edge[0]
            g_cosines[row, frame] += g_edge[1]
        gather_f0(g_cycles, period, g_f0)
    return g_f0.astype(np.float32), g_sines, g_cosines
