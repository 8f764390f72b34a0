"""A bank of free sinusoids for CPUs, compiled by Numba.

Each partial has a frequency of its own, so each of its samples takes a sine. Frames are gone
through in blocks of up to 64 samples: at the middle of a block phase is known in float64, and no
sample of it is further than 16 cycles away, so the rest is done in float32, in vector registers,
and errors stay below -100 dB. The sine is a polynomial; the cosine of the backward pass is made
from the same reduced angle.

The frames of all rows are shared out evenly between threads; compiled code holds no Python lock.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.sines import METHODS, OPTIONS, fade, frame_at, sine  # noqa: F401
from synths.kernels.sizes import check_sizes

_QUARTER = np.float32(0.25)
_ZERO = np.float32(0.0)

# Samples of a block, and what the length of a block is rounded up to: loops of whole vectors only.
_BLOCK = 64
_STEP = 32

# Less than this many sines are not worth a second thread.
_SINES_A_THREAD = 100_000


@compiled(**OPTIONS)
def _frame_phases(frequencies, initial, period, phases):
    """Phase of every partial at every frame in cycles, 0 to 1."""
    n_rows, n_frames, n_partials = frequencies.shape
    for row in range(n_rows):
        for k in range(n_partials):
            phases[row, 0, k] = initial[row, k] - np.floor(initial[row, k])
        for j in range(1, n_frames):
            for k in range(n_partials):
                here = np.float64(frequencies[row, j, k])
                phase = phases[row, j - 1, k]
                phase += 0.5 * (np.float64(frequencies[row, j - 1, k]) + here) * period
                phases[row, j, k] = phase - np.floor(phase)


@compiled(**OPTIONS)
def _enter(low, n, j, n_frames, n_samples, method, x, w):
    """Begins the block of n samples from sample low in frame j.

    Fills x: distances of samples from the middle of the block, and w: how much their amplitudes
    are the next frame's.

    Returns:
      (padded, way): n rounded up, and how far on the way to the next frame the middle lies.
    """
    middle = low + n // 2
    padded = -(-n // _STEP) * _STEP
    for t in range(padded):
        x[t] = np.float32(low + t - middle)
    fade(low, padded, j, n_frames, n_samples, method, w)
    return padded, (middle * n_frames - j * n_samples) / n_samples


@compiled(inline="always", **OPTIONS)
def _chirp(f_here, f_after, phase, way, period, sample_rate):
    """A partial about the middle of a block: cycles(x) = start + x (step + x bend), x in samples.

    The start is a quarter of a cycle early: sin(2 pi c) is an even function of c - 1/4, which
    saves the folding of c into |c| <= 1/4.
    """
    rise = f_after - f_here
    start = phase + period * way * (f_here + 0.5 * way * rise) - 0.25
    step = (f_here + way * rise) / sample_rate
    bend = 0.5 * rise / (period * sample_rate * sample_rate)
    return np.float32(start - np.floor(start)), np.float32(step), np.float32(bend)


@compiled(**OPTIONS)
def _forward(low, high, frequencies, amplitudes, phases, sample_rate, method, audio):
    """The sound of the frames low to high, counted through all rows."""
    n_frames, n_partials = amplitudes.shape[1:]
    n_samples = audio.shape[1]
    period = n_samples / sample_rate / n_frames
    nyquist = 0.5 * sample_rate
    x = np.empty(_BLOCK, np.float32)
    w = np.empty(_BLOCK, np.float32)
    total = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame = frame_at(i, n_frames, n_samples)
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            padded, way = _enter(begin, n, j, n_frames, n_samples, method, x, w)
            total[:padded] = _ZERO
            for k in range(n_partials):
                f_here = np.float64(frequencies[row, j, k])
                f_after = np.float64(frequencies[row, j_after, k])
                a = _ZERO if abs(f_here) >= nyquist else amplitudes[row, j, k]
                b = _ZERO if abs(f_after) >= nyquist else amplitudes[row, j_after, k]
                if a == _ZERO and b == _ZERO:
                    continue
                d = b - a
                start, step, bend = _chirp(
                    f_here, f_after, phases[row, j, k], way, period, sample_rate
                )
                for t in range(padded):
                    cycles = start + x[t] * (step + x[t] * bend)
                    cycles -= np.rint(cycles)
                    total[t] += (a + w[t] * d) * sine(_QUARTER - abs(cycles))
            for t in range(n):
                audio[row, begin + t] = total[t]


@compiled(**OPTIONS)
def _backward(
    low,
    high,
    frequencies,
    amplitudes,
    phases,
    sample_rate,
    method,
    g,
    g_frequencies,
    g_amplitudes,
    g_phases,
    g_edge,
):
    """Gradients of the frames low to high, counted through all rows.

    g_frequencies gets what comes by way of the frame's own samples, g_phases the gradient with
    respect to the phase at the frame. What the last frame adds to the frame behind it goes to
    g_edge, [2, n_partials] for frequencies and amplitudes, as another thread may be writing there.
    """
    n_frames, n_partials = amplitudes.shape[1:]
    n_samples = g.shape[1]
    period = n_samples / sample_rate / n_frames
    nyquist = 0.5 * sample_rate
    bend_a_hz = 0.5 / (period * sample_rate * sample_rate)
    x = np.empty(_BLOCK, np.float32)
    w = np.empty(_BLOCK, np.float32)
    g_0 = np.empty(_BLOCK, np.float32)
    g_w = np.empty(_BLOCK, np.float32)
    g_x = np.empty(_BLOCK, np.float32)
    g_xx = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame = frame_at(i, n_frames, n_samples)
        f_after_slopes = g_edge[0] if i == high - 1 else g_frequencies[row, j_after]
        a_after_slopes = g_edge[1] if i == high - 1 else g_amplitudes[row, j_after]
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            padded, way = _enter(begin, n, j, n_frames, n_samples, method, x, w)
            for t in range(padded):
                g_0[t] = g[row, begin + t] if t < n else _ZERO
                g_w[t] = g_0[t] * w[t]
                g_x[t] = g_0[t] * x[t]
                g_xx[t] = g_x[t] * x[t]
            for k in range(n_partials):
                f_here = np.float64(frequencies[row, j, k])
                f_after = np.float64(frequencies[row, j_after, k])
                silent_here = abs(f_here) >= nyquist
                silent_after = abs(f_after) >= nyquist
                if silent_here and silent_after:
                    continue
                a = _ZERO if silent_here else amplitudes[row, j, k]
                d = (_ZERO if silent_after else amplitudes[row, j_after, k]) - a
                start, step, bend = _chirp(
                    f_here, f_after, phases[row, j, k], way, period, sample_rate
                )
                total = _ZERO
                late = _ZERO
                by_start = _ZERO
                by_step = _ZERO
                by_bend = _ZERO
                for t in range(padded):
                    cycles = start + x[t] * (step + x[t] * bend)
                    cycles -= np.rint(cycles)
                    u = _QUARTER - abs(cycles)
                    s = sine(u)
                    total += g_0[t] * s
                    late += g_w[t] * s
                    c = sine(_QUARTER - abs(u))
                    q = (a + w[t] * d) * (-c if cycles > _ZERO else c)
                    by_start += g_0[t] * q
                    by_step += g_x[t] * q
                    by_bend += g_xx[t] * q
                if not silent_here:
                    g_amplitudes[row, j, k] += total - late
                if not silent_after:
                    a_after_slopes[k] += late
                whole = 2.0 * np.pi * by_start
                of_step = 2.0 * np.pi * by_step / sample_rate
                of_bend = 2.0 * np.pi * by_bend * bend_a_hz
                later = 0.5 * period * way * way * whole + way * of_step + of_bend
                g_phases[row, j, k] += whole
                g_frequencies[row, j, k] += period * way * whole + of_step - later
                f_after_slopes[k] += later


@compiled(**OPTIONS)
def _add_phases(g_phases, period, g_frequencies):
    """Adds what comes to frequencies by way of the phases of all later frames."""
    n_rows, n_frames, n_partials = g_phases.shape
    for row in range(n_rows):
        behind = np.zeros(n_partials, np.float64)
        for j in range(n_frames - 1, -1, -1):
            for k in range(n_partials):
                # The step from frame j is in the phases behind it, the one to it in its own too.
                from_here = behind[k] + g_phases[row, j, k]
                slope = behind[k] + (from_here if j > 0 else 0.0)
                g_frequencies[row, j, k] += np.float32(0.5 * period * slope)
                behind[k] = from_here


def _shares(amplitudes, n_samples):
    """(low, high) of each thread's share of the frames of all rows."""
    n_rows, n_frames, n_partials = amplitudes.shape
    n_parts = n_rows * n_samples * n_partials // _SINES_A_THREAD
    n_parts = max(1, min(threads.n_threads(), n_parts, n_rows * n_frames))
    return threads.shares(n_rows * n_frames, n_parts)


