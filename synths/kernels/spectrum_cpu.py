"""Short-time magnitude spectra for CPUs: frames, transforms and magnitudes in cache.

32 frames are processed together. The gradient transforms again, which is faster than storing the
spectra. Threads share the rows.
"""

import numpy as np

from synths.kernels import threads
from synths.kernels.compiling import compiled
from synths.kernels.lanes import (
    ROW,
    add_transposed,
    cut_windows,
    empty_transposed,
    join_windows,
    transposed,
)
from synths.kernels.transforms import LANES, rows_of, transform, transform_back, turns

_options = {"fastmath": True, "error_model": "numpy"}

# Added to squared magnitudes, so that the gradient of a bin that is exactly zero is zero.
TINY = np.float32(1e-14)

# Bins that are transposed from lanes to frames together.
_CHUNK = 16


@compiled(**_options)
def _sizes_of_block(block, n, rows, turned, size):
    """Magnitudes of the first frames of a block into size, [n_frames, n / 2 + 1]."""
    quarter = np.float32(0.25)
    for first in range(0, n // 2 + 1, _CHUNK):
        end = min(first + _CHUNK, n // 2 + 1)
        for k in range(first, end):
            one = block[rows[k] * ROW : rows[k] * ROW + ROW]
            two = block[rows[-k] * ROW : rows[-k] * ROW + ROW]
            target = turned[(k - first) * ROW : (k - first + 1) * ROW]
            for v in range(LANES):
                # The real signal is z + conj(z[-k]), the imaginary one the difference.
                a, b = one[v] + two[v], one[LANES + v] - two[LANES + v]
                c, d = one[v] - two[v], one[LANES + v] + two[LANES + v]
                target[v] = np.sqrt(quarter * (a * a + b * b) + TINY)
                target[LANES + v] = np.sqrt(quarter * (c * c + d * d) + TINY)
        for i in range(len(size)):
            for k in range(first, end):
                size[i, k] = turned[(k - first) * ROW + i]


@compiled(**_options)
def _shares_of_block(block, n, rows, turned, upstream):
    """Multiply spectra by upstream / size, halved except for the first and last bin.

    Frames without upstream become 0.
    """
    half, quarter = np.float32(0.5), np.float32(0.25)
    turned[:] = np.float32(0.0)
    for first in range(0, n // 2 + 1, _CHUNK):
        end = min(first + _CHUNK, n // 2 + 1)
        for i in range(len(upstream)):
            for k in range(first, end):
                turned[(k - first) * ROW + i] = upstream[i, k]
        for k in range(first, end):
            one = block[rows[k] * ROW : rows[k] * ROW + ROW]
            two = block[rows[-k] * ROW : rows[-k] * ROW + ROW]
            source = turned[(k - first) * ROW : (k - first + 1) * ROW]
            scale = half if k == 0 or k == n // 2 else quarter
            for v in range(LANES):
                a, b = one[v] + two[v], one[LANES + v] - two[LANES + v]
                c, d = one[v] - two[v], one[LANES + v] + two[LANES + v]
                s = scale * source[v] / np.sqrt(quarter * (a * a + b * b) + TINY)
                t = scale * source[LANES + v] / np.sqrt(quarter * (c * c + d * d) + TINY)
                one[v] = s * a + t * c
                one[LANES + v] = s * b + t * d
                two[v] = s * a - t * c
                two[LANES + v] = t * d - s * b


@compiled(**_options)
def _sizes_of_row(audio, window, hop, before, table, order, size):
    n, n_frames = len(window), len(size)
    n_blocks = -(-n_frames // ROW)
    source = transposed(audio, -before, hop, n_blocks * ROW - (-n // hop))
    block = np.empty(n * ROW, np.float32)
    turned = np.empty(_CHUNK * ROW, np.float32)
    for first in range(0, n_frames, ROW):
        cut_windows(source, first, 0, window, n, block)
        transform(block, n, table)
        _sizes_of_block(block, n, order, turned, size[first : first + ROW])


@compiled(**_options)
def _slope_of_row(audio, upstream, window, hop, before, table, order, slope):
    n, n_frames = len(window), len(upstream)
    n_hops = -(-n_frames // ROW) * ROW - (-n // hop)
    source = transposed(audio, -before, hop, n_hops)
    joined = empty_transposed(hop, n_hops)
    block = np.empty(n * ROW, np.float32)
    turned = np.empty(_CHUNK * ROW, np.float32)
    for first in range(0, n_frames, ROW):
        cut_windows(source, first, 0, window, n, block)
        transform(block, n, table)
        _shares_of_block(block, n, order, turned, upstream[first : first + ROW])
        transform_back(block, n, table)
        join_windows(block, first, 0, window, joined)
    add_transposed(joined, n_hops, -before, slope)


def forward(audio, window, hop, before, n_frames):
    """Magnitudes of frames.

    Args:
      audio: float32 [batch, n_samples].
      window: float32 [n_fft], n_fft one of LENGTHS.
      hop: Samples per hop.
      before: Samples by which frame i begins before sample i * hop; zeros surround the audio.
      n_frames: Number of frames.

    Returns:
      float32 [batch, n_frames, n_fft // 2 + 1].
    """
    size = np.empty((len(audio), int(n_frames), len(window) // 2 + 1), np.float32)
    framing = _framing(window, hop, before)
    _for_each_row(lambda row: _sizes_of_row(audio[row], *framing, size[row]), len(audio))
    return size


def backward(audio, upstream, window, hop, before):
    """Gradient with respect to the audio, float32 [batch, n_samples]; arguments as of `forward`."""
    slope = np.zeros(audio.shape, np.float32)
    framing = _framing(window, hop, before)
    _for_each_row(
        lambda row: _slope_of_row(audio[row], upstream[row], *framing, slope[row]), len(audio)
    )
    return slope


def _framing(window, hop, before):
    return window, int(hop), int(before), turns(len(window)), rows_of(len(window))


def _for_each_row(work, n_rows):
    def share(low, high):
        for row in range(low, high):
            work(row)

    if n_rows:
        threads.run(share, threads.shares(n_rows, min(threads.n_threads(), n_rows)))
