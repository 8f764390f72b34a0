"""Neighbour metrics and bins against scikit-learn and sets with a known answer."""

import numpy as np
import pytest

from noisygan.metrics.neighbours import (
    different_bins,
    precision_recall_density_coverage,
    relative_diversity,
)


def points(n, seed, mean=0.0, deviation=1.0, d=4):
    return mean + deviation * np.random.default_rng(seed).normal(size=(n, d))


def test_the_four_shares_are_those_of_scikit_learns_neighbours():
    from sklearn.neighbors import NearestNeighbors

    real, fake, k = points(80, 0), points(60, 1, 0.7, 0.8), 5

    def radii(x):
        found, _ = NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)
        return found[:, k]

    inside_real = np.linalg.norm(real[:, None] - fake[None], axis=-1) < radii(real)[:, None]
    inside_fake = np.linalg.norm(real[:, None] - fake[None], axis=-1) < radii(fake)[None, :]
    found = precision_recall_density_coverage(real, fake, k)
    assert found["precision"].value == pytest.approx(inside_real.any(0).mean())
    assert found["recall"].value == pytest.approx(inside_fake.any(1).mean())
    assert found["density"].value == pytest.approx(inside_real.sum() / (k * len(fake)))
    assert found["coverage"].value == pytest.approx(inside_real.any(1).mean())


def test_equal_far_and_collapsed_sets():
    real = points(200, 0)
    same = precision_recall_density_coverage(real, points(200, 1))
    assert all(same[name].value > 0.85 for name in ("precision", "recall", "density", "coverage"))
    far = precision_recall_density_coverage(real, points(200, 1, 50.0))
    assert [estimate.value for estimate in far.values()] == [0.0, 0.0, 0.0, 0.0]
    # One good example repeated: precise, but nothing is covered.
    collapsed = precision_recall_density_coverage(real, np.repeat(points(1, 2, 0.0, 0.1), 200, 0))
    assert collapsed["precision"].value == 1.0
    assert collapsed["recall"].value < 0.05 and collapsed["coverage"].value < 0.5


def test_bins_differ_by_chance_or_all_of_them():
    train, real = points(250, 0), points(400, 1)
    same = [different_bins(train, real, points(400, seed)).value for seed in range(2, 7)]
    assert 0.0 <= np.mean(same) < 0.12
    one = different_bins(train, real, points(400, 3, 0.0, 0.05))
    assert one.value > 0.6 and one.note == "of 25 bins"


def test_relative_diversity_is_a_ratio_of_mean_distances():
    x = points(30, 0)
    relative = relative_diversity(x, 0.5 * x)
    assert relative.value == pytest.approx(0.5)
    assert relative.interval[0] < 0.5 < relative.interval[1]
