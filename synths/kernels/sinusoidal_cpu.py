"""Bank of sinusoids with individual frequencies for CPUs, compiled by Numba.

Frames are processed in blocks of up to 64 samples. Phase is known in float64 at the middle of a
block, and no sample is further than 16 cycles away, so the rest is float32 in vector registers,
with errors below -100 dB. Threads share the frames of all rows.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.frames import (
    OPTIONS,
    QUARTER,
    ZERO,
    add_phase_slopes,
    fade,
    frame_at,
    phases_at_frames,
    render,
    shares_of_frames,
    sine,
    wide_sine,
)

# Samples per block, and the multiple to which blocks are padded: loops of whole vectors.
_BLOCK = 64
_STEP = 32

# Fewer sines than this are not worth a second thread.
_SINES_A_THREAD = 100_000


@compiled(**OPTIONS)
def _enter(low, n, j, n_frames, n_samples, method, x, w):
    """Begin the block of n samples from sample low of frame j.

    Fills x with the distances from the middle of the block and w with the weight of the next frame.

    Returns:
      (padded, fraction): n rounded up, and the position of the middle between the two frames.
    """
    middle = low + n // 2
    padded = -(-n // _STEP) * _STEP
    for t in range(padded):
        x[t] = np.float32(low + t - middle)
    fade(low, padded, j, n_frames, n_samples, method, w)
    return padded, (middle * n_frames - j * n_samples) / n_samples


@compiled(inline="always", **OPTIONS)
def _chirp(f_here, f_after, phase, fraction, period, sample_rate):
    """(start, step, bend) of cycles(x) = start + x (step + x bend), x in samples.

    The start is a quarter of a cycle early: sin(2 pi c) is an even function of c - 1/4, which
    saves folding c into |c| <= 1/4.
    """
    rise = f_after - f_here
    start = phase + period * fraction * (f_here + 0.5 * fraction * rise) - 0.25
    step = (f_here + fraction * rise) / sample_rate
    bend = 0.5 * rise / (period * sample_rate * sample_rate)
    return np.float32(start - np.floor(start)), np.float32(step), np.float32(bend)


@compiled(**OPTIONS)
def _forward(low, high, frequencies, amplitudes, phases, sample_rate, method, audio):
    """Render frames low to high, counted through all rows."""
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
            padded, fraction = _enter(begin, n, j, n_frames, n_samples, method, x, w)
            total[:padded] = ZERO
            for k in range(n_partials):
                f_here, f_after = frequencies[row, j, k], frequencies[row, j_after, k]
                a = ZERO if abs(f_here) >= nyquist else amplitudes[row, j, k]
                b = ZERO if abs(f_after) >= nyquist else amplitudes[row, j_after, k]
                if a == ZERO and b == ZERO:
                    continue
                d = b - a
                start, step, bend = _chirp(
                    f_here, f_after, phases[row, j, k], fraction, period, sample_rate
                )
                for t in range(padded):
                    cycles = start + x[t] * (step + x[t] * bend)
                    cycles -= np.rint(cycles)
                    total[t] += (a + w[t] * d) * sine(QUARTER - abs(cycles))
            for t in range(n):
                audio[row, begin + t] = total[t]


@compiled(**OPTIONS)
def _backward(
    low, high, frequencies, amplitudes, phases, sample_rate, method, g, g_phases, g_both, g_edge
):
    """Gradients of frames low to high, counted through all rows.

    g_both, [2, batch, n_frames, n_partials], gets the gradients of the frequencies through the
    samples of their frames, and of the amplitudes; g_edge, [2, n_partials], those of frame `high`,
    to which another thread may write; g_phases those of the phases at frames.
    """
    n_frames, n_partials = amplitudes.shape[1:]
    n_samples = g.shape[1]
    period = n_samples / sample_rate / n_frames
    nyquist = 0.5 * sample_rate
    bend_a_hz = 0.5 / (period * sample_rate * sample_rate)
    x = np.empty(_BLOCK, np.float32)
    w = np.empty(_BLOCK, np.float32)
    g_0 = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame = frame_at(i, n_frames, n_samples)
        g_after = g_edge if i == high - 1 else g_both[:, row, j_after]
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            padded, fraction = _enter(begin, n, j, n_frames, n_samples, method, x, w)
            for t in range(padded):
                g_0[t] = g[row, begin + t] if t < n else ZERO
            for k in range(n_partials):
                f_here, f_after = frequencies[row, j, k], frequencies[row, j_after, k]
                silent_here, silent_after = abs(f_here) >= nyquist, abs(f_after) >= nyquist
                if silent_here and silent_after:
                    continue
                a = ZERO if silent_here else amplitudes[row, j, k]
                d = (ZERO if silent_after else amplitudes[row, j_after, k]) - a
                start, step, bend = _chirp(
                    f_here, f_after, phases[row, j, k], fraction, period, sample_rate
                )
                total = late = by_start = by_step = by_bend = ZERO
                for t in range(padded):
                    cycles = start + x[t] * (step + x[t] * bend)
                    cycles -= np.rint(cycles)
                    gs = g_0[t] * sine(QUARTER - abs(cycles))
                    total += gs
                    late += gs * w[t]
                    gc = g_0[t] * (a + w[t] * d) * wide_sine(cycles)
                    by_start += gc
                    by_step += gc * x[t]
                    by_bend += gc * x[t] * x[t]
                if not silent_here:
                    g_both[1, row, j, k] += total - late
                if not silent_after:
                    g_after[1, k] += late
                # The cosine is -sin of the early cycles.
                whole = -2.0 * np.pi * by_start
                of_step = -2.0 * np.pi * by_step / sample_rate
                of_bend = -2.0 * np.pi * by_bend * bend_a_hz
                later = fraction * (0.5 * period * fraction * whole + of_step) + of_bend
                g_phases[row, j, k] += whole
                g_both[0, row, j, k] += period * fraction * whole + of_step - later
                g_after[0, k] += later


def forward(frequencies, amplitudes, initial_phase, n_samples, sample_rate, method):
    """Render a bank of sinusoids.

    Args:
      frequencies: Hz, float64 [batch, n_frames, n_sinusoids].
      amplitudes: Linear, float32 [batch, n_frames, n_sinusoids].
      initial_phase: float64 [batch, n_sinusoids], cycles.
      n_samples: int.
      sample_rate: Hz.
      method: A value of `frames.METHODS`.

    Returns:
      float32 [batch, n_samples].
    """
    bank = (frequencies, amplitudes, initial_phase, n_samples, sample_rate, method)
    return render(_forward, _SINES_A_THREAD, *bank)


def backward(frequencies, amplitudes, initial_phase, sample_rate, method, gradient):
    """Gradients of `forward` for the frequencies and the amplitudes.

    Args:
      frequencies, amplitudes, initial_phase, sample_rate, method: As in `forward`.
      gradient: float32 [batch, n_samples], with respect to the audio.

    Returns:
      Two arrays, float32 [batch, n_frames, n_sinusoids].
    """
    g_both = np.zeros((2, *frequencies.shape), np.float32)
    if gradient.size and amplitudes.size:
        n_frames, n_samples = frequencies.shape[1], gradient.shape[1]
        phases = phases_at_frames(frequencies, initial_phase, n_samples, sample_rate)
        shares = shares_of_frames(amplitudes, n_samples, _SINES_A_THREAD)
        g_phases = np.zeros(frequencies.shape, np.float64)
        g_edges = np.zeros((len(shares), 2, frequencies.shape[2]), np.float32)
        shared = (frequencies, amplitudes, phases, float(sample_rate), int(method), gradient)
        each = zip(shares, g_edges, strict=True)
        threads.run(_backward, [(*share, *shared, g_phases, g_both, edge) for share, edge in each])
        for (_, high), edge in zip(shares, g_edges, strict=True):
            row, frame = divmod(high - 1, n_frames)
            g_both[:, row, min(frame + 1, n_frames - 1)] += edge
        add_phase_slopes(g_phases, n_samples, sample_rate, g_both[0])
    return g_both[0], g_both[1]
