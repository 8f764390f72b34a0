"""What the page may ask of a run, checked before anything is rendered."""

import dataclasses

import numpy as np

from noisygan.audio_io import audio_files
from noisygan.errors import UsageError
from noisygan.rendering import requests

MIN_SECONDS, MAX_SECONDS = 0.1, 8.0
MAX_POINTS = 2000
MAX_LATENT = 20.0
# How far a curve may be drawn from where it was, by the name of the edit.
EDITS = {
    "f0_semitones": 48.0,
    "loudness_db": 60.0,
    "harmonic_db": 60.0,
    "noise_db": 60.0,
    "harmonics_db": 60.0,
}
_KEYS = {"run", "z", "seed", "pitch", "velocity", "label", "seconds", "edits", "sample_rate"}


@dataclasses.dataclass(frozen=True)
class Ask:
    """One sound that is asked for.

    Attributes:
      z: float32 [latent_dim], or None: that of the seed.
      pitch: MIDI, 0 .. 127; 0 where the generator is not told any.
      velocity: 0 .. 127; 0 where the generator is not told any.
      label: Index into the run's label names.
      seconds: Length.
      sample_rate: Hz.
      seed: Decides the noise, and z where there is none.
      edits: dict name (one of EDITS) -> float32 [n_points]: what was drawn, as differences from
        the generator's own curves, evenly spaced over the sound (`harmonics_db`: over harmonics).
    """

    z: np.ndarray | None
    pitch: float
    velocity: float
    label: int
    seconds: float
    sample_rate: int
    seed: int
    edits: dict


def parse(body, run):
    """An Ask from decoded JSON.

    Args:
      body: What the page sent, any JSON value.
      run: The `noisygan.studio.playing.PlayableRun` that is asked.

    Returns:
      Ask.

    Raises:
      UsageError: says what arrived and what was expected.
    """
    if not isinstance(body, dict):
        raise UsageError("expected a JSON object")
    unknown = sorted(set(body) - _KEYS)
    if unknown:
        raise UsageError(f"no field {_shown(unknown[0])}; known are {', '.join(sorted(_KEYS))}")
    told = run.instrument.condition_names
    sample_rate = whole(body, "sample_rate", run.sample_rate, 8000, 192000)
    seconds = run.seconds
    if run.has_length:
        seconds = number(body, "seconds", run.seconds, MIN_SECONDS, MAX_SECONDS)
    pitch = number(body, "pitch", run.pitch, 0, 127) if "pitch" in told else 0.0
    if "pitch" in told:
        requests.check_pitches([pitch], sample_rate)
    velocity = number(body, "velocity", 100, 0, 127) if "velocity" in told else 0.0
    label = whole(body, "label", 0, 0, max(len(run.instrument.label_names) - 1, 0))
    edits = body.get("edits") or {}
    if not isinstance(edits, dict) or set(edits) - set(EDITS):
        raise UsageError(f"edits: expected an object with some of {', '.join(EDITS)}")
    if edits and not run.has_curves:
        raise UsageError("edits: this run's generator has no curves, it writes samples directly")
    z = body.get("z")
    if z is not None:
        z = numbers(z, "z", run.latent_dim, run.latent_dim, MAX_LATENT)
    return Ask(
        z=z,
        pitch=pitch,
        velocity=velocity,
        label=label,
        seconds=seconds,
        sample_rate=sample_rate,
        seed=whole(body, "seed", 0, 0, 2**31 - 1),
        edits={name: numbers(edits[name], name, 1, MAX_POINTS, EDITS[name]) for name in edits},
    )


def number(body, name, default, low, high):
    """A finite number of the body within limits, float.

    Raises:
      UsageError: if it is none.
    """
    value = body.get(name)
    value = default if value is None else value
    # `not ... <=` and not `>`: NaN is refused too.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{name}: got {_shown(value)}, expected a number {low:g} to {high:g}")
    return float(value)


def whole(body, name, default, low, high):
    """A whole number of the body within limits, int.

    Raises:
      UsageError: if it is none.
    """
    value = number(body, name, default, low, high)
    if value != int(value):
        raise UsageError(f"{name}: got {value:g}, expected a whole number {low} to {high}")
    return int(value)


def numbers(values, name, n_least, n_most, limit):
    """A list of finite numbers, none further from 0 than the limit, as float32 [n].

    Raises:
      UsageError: if it is none, too short or too long.
    """
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


def subtype(body):
    """Sample format of a WAV file that the body asks for by its bits: 16, 24 or 32 (float).

    Raises:
      UsageError: for any other number.
    """
    formats = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}
    bits = whole(body, "bits", 16, 1, 64)
    if bits not in formats:
        raise UsageError(f"bits: got {bits}, expected 16, 24 or 32")
    assert formats[bits] in audio_files.SUBTYPES
    return formats[bits]


def _shown(value):
    """What arrived, short and within a line."""
    return ascii(str(value)[:40])[1:-1]
