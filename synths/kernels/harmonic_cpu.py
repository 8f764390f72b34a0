"""Bank of harmonic oscillators for CPUs, compiled by Numba.

The sines of all harmonics of a sample come from that of the fundamental by repeated rotation. The
samples of a frame are processed side by side in vector registers, and harmonics above Nyquist cost
nothing. (Clenshaw's recurrence needs half the arithmetic, but loses 60 dB of precision near
multiples of half a turn.) Phase is kept in float64 cycles per frame, wrapped, and is the exact
integral of the piecewise linear F0. Threads share the frames of all rows.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled

# Interpolation methods of amplitudes, as of `synths.resample`.
METHODS = {"nearest": 0, "linear": 1, "window": 2}

# Without "nnan" and "ninf": `n_audible` must recognize NaN.
_OPTIONS = {
    "fastmath": {"reassoc", "contract", "nsz", "arcp", "afn"},
    "error_model": "numpy",
}

# Elsewhere no decision depends on values that are not finite.
_FAST = _OPTIONS | {"fastmath": True}

_QUARTER = np.float32(0.25)
_HALF = np.float32(0.5)
_ZERO = np.float32(0.0)

# Fewer sines than this are not worth a second thread.
_SINES_A_THREAD = 200_000


def _sine_polynomial(degree):
    """Polynomial of u * u that fits sin(2 pi u) / u on |u| <= 1/4, by Chebyshev nodes."""
    nodes = 0.25 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    fit = np.polynomial.polynomial.polyfit(nodes**2, np.sin(2.0 * np.pi * nodes) / nodes, degree)
    return [np.float32(c) for c in fit]


_S0, _S1, _S2, _S3, _S4 = _sine_polynomial(4)
_F0, _F1, _F2, _F3, _F4, _F5 = _sine_polynomial(5)


@compiled(inline="always", **_OPTIONS)
def sine(u):
    """sin(2 pi u) of a float32 u in [-1/4, 1/4], to 3e-8."""
    v = u * u
    return u * (_S0 + v * (_S1 + v * (_S2 + v * (_S3 + v * _S4))))


@compiled(inline="always", **_OPTIONS)
def fine_sine(u):
    """sin(2 pi u) to 2e-9 before rounding, for rotations, which accumulate errors."""
    v = u * u
    return u * (_F0 + v * (_F1 + v * (_F2 + v * (_F3 + v * (_F4 + v * _F5)))))


@compiled(**_OPTIONS)
def frame_at(i, n_frames, n_samples):
    """(row, frame, next frame, first sample, number of samples) of frame i of all rows."""
    row = i // n_frames
    j = i - row * n_frames
    first = -((-j * n_samples) // n_frames)
    return row, j, min(j + 1, n_frames - 1), first, -((-(j + 1) * n_samples) // n_frames) - first


@compiled(**_OPTIONS)
def fade(low, n, j, n_frames, n_samples, method, w):
    """Fill w with the weight of the next frame in the n samples from sample low of frame j."""
    for t in range(n):
        w[t] = np.float32(min(((low + t) * n_frames - j * n_samples) / n_samples, 1.0))
    if method == 0:
        w[:n] = np.float32(0.0)
    elif method == 2:
        for t in range(n):
            quarter = sine(_QUARTER * w[t])
            w[t] = quarter * quarter


@compiled(**_OPTIONS)
def frame_phases(f0, initial, period, phases):
    """Fill phases, float64 [batch, n_frames], with cycles at frames, 0 to 1."""
    n_rows, n_frames = f0.shape
    for row in range(n_rows):
        phase = initial[row]
        for j in range(n_frames):
            phase -= np.floor(phase)
            phases[row, j] = phase
            j_after = min(j + 1, n_frames - 1)
            phase += 0.5 * (np.float64(f0[row, j]) + np.float64(f0[row, j_after])) * period


@compiled(**_OPTIONS)
def n_audible(f_hz, nyquist, n_harmonics):
    """Number of harmonics of f_hz below Nyquist; all for NaN."""
    if not abs(f_hz) * n_harmonics >= nyquist:
        return n_harmonics
    return int(np.ceil(nyquist / abs(f_hz))) - 1


@compiled(**_OPTIONS)
def gather_f0(g_cycles, period, g_f0):
    """Accumulate gradients of F0 from the samples of its frames and from all later phases.

    Args:
      g_cycles: float64 [3, batch, n_frames], as of `_backward`.
      period: Seconds per frame.
      g_f0: float64 [batch, n_frames], the sum.
    """
    n_rows, n_frames = g_f0.shape
    for row in range(n_rows):
        later = 0.0
        for j in range(n_frames - 1, -1, -1):
            j_after = min(j + 1, n_frames - 1)
            g_f0[row, j] += g_cycles[1, row, j] + 0.5 * period * later
            g_f0[row, j_after] += g_cycles[2, row, j] + 0.5 * period * later
            later += g_cycles[0, row, j]


@compiled(**_FAST)
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
        u = r if a <= _QUARTER else ((_HALF - a) if r > _ZERO else (a - _HALF))
        s1[t] = fine_sine(u)
        c1[t] = fine_sine(_QUARTER - a)
        s[t] = s1[t]
        c[t] = c1[t]
    fade(first, n, j, n_frames, n_samples, method, w)
    k_here = n_audible(f_here, 0.5 * sample_rate, n_harmonics)
    k_after = n_audible(f_after, 0.5 * sample_rate, n_harmonics)
    return row, j, j_after, first, n, k_here, k_after


@compiled(**_FAST)
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


@compiled(**_FAST)
def _backward(
    low, high, f0, amplitudes, phases, sample_rate, method, g, g_cycles, g_amplitudes, g_edge
):
    """Gradients of frames low to high, counted through all rows.

    g_edge gets the gradient of the amplitudes of frame `high`, to which another thread may write.
    g_cycles, float64 [3, batch, n_frames], gets the gradients of the phase at a frame, and of the
    F0 of this and the next frame through the samples of the frame.
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
    """(low, high) of the frames of each thread."""
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
    """Render a bank of harmonics.

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
    if not amplitudes.shape[:2] == f0_hz.shape == (len(initial_phase), f0_hz.shape[1]):
        raise ValueError(
            f"got shapes {f0_hz.shape}, {amplitudes.shape} and {initial_phase.shape}, expected "
            "equal batches and frames."
        )
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
      Gradients of f0_hz, float32 [batch, n_frames], and of the amplitudes, float32
      [batch, n_frames, n_harmonics].
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
