"""Where a number stands between two ends, in steps that suit numbers of very different size."""

from __future__ import annotations

import math

# From so much on between the largest and the smallest, equal steps are factors, not differences.
WIDE = 15.0
MAX_DECADES = 5


class Scale:
    """Fractions of the way from the lowest to the highest of some numbers.

    Linear where the numbers are of one size. Otherwise by asinh(value / unit): like a logarithm
    far from 0, linear near it, and defined for 0 and below.

    Args:
      values: list of finite floats; at least one.
      unit: Where it turns linear, if it is wide: about the smallest number that matters. The
        smallest of `values` by default.
    """

    def __init__(self, values, unit=None):
        largest = max(abs(v) for v in values)
        sizes = [abs(v) for v in ([unit] if unit else values) if v]
        self.unit = max(min(sizes, default=1.0), largest * 10.0**-MAX_DECADES)
        self.wide = largest > WIDE * self.unit
        low, high = min(values), max(values)
        if not high > low:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        self.low, self.high = low, high

    def bend(self, value):
        """The number in equal steps."""
        return math.asinh(value / self.unit) if self.wide else value

    def fraction(self, value):
        """0 at the lowest, 1 at the highest; not beyond."""
        low, high = self.bend(self.low), self.bend(self.high)
        return min(1.0, max(0.0, (self.bend(value) - low) / (high - low)))

    def ticks(self):
        """Round numbers between the ends of a wide scale: 0 and powers of ten of both signs."""
        first = math.floor(math.log10(self.unit))
        last = math.ceil(math.log10(max(abs(self.low), abs(self.high))))
        powers = [10.0**k for k in range(first, last + 1)]
        found = [-p for p in reversed(powers)] + [0.0] + powers
        return [v for v in found if self.low <= v <= self.high]
