"""Saved latents: z with its conditions and noise seed, as `noisygan match` writes them."""

import json
import pathlib
import zipfile
from typing import NamedTuple

import numpy as np

from noisygan.archives import read_arrays
from noisygan.audio_io.audio_files import MAX_SECONDS, MIN_SECONDS
from noisygan.errors import UsageError

MAX_BYTES = 16 << 20
_EXPECTED = "expected z as `noisygan match` saves it (-z.npz), or an array [latent_dim] (.npy)"
_HIGHEST = {"pitch": 127.0, "velocity": 127.0, "held_seconds": MAX_SECONDS, "gain": 1e6}
_HIGHEST["noise_seed"] = 2**31 - 1


class SavedLatents(NamedTuple):
    """Latents and what belongs to them; None is what the file does not say.

    Attributes:
      z: float32 [n, latent_dim].
      pitch, velocity: MIDI.
      label_name: Name of a label.
      held_seconds: Time of the note-off.
      gain: Linear gain of the generator's audio.
      noise_seed: int.
      tags: dict of name -> number or category.
    """

    z: np.ndarray
    pitch: float | None = None
    velocity: float | None = None
    label_name: str | None = None
    held_seconds: float | None = None
    gain: float = 1.0
    noise_seed: int | None = None
    tags: dict = {}

    def complete(self, spec, run):
        """Request each latent, with its saved conditions where a `requests.NoteSpec` has none."""
        generator, names = run.generator, run.condition_names
        saved = {"pitch": self.pitch, "velocity": self.velocity}
        saved["label"] = self.label_name if run.label_names else None
        saved = {name: value for name, value in saved.items() if name in names and value != ""}
        tags = {name: value for name, value in self.tags.items() if name in names}
        release = generator.release_seconds
        if self.held_seconds and release is not None:
            saved["seconds"] = min(max(self.held_seconds + release, MIN_SECONDS), MAX_SECONDS)
        if generator.has_controls:
            saved["held_seconds"] = self.held_seconds
        saved = {name: value for name, value in saved.items() if getattr(spec, name) is None}
        return spec._replace(count=len(self.z), tags=tags | (spec.tags or {}), **saved)

    def check_size(self, latent_dim):
        """Refuse latents of another size than a generator's, with a UsageError."""
        if self.z.ndim != 2 or self.z.shape[1] != latent_dim:
            raise UsageError(f"z: it has {self.z.shape[-1]} numbers; this run's has {latent_dim}")


def as_saved(z):
    """SavedLatents of a file, or of an array [latent_dim] or [n, latent_dim]."""
    if isinstance(z, (str, pathlib.Path)):
        return load_latents(z)
    return SavedLatents(np.atleast_2d(np.asarray(z, np.float32)))


def load_latents(path):
    """Read SavedLatents.

    A .npz with the entries in docs/matching.md, of which only z is needed, or a .npy with an array
    [latent_dim] or [n, latent_dim].

    Raises:
      UsageError: if there are none, or a number is out of range.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UsageError(f"{path} is {'a folder' if path.is_dir() else 'missing'}; {_EXPECTED}")
    try:
        is_archive = zipfile.is_zipfile(path)
        entries = read_arrays(path, MAX_BYTES)
        entries = entries if is_archive else {"z": entries["array"]}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read; {_EXPECTED}") from error
    if "z" not in entries:
        raise UsageError(f"{path} holds no z; {_EXPECTED}")
    z = np.atleast_2d(entries["z"])
    if z.ndim != 2 or not z.size or z.dtype.kind not in "iuf" or not (np.abs(z) < 1e30).all():
        raise UsageError(f"{path}: z of shape {np.shape(entries['z'])} is no latent; {_EXPECTED}")
    numbers = {}
    for name, highest in _HIGHEST.items():
        value = np.asarray(entries.get(name, 0))
        lowest = 1e-9 if name == "gain" and name in entries else 0
        if value.ndim or value.dtype.kind not in "iuf" or not lowest <= value <= highest:
            raise UsageError(
                f"{path}: {name} is {value}; expected a number from {lowest:g} to {highest:g}"
            )
        if name in entries:
            numbers[name] = int(value) if name == "noise_seed" else float(value)
    label_name = str(entries.get("label_name", ""))
    try:
        tags = dict(json.loads(str(entries.get("tags", "{}"))))
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: its tags are no JSON object; {_EXPECTED}") from error
    return SavedLatents(z.astype(np.float32), label_name=label_name, tags=tags, **numbers)
