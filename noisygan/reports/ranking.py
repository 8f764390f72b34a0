"""Order of the systems of a comparison by a metric."""


def badness(metric, value):
    """The lower the better; None where nothing says what is better."""
    better, floor = metric.get("higher_is_better"), metric.get("floor")
    if better is None:
        return None if floor is None else abs(value - floor)
    return -value if better else value


def overlap(one, other):
    """True if two intervals, [low, high] or None, overlap."""
    return bool(one and other and max(one[0], other[0]) <= min(one[1], other[1]))
