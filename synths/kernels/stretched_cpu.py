"""Loops over the stretched partials of stiff strings for `harmonic_cpu`, compiled by Numba.

The phase of a partial is its ratio to the fundamental times the fundamental's phase, which is known
in float64 and not wrapped. Frames are processed in blocks of up to 64 samples: each partial's phase
is float64 at the middle of a block, and no sample is further than 16 cycles away, so the rest is
float32 in vector registers, with errors below -100 dB.
"""

import numpy as np

from synths.kernels.compiling import compiled
from synths.kernels.frames import HALF, OPTIONS, QUARTER, ZERO, fade, frame_at, sine

# All loops over samples have this length.
_BLOCK = 64


def ratios_to_fundamental(inharmonicity, n_harmonics):
    """Ratios k sqrt(1 + B k^2), float64 [batch, n_harmonics], of B [batch]."""
    orders = np.arange(1.0, n_harmonics + 1)
    return orders * np.sqrt(1.0 + inharmonicity.astype(np.float64)[:, None] * orders**2)


@compiled(**OPTIONS)
def _frame(i, f0, ratios, n_samples, sample_rate):
    """Begin frame i of all rows.

    Returns:
      (row, j, j_after, first, n, f_here, f_after, k_here, k_after): frame, next frame, first
      sample, number of samples, F0 and numbers of partials below Nyquist at the two frames.
    """
    row, j, j_after, first, n = frame_at(i, f0.shape[1], n_samples)
    f_here, f_after = np.float64(f0[row, j]), np.float64(f0[row, j_after])
    k_here = np.searchsorted(ratios[row], 0.5 * sample_rate / abs(f_here))
    k_after = np.searchsorted(ratios[row], 0.5 * sample_rate / abs(f_after))
    return row, j, j_after, first, n, f_here, f_after, k_here, k_after


@compiled(**OPTIONS)
def _enter(begin, n, f_here, f_after, phase, j, n_frames, n_samples, sample_rate, method, x, w):
    """Begin the block of n samples from sample `begin` of frame j.

    Fills x with the fundamental's cycles since the middle of the block and w with the weight of the
    next frame.

    Returns:
      Cycles of the fundamental at the middle, float64.
    """
    period = n_samples / sample_rate / n_frames
    slope = (f_after - f_here) / (2.0 * period)
    middle = begin + n // 2
    tau = middle / sample_rate - j * period
    step = np.float32((f_here + 2.0 * slope * tau) / sample_rate)
    bend = np.float32(slope / sample_rate / sample_rate)
    for t in range(_BLOCK):
        since = np.float32(begin + t - middle)
        x[t] = since * (step + since * bend)
    fade(begin, _BLOCK, j, n_frames, n_samples, method, w)
    return phase + tau * (f_here + slope * tau)


@compiled(inline="always", **OPTIONS)
def _early(ratio, phase):
    """Cycles of a partial, a quarter early, 0 to 1.

    sin(2 pi c) is an even function of c - 1/4, which saves folding c into |c| <= 1/4.
    """
    cycles = ratio * phase - 0.25
    return np.float32(cycles - np.floor(cycles))


@compiled(**OPTIONS)
def stretched_forward(low, high, f0, amplitudes, phases, sample_rate, method, ratios, audio):
    """Render frames low to high, counted through all rows."""
    n_frames = amplitudes.shape[1]
    n_samples = audio.shape[1]
    x = np.empty(_BLOCK, np.float32)
    w = np.empty(_BLOCK, np.float32)
    total = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame, f_here, f_after, k_here, k_after = _frame(
            i, f0, ratios, n_samples, sample_rate
        )
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            phase = _enter(
                begin, n, f_here, f_after, phases[row, j], j, n_frames, n_samples, sample_rate,
                method, x, w,
            )  # fmt: skip
            total[:] = ZERO
            for k in range(max(k_here, k_after)):
                a = amplitudes[row, j, k] if k < k_here else ZERO
                d = (amplitudes[row, j_after, k] if k < k_after else ZERO) - a
                early = _early(ratios[row, k], phase)
                ratio = np.float32(ratios[row, k])
                for t in range(_BLOCK):
                    cycles = early + ratio * x[t]
                    cycles -= np.rint(cycles)
                    total[t] += (a + w[t] * d) * sine(QUARTER - abs(cycles))
            for t in range(n):
                audio[row, begin + t] = total[t]


@compiled(**OPTIONS)
def stretched_backward(
    low,
    high,
    f0,
    amplitudes,
    phases,
    sample_rate,
    method,
    ratios,
    g,
    g_cycles,
    g_amplitudes,
    g_edge,
):
    """Gradients of frames low to high, counted through all rows.

    Arguments as of `harmonic_cpu`; g_cycles[3] gets the gradient of the inharmonicity.
    """
    n_frames = amplitudes.shape[1]
    n_samples = g.shape[1]
    period = n_samples / sample_rate / n_frames
    x = np.empty(_BLOCK, np.float32)
    w = np.empty(_BLOCK, np.float32)
    g_here = np.empty(_BLOCK, np.float32)
    g_phase = np.empty(_BLOCK, np.float32)
    g_stretch = np.empty(_BLOCK, np.float32)
    for i in range(low, high):
        row, j, j_after, first, n_in_frame, f_here, f_after, k_here, k_after = _frame(
            i, f0, ratios, n_samples, sample_rate
        )
        g_after = g_edge if i == high - 1 else g_amplitudes[row, j_after]
        for begin in range(first, first + n_in_frame, _BLOCK):
            n = min(_BLOCK, first + n_in_frame - begin)
            phase = _enter(
                begin, n, f_here, f_after, phases[row, j], j, n_frames, n_samples, sample_rate,
                method, x, w,
            )  # fmt: skip
            for t in range(_BLOCK):
                g_here[t] = g[row, begin + t] if t < n else ZERO
            g_phase[:] = ZERO
            g_stretch[:] = ZERO
            for k in range(max(k_here, k_after)):
                a = amplitudes[row, j, k] if k < k_here else ZERO
                d = (amplitudes[row, j_after, k] if k < k_after else ZERO) - a
                early = _early(ratios[row, k], phase)
                ratio = np.float32(ratios[row, k])
                # Of the logarithm of the ratio with respect to B.
                slope = np.float32(0.5 * (k + 1.0) ** 4 / ratios[row, k] ** 2)
                total = ZERO
                late = ZERO
                for t in range(_BLOCK):
                    cycles = early + ratio * x[t]
                    cycles -= np.rint(cycles)
                    u = abs(cycles)
                    gs = g_here[t] * sine(QUARTER - u)
                    total += gs
                    late += gs * w[t]
                    # The cosine is -sin of the early cycles.
                    gc = ratio * (a + w[t] * d) * sine(np.copysign(min(u, HALF - u), cycles))
                    g_phase[t] -= gc
                    g_stretch[t] -= slope * gc
                if k < k_here:
                    g_amplitudes[row, j, k] += total - late
                if k < k_after:
                    g_after[k] += late
            for t in range(n):
                turn = 2.0 * np.pi * g_here[t]
                tau = (begin + t) / sample_rate - j * period
                bend = 0.5 * tau * tau / period
                g_cycles[0, row, j] += turn * g_phase[t]
                g_cycles[1, row, j] += turn * g_phase[t] * (tau - bend)
                g_cycles[2, row, j] += turn * g_phase[t] * bend
                cycles_here = phases[row, j] + tau * f_here + bend * (f_after - f_here)
                g_cycles[3, row, j] += turn * g_stretch[t] * cycles_here
