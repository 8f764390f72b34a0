"""Map of a latent space by its sounds: the directions along which they change most.

Latents are sampled from the prior and rendered. Regressing them on the principal components of the
sounds' log-mel levels gives the direction of z that changes each component. The first two are the
axes of the map.

References:
  Härkönen et al. 2020, "GANSpace": components of activations, carried to z by regression.
"""

import numpy as np

from noisygan.metrics import descriptors, spectrograms

N_DIRECTIONS = 6
_N_MELS, _N_SEGMENTS = 40, 8
_FLOOR_DB = -80.0
# Names of directions by descriptor, with the words for less and more of it.
NAMES = {
    "spectral centroid": ("brightness", "dark", "bright"),
    "RMS": ("level", "soft", "loud"),
    "flatness": ("breath", "pure", "noisy"),
    "log attack time": ("attack", "sharp", "slow"),
    "decay": ("length", "short", "long"),
    "crest": ("punch", "even", "peaked"),
    "temporal centroid": ("swell", "early", "late"),
}
_LEAST_CORRELATION = 0.4


def measure(audio, sample_rate):
    """(features [n_segments * n_mels] in dB, dict descriptor -> float) of one sound."""
    power = spectrograms.power_spectrogram(audio)
    log_mel = spectrograms.power_to_log_mel(power, sample_rate, _N_MELS)
    log_mel = np.maximum(log_mel, _FLOOR_DB)
    n_segments = min(_N_SEGMENTS, len(log_mel))
    features = spectrograms.pooled_log_mel(log_mel, n_segments)
    return features, descriptors.describe(audio, sample_rate, power)


def chart(latents, features, columns, labels):
    """Find directions of z and a map of latents by the features of their sounds.

    Args:
      latents: float32 [n, latent_dim].
      features: float [n, d].
      columns: dict descriptor of NAMES -> float [n], NaN where a sound has none.
      labels: int [n]; the mean of each label is removed, as the label and not z makes it.

    Returns:
      dict of lists for JSON: `directions` [n, latent_dim], orthonormal, by importance; `shares`
      [n] of the features' variance along each; `names` [n] of (name, word for less, word for
      more); `latents` [n_latents, latent_dim]; `brightness` [n_latents], rank of the spectral
      centroid, 0 to 1.
    """
    features = without_means(features, labels)
    columns = {name: without_means(values, labels) for name, values in columns.items()}
    n = min(N_DIRECTIONS, latents.shape[1])
    directions, shares = principal_directions(latents, features, n)
    names = []
    for i, direction in enumerate(directions):
        along = latents @ direction
        name, sign = name_of(along, columns, {taken[0] for taken in names})
        directions[i] = sign * direction
        names.append(name or (f"colour {i + 1}", "less", "more"))
    return {
        "directions": np.round(directions, 5).tolist(),
        "shares": np.round(shares, 4).tolist(),
        "names": [list(name) for name in names],
        "latents": np.round(latents.astype(float), 4).tolist(),
        "brightness": np.round(ranks(columns["spectral centroid"]), 3).tolist(),
    }


def without_means(values, labels):
    """Remove the mean of each label from values [n] or [n, d]; NaN stays NaN."""
    out = np.array(values, float)
    for label in np.unique(labels):
        own = out[labels == label]
        there = np.isfinite(own)
        total = np.where(there, own, 0.0).sum(axis=0)
        out[labels == label] = own - total / np.maximum(there.sum(axis=0), 1)
    return out


def principal_directions(latents, features, n):
    """Find n directions of z along which the features change most.

    Of latents [n_latents, latent_dim] and features [n_latents, d]: (float64 [n, latent_dim],
    orthonormal; share of the features' variance that each explains).
    """
    latents = np.asarray(latents, float) - np.mean(latents, axis=0)
    features = np.asarray(features, float) - np.mean(features, axis=0)
    total = max(float(np.sum(features**2)), 1e-12)
    directions, shares = [], []
    rest = features
    for _ in range(n):
        # The first component of what no direction has explained yet.
        left, size, _ = np.linalg.svd(rest, full_matrices=False)
        score = left[:, 0] * size[0]
        direction = np.linalg.lstsq(latents, score, rcond=None)[0]
        for other in directions:
            direction = direction - (direction @ other) * other
        length = np.linalg.norm(direction)
        if length < 1e-9:
            direction, length = _any_other(directions, latents.shape[1]), 1.0
        direction = direction / length
        along = latents @ direction
        slope = along @ rest / max(along @ along, 1e-12)
        fitted = np.outer(along, slope)
        shares.append(float(np.sum(fitted**2)) / total)
        rest = rest - fitted
        directions.append(direction)
    return np.array(directions), np.array(shares)


def _any_other(directions, n):
    """A direction of length 1 orthogonal to all of `directions`."""
    basis = np.concatenate([np.array(directions).reshape(-1, n), np.eye(n)]).T
    return np.linalg.qr(basis)[0][:, len(directions)]


def name_of(along, columns, taken):
    """Name a direction by the descriptor that correlates most with it and is not `taken`.

    Given coordinates [n] along it and columns as of `chart`: (entry of NAMES or None, sign of
    "more": 1.0 or -1.0).
    """
    best, sign, strength = None, 1.0, _LEAST_CORRELATION
    for descriptor, name in NAMES.items():
        values = columns[descriptor]
        there = np.isfinite(values)
        if name[0] in taken or there.sum() < 8 or np.std(values[there]) < 1e-9:
            continue
        correlation = np.corrcoef(along[there], values[there])[0, 1]
        if abs(correlation) > strength:
            best, sign, strength = name, float(np.sign(correlation)), abs(correlation)
    return best, sign


def ranks(values):
    """Ranks of values from 0 to 1; NaN counts as the median."""
    there = np.isfinite(values)
    values = np.where(there, values, np.median(values[there]) if there.any() else 0.0)
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(len(values) - 1, 1)
