"""Velocity layers of sampled instruments: which velocities they play, and how loud."""

import numpy as np

_BETWEEN = (0.25, 0.5, 0.75)  # where the level between two layers is set


def crossfade_ranges(velocities):
    """(lowest, highest) velocity of each of several rising layers: up to its neighbours'.

    At a layer's own velocity only that layer sounds, between two of them both do.
    """
    below, above = [0, *velocities[:-1]], [*velocities[1:], 128]
    return [(low + 1, high - 1) for low, high in zip(below, above, strict=True)]


def level_velocities(velocities):
    """Velocities at which the level is set: 1, 127, those of the layers and some between."""
    ends = sorted({1, *velocities, 127})
    pairs = zip(ends, ends[1:], strict=False)
    return sorted({*ends, *(round(a + (b - a) * t) for a, b in pairs for t in _BETWEEN)})


def velocity_gains(velocities, sounds, levels_db=None):
    """Gains at which linearly crossfaded layers have the level that a note of each velocity has.

    Args:
      velocities: Of the layers, rising.
      sounds: float32 [n_layers, n_samples].
      levels_db: dict of velocity -> level of a note of it, for all `level_velocities`. None: linear
        in dB between layers, and by General MIDI's 40 log10 below the softest.

    Returns:
      dict of velocity -> linear gain, 1 at the layers' own velocities.
    """
    sounds, between = np.asarray(sounds, np.float64), level_velocities(velocities)
    power = sounds @ sounds.T / sounds.shape[1] + 1e-12 * np.eye(len(sounds))
    own_db = 10.0 * np.log10(np.diag(power))
    if levels_db is None:
        below = {v: min(0.0, 40.0 * np.log10(v / velocities[0])) for v in between}
        levels_db = {v: np.interp(v, velocities, own_db) + below[v] for v in below}
    offset_db = own_db - [levels_db[velocity] for velocity in velocities]
    gains = {}
    for velocity in between:
        weights = [np.interp(velocity, velocities, row) for row in np.eye(len(sounds))]
        mixed_db = 10.0 * np.log10(weights @ power @ weights)
        wanted_db = levels_db[velocity] + np.interp(velocity, velocities, offset_db)
        gains[velocity] = float(min(2.0, 10.0 ** ((wanted_db - mixed_db) / 20.0)))
    return gains
