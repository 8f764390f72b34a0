"""The latent space as it sounds: the directions that matter, and a map of sounds.

Latents are drawn from the prior and listened to. The principal components of what is heard (log-mel
levels in a few stretches of time) say how the generator's sounds differ; regressing the latents on
them gives, for each component, the direction of z along which a sound changes that way. The first
two are the axes of the map.

References:
  Härkönen et al. 2020, "GANSpace": components of activations, carried to z by regression.
"""

import dataclasses

import numpy as np

from noisygan.metrics import descriptors, spectrograms

N_LATENTS = 160
N_DIRECTIONS = 6
_N_MELS, _N_SEGMENTS = 40, 8
_FLOOR_DB = -80.0
# What a direction is called by: a descriptor, and the words for less and for more of it.
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


@dataclasses.dataclass(frozen=True)
class Landscape:
    """Directions and a map of one run's latent space.

    Attributes:
      directions: float64 [n, latent_dim], of length 1 and at right angles, by importance.
      shares: Share of the heard variance that follows each direction, [n].
      names: (name, word for less, word for more) of each direction.
      latents: float32 [n_latents, latent_dim], the sounds of the map.
      brightness: Of each, 0 .. 1, as ranks.
    """

    directions: np.ndarray
    shares: np.ndarray
    names: list
    latents: np.ndarray
    brightness: np.ndarray

    def as_json(self):
        """The landscape as lists, rounded."""
        return {
            "directions": np.round(self.directions, 5).tolist(),
            "shares": np.round(self.shares, 4).tolist(),
            "names": [list(name) for name in self.names],
            "latents": np.round(self.latents.astype(float), 4).tolist(),
            "brightness": np.round(self.brightness, 3).tolist(),
        }


def explore(run, found, n_latents=N_LATENTS):
    """Listens to latents of a run, one at each step, and finds its landscape.

    Args:
      run: `noisygan.studio.playing.PlayableRun`.
      found: Called with the Landscape at the end.
      n_latents: How many latents are listened to.

    Yields:
      The number of latents heard so far, after each.
    """
    from noisygan.studio import asking

    latents, features, described = run.latents(range(n_latents)), [], []
    label_count = max(len(run.facts()["labels"]), 1)
    for i, z in enumerate(latents):
        body = {"z": z.tolist(), "label": i % label_count}
        audio = run.sound(asking.parse(body, run)).audio
        heard, facts = listen(audio, run.sample_rate)
        features.append(heard)
        described.append(facts)
        yield i + 1
    columns = {name: np.array([facts[name] for facts in described]) for name in NAMES}
    found(chart(latents, np.array(features), columns, np.arange(n_latents) % label_count))


def listen(audio, sample_rate):
    """(features [n_segments * n_mels] in dB, dict descriptor -> float) of one sound."""
    power = spectrograms.power_spectrogram(audio)
    log_mel = spectrograms.power_to_log_mel(power, sample_rate, _N_MELS)
    log_mel = np.maximum(log_mel, _FLOOR_DB)
    n_segments = min(_N_SEGMENTS, len(log_mel))
    features = spectrograms.pooled_log_mel(log_mel, n_segments)
    return features, descriptors.describe(audio, sample_rate, power)


def chart(latents, features, columns, labels):
    """The landscape of latents whose sounds were heard.

    Args:
      latents: float32 [n, latent_dim].
      features: float [n, d].
      columns: dict descriptor of NAMES -> float [n], NaN where a sound has none.
      labels: int [n]; how a kick differs from a cymbal is what the label says, not the latent, so
        the mean of each label is taken out.

    Returns:
      Landscape.
    """
    features = without_means(features, labels)
    columns = {name: without_means(values, labels) for name, values in columns.items()}
    directions, shares = principal_directions(
        latents, features, min(N_DIRECTIONS, latents.shape[1])
    )
    names = []
    for i, direction in enumerate(directions):
        along = latents @ direction
        name, sign = name_of(along, columns, {taken[0] for taken in names})
        directions[i] = sign * direction
        names.append(name or (f"colour {i + 1}", "less", "more"))
    return Landscape(directions, shares, names, latents, ranks(columns["spectral centroid"]))


def without_means(values, labels):
    """Values [n] or [n, d] without the mean of their label; NaN stays NaN."""
    out = np.array(values, float)
    for label in np.unique(labels):
        own = out[labels == label]
        there = np.isfinite(own)
        total = np.where(there, own, 0.0).sum(axis=0)
        out[labels == label] = own - total / np.maximum(there.sum(axis=0), 1)
    return out


def principal_directions(latents, features, n):
    """Directions of z along which the sound changes most.

    Args:
      latents: [n_latents, latent_dim].
      features: [n_latents, d], of their sounds.
      n: How many; at most latent_dim.

    Returns:
      (float64 [n, latent_dim] of length 1, at right angles to each other;
       share of the features' variance that a linear fit along each explains, [n]).
    """
    latents = np.asarray(latents, float) - np.mean(latents, axis=0)
    features = np.asarray(features, float) - np.mean(features, axis=0)
    total = max(float(np.sum(features**2)), 1e-12)
    directions, shares = [], []
    rest = features
    for _ in range(n):
        # The component of what is heard that no direction has explained yet.
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
    """A direction of length 1 at right angles to all of `directions`."""
    basis = np.concatenate([np.array(directions).reshape(-1, n), np.eye(n)]).T
    return np.linalg.qr(basis)[0][:, len(directions)]


def name_of(along, columns, taken):
    """What a direction is called by: the descriptor that follows it most.

    Args:
      along: Where each latent lies on the direction, [n].
      columns: dict descriptor -> [n], NaN where a sound has none.
      taken: Names that are given already.

    Returns:
      ((name, word for less, word for more) or None, 1.0 or -1.0: which way more is).
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
    """Values as ranks from 0 to 1; what has none stands in the middle."""
    there = np.isfinite(values)
    values = np.where(there, values, np.median(values[there]) if there.any() else 0.0)
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(len(values) - 1, 1)
