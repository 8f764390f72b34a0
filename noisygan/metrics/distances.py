"""Distances between two sets of feature vectors, and their intervals. Plain numpy."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.bootstrap import Estimate

N_FRECHET_RESAMPLES = 40
# Sizes of subsets for the extrapolation to infinite N, and how often each is drawn.
N_SIZES = 10
N_DRAWS = 6


def pairwise_distances(a, b):
    """Euclidean distances between the rows of a [n, d] and of b [m, d]: [n, m]."""
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))


def median_bandwidth(reference):
    """Median distance between two different rows of `reference` [n, d]."""
    distances = pairwise_distances(reference, reference)
    return float(np.median(distances[np.triu_indices(len(reference), 1)]))


def mmd2_unbiased(a, b, bandwidth):
    """Unbiased squared maximum mean discrepancy under a Gaussian kernel.

    Zero on average when both sets come from one distribution, so single values may be negative.

    Args:
      a: [n, d], n >= 2.
      b: [m, d], m >= 2.
      bandwidth: Sigma of the kernel exp(-|x - y|^2 / (2 sigma^2)), in the features' unit.

    Returns:
      float.

    References:
      Gretton et al. 2012, A Kernel Two-Sample Test, equation 3.
    """

    def kernel(x, y):
        return np.exp(-((pairwise_distances(x, y) / bandwidth) ** 2) / 2.0)

    n, m = len(a), len(b)
    within_a = (kernel(a, a).sum() - n) / (n * (n - 1))
    within_b = (kernel(b, b).sum() - m) / (m * (m - 1))
    return float(within_a + within_b - 2.0 * kernel(a, b).mean())


def mean_distance(points):
    """Mean Euclidean distance between two different rows of `points` [n, d], n >= 2: float."""
    return float(pairwise_distances(points, points)[np.triu_indices(len(points), 1)].mean())


def energy_distance(a, b):
    """Unbiased energy distance: 2 E|x - y| - E|x - x'| - E|y - y'|, in the features' unit.

    Zero on average when both sets come from one distribution, so single values may be negative.
    Needs no bandwidth, and does not level off for sets far apart, as a Gaussian kernel does.

    Args:
      a: [n, d], n >= 2.
      b: [m, d], m >= 2.

    Returns:
      float.

    References:
      Szekely and Rizzo 2013, Energy statistics, equation 2.
    """
    between = float(pairwise_distances(a, b).mean())
    return 2.0 * between - mean_distance(a) - mean_distance(b)


def mmd2_estimate(reference, sounds, scale=1.0):
    """`mmd2_unbiased` with its interval; the bandwidth is the reference's median distance.

    In a resampled set a pair of a sound and its own double is left out, as each sound beside
    itself is in the estimator, so that resampled sets stay unbiased.

    Args:
      reference: [n, d], n >= 4.
      sounds: [m, d], m >= 4.
      scale: Factor of the result.

    Returns:
      Estimate.
    """
    bandwidth = max(median_bandwidth(reference), 1e-9)

    def kernel(x, y):
        return np.exp(-((pairwise_distances(x, y) / bandwidth) ** 2) / 2.0)

    def within(weights, values):
        pairs = ((weights @ values) * weights).sum(1)
        alone = (weights**2).sum(1)
        return (pairs - (weights**2) @ np.diag(values)) / (weights.sum(1) ** 2 - alone)

    n, m = len(reference), len(sounds)
    k_reference, k_sounds = kernel(reference, reference), kernel(sounds, sounds)
    k_between = kernel(reference, sounds)

    def mmd2(a, b):
        between = ((a @ k_between) * b).sum(1) / (n * m)
        return scale * (within(a, k_reference) + within(b, k_sounds) - 2.0 * between)

    value = float(mmd2(np.ones([1, n]), np.ones([1, m]))[0])
    resampled = mmd2(bootstrap.counts(n), bootstrap.counts(m, seed=bootstrap.SEED + 1))
    return Estimate(value, bootstrap.interval(value, resampled))


def frechet_distance(a, b):
    """Squared Frechet (2-Wasserstein) distance between Gaussians fitted to a [n, d] and b [m, d].

    |mean_a - mean_b|^2 + tr(A) + tr(B) - 2 tr((A B)^(1/2)), in the features' unit squared. Biased
    upwards for small sets: compare only with a floor from sets of the same size.

    References:
      Dowson and Landau 1982.
    """
    mean = ((a.mean(0) - b.mean(0)) ** 2).sum()
    cov_a = np.atleast_2d(np.cov(a, rowvar=False))
    cov_b = np.atleast_2d(np.cov(b, rowvar=False))
    # tr((AB)^(1/2)) = sum of singular values of A^(1/2) B^(1/2): stable for singular covariances.
    cross = np.linalg.svd(_square_root(cov_a) @ _square_root(cov_b), compute_uv=False).sum()
    return float(mean + np.trace(cov_a) + np.trace(cov_b) - 2.0 * cross)


def frechet_estimate(reference, sounds):
    """`frechet_distance` with its interval, an Estimate."""
    value = frechet_distance(reference, sounds)
    resampled = [
        frechet_distance(reference[i], sounds[j])
        for i, j in zip(
            bootstrap.draws(len(reference), N_FRECHET_RESAMPLES),
            bootstrap.draws(len(sounds), N_FRECHET_RESAMPLES, bootstrap.SEED + 1),
            strict=True,
        )
    ]
    return Estimate(value, bootstrap.interval(value, resampled, low=0.0))


def frechet_at_infinity(reference, sounds):
    """Frechet distance extrapolated to sets of infinite size, as an Estimate with the fit's R^2.

    The distance of subsets of N sounds of either set is, but for terms of higher order, a line in
    1 / N: its value at 0 is taken. The interval is the fit's own, 1.96 standard errors.

    Args:
      reference: [n, d].
      sounds: [m, d]; n and m must be at least 4 d, so that a quarter still has a covariance.

    Raises:
      ValueError: for smaller sets.

    References:
      Chong and Forsyth 2020, Effectively Unbiased FID and Inception Score.
    """
    most, d = min(len(reference), len(sounds)), reference.shape[1]
    if most < 4 * d:
        raise ValueError(f"{most} sounds; {4 * d} of either set are needed for {d} features")
    rng = np.random.default_rng(bootstrap.SEED)
    sizes = np.repeat(np.linspace(max(2 * d, most // 4), most, N_SIZES).astype(int), N_DRAWS)
    values = [
        frechet_distance(
            reference[rng.permutation(len(reference))[:size]],
            sounds[rng.permutation(len(sounds))[:size]],
        )
        for size in sizes
    ]
    terms = np.stack([np.ones(len(sizes)), 1.0 / sizes], 1)
    found, *_ = np.linalg.lstsq(terms, values, rcond=None)
    left = np.asarray(values) - terms @ found
    spread = np.var(values)
    r2 = 1.0 - np.var(left) / spread if spread > 0 else 0.0
    error = np.sqrt((left @ left) / max(len(sizes) - 2, 1) * np.linalg.inv(terms.T @ terms)[0, 0])
    value, error = float(found[0]), float(error)
    return Estimate(value, (value - 1.96 * error, value + 1.96 * error), f"R^2 {r2:.2f}")


def _square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
