"""Distances between feature sets against closed forms."""

import numpy as np
import pytest

from noisygan.evaluation.distances import (
    frechet_distance,
    median_bandwidth,
    mmd2_unbiased,
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
    assert mmd2_unbiased(a, b, h) == pytest.approx(expected, rel=0.08)


def test_mmd_is_unbiased_where_both_sets_are_of_one_kind():
    values = []
    for seed in range(60):
        a, b = gaussian([0] * 5, 1.0, 12, 2 * seed), gaussian([0] * 5, 1.0, 12, 2 * seed + 1)
        values.append(mmd2_unbiased(a, b, 3.0))
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
