"""Distances between feature sets against closed forms."""

import numpy as np
import pytest

from noisygan.metrics.distances import (
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
    assert median_bandwidth(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(2.0)


def test_mmd_of_sets_of_one_kind_is_unbiased():
    sets = [gaussian([0] * 5, 1.0, 12, seed) for seed in range(120)]
    pairs = zip(sets[::2], sets[1::2], strict=True)
    values = [mmd2_estimate(a, b, bandwidth=3.0).value for a, b in pairs]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3.0 * np.std(values) / np.sqrt(len(values))


def test_mmd_is_that_of_scikit_learns_kernel():
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


def test_intervals_of_mmd_contain_the_truth_as_often_as_they_claim():
    h = median_bandwidth(gaussian([0] * 3, 1.0, 2000, 0))
    width = h**2 + 2.0
    truth = 2.0 * (h**2 / width) ** 1.5 * (1.0 - np.exp(-0.75 / (2.0 * width)))
    hits = []
    for seed in range(60):
        a, b = (gaussian([x] * 3, 1.0, 60, 10 * seed + i) for i, x in enumerate((0, 0.5)))
        low, high = mmd2_estimate(a, b).interval
        hits.append(low <= truth <= high)
    assert 0.85 <= np.mean(hits) <= 1.0


def test_frechet_distance_of_gaussians_matches_its_closed_form():
    a, b = gaussian([0, 0], [1, 2], 40_000, 0), gaussian([3, 0], [2, 1], 40_000, 1)
    # Diagonal covariances: |m|^2 + sum (s_a - s_b)^2
    assert frechet_distance(a, b) == pytest.approx(9.0 + 1.0 + 1.0, rel=0.03)
    few = gaussian([0] * 10, 1.0, 4, 0)  # rank 3 in 10 dimensions
    assert frechet_distance(few, few) == pytest.approx(0.0, abs=1e-6)


def test_frechet_is_that_of_scipys_matrix_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    a = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    b = rng.normal(size=(150, 5)) @ rng.normal(size=(5, 5)) + 1.0
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    mean = ((a.mean(0) - b.mean(0)) ** 2).sum()
    expected = mean + np.trace(cov_a + cov_b - 2.0 * np.real(sqrtm(cov_a @ cov_b)))
    assert frechet_estimate(a, b).value == pytest.approx(expected, rel=1e-6)


def test_frechet_at_infinity_removes_the_bias_of_small_sets():
    # Equal Gaussians: the truth is 0.
    sets = [gaussian([0] * 12, 1.0, 120, seed) for seed in range(10)]
    pairs = list(zip(sets[::2], sets[1::2], strict=True))
    biased = np.mean([frechet_distance(a, b) for a, b in pairs])
    estimates = [frechet_at_infinity(a, b) for a, b in pairs]
    assert biased > 0.5 and abs(np.mean([e.value for e in estimates])) < 0.3 * biased
    assert all(float(e.note.removeprefix("R^2 ")) > 0.8 for e in estimates)
    with pytest.raises(ValueError, match="48 in each"):
        frechet_at_infinity(sets[0][:40], sets[1])


def test_the_mean_distance_of_points_on_a_line():
    assert mean_distance(np.array([[0.0], [2.0], [5.0]])) == pytest.approx((2 + 5 + 3) / 3)
