"""JSON bodies of the page's requests, checked before anything is rendered."""

import dataclasses

import numpy as np

from noisygan.errors import UsageError
from noisygan.rendering.requests import check_pitches, check_tags, draw_tags

MIN_SECONDS, MAX_SECONDS = 0.1, 8.0
MAX_POINTS = 2000
MAX_LATENT = 20.0
MAX_SEED = 2**31 - 1
EDITS = dict.fromkeys(("loudness_db", "harmonic_db", "noise_db", "harmonics_db"), 60.0)
EDITS["f0_semitones"] = 48.0
"""Largest change of a curve by the name of the edit."""
_KEYS = {"run", "z", "seed", "seconds", "edits", "sample_rate"}
_KEYS |= {"pitch", "velocity", "label", "tags"}
_SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}


@dataclasses.dataclass(frozen=True)
class SoundRequest:
    """One sound to render.

    Attributes:
      z: float32 [latent_dim], or None: that of the seed.
      pitch: MIDI, 0 .. 127; 0 without a pitch condition.
      velocity: 0 .. 127; 0 without a velocity condition.
      label: Index into the run's label names.
      seconds: Length.
      sample_rate: Hz.
      seed: Of the noise, and of z if there is none.
      edits: dict name (one of EDITS) -> float32 [n_points]: differences from the generator's
        curves, evenly spaced over the sound (`harmonics_db`: over harmonics).
      tags: dict of name -> number or category.
    """

    z: np.ndarray | None
    pitch: float
    velocity: float
    label: int
    seconds: float
    sample_rate: int
    seed: int
    edits: dict
    tags: dict


def parse(body, player):
    """Convert decoded JSON to a SoundRequest for a `noisygan.studio.player.Player`.

    Raises:
      UsageError: names the field, what arrived and what was expected.
    """
    if not isinstance(body, dict):
        raise UsageError("expected a JSON object")
    unknown = sorted(set(body) - _KEYS)
    if unknown:
        raise UsageError(f"no field {_shown(unknown[0])}; known are {', '.join(sorted(_KEYS))}")
    conditions = player.run.condition_names
    sample_rate = integer(body, "sample_rate", player.sample_rate, 8000, 192000)
    seconds = player.seconds
    if player.has_length:
        seconds = number(body, "seconds", player.seconds, MIN_SECONDS, MAX_SECONDS)
    pitch = number(body, "pitch", player.pitch, 0, 127) if "pitch" in conditions else 0.0
    if "pitch" in conditions:
        check_pitches([pitch], sample_rate)
    edits = body.get("edits") or {}
    if not isinstance(edits, dict) or set(edits) - set(EDITS):
        raise UsageError(f"edits: expected an object with some of {', '.join(EDITS)}")
    if edits and not player.has_curves:
        raise UsageError("edits: this run's generator has no curves, it writes samples directly")
    z = body.get("z")
    if z is not None:
        z = numbers(z, "z", player.latent_dim, player.latent_dim, MAX_LATENT)
    label = integer(body, "label", 0, 0, max(len(player.run.label_names) - 1, 0))
    seed = integer(body, "seed", 0, 0, MAX_SEED)
    return SoundRequest(
        z=z,
        pitch=pitch,
        velocity=number(body, "velocity", 100, 0, 127) if "velocity" in conditions else 0.0,
        label=label,
        seconds=seconds,
        sample_rate=sample_rate,
        seed=seed,
        edits={name: numbers(edits[name], name, 1, MAX_POINTS, EDITS[name]) for name in edits},
        tags=tags(body, player, label, seed),
    )


def tags(body, player, label, seed):
    """Tags of a body; those that are not in it are drawn with the seed, as `Run.render` does."""
    given = body.get("tags") or {}
    if not isinstance(given, dict) or any(isinstance(x, (list, dict)) for x in given.values()):
        wanted = "expected an object of names and numbers or categories"
        raise UsageError(f"tags: got {_shown(given)}, {wanted}")
    check_tags(player.run.tag_values, given)
    return draw_tags(player.run, 0, label, seed, given)


def number(body, name, default, low, high):
    """Finite number of the body within limits, float; UsageError if it is none."""
    value = body.get(name)
    value = default if value is None else value
    # `not ... <=` and not `>`: refuses NaN too.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{name}: got {_shown(value)}, expected a number {low:g} to {high:.10g}")
    return float(value)


def integer(body, name, default, low, high):
    """Whole number of the body within limits, int; UsageError if it is none."""
    value = number(body, name, default, low, high)
    if value != int(value):
        raise UsageError(f"{name}: got {value:g}, expected a whole number {low} to {high}")
    return int(value)


def numbers(values, name, n_least, n_most, limit):
    """List of finite numbers between -limit and limit as float32 [n]; UsageError if it is none."""
    count = f"{n_least}" if n_least == n_most else f"{n_least} to {n_most}"
    expected = f"expected a list of {count} numbers between {-limit:g} and {limit:g}"
    if not isinstance(values, list) or not n_least <= len(values) <= n_most:
        got = f"{len(values)} of them" if isinstance(values, list) else "something else"
        raise UsageError(f"{name}: got {got}, {expected}")
    for value in values:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not -limit <= value <= limit:
            raise UsageError(f"{name}: got {_shown(value)} among them, {expected}")
    return np.array(values, np.float32)


def take_subtype(body):
    """Take `bits`, 16, 24 or 32 (float), out of a body: the sample format of a WAV file."""
    bits = integer(body, "bits", 16, 1, 64)
    body.pop("bits", None)
    if bits not in _SUBTYPES:
        raise UsageError(f"bits: got {bits}, expected 16, 24 or 32")
    return _SUBTYPES[bits]


def _shown(value):
    """A value for a message, short and within a line."""
    return ascii(str(value)[:40])[1:-1]
