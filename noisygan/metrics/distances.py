"""Distances between two sets of feature vectors, with bootstrap intervals."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.bootstrap import Estimate

N_FRECHET_RESAMPLES = 40
# Subset sizes of the extrapolation to infinite N, and draws of each.
N_SIZES = 10
N_DRAWS = 6


def pairwise_distances(a, b):
    """Euclidean distances between the rows of a [n, d] and of b [m, d]: [n, m]."""
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))


def mean_distance(points):
    """Mean Euclidean distance between two different rows of `points` [n, d], n >= 2: float."""
    return float(pairwise_distances(points, points)[np.triu_indices(len(points), 1)].mean())


def median_bandwidth(reference):
    """Median distance between two different rows of `reference` [n, d]."""
    distances = pairwise_distances(reference, reference)
    return float(np.median(distances[np.triu_indices(len(reference), 1)]))


def mmd2_estimate(reference, generated, scale=1.0, bandwidth=None):
    """Unbiased squared maximum mean discrepancy with a Gaussian kernel, an Estimate.

    Zero on average for sets from one distribution, so single values may be negative. Pairs of a row
    and its own duplicate in a resampled set are left out, so that resampled values stay unbiased.

    Args:
      reference, generated: [n, d] and [m, d], n, m >= 4.
      scale: Factor of the result.
      bandwidth: Sigma of the kernel exp(-|x - y|^2 / (2 sigma^2)); None: the reference's median
        distance.

    References:
      Gretton et al. 2012, A Kernel Two-Sample Test, equation 3.
    """
    bandwidth = bandwidth or max(median_bandwidth(reference), 1e-9)

    def kernel(a, b):
        return np.exp(-((pairwise_distances(a, b) / bandwidth) ** 2) / 2.0)

    def within(weights, values):
        pairs = ((weights @ values) * weights).sum(1)
        alone = (weights**2).sum(1)
        return (pairs - (weights**2) @ np.diag(values)) / (weights.sum(1) ** 2 - alone)

    n, m = len(reference), len(generated)
    k_reference, k_generated = kernel(reference, reference), kernel(generated, generated)
    k_between = kernel(reference, generated)

    def mmd2(a, b):
        between = ((a @ k_between) * b).sum(1) / (n * m)
        return scale * (within(a, k_reference) + within(b, k_generated) - 2.0 * between)

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


def _square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def frechet_estimate(reference, generated):
    """`frechet_distance` with its interval, an Estimate.

    Args:
      reference, generated: [n, d] and [m, d], or [n, k, d] and [m, k, d]: k points (frames) of each
        example. Examples are resampled.
    """

    def distance(a, b):
        return frechet_distance(*(x.reshape(-1, x.shape[-1]) for x in (a, b)))

    value = distance(reference, generated)
    rows = bootstrap.paired_draws(len(reference), len(generated), N_FRECHET_RESAMPLES)
    resampled = [distance(reference[i], generated[j]) for i, j in rows]
    return Estimate(value, bootstrap.interval(value, resampled, low=0.0))


def frechet_at_infinity(reference, generated):
    """Frechet distance extrapolated to infinite N: an Estimate whose note is the fit's R^2.

    The distance of subsets of N rows is linear in 1 / N up to terms of higher order; the value is
    the intercept, the interval 1.96 standard errors of the fit.

    Args:
      reference, generated: [n, d] and [m, d].

    Raises:
      ValueError: for n or m below 4 d: a quarter of the rows must still have a covariance.

    References:
      Chong and Forsyth 2020, Effectively Unbiased FID and Inception Score.
    """
    most, d = min(len(reference), len(generated)), reference.shape[1]
    if most < 4 * d:
        raise ValueError(f"{most} examples; {4 * d} in each set are needed for {d} features")
    rng = np.random.default_rng(bootstrap.SEED)
    sizes = np.repeat(np.linspace(max(2 * d, most // 4), most, N_SIZES).astype(int), N_DRAWS)
    values = [
        frechet_distance(
            reference[rng.permutation(len(reference))[:size]],
            generated[rng.permutation(len(generated))[:size]],
        )
        for size in sizes
    ]
    terms = np.stack([np.ones(len(sizes)), 1.0 / sizes], 1)
    fit, *_ = np.linalg.lstsq(terms, values, rcond=None)
    residual = np.asarray(values) - terms @ fit
    spread = np.var(values)
    r2 = 1.0 - np.var(residual) / spread if spread > 0 else 0.0
    variance = residual @ residual / max(len(sizes) - 2, 1)
    error = float(np.sqrt(variance * np.linalg.inv(terms.T @ terms)[0, 0]))
    value = float(fit[0])
    return Estimate(value, (value - 1.96 * error, value + 1.96 * error), f"R^2 {r2:.2f}")
