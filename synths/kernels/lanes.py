"""Windows of audio, 32 at a time, as blocks for `synths.kernels.transforms`.

Two windows share a lane, as real and imaginary part. Audio is transposed, [samples of a hop, hops],
so that the same sample of 32 consecutive windows is contiguous.
"""

import numpy as np

from synths.kernels.compiling import compiled
from synths.kernels.transforms import LANES

ROW = 2 * LANES
ZERO = np.float32(0.0)

_options = {"fastmath": True}


@compiled(**_options)
def transposed(sound, begin, hop, n_hops):
    """Transpose audio from sample `begin` on to [hop, n_hops or more], padded with zeros."""
    turned = empty_transposed(hop, n_hops)
    for low in range(0, n_hops, LANES):
        start = begin + low * hop
        high = min(low + LANES, n_hops)
        if start >= 0 and high - low == LANES and start + LANES * hop <= len(sound):
            part = sound[start : start + LANES * hop]
            for t in range(hop):
                target = turned[t, low:high]
                for c in range(LANES):
                    target[c] = part[c * hop + t]
        else:
            for c in range(low, high):
                start = begin + c * hop
                for t in range(max(0, -start), min(hop, len(sound) - start)):
                    turned[t, c] = sound[start + t]
    return turned


@compiled(**_options)
def empty_transposed(hop, n_hops):
    """Zeros, [hop, n_hops or more]; an odd number of cache lines, so that rows don't evict."""
    n_lines = -(-n_hops // LANES)
    return np.zeros((hop, (n_lines + 1 - n_lines % 2) * LANES), np.float32)


@compiled(**_options)
def add_transposed(turned, n_hops, begin, sound):
    """Add n_hops transposed hops to audio; samples beyond its ends are dropped."""
    hop = len(turned)
    for low in range(0, n_hops, LANES):
        start = begin + low * hop
        high = min(low + LANES, n_hops)
        if start >= 0 and high - low == LANES and start + LANES * hop <= len(sound):
            part = sound[start : start + LANES * hop]
            for t in range(hop):
                source = turned[t, low:high]
                for c in range(LANES):
                    part[c * hop + t] += source[c]
        else:
            for c in range(low, high):
                start = begin + c * hop
                for t in range(max(0, -start), min(hop, len(sound) - start)):
                    sound[start + t] += turned[t, c]


@compiled(**_options)
def cut_windows(turned, first, margin, ramp, n, block):
    """Cut the windows of 32 frames from hop `first` on into a block.

    They are multiplied by the ramp and go to the rows from `margin` on; other rows are 0.
    """
    hop = len(turned)
    block[: margin * ROW] = ZERO
    block[(margin + len(ramp)) * ROW : n * ROW] = ZERO
    for start in range(0, len(ramp), hop):
        for t in range(min(hop, len(ramp) - start)):
            source = turned[t, first : first + ROW]
            target = block[(margin + start + t) * ROW : (margin + start + t + 1) * ROW]
            for v in range(ROW):
                target[v] = source[v] * ramp[start + t]
        first += 1


@compiled(**_options)
def join_windows(block, first, margin, ramp, turned):
    """Overlap-add the rows of a block from `margin` on, times the ramp."""
    hop = len(turned)
    for start in range(0, len(ramp), hop):
        for t in range(min(hop, len(ramp) - start)):
            target = turned[t, first : first + ROW]
            source = block[(margin + start + t) * ROW : (margin + start + t + 1) * ROW]
            for v in range(ROW):
                target[v] += source[v] * ramp[start + t]
        first += 1
