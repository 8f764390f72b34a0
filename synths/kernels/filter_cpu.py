"""Filters that crossfade from frame to frame for CPUs, compiled by Numba.

Each sample goes through the filters of the frame before and behind it, tap by tap, in vector
registers. For short responses that change often this takes less than transforms, which would have
to be longer than twice the response and the hop, for every frame there and back.

Threads take parts of the rows; compiled code holds no Python lock.
"""

import numba
import numpy as np

from synths.kernels import threads

# Less than this many multiplications are not worth a second thread.
_PRODUCTS_A_THREAD = 1_000_000

_options = {"nogil": True, "fastmath": True, "cache": True}


@numba.njit(**_options)
def _fade(audio, first, hop, early, late):
    """A hop of sound, from sample `first` on: times one minus a ramp, and times the ramp.

    Beyond the ends of the sound, and of the hop, there is silence.
    """
    early[:] = np.float32(0.0)
    late[:] = np.float32(0.0)
    here = audio[first : first + hop]
    for t in range(len(here)):
        late[t] = here[t] * np.float32(t / hop)
        early[t] = here[t] - late[t]


@numba.njit(**_options)
def _unfold(taps, symmetric, begin, response):
    """The taps of one filter, from `begin` on; of a symmetric one those from lag 0 on are given."""
    n = len(taps)
    if symmetric:
        for lag in range(n):
            response[begin + n - 1 + lag] = taps[lag]
            response[begin + n - 1 - lag] = taps[lag]
    else:
        response[begin : begin + n] = taps


@numba.njit(**_options)
def _fold(response, symmetric, g_taps):
    """The opposite, of gradients: what each number that was given has added."""
    n = len(g_taps)
    if symmetric:
        g_taps[0] = response[n - 1]
        for lag in range(1, n):
            g_taps[lag] = response[n - 1 + lag] + response[n - 1 - lag]
    else:
        g_taps[:] = response[:n]


