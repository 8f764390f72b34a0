"""A curve of quality: when it was best, and whether it still gets better. Plain Python."""

import math


class Curve:
    """Distances at growing steps, lower is better.

    A distance counts as a gain if it is lower by `min_gain` than the last one that counted, so
    small gains add up.

    Args:
      patience: After so many measurements without a gain it is done.
      min_gain: How much lower counts, in the distances' unit.
    """

    def __init__(self, patience, min_gain):
        self.patience = patience
        self.min_gain = min_gain
        self.points = []

    def add(self, step, distance):
        """Adds a point; returns whether it is the lowest so far."""
        lowest = min((d for _, d in self.points), default=math.inf)
        distance = distance if math.isfinite(distance) else math.inf
        self.points.append([step, distance])
        return distance < lowest

    @property
    def best(self):
        """(step, distance) of the lowest point, or None where no distance is finite (yet)."""
        finite = (point for point in self.points if math.isfinite(point[1]))
        return min(finite, key=lambda point: point[1], default=None)

    @property
    def gained(self):
        """Index of the last point that counted as a gain; None where there is no point."""
        last, reached = None, math.inf
        for i, (_, distance) in enumerate(self.points):
            gains = distance < reached and reached - distance >= self.min_gain
            if i == 0 or gains:
                last, reached = i, distance
        return last

    @property
    def n_without_gain(self):
        """Measurements since the last gain."""
        return len(self.points) - 1 - self.gained if self.points else 0

    @property
    def is_done(self):
        """Whether there was no gain in `patience` measurements on end."""
        return self.n_without_gain >= self.patience

    def verdict(self):
        """What the curve says, for people: one line."""
        if len(self.points) < 2:
            return "too few measurements to say whether the sounds still come closer"
        if self.best is None:
            n = len(self.points)
            return f"the sounds were not finite in any of {n} measurements, so no weights are best"
        step, distance = self.points[-1]
        best_step, best = self.best
        reached = self.points[self.gained]
        told = f"the sounds are {_told(distance, ' from the recordings')} at step {step}"
        if best_step != step:
            told += f" ({best:.1f} % at step {best_step}, the best)"
        if self.is_done:
            return f"{told}: no gain since step {reached[0]}, done"
        if not self.n_without_gain:
            before = self.points[-2]
            return f"{told}, {_told(before[1])} at step {before[0]}: still improving"
        left = self.patience - self.n_without_gain
        more = "one more measurement brings" if left == 1 else f"{left} more measurements bring"
        return f"{told}: last gain at step {reached[0]}, done if {more} none"


def _told(distance, of=""):
    return f"{distance:.1f} %{of}" if math.isfinite(distance) else "not finite"
