"""Intervals of metrics.

A bootstrap interval is the spread of a metric over resampled sets (with replacement), centred on
the metric of the set itself: resampled sets contain duplicates, which bias some metrics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

N_RESAMPLES = 200
LEVEL = 0.95
SEED = 0


class Estimate(NamedTuple):
    """A number with its interval, (low, high) or None, and a remark for the reader."""

    value: float
    interval: tuple | None = None
    note: str = ""


def interval(value, resampled, low=-np.inf, high=np.inf):
    """Percentile interval (low, high) of resampled values, centred on `value` and clipped.

    Args:
      value: float.
      resampled: The metric of resampled sets, [n_resamples].
      low, high: Limits of the metric.
    """
    resampled = np.asarray(resampled, float)
    tail = 50.0 * (1.0 - LEVEL)
    ends = np.percentile(resampled - resampled.mean(), [tail, 100.0 - tail]) + value
    return tuple(float(x) for x in np.clip(ends, low, high))


def draws(n, n_resamples=N_RESAMPLES, seed=SEED):
    """Rows of resampled sets, int [n_resamples, n]."""
    return np.random.default_rng([seed, n]).integers(0, n, (n_resamples, n))


def counts(n, n_resamples=N_RESAMPLES, seed=SEED):
    """Multiplicity of each row in each resampled set, float [n_resamples, n]."""
    rows = draws(n, n_resamples, seed)
    return np.stack([np.bincount(row, minlength=n) for row in rows]).astype(float)


def paired_draws(n, m, n_resamples):
    """Rows of resampled pairs of sets, an iterator of (int [n], int [m])."""
    return zip(draws(n, n_resamples), draws(m, n_resamples, SEED + 1), strict=True)


def mean(values, low=-np.inf, high=np.inf, note=""):
    """Estimate of the mean of finite `values` [n]; NaN without an interval if there are none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return Estimate(float("nan"), None, "no example has it")
    value = float(values.mean())
    return Estimate(value, interval(value, values[draws(len(values))].mean(1), low, high), note)


def share(flags, whole=1.0, note=""):
    """Estimate of the share of true `flags` [n], times `whole`, with its Wilson interval.

    Resampling shares of 0 and 1 would give intervals without width.

    References:
      Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    flags = np.asarray(flags, bool)
    found = stats.binomtest(int(flags.sum()), len(flags)).proportion_ci(LEVEL, "wilson")
    ends = whole * float(found.low), whole * float(found.high)
    return Estimate(whole * float(flags.mean()), ends, note)
