"""Nearest-neighbour and bin-based metrics of two sets of feature vectors, and diversity."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.bootstrap import Estimate
from noisygan.metrics.distances import pairwise_distances

K = 5
# Level of the test whether two shares of a bin differ.
SIGNIFICANCE = 0.05
MAX_BINS = 50
EXAMPLES_PER_BIN = 10


def precision_recall_density_coverage(reference, generated, k=K):
    """Precision, recall, density and coverage: dict name -> Estimate.

    A ball around a point reaches to its k-th nearest neighbour in its own set.
    precision: share of the generated points inside a ball of the reference. recall: share of the
    reference inside a ball of the generated points. density: number of reference balls around a
    generated point, over k. coverage: share of the reference whose ball contains a generated point.
    The intervals resample the points that are counted; the balls stay.

    Args:
      reference, generated: [n, d] and [m, d], n, m > k.
      k: Number of neighbours; a point is not its own.

    Raises:
      ValueError: for too few points.

    References:
      Kynkaanniemi et al. 2019 (precision, recall); Naeem et al. 2020 (density, coverage).
    """
    if min(len(reference), len(generated)) <= k:
        raise ValueError(
            f"{len(reference)} recordings and {len(generated)} generated; each must be more than "
            f"{k}"
        )
    between = pairwise_distances(reference, generated)
    # Rounding: a duplicate of a point lies on the rim of its ball.
    between = between - 1e-9 * max(1.0, between.max())
    inside = between < _radii(reference, k)[:, None]
    inside_generated = between < _radii(generated, k)[None, :]
    return {
        "precision": bootstrap.share(inside.any(0)),
        "recall": bootstrap.share(inside_generated.any(1)),
        "density": bootstrap.mean(inside.sum(0) / k, 0.0),
        "coverage": bootstrap.share(inside.any(1)),
    }


def _radii(points, k):
    return np.partition(pairwise_distances(points, points), k, axis=1)[:, k]


def different_bins(train, reference, generated):
    """NDB: share of bins that are statistically different between two sets, an Estimate.

    The bins are the cells of k-means on the training recordings, one per 10 rows, 2 to 50. The two
    shares of each bin are compared by a two-proportion z-test; 5 % of the bins of equal sets differ
    by chance.

    Args:
      train, reference, generated: [n, d], [m, d] and [k, d].

    References:
      Richardson and Weiss 2018, On GANs and GMMs.
    """
    from scipy.stats import norm
    from sklearn.cluster import KMeans

    n_bins = int(np.clip(len(train) // EXAMPLES_PER_BIN, 2, MAX_BINS))
    bins = KMeans(n_bins, n_init=3, random_state=bootstrap.SEED).fit(train)
    limit = norm.ppf(1.0 - SIGNIFICANCE / 2.0)

    def share(a, b):
        """Share of different bins of counts a and b, [..., n_bins]."""
        n, m = a.sum(-1, keepdims=True), b.sum(-1, keepdims=True)
        pooled = (a + b) / (n + m)
        error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m))
        z = np.abs(a / n - b / m) / np.maximum(error, 1e-12)
        return (z > limit).mean(-1)

    cells = [bins.predict(x) for x in (reference, generated)]
    counted = [np.bincount(c, minlength=n_bins).astype(float) for c in cells]
    resampled = [
        np.stack([np.bincount(c[i], minlength=n_bins) for i in bootstrap.draws(len(c), seed=seed)])
        for seed, c in enumerate(cells)
    ]
    value = float(share(*counted))
    interval = bootstrap.interval(value, share(*resampled), 0.0, 1.0)
    return Estimate(value, interval, f"of {n_bins} bins")


def relative_diversity(reference, generated):
    """Mean distance between two generated points over that of the reference, an Estimate."""
    own, scale = _mean_distance(generated), max(_mean_distance(reference).value, 1e-12)
    return Estimate(own.value / scale, tuple(end / scale for end in own.interval))


def _mean_distance(points):
    distances = pairwise_distances(points, points)
    n = len(points)
    value = float(distances.sum() / (n * (n - 1)))
    weights = bootstrap.counts(n)
    pairs = ((weights @ distances) * weights).sum(1)
    resampled = pairs / (weights.sum(1) ** 2 - (weights**2).sum(1))
    return Estimate(value, bootstrap.interval(value, resampled, 0.0))
