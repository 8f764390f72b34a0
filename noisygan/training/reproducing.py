"""Whether two runs are the same: their numbers, their weights, and what they were made with."""

import math
from typing import NamedTuple

import numpy as np

# Relative difference up to which two runs that are not equal in every bit count as the same.
TOLERANCE = 1e-4

# Of run.json: what may decide about bits.
_MADE_WITH = ("noisygan", "versions", "environment", "git", "deterministic", "replicas")

# Of a checkpoint: what the clock decides.
_OF_THE_CLOCK = ("elapsed/", "newest/", "save_counter/", "_CHECKPOINTABLE_OBJECT_GRAPH")


# Of the metrics: measured where there is time for it.
_WHERE_TIME_ALLOWS = ("sound_distance_percent", "sound_variety_percent")


class Difference(NamedTuple):
    """What a comparison of two runs found.

    Attributes:
      n: Lines of metrics, or weights, that both have.
      where: The first that differs, such as "step 30, g_loss: 1.5 and 1.6", or None: all bits are
        equal.
      largest: Largest relative difference, 0 where all bits are equal.
    """

    n: int
    where: str | None
    largest: float

    @property
    def matched(self):
        """Whether they are the same within the tolerance, and there was something to compare."""
        return self.n > 0 and self.largest <= TOLERANCE

    def described(self, what):
        """One line for people."""
        if self.n == 0:
            return f"{what}: nothing to compare"
        if self.where is None:
            return f"{what}: equal in every bit"
        how = "matched within" if self.matched else "differ; tolerated is"
        return (
            f"{what}: {how} {TOLERANCE:g} (largest relative difference {self.largest:.2g}); "
            f"they part at {self.where}"
        )


def compare_metrics(first, second):
    """Compares the metrics of two runs, but for their seconds.

    The quality of sounds is compared where both measured it, and not what one of them never has:
    another version of the program wrote it.

    Args:
      first, second: Lists of records as of `RunFolder.read_metrics`; steps that only one of them
        has are left out.

    Returns:
      Difference.
    """
    others = {record["step"]: record for record in second}
    pairs = [(record, others[record["step"]]) for record in first if record["step"] in others]
    known = [set().union(*records) - {"seconds"} for records in (first, second)]
    where, largest = None, 0.0
    for one, other in pairs:
        for name in [name for name in one | other if name in known[0] & known[1]]:
            if name in _WHERE_TIME_ALLOWS and not (name in one and name in other):
                continue
            a, b = one.get(name, math.nan), other.get(name, math.nan)
            if a == b or (name in one and name in other and math.isnan(a) and math.isnan(b)):
                continue
            where = where or f"step {one['step']}, {name}: {a:.9g} and {b:.9g}"
            largest = max(largest, _relative(abs(a - b), max(abs(a), abs(b))))
    return Difference(len(pairs) if known[0] & known[1] > {"step"} else 0, where, largest)


def compare_weights(first, second):
    """Compares the networks, averages and optimizers of two checkpoints.

    Args:
      first, second: Their prefixes.

    Returns:
      Difference; relative to the root mean square of each variable.
    """
    import tensorflow as tf

    readers = [tf.train.load_checkpoint(str(prefix)) for prefix in (first, second)]
    names, others = (
        {n for n in r.get_variable_to_shape_map() if not n.startswith(_OF_THE_CLOCK)}
        for r in readers
    )
    where, largest = None, 0.0
    for name in sorted(names | others):
        short = name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
        if name not in names or name not in others:
            where, largest = where or f"{short}, which one of them lacks", math.inf
            continue
        a, b = (np.asarray(reader.get_tensor(name), np.float64) for reader in readers)
        if a.shape != b.shape:
            where, largest = where or f"{short}: shapes {a.shape} and {b.shape}", math.inf
        elif not np.array_equal(a, b, equal_nan=True):
            where = where or short
            size = math.sqrt(max(np.mean(a**2), np.mean(b**2)))
            largest = max(largest, _relative(float(np.max(np.abs(a - b))), size))
    return Difference(len(names | others), where, largest)


def differences_of_making(first, second):
    """What two runs were made with that differs.

    Args:
      first, second: What their run.json hold.

    Returns:
      list of str such as "versions.numpy: 2.4.6 and 2.4.7".
    """
    # Older runs don't tell how many replicas they had.
    first, second = ({"replicas": 1} | facts for facts in (first, second))
    one, other = (_flat({n: facts.get(n) for n in _MADE_WITH}) for facts in (first, second))
    missing = "not told"
    return [
        f"{name}: {one.get(name, missing)} and {other.get(name, missing)}"
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def _relative(difference, size):
    """A difference by a size; infinite where either is no number."""
    if not math.isfinite(difference) or not math.isfinite(size):
        return math.inf
    return difference / max(size, 1e-12)


def _flat(values, prefix=""):
    found = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            found[prefix + name] = value
    return found
