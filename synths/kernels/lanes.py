"""Windows of a sound, thirty-two at a time, as blocks for `synths.kernels.transforms`.

Two windows share a lane, one as real and one as imaginary part. Sounds are kept transposed,
[samples of a hop, hops]: a sample of thirty-two windows in a row then lies in one piece.
"""

import numpy as np

from synths.kernels.compiling import compiled
from synths.kernels.transforms import LANES

ROW = 2 * LANES
ZERO = np.float32(0.0)

_options = {"fastmath": True}


@compiled(**_options)
def transposed(sound, begin, hop, n_hops):
    """[hop, n_hops or more] of the sound from sample `begin` on; silence beyond its ends."""
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
    """Zeros, [hop, n_hops or more], of odd numbers of cache lines: else rows evict each other."""
    n_lines = -(-n_hops // LANES)
    return np.zeros((hop, (n_lines + 1 - n_lines % 2) * LANES), np.float32)


@compiled(**_options)
def add_transposed(turned, n_hops, begin, sound):
    """The opposite: adds n_hops of it to the sound; what lies beyond the ends is lost."""
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
    """The windows of 32 frames, the first of which begins with hop `first`, into a block.

    They go to rows `margin` and on, times the ramp; all other rows are 0.
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
    """The opposite: adds rows `margin` and on, times the ramp, to where the windows lie."""
    hop = len(turned)
    for start in range(0, len(ramp), hop):
        for t in range(min(hop, len(ramp) - start)):
            target = turned[t, first : first + ROW]
            source = block[(margin + start + t) * ROW : (margin + start + t + 1) * ROW]
            for v in range(ROW):
                target[v] += source[v] * ramp[start + t]
        first += 1
