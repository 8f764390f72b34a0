"""Distances between feature sets against closed forms."""

import numpy as np
import pytest

from noisygan.metrics.distances import (
    energy_distance,
    frechet_at_infinity,
    frechet_distance,
    frechet_estimate,
    mean_distance,
    median_bandwidth,
    mmd2_estimate,
    pairwise_distances,
)


def gaussian(mean, deviation, n, seed):
    rng = np.random.default_rng(seed)
    return np.asarray(mean) + np.asarray(deviation) * rng.normal(size=(n, len(mean)))


def test_pairwise_distances_are_euclidean():
    a, b = gaussian([0, 1, 2], 1.0, 7, 0), gaussian([1, 0, 0], 2.0, 5, 1)
    expected = np.linalg.norm(a[:, None] - b[None], axis=-1)
    np.testing.assert_allclose(pairwise_distances(a, b), expected, atol=1e-9)


def test_mmd_of_a_shift_matches_its_closed_form():
    # For N(0, s^2 I) and N(m, s^2 I) under a Gaussian kernel of width h in d dimensions:
    # 2 (h^2 / (h^2 + 2 s^2))^(d/2) (1 - exp(-|m|^2 / (2 (h^2 + 2 s^2))))
    a, b, h = gaussian([0, 0], 1.0, 1500, 0), gaussian([1, 0], 1.0, 1500, 1), 1.5
    width = h**2 + 2.0
    expected = 2.0 * (h**2 / width) * (1.0 - np.exp(-1.0 / (2.0 * width)))
    assert mmd2_estimate(a, b, bandwidth=h).value == pytest.approx(expected, rel=0.08)


def test_mmd_is_unbiased_where_both_sets_are_of_one_kind():
    values = []
    for seed in range(60):
        a, b = gaussian([0] * 5, 1.0, 12, 2 * seed), gaussian([0] * 5, 1.0, 12, 2 * seed + 1)
        values.append(mmd2_estimate(a, b, bandwidth=3.0).value)
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3.0 * np.std(values) / np.sqrt(len(values))


def test_median_bandwidth_is_the_median_of_distances_between_different_rows():
    points = np.array([[0.0], [1.0], [3.0]])
    assert median_bandwidth(points) == pytest.approx(2.0)


def test_frechet_distance_of_gaussians_matches_its_closed_form():
    a, b = gaussian([0, 0], [1, 2], 40_000, 0), gaussian([3, 0], [2, 1], 40_000, 1)
    # Diagonal covariances: |m|^2 + sum (s_a - s_b)^2
    assert frechet_distance(a, b) == pytest.approx(9.0 + 1.0 + 1.0, rel=0.03)


def test_frechet_distance_is_zero_to_itself_even_if_singular():
    few = gaussian([0] * 10, 1.0, 4, 0)  # rank 3 in 10 dimensions
    assert frechet_distance(few, few) == pytest.approx(0.0, abs=1e-6)


def test_the_estimate_of_mmd_is_that_of_scikit_learns_kernel():
    from sklearn.metrics.pairwise import rbf_kernel

    a, b = gaussian([0] * 6, 1.0, 40, 0), gaussian([0.5] * 6, 1.3, 30, 1)
    gamma = 1.0 / (2.0 * median_bandwidth(a) ** 2)
    aa, bb, ab = (rbf_kernel(x, y, gamma) for x, y in ((a, a), (b, b), (a, b)))
    np.fill_diagonal(aa, 0.0)
    np.fill_diagonal(bb, 0.0)
    expected = aa.sum() / (40 * 39) + bb.sum() / (30 * 29) - 2.0 * ab.mean()
    estimate = mmd2_estimate(a, b, scale=1000.0)
    assert estimate.value == pytest.approx(1000.0 * expected, rel=1e-9)
    assert estimate.interval[0] < estimate.value < estimate.interval[1]


def test_intervals_of_mmd_hold_the_truth_about_as_often_as_they_say():
    # The truth in closed form, as above.
    h = median_bandwidth(gaussian([0] * 3, 1.0, 2000, 0))
    width = h**2 + 2.0
    truth = 2.0 * (h**2 / width) ** 1.5 * (1.0 - np.exp(-0.75 / (2.0 * width)))
    hits = []
    for seed in range(60):
        a = gaussian([0] * 3, 1.0, 60, 10 * seed + 1)
        b = gaussian([0.5] * 3, 1.0, 60, 10 * seed + 2)
        low, high = mmd2_estimate(a, b).interval
        hits.append(low <= truth <= high)
    assert 0.85 <= np.mean(hits) <= 1.0


def test_frechet_is_that_of_scipys_matrix_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    a = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    b = rng.normal(size=(150, 5)) @ rng.normal(size=(5, 5)) + 1.0
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    mean = ((a.mean(0) - b.mean(0)) ** 2).sum()
    expected = mean + np.trace(cov_a + cov_b - 2.0 * np.real(sqrtm(cov_a @ cov_b)))
    assert frechet_estimate(a, b).value == pytest.approx(expected, rel=1e-6)


def test_frechet_at_infinity_takes_the_bias_of_small_sets_away():
    # Equal Gaussians: the truth is 0, 120 sounds in 12 dimensions are far off.
    biased, extrapolated = [], []
    for seed in range(5):
        a, b = gaussian([0] * 12, 1.0, 120, 2 * seed), gaussian([0] * 12, 1.0, 120, 2 * seed + 1)
        biased.append(frechet_distance(a, b))
        estimate = frechet_at_infinity(a, b)
        extrapolated.append(estimate.value)
        assert float(estimate.note.removeprefix("R^2 ")) > 0.8
    assert np.mean(biased) > 0.5
    assert abs(np.mean(extrapolated)) < 0.3 * np.mean(biased)
    with pytest.raises(ValueError, match="48 in each"):
        frechet_at_infinity(a[:40], b)


def test_energy_distance_of_points_on_a_line():
    a, b = np.array([[0.0], [2.0], [5.0]]), np.array([[1.0], [4.0]])
    assert mean_distance(a) == pytest.approx((2 + 5 + 3) / 3)
    between = (1 + 4 + 1 + 2 + 4 + 1) / 6
    assert energy_distance(a, b) == pytest.approx(2 * between - 10 / 3 - 3)


def test_energy_distance_is_unbiased_and_keeps_growing_with_the_distance():
    same = [
        energy_distance(gaussian([0] * 5, 1.0, 12, 2 * s), gaussian([0] * 5, 1.0, 9, 2 * s + 1))
        for s in range(60)
    ]
    assert abs(np.mean(same)) < 3 * np.std(same) / len(same) ** 0.5
    a = gaussian([0] * 5, 1.0, 40, 0)
    near, far, farther = (energy_distance(a, a + shift) for shift in (1.0, 20.0, 40.0))
    assert 0 < near < far
    # The Gaussian kernel of the MMD levels off there.
    assert farther == pytest.approx(2 * far, rel=0.1)