def _prepared(frequencies, amplitudes, initial_phase, n_samples, sample_rate):
    frequencies, amplitudes = np.ascontiguousarray(frequencies), np.ascontiguousarray(amplitudes)
    period = n_samples / float(sample_rate) / frequencies.shape[1]
    phases = np.empty(frequencies.shape, np.float64)
    _frame_phases(frequencies, np.ascontiguousarray(initial_phase), period, phases)
    return frequencies, amplitudes, phases, period


def forward(frequencies, amplitudes, initial_phase, n_samples, sample_rate, method):
    """Audio of a bank of sinusoids.

    Args:
      frequencies: Hz, float32 [batch, n_frames, n_sinusoids].
      amplitudes: Linear, float32 [batch, n_frames, n_sinusoids].
      initial_phase: float64 [batch, n_sinusoids], cycles.
      n_samples: int.
      sample_rate: Hz.
      method: A value of METHODS.

    Returns:
      float32 [batch, n_samples].
    """
    check_sizes(frequencies, amplitudes, initial_phase)
    audio = np.zeros((frequencies.shape[0], int(n_samples)), np.float32)
    if audio.size and amplitudes.size:
        frequencies, amplitudes, phases, _ = _prepared(
            frequencies, amplitudes, initial_phase, int(n_samples), sample_rate
        )
        shared = (frequencies, amplitudes, phases, float(sample_rate), int(method), audio)
        shares = _shares(amplitudes, audio.shape[1])
        threads.run(_forward, [(*share, *shared) for share in shares])
    return audio


