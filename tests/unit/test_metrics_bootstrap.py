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


def test_shares_have_wilson_intervals():
    half = bootstrap.share([True, False] * 50, 100.0)
    assert half.value == 50.0
    np.testing.assert_allclose(half.interval, (40.38, 59.62), atol=0.01)
    # z^2 / (n + z^2)
    everything = bootstrap.share(np.ones(40))
    np.testing.assert_allclose(everything.interval, (40 / (40 + 1.96**2), 1.0), atol=1e-4)


def test_draws_are_deterministic_and_counts_are_theirs():
    rows = bootstrap.draws(7, 20)
    np.testing.assert_array_equal(rows, bootstrap.draws(7, 20))
    counts = bootstrap.counts(7, 20)
    assert (counts.sum(1) == 7).all()
    assert counts[3, rows[3, 0]] == (rows[3] == rows[3, 0]).sum()
