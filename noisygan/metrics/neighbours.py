"""How two sets of points lie among each other: k-nearest-neighbour measures and bins."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.bootstrap import Estimate
from noisygan.metrics.distances import pairwise_distances

K = 5
# Of the test that tells whether a bin is filled differently.
SIGNIFICANCE = 0.05
MAX_BINS = 50
SOUNDS_A_BIN = 10


def precision_recall_density_coverage(reference, sounds, k=K):
    """How much of the sounds lies among the reference and the other way round.

    A ball around a point reaches to its k-th nearest neighbour in its own set.
    precision: share of the sounds that lie in a ball of the reference. recall: share of the
    reference that lies in a ball of the sounds. density: how many balls of the reference a sound
    lies in, over k. coverage: share of the reference whose ball holds a sound.

    Args:
      reference: [n, d], n > k.
      sounds: [m, d], m > k.
      k: Neighbours; a point is not its own.

    Returns:
      dict name -> Estimate. The intervals resample the points that the share is one of; the balls
      stay.

    Raises:
      ValueError: for too few points.

    References:
      Kynkaanniemi et al. 2019 (precision, recall); Naeem et al. 2020 (density, coverage).
    """
    if min(len(reference), len(sounds)) <= k:
        raise ValueError(
            f"{len(reference)} recordings and {len(sounds)} sounds; more than {k} of either are "
            "needed"
        )
    between = pairwise_distances(reference, sounds)
    # Rounding: a double of a point lies on the rim of its ball.
    between = between - 1e-9 * max(1.0, between.max())
    reach = _radii(reference, k)[:, None]
    inside = between < reach
    inside_sounds = between < _radii(sounds, k)[None, :]
    return {
        "precision": bootstrap.mean(inside.any(0), 0.0, 1.0),
        "recall": bootstrap.mean(inside_sounds.any(1), 0.0, 1.0),
        "density": bootstrap.mean(inside.sum(0) / k, 0.0),
        "coverage": bootstrap.mean(inside.any(1), 0.0, 1.0),
    }


def _radii(points, k):
    return np.partition(pairwise_distances(points, points), k, axis=1)[:, k]


def different_bins(train, reference, sounds):
    """Share of bins that are filled differently from the reference, an Estimate.

    The bins are the cells of k-means on the training recordings. Each bin's two shares are
    compared by a two-proportion z-test; of equal sets 5 % of the bins differ by chance.

    Args:
      train: [n, d]; a bin for each 10 of them, from 2 to 50.
      reference: [m, d].
      sounds: [k, d].

    References:
      Richardson and Weiss 2018, On GANs and GMMs.
    """
    from scipy.stats import norm
    from sklearn.cluster import KMeans

    n_bins = int(np.clip(len(train) // SOUNDS_A_BIN, 2, MAX_BINS))
    bins = KMeans(n_bins, n_init=3, random_state=bootstrap.SEED).fit(train)
    limit = norm.ppf(1.0 - SIGNIFICANCE / 2.0)

    def share(a, b):
        """Share of different bins of counts a and b, [..., n_bins]."""
        n, m = a.sum(-1, keepdims=True), b.sum(-1, keepdims=True)
        pooled = (a + b) / (n + m)
        error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m))
        z = np.abs(a / n - b / m) / np.maximum(error, 1e-12)
        return (z > limit).mean(-1)

    cells = [bins.predict(x) for x in (reference, sounds)]
    counted = [np.bincount(c, minlength=n_bins).astype(float) for c in cells]
    resampled = [
        np.stack([np.bincount(c[i], minlength=n_bins) for i in bootstrap.draws(len(c), seed=seed)])
        for seed, c in enumerate(cells)
    ]
    value = float(share(*counted))
    note = f"of {n_bins} bins"
    return Estimate(value, bootstrap.interval(value, share(*resampled), 0.0, 1.0), note)


def mean_distance(points):
    """Mean distance between two different points, with its interval, an Estimate."""
    distances = pairwise_distances(points, points)
    n = len(points)
    value = float(distances.sum() / (n * (n - 1)))
    weights = bootstrap.counts(n)
    pairs = ((weights @ distances) * weights).sum(1)
    resampled = pairs / (weights.sum(1) ** 2 - (weights**2).sum(1))
    return Estimate(value, bootstrap.interval(value, resampled, 0.0))


def relative_diversity(reference, sounds):
    """Mean distance between two sounds over that between two recordings, an Estimate."""
    own, theirs = mean_distance(sounds), mean_distance(reference)
    scale = max(theirs.value, 1e-12)
    return Estimate(own.value / scale, tuple(end / scale for end in own.interval))