def backward(frequencies, amplitudes, initial_phase, sample_rate, method, gradient):
    """Gradients of `forward`.

    Args:
      frequencies, amplitudes, initial_phase, sample_rate, method: As in `forward`.
      gradient: float32 [batch, n_samples], with respect to the audio.

    Returns:
      Two arrays like frequencies: with respect to them and to the amplitudes.
    """
    g_frequencies = np.zeros(frequencies.shape, np.float32)
    g_amplitudes = np.zeros(frequencies.shape, np.float32)
    if gradient.size and amplitudes.size:
        n_samples = gradient.shape[1]
        frequencies, amplitudes, phases, period = _prepared(
            frequencies, amplitudes, initial_phase, n_samples, sample_rate
        )
        shares = _shares(amplitudes, n_samples)
        g_phases = np.zeros(frequencies.shape, np.float32)
        g_edges = np.zeros((len(shares), 2, frequencies.shape[2]), np.float32)
        shared = (frequencies, amplitudes, phases, float(sample_rate), int(method))
        shared += (np.ascontiguousarray(gradient), g_frequencies, g_amplitudes, g_phases)
        each = zip(shares, g_edges, strict=True)
        threads.run(_backward, [(*share, *shared, g_edge) for share, g_edge in each])
        n_frames = frequencies.shape[1]
        for (_, high), g_edge in zip(shares, g_edges, strict=True):
            row, frame = divmod(high - 1, n_frames)
            frame = min(frame + 1, n_frames - 1)
            g_frequencies[row, frame] += g_edge[0]
            g_amplitudes[row, frame] += g_edge[1]
        _add_phases(g_phases, period, g_frequencies)
    return g_frequencies, g_amplitudes