@numba.njit(**_options)
def _forward(low, high, audio, taps, symmetric, hop, sound):
    """Adds the hops low to high of one row's sound, filtered; `sound` begins with the first."""
    n_taps = _n_taps(taps.shape[1], symmetric)
    n_padded = -(-hop // 4) * 4
    early = np.empty(n_padded, np.float32)
    late = np.empty(n_padded, np.float32)
    # Zeros around the taps, so that four samples at once can be treated alike.
    here = np.zeros(n_taps + 6, np.float32)
    after = np.zeros(n_taps + 6, np.float32)
    for j in range(low, high):
        _fade(audio, j * hop, hop, early, late)
        _unfold(taps[j], symmetric, 3, here)
        _unfold(taps[min(j + 1, len(taps) - 1)], symmetric, 3, after)
        for m in range(0, n_padded, 4):
            a, b, c, d = early[m], early[m + 1], early[m + 2], early[m + 3]
            e, f, g, h = late[m], late[m + 1], late[m + 2], late[m + 3]
            begin = (j - low) * hop + m
            out = sound[begin : begin + n_taps + 3]
            for t in range(len(out)):
                first = a * here[t + 3] + b * here[t + 2] + c * here[t + 1] + d * here[t]
                second = e * after[t + 3] + f * after[t + 2] + g * after[t + 1] + h * after[t]
                out[t] += first + second


@numba.njit(**_options)
def _add_products(x, y, begin, wet, to_x, to_y):
    """Adds eight numbers of x, and of y, each times `wet` from the number's place on."""
    a, b, c, d = x[begin], x[begin + 1], x[begin + 2], x[begin + 3]
    e, f, g, h = x[begin + 4], x[begin + 5], x[begin + 6], x[begin + 7]
    i, j, k, m = y[begin], y[begin + 1], y[begin + 2], y[begin + 3]
    n, o, p, q = y[begin + 4], y[begin + 5], y[begin + 6], y[begin + 7]
    for t in range(len(to_x)):
        w0, w1, w2, w3 = wet[t], wet[t + 1], wet[t + 2], wet[t + 3]
        w4, w5, w6, w7 = wet[t + 4], wet[t + 5], wet[t + 6], wet[t + 7]
        to_x[t] += a * w0 + b * w1 + c * w2 + d * w3 + e * w4 + f * w5 + g * w6 + h * w7
        to_y[t] += i * w0 + j * w1 + k * w2 + m * w3 + n * w4 + o * w5 + p * w6 + q * w7


@numba.njit(**_options)
def _backward_taps(low, high, audio, gradient, symmetric, hop, g_taps, g_edge):
    """Gradients of the taps by way of the hops low to high of one row.

    `gradient` begins with the first hop. What the last hop adds to the frame behind it goes to
    g_edge, as that frame may be another thread's.
    """
    n_taps = _n_taps(g_taps.shape[1], symmetric)
    n_padded = -(-hop // 8) * 8
    early = np.empty(n_padded, np.float32)
    late = np.empty(n_padded, np.float32)
    here = np.zeros(n_taps, np.float32)
    after = np.zeros(n_taps, np.float32)
    for j in range(low, high):
        _fade(audio, j * hop, hop, early, late)
        for m in range(0, n_padded, 8):
            begin = (j - low) * hop + m
            wet = gradient[begin : begin + n_taps + 7]
            _add_products(early, late, m, wet, here, after)
        _fold(here, symmetric, g_taps[j])
        here[:] = after
        after[:] = np.float32(0.0)
    _fold(here, symmetric, g_edge)


@numba.njit(**_options)
def _backward_audio(low, high, taps, gradient, symmetric, hop, g_audio):
    """Gradients of the hops low to high of one row's sound; `gradient` begins with the first."""
    n_taps = _n_taps(taps.shape[1], symmetric)
    n_padded = -(-n_taps // 8) * 8
    here = np.zeros(n_padded, np.float32)
    after = np.zeros(n_padded, np.float32)
    early = np.empty(hop, np.float32)
    late = np.empty(hop, np.float32)
    for j in range(low, high):
        _unfold(taps[j], symmetric, 0, here)
        _unfold(taps[min(j + 1, len(taps) - 1)], symmetric, 0, after)
        early[:] = np.float32(0.0)
        late[:] = np.float32(0.0)
        for tap in range(0, n_padded, 8):
            begin = (j - low) * hop + tap
            _add_products(here, after, tap, gradient[begin : begin + hop + 7], early, late)
        out = g_audio[j * hop : (j + 1) * hop]
        for t in range(len(out)):
            out[t] = early[t] + np.float32(t / hop) * (late[t] - early[t])


@numba.njit(**_options)
def _n_taps(n_given, symmetric):
    return 2 * n_given - 1 if symmetric else n_given


def _parts(n_rows, n_hops, hop, n_taps):
    """(row, first hop, end) of the parts that threads take: whole rows where that is fair."""
    n_parts = min(threads.n_threads(), 2 * n_rows * n_hops * hop * n_taps // _PRODUCTS_A_THREAD)
    n_parts = 1 if n_parts <= 1 or n_rows % n_parts == 0 else min(n_parts, n_hops)
    return [(row, *part) for row in range(n_rows) for part in threads.shares(n_hops, n_parts)]


def _span(sound, begin, n):
    """Samples begin to begin + n of a sound; silence beyond its ends."""
    span = np.zeros(n, np.float32)
    inside = sound[max(begin, 0) : max(begin + n, 0)]
    span[max(-begin, 0) : max(-begin, 0) + len(inside)] = inside
    return span


def forward(audio, taps, symmetric, hop, n_hops, begin, n):
    """Sound through filters that crossfade.

    Args:
      audio: float32 [batch, n_samples].
      taps: float32 [batch or 1, n_frames, n]; frame i stands at sample i * hop.
      symmetric: Whether the filters have 2 n - 1 taps, of which those from the middle on are given.
      hop: Samples from frame to frame.
      n_hops: How many hops of sound: n_frames - 1, or n_frames, where the last frame is held.
      begin, n: The first sample of the full convolution that is returned, and how many.

    Returns:
      float32 [batch, n].
    """
    symmetric, hop, begin = bool(symmetric), int(hop), int(begin)
    n_taps = _n_taps(taps.shape[2], symmetric)
    filtered = np.zeros((len(audio), int(n)), np.float32)

    def part(row, low, high):
        sound = np.zeros((high - low) * hop + n_taps + 6, np.float32)
        _forward(low, high, audio[row], taps[row % len(taps)], symmetric, hop, sound)
        return sound

    parts = _parts(len(audio), int(n_hops), hop, n_taps)
    for (row, low, _), sound in zip(parts, threads.run(part, parts), strict=True):
        start = low * hop - begin
        first, last = max(start, 0), min(start + len(sound), filtered.shape[1])
        if first < last:
            filtered[row, first:last] += sound[first - start : last - start]
    return filtered


def backward_taps(audio, like, symmetric, hop, n_hops, begin, gradient):
    """Gradient of `forward` with respect to the taps.

    Args:
      audio, symmetric, hop, n_hops, begin: As in `forward`.
      like: The taps' shape.
      gradient: float32 [batch, n], with respect to the sound.
    """
    symmetric, hop, begin = bool(symmetric), int(hop), int(begin)
    n_frames, n_given = int(like[1]), int(like[2])
    n_taps = _n_taps(n_given, symmetric)
    g_taps = np.zeros((len(audio), n_frames, n_given), np.float32)

    def part(row, low, high):
        wet = _span(gradient[row], low * hop - begin, (high - low) * hop + n_taps + 14)
        g_edge = np.empty(n_given, np.float32)
        _backward_taps(low, high, audio[row], wet, symmetric, hop, g_taps[row], g_edge)
        return g_edge

    parts = _parts(len(audio), int(n_hops), hop, n_taps)
    for (row, _, high), g_edge in zip(parts, threads.run(part, parts), strict=True):
        g_taps[row, min(high, n_frames - 1)] += g_edge
    return g_taps if like[0] == len(audio) else g_taps.sum(axis=0, keepdims=True)


def backward_audio(taps, symmetric, hop, n_hops, begin, n_samples, gradient):
    """Gradient of `forward` with respect to the audio, [batch, n_samples].

    Args:
      taps, symmetric, hop, n_hops, begin: As in `forward`.
      n_samples: Of the audio.
      gradient: float32 [batch, n], with respect to the sound.
    """
    symmetric, hop, begin = bool(symmetric), int(hop), int(begin)
    n_taps = _n_taps(taps.shape[2], symmetric)
    g_audio = np.zeros((len(gradient), int(n_samples)), np.float32)

    def part(row, low, high):
        wet = _span(gradient[row], low * hop - begin, (high - low) * hop + n_taps + 14)
        _backward_audio(low, high, taps[row % len(taps)], wet, symmetric, hop, g_audio[row])

    threads.run(part, _parts(len(gradient), int(n_hops), hop, n_taps))
    return g_audio
