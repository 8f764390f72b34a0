"""Time-varying zero-phase filters for CPUs, compiled by Numba.

As in `synths.filters`, the audio around each frame is faded in and out, filtered by transforms and
overlap-added. 32 frames are processed together in the lanes of `synths.kernels.transforms`, two per
complex number, since the spectrum of a zero-phase filter is real. Threads share parts of the rows.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.lanes import (
    ROW,
    ZERO,
    add_transposed,
    cut_windows,
    empty_transposed,
    join_windows,
    transposed,
)
from synths.kernels.transforms import LANES, LENGTHS, rows_of, transform, transform_back, turns

# Fewer samples than this are not worth a second thread.
_SAMPLES_A_THREAD = 10_000

_options = {"fastmath": True}


@compiled(**_options)
def _weighted(weights, rows, block):
    """Block whose row i is the sum of all rows times weights[i], which are `_filled`."""
    for i in range(0, len(weights), 2):
        one = block[i * ROW : (i + 1) * ROW]
        two = block[(i + 1) * ROW : (i + 2) * ROW]
        one[:] = ZERO
        two[:] = ZERO
        for j in range(0, weights.shape[1], 8):
            a, b, c, d = weights[i, j], weights[i, j + 1], weights[i, j + 2], weights[i, j + 3]
            e, f, g, h = weights[i, j + 4], weights[i, j + 5], weights[i, j + 6], weights[i, j + 7]
            too = weights[i + 1, j : j + 8]
            k, m, o, p = too[0], too[1], too[2], too[3]
            q, r, s, t = too[4], too[5], too[6], too[7]
            x = rows[j * ROW : (j + 8) * ROW]
            for v in range(ROW):
                x0, x1, x2, x3 = x[v], x[ROW + v], x[2 * ROW + v], x[3 * ROW + v]
                x4, x5, x6, x7 = x[4 * ROW + v], x[5 * ROW + v], x[6 * ROW + v], x[7 * ROW + v]
                one[v] += (a * x0 + b * x1 + c * x2 + d * x3) + (e * x4 + f * x5 + g * x6 + h * x7)
                two[v] += (k * x0 + m * x1 + o * x2 + p * x3) + (q * x4 + r * x5 + s * x6 + t * x7)


@compiled(**_options)
def _responses(magnitudes, first, to_taps, n, gains, block):
    """Taps of the filters of 32 frames from `first` on around row 0; the last frame is held."""
    n_taps = len(to_taps)
    for v in range(ROW):
        frame = magnitudes[min(first + v, len(magnitudes) - 1)]
        for b in range(len(frame)):
            gains[b * ROW + v] = frame[b]
    _weighted(to_taps, gains, block)
    block[n_taps * ROW : (n - n_taps + 1) * ROW] = ZERO
    for tap in range(1, n_taps):
        mirrored = block[(n - tap) * ROW : (n - tap + 1) * ROW]
        mirrored[:] = block[tap * ROW : (tap + 1) * ROW]


@compiled(**_options)
def _multiply(block, responses, n, rows):
    """Multiplies the two sounds in each lane by their own real spectra, a and b.

    Of z = x + i y: a X + i b Y = (a + b) / 2 Z + (a - b) / 2 conj(Z[-k]).
    """
    for k in range(n // 2 + 1):
        one = block[rows[k] * ROW : rows[k] * ROW + ROW]
        two = block[rows[-k] * ROW : rows[-k] * ROW + ROW]
        gain = responses[rows[k] * ROW : rows[k] * ROW + ROW]
        for v in range(LANES):
            mean = np.float32(0.5) * (gain[v] + gain[LANES + v])
            half = gain[v] - mean
            a, b, c, d = one[v], one[LANES + v], two[v], two[LANES + v]
            one[v] = mean * a + half * c
            one[LANES + v] = mean * b - half * d
            two[v] = mean * c + half * a
            two[LANES + v] = mean * d - half * b


@compiled(**_options)
def _correlate(block, other, n, rows):
    """Real parts of the products of the two sounds' spectra with those of another block's.

    Both are even, and go into real and imaginary parts of the block.
    """
    for k in range(n // 2 + 1):
        one = block[rows[k] * ROW : rows[k] * ROW + ROW]
        two = block[rows[-k] * ROW : rows[-k] * ROW + ROW]
        wet = other[rows[k] * ROW : rows[k] * ROW + ROW]
        too = other[rows[-k] * ROW : rows[-k] * ROW + ROW]
        for v in range(LANES):
            # Of the real sound: z + conj(z[-k]). Of the imaginary one: the difference.
            a, b = one[v] + two[v], one[LANES + v] - two[LANES + v]
            c, d = wet[v] + too[v], wet[LANES + v] - too[LANES + v]
            e, f = one[v] - two[v], one[LANES + v] + two[LANES + v]
            g, h = wet[v] - too[v], wet[LANES + v] + too[LANES + v]
            one[v] = np.float32(0.25) * (a * c + b * d)
            one[LANES + v] = np.float32(0.25) * (e * g + f * h)
            two[v] = one[v]
            two[LANES + v] = one[LANES + v]


@compiled(**_options)
def _filter(low, high, source, magnitudes, to_taps, cut, cut_ramp, join, join_ramp, table, rows):
    """Filter the windows of frames low to high of one row.

    Args:
      source: Transposed audio; hop 0 is the first of the first window.
      to_taps: Matrix from magnitudes to taps, divided by n, `_filled`.
      cut, join: First rows of the windows in a block, before and after the filters.
      cut_ramp, join_ramp: Factors of the windows.

    Returns:
      The filtered audio, transposed.
    """
    n = len(rows)
    hop = len(source)
    n_blocks = -(-(high - low) // ROW)
    filtered = empty_transposed(hop, n_blocks * ROW - (-len(join_ramp) // hop))
    block = np.empty(n * ROW, np.float32)
    responses = np.empty(n * ROW, np.float32)
    gains = np.zeros(to_taps.shape[1] * ROW, np.float32)
    for i in range(n_blocks):
        first = i * ROW
        _responses(magnitudes, low + first, to_taps, n, gains, responses)
        transform(responses, n, table)
        cut_windows(source, first, cut, cut_ramp, n, block)
        transform(block, n, table)
        _multiply(block, responses, n, rows)
        transform_back(block, n, table)
        if first + ROW > high - low:
            _silence(block, high - low - first, n)
        join_windows(block, first, join, join_ramp, filtered)
    return filtered


@compiled(**_options)
def _silence(block, n_frames, n):
    """Set all frames of a block but the first n_frames to 0."""
    for row in range(n):
        block[row * ROW + n_frames : (row + 1) * ROW] = ZERO


@compiled(**_options)
def _correlate_frames(
    low, high, dry, wet, from_taps, margin, ramp, flat, table, rows, g_magnitudes, g_held
):
    """Gradients of the magnitudes of frames low to high of one row.

    dry, wet: audio and gradient, transposed; hop 0 is the first of the first window. from_taps: the
    matrix from gradients of taps to those of magnitudes, `_filled`. g_held gets the gradient of a
    frame after the last one, which is held.
    """
    n = len(rows)
    n_bands = g_magnitudes.shape[1]
    block = np.empty(n * ROW, np.float32)
    other = np.empty(n * ROW, np.float32)
    slopes = np.empty(len(from_taps) * ROW, np.float32)
    for first in range(0, high - low, ROW):
        cut_windows(dry, first, margin, ramp, n, block)
        transform(block, n, table)
        cut_windows(wet, first, 0, flat, n, other)
        transform(other, n, table)
        _correlate(block, other, n, rows)
        # The correlation is even, so both directions are equal.
        transform_back(block, n, table)
        _weighted(from_taps, block, slopes)
        for v in range(min(ROW, high - low - first)):
            frame = low + first + v
            target = g_magnitudes[frame] if frame < len(g_magnitudes) else g_held
            for b in range(n_bands):
                target[b] = slopes[b * ROW + v]


class _Layout:
    """Positions and ramps of the windows of frames, dry and filtered.

    Args:
      hop: Samples per frame.
      margin: Samples that a filter extends to either side.
      begin: First sample of the output.
      n_hops: Number of hops, with a frame at the beginning and the end of each.
    """

    def __init__(self, hop, margin, begin, n_hops):
        self.hop, self.margin, self.n_frames = int(hop), int(margin), int(n_hops) + 1
        length = 2 * (self.hop + self.margin)
        n = next(n for n in LENGTHS if n >= length)
        self.tables = turns(n), rows_of(n)
        rising = np.arange(self.hop, dtype=np.float32) / np.float32(self.hop)
        # First sample of the window of frame 0, its row in a block, its ramp.
        self.dry = -self.hop, self.margin, np.concatenate([rising, 1 - rising])
        self.wet = -self.hop - self.margin - int(begin), 0, np.ones(length, np.float32)

    def parts(self, n_rows):
        """(row, first frame, end) of each thread; whole rows if they divide evenly."""
        n = threads.n_threads()
        n_parts = min(n, n_rows * self.n_frames * self.hop // _SAMPLES_A_THREAD)
        n_parts = 1 if n_parts <= 1 or n_rows % n_parts == 0 else min(n_parts, self.n_frames)
        ends = threads.shares(self.n_frames, n_parts)
        return [(row, *part) for row in range(n_rows) for part in ends]

    def windows(self, sound, low, high, kind):
        """Transposed audio of a row from the window of frame `low` to that of frame `high`."""
        first, _, ramp = kind
        n_hops = -(-(high - low) // ROW) * ROW - (-len(ramp) // self.hop)
        return transposed(sound, first + low * self.hop, self.hop, n_hops)

    def filtered(self, source, magnitudes, to_taps, from_kind, to_kind, n):
        """Filter the windows of the source and join them to float32 [batch, n]."""
        weights = _filled(to_taps / np.float32(len(self.tables[1])))
        shared = (weights, *from_kind[1:], *to_kind[1:], *self.tables)

        def part(row, low, high):
            windows = self.windows(source[row], low, high, from_kind)
            return _filter(low, high, windows, magnitudes[row % len(magnitudes)], *shared)

        joined = np.zeros((len(source), int(n)), np.float32)
        parts = self.parts(len(source))
        for (row, low, high), turned in zip(parts, threads.run(part, parts), strict=True):
            n_hops = high - low - (-len(to_kind[2]) // self.hop)
            add_transposed(turned, n_hops, to_kind[0] + low * self.hop, joined[row])
        return joined


def _filled(weights):
    """Pad a matrix with zeros to an even number of rows and a multiple of eight columns."""
    n_rows, n_columns = weights.shape
    filled = np.zeros((n_rows + n_rows % 2, -(-n_columns // 8) * 8), np.float32)
    filled[:n_rows, :n_columns] = weights
    return filled


def forward(audio, magnitudes, to_taps, hop, n_hops, begin, n):
    """Filter audio by filters that crossfade.

    Args:
      audio: float32 [batch, n_samples].
      magnitudes: float32 [batch or 1, n_frames, n_bands]; frame i is at sample i * hop.
      to_taps: float32 [margin + 1, n_bands], matrix from magnitudes to taps of symmetric filters
        from the middle tap on.
      hop: Samples per frame; 2 hop + 2 margin is at most LENGTHS[-1].
      n_hops: Number of hops: n_frames - 1, or n_frames to hold the last frame.
      begin, n: First sample of the output, may be before the audio, and number of samples.

    Returns:
      float32 [batch, n].
    """
    if len(magnitudes) not in (1, len(audio)):
        raise ValueError(f"expected filters for {len(audio)} rows or 1, got {len(magnitudes)}.")
    layout = _Layout(hop, len(to_taps) - 1, begin, n_hops)
    return layout.filtered(audio, magnitudes, to_taps, layout.dry, layout.wet, n)


def backward_audio(magnitudes, to_taps, hop, n_hops, begin, n_samples, gradient):
    """Gradient of the audio, [batch, n_samples].

    Args:
      magnitudes, to_taps, hop, n_hops, begin: As in `forward`.
      n_samples: Length of the audio.
      gradient: float32 [batch, n], of the output.
    """
    # The filters are symmetric, so the gradient is filtered in the same way.
    layout = _Layout(hop, len(to_taps) - 1, begin, n_hops)
    return layout.filtered(gradient, magnitudes, to_taps, layout.wet, layout.dry, n_samples)


def backward_magnitudes(audio, like, to_taps, hop, n_hops, begin, gradient):
    """Gradient of the magnitudes.

    Args:
      audio, to_taps, hop, n_hops, begin: As in `forward`.
      like: Shape of the magnitudes.
      gradient: float32 [batch, n], of the output.
    """
    layout = _Layout(hop, len(to_taps) - 1, begin, n_hops)
    g_magnitudes = np.zeros((len(audio), *like[1:]), np.float32)
    g_held = np.zeros((len(audio), like[2]), np.float32)
    # All taps but the middle one occur twice.
    twice = np.where(np.arange(len(to_taps)) == 0, 1.0, 2.0) / len(layout.tables[1])
    from_taps = _filled(to_taps.T * np.float32(twice))
    shared = (from_taps, layout.margin, layout.dry[2], layout.wet[2], *layout.tables)

    def part(row, low, high):
        dry = layout.windows(audio[row], low, high, layout.dry)
        wet = layout.windows(gradient[row], low, high, layout.wet)
        _correlate_frames(low, high, dry, wet, *shared, g_magnitudes[row], g_held[row])

    threads.run(part, layout.parts(len(audio)))
    g_magnitudes[:, -1] += g_held
    return g_magnitudes if like[0] == len(audio) else g_magnitudes.sum(axis=0, keepdims=True)
