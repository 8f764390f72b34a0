"""Bootstrap intervals against closed forms."""

import numpy as np
import pytest

from noisygan.metrics import bootstrap


def test_the_interval_of_a_mean_is_two_standard_errors_wide():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    estimate = bootstrap.mean(values)
    assert estimate.value == pytest.approx(values.mean())
    error = values.std() / 20.0
    assert estimate.interval[0] == pytest.approx(estimate.value - 1.96 * error, abs=0.3 * error)
    assert estimate.interval[1] == pytest.approx(estimate.value + 1.96 * error, abs=0.3 * error)


def test_nan_is_left_out():
    estimate = bootstrap.mean([1.0, np.nan, 3.0])
    assert estimate.value == 2.0
    nothing = bootstrap.mean([np.nan])
    assert np.isnan(nothing.value) and nothing.interval is None


def test_draws_are_deterministic_and_counts_are_theirs():
    rows = bootstrap.draws(7, 20)
    np.testing.assert_array_equal(rows, bootstrap.draws(7, 20))
    counts = bootstrap.counts(7, 20)
    assert (counts.sum(1) == 7).all()
    assert counts[3, rows[3, 0]] == (rows[3] == rows[3, 0]).sum()
