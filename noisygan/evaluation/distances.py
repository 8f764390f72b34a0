"""Distances between two sets of feature vectors. Plain numpy."""

from __future__ import annotations

import numpy as np


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
