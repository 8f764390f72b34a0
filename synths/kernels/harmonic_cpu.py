"""Bank of harmonic oscillators for CPUs, compiled by Numba.

The sines of all harmonics of a sample come from that of the fundamental by repeated rotation. The
samples of a frame are processed side by side in vector registers, and harmonics above Nyquist cost
nothing. (Clenshaw's recurrence needs half the arithmetic, but loses 60 dB of precision near
multiples of half a turn.) Phase is kept in float64 cycles per frame, wrapped, and is the exact
integral of the piecewise linear F0. Threads share the frames of all rows. Stretched partials have
loops of their own (`stretched_cpu`).
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.frames import (
    FAST,
    HALF,
    OPTIONS,
    QUARTER,
    ZERO,
    add_phase_slopes,
    fade,
    frame_at,
    phases_at_frames,
    shares_of_frames,
    sine,
)
from synths.kernels.stretched_cpu import (
    ratios_to_fundamental,
    stretched_backward,
    stretched_forward,
)


@compiled(**OPTIONS)
def _n_audible(f_hz, nyquist, n_harmonics):
    """Number of harmonics of f_hz below Nyquist; all for NaN."""
    if not abs(f_hz) * n_harmonics >= nyquist:
        return n_harmonics
    return int(np.ceil(nyquist / abs(f_hz))) - 1


@compiled(**FAST)
def _enter(i, f0, phases, n_samples, n_harmonics, sample_rate, method, s1, c1, s, c, w):
    """Begin frame i of all rows.

    Fills s1, c1, s, c with the sine and cosine of the fundamental at its samples, and w with the
    weight of the next frame.

    Returns:
      (row, j, j_after, first, n, k_here, k_after): frame, next frame, first sample, number of
      samples, and numbers of harmonics below Nyquist at the two frames.
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
        # Small angles are not folded by a difference, whose error would grow with the order.
        a = abs(r)
        u = r if a <= QUARTER else ((HALF - a) if r > ZERO else (a - HALF))
        s1[t] = sine(u)
        c1[t] = sine(QUARTER - a)
        s[t] = s1[t]
        c[t] = c1[t]
    fade(first, n, j, n_frames, n_samples, method, w)
    k_here = _n_audible(f_here, 0.5 * sample_rate, n_harmonics)
    k_after = _n_audible(f_after, 0.5 * sample_rate, n_harmonics)
    return row, j, j_after, first, n, k_here, k_after


@compiled(**FAST)
def _forward(low, high, f0, amplitudes, phases, sample_rate, method, audio):
    """Render frames low to high, counted through all rows."""
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
        total[:n] = ZERO
        for k in range(max(k_here, k_after)):
            a = amplitudes[row, j, k] if k < k_here else ZERO
            d = (amplitudes[row, j_after, k] if k < k_after else ZERO) - a
            for t in range(n):
                total[t] += (a + w[t] * d) * s[t]
                rotated = s[t] * c1[t] + c[t] * s1[t]
                c[t] = c[t] * c1[t] - s[t] * s1[t]
                s[t] = rotated
        for t in range(n):
            audio[row, first + t] = total[t]


@compiled(**FAST)
def _backward(
    low, high, f0, amplitudes, phases, sample_rate, method, g, g_cycles, g_amplitudes, g_edge
):
    """Gradients of frames low to high, counted through all rows.

    g_edge gets the gradient of the amplitudes of frame `high`, to which another thread may write.
    g_cycles, float64 [4, batch, n_frames], gets the gradients of the phase at a frame, and of the
    F0 of this and the next frame through the samples of the frame; the last row is not used.
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
        # A contiguous view: otherwise rounding would depend on the alignment of the arrays.
        g_here = g[row, first : first + n]
        g_phase[:n] = ZERO
        for k in range(max(k_here, k_after)):
            a = amplitudes[row, j, k] if k < k_here else ZERO
            d = (amplitudes[row, j_after, k] if k < k_after else ZERO) - a
            order = np.float32(k + 1)
            total = ZERO
            late = ZERO
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


def _loops(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method, inharmonicity):
    """(forward, backward, their shared arguments) of a bank."""
    phases = phases_at_frames(f0_hz, initial_phase, n_samples, sample_rate)
    settings = (float(sample_rate), int(method))
    if inharmonicity is None:
        return _forward, _backward, (f0_hz, amplitudes, phases - np.floor(phases), *settings)
    ratios = ratios_to_fundamental(inharmonicity, amplitudes.shape[2])
    shared = (f0_hz, amplitudes, phases, *settings, ratios)
    return stretched_forward, stretched_backward, shared


def forward(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method, inharmonicity=None):
    """Render a bank of harmonics.

    Args:
      f0_hz: float32 [batch, n_frames].
      amplitudes: float32 [batch, n_frames, n_harmonics], linear.
      initial_phase: float64 [batch], cycles.
      n_samples: int.
      sample_rate: Hz.
      method: A value of METHODS.
      inharmonicity: B of stretched partials, 0 or more, float32 [batch], or None.

    Returns:
      float32 [batch, n_samples].
    """
    audio = np.zeros((len(f0_hz), int(n_samples)), np.float32)
    if audio.size and amplitudes.size:
        loops, _, shared = _loops(
            f0_hz, amplitudes, initial_phase, int(n_samples), sample_rate, method, inharmonicity
        )
        shares = shares_of_frames(amplitudes, audio.shape[1])
        threads.run(loops, [(*share, *shared, audio) for share in shares])
    return audio


def backward(f0_hz, amplitudes, initial_phase, sample_rate, method, gradient, inharmonicity=None):
    """Gradients of `forward`.

    Args:
      f0_hz, amplitudes, initial_phase, sample_rate, method, inharmonicity: As in `forward`.
      gradient: float32 [batch, n_samples], with respect to the audio.

    Returns:
      Gradients of f0_hz, float32 [batch, n_frames], of the amplitudes, float32
      [batch, n_frames, n_harmonics], and of an inharmonicity, float32 [batch].
    """
    g_f0 = np.zeros(f0_hz.shape, np.float64)
    g_amplitudes = np.zeros(amplitudes.shape, np.float32)
    g_cycles = np.zeros((4, *f0_hz.shape), np.float64)
    if gradient.size and amplitudes.size:
        n_samples = gradient.shape[1]
        _, loops, shared = _loops(
            f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method, inharmonicity
        )
        shares = shares_of_frames(amplitudes, n_samples)
        g_edges = np.zeros((len(shares), amplitudes.shape[2]), np.float32)
        shared += (gradient, g_cycles, g_amplitudes)
        each = zip(shares, g_edges, strict=True)
        threads.run(loops, [(*share, *shared, g_edge) for share, g_edge in each])
        n_frames = f0_hz.shape[1]
        for (_, high), g_edge in zip(shares, g_edges, strict=True):
            row, frame = divmod(high - 1, n_frames)
            g_amplitudes[row, min(frame + 1, n_frames - 1)] += g_edge
        g_f0[:] = g_cycles[1]
        g_f0[:, 1:] += g_cycles[2, :, :-1]
        g_f0[:, -1] += g_cycles[2, :, -1]
        add_phase_slopes(g_cycles[0], n_samples, sample_rate, g_f0)
    g_f0 = g_f0.astype(np.float32)
    if inharmonicity is None:
        return g_f0, g_amplitudes
    return g_f0, g_amplitudes, g_cycles[3].sum(axis=1).astype(np.float32)
