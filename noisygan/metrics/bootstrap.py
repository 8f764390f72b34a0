"""Numbers with bootstrap intervals.

An interval is the measure's spread when the sounds are drawn again with replacement, around the
measure itself: resampled sets hold doubles, which shifts some measures; the shift is taken out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

N_RESAMPLES = 200
LEVEL = 0.95
SEED = 0


class Estimate(NamedTuple):
    """A number.

    Attributes:
      value: float.
      interval: (low, high), or None where it has none.
      note: What one has to know about it.
    """

    value: float
    interval: tuple | None = None
    note: str = ""


def interval(value, resampled, low=-np.inf, high=np.inf):
    """Interval around a value, (low, high).

    Args:
      value: The measure of the sounds as they are.
      resampled: The measure of resampled sets, [n_resamples].
      low, high: Limits of what the measure can be.
    """
    resampled = np.asarray(resampled, float)
    tail = 50.0 * (1.0 - LEVEL)
    ends = np.percentile(resampled - resampled.mean(), [tail, 100.0 - tail]) + value
    return tuple(float(x) for x in np.clip(ends, low, high))


def draws(n, n_resamples=N_RESAMPLES, seed=SEED):
    """Rows of resampled sets, int [n_resamples, n]."""
    return np.random.default_rng([seed, n]).integers(0, n, (n_resamples, n))


def counts(n, n_resamples=N_RESAMPLES, seed=SEED):
    """How often each row is in each resampled set, float [n_resamples, n]."""
    return np.stack([np.bincount(row, minlength=n) for row in draws(n, n_resamples, seed)]).astype(
        float
    )


def mean(values, low=-np.inf, high=np.inf, note=""):
    """Mean of one number a sound, with its interval. NaNs are left out.

    Args:
      values: [n].
      low, high: Limits of the mean.
      note: Of the estimate.

    Returns:
      Estimate; NaN without an interval where nothing is left.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return Estimate(float("nan"), None, "no sound has it")
    value = float(values.mean())
    return Estimate(value, interval(value, values[draws(len(values))].mean(1), low, high), note)
