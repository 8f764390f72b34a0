"""Codes that were kept, as `noisygan match` writes them, and what went with them."""

import pathlib
import zipfile
from typing import NamedTuple

import numpy as np

from noisygan.archives import read_arrays
from noisygan.audio_io.audio_files import MAX_SECONDS, MIN_SECONDS
from noisygan.errors import UsageError

MAX_BYTES = 16 << 20
_EXPECTED = "expected z as `noisygan match` keeps it (-z.npz), or an array [latent_dim] (.npy)"


class SavedLatents(NamedTuple):
    """Codes and what belongs to them; None is what the file does not say.

    Attributes:
      z: float32 [n, latent_dim].
      pitch, velocity: MIDI.
      label_name: Name of a label.
      held_seconds: When the note is let go.
      gain: Linear, of the generator's sound.
      noise_seed: int.
    """

    z: np.ndarray
    pitch: float | None = None
    velocity: float | None = None
    label_name: str | None = None
    held_seconds: float | None = None
    gain: float = 1.0
    noise_seed: int | None = None

    def asked(self, instrument, pitches=None, velocity=None, labels=None):
        """(pitches, velocity, labels): those given, else the code's that a run is told."""
        told = instrument.condition_names
        if pitches is None and self.pitch is not None and "pitch" in told:
            pitches = [self.pitch]
        if velocity is None and self.velocity is not None and "velocity" in told:
            velocity = self.velocity
        if labels is None and self.label_name and "label" in told and instrument.label_names:
            labels = [self.label_name]
        return pitches, velocity, labels

    def seconds(self, generator):
        """How long its note lasts with its release, or None: as the generator has it."""
        release = getattr(generator, "release_seconds", None)
        if not self.held_seconds or release is None:
            return None
        return min(max(self.held_seconds + release, MIN_SECONDS), MAX_SECONDS)

    def check_size(self, latent_dim):
        """Refuses codes of another size than a generator's.

        Raises:
          UsageError: if z does not have latent_dim numbers.
        """
        if self.z.shape[1] != latent_dim:
            raise UsageError(
                f"--z: its z has {self.z.shape[1]} numbers, and this run's has {latent_dim}; "
                "expected a z of this run"
            )


def load_latents(path):
    """Reads a kept code.

    Args:
      path: .npz with the entries that docs/matching.md lists, of which z alone is needed, or .npy
        with an array [latent_dim] or [n, latent_dim].

    Returns:
      SavedLatents.

    Raises:
      UsageError: if there is none, or its numbers make no sense.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UsageError(f"--z {path} is {'a folder' if path.is_dir() else 'missing'}; {_EXPECTED}")
    try:
        if zipfile.is_zipfile(path):
            entries = read_arrays(path, MAX_BYTES)
        else:
            entries = {"z": read_arrays(path, MAX_BYTES)["array"]}
    except (OSError, ValueError) as error:
        raise UsageError(f"--z {path} can't be read; {_EXPECTED}") from error
    if "z" not in entries:
        raise UsageError(f"--z {path} holds no z; {_EXPECTED}")
    z = np.atleast_2d(entries["z"])
    if z.ndim != 2 or not z.size or z.dtype.kind not in "iuf":
        raise UsageError(f"--z {path}: z has shape {np.shape(entries['z'])}; {_EXPECTED}")
    if not (np.abs(z) < 1e30).all():
        raise UsageError(f"--z {path}: z holds values that are not finite numbers")
    limits = {"pitch": 127.0, "velocity": 127.0, "held_seconds": MAX_SECONDS, "gain": 1e6}
    numbers = {
        name: _number(entries[name], name, most, path)
        for name, most in limits.items()
        if name in entries
    }
    if numbers.get("gain") == 0.0:
        raise UsageError(f"--z {path}: gain is 0; expected a number above 0")
    if "noise_seed" in entries:
        numbers["noise_seed"] = int(_number(entries["noise_seed"], "noise_seed", 2**31 - 1, path))
    return SavedLatents(
        z.astype(np.float32), label_name=str(entries.get("label_name", "")), **numbers
    )


def _number(value, name, most, path):
    if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf" or not 0 <= value <= most:
        raise UsageError(f"--z {path}: {name} is {value}; expected a number from 0 to {most:g}")
    return float(value)
