"""Training and held-out recordings of an evaluation, read from folders or data sets."""

from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import pathlib

import numpy as np

from noisygan.data.dataset import Recordings, list_recordings
from noisygan.data.prepare.manifest import is_prepared, read_manifest
from noisygan.errors import UsageError
from noisygan.evaluation.examples import (
    ENOUGH_EXAMPLES,
    MIN_EXAMPLES,
    Examples,
    half_of,
    repaired,
    without_velocity,
)
from noisygan.progress import counted

SPLITS = ("nsynth-train", "nsynth-test")


@dataclasses.dataclass(frozen=True)
class Splits:
    """Training and held-out recordings.

    Attributes:
      train, test: Examples.
      fingerprint: Of the data set that contains the held-out recordings.
      warnings: list of str.
    """

    train: Examples
    test: Examples
    fingerprint: str
    warnings: list = dataclasses.field(default_factory=list)

    def seen_by(self, run):
        """True if a run was trained on the held-out recordings."""
        return run.metadata["data"]["fingerprint"] == self.fingerprint


def read_splits(recordings, data, train=None, progress=None):
    """Read training and held-out recordings.

    A folder with `nsynth-train` and `nsynth-test`, or one that `noisygan prepare` wrote with a test
    split, contains both. With `train`, all of `data` is held out. Any other folder or data set is
    divided by name into halves, with all velocities of a drum or pitch in one half.

    Args:
      recordings: `Recordings`, which selects and shapes the audio of folders.
      data: Folder or `AudioDataset`.
      train: Folder or `AudioDataset` of the training recordings, or None.
      progress: Called with (files read, files in all), or None.

    Returns:
      Splits, repaired.

    Raises:
      UsageError: as of `Recordings.read`; if training and held-out recordings are the same; for too
        few or silent ones.
    """

    def read(source, reader=recordings):
        return source if hasattr(source, "fingerprint") else reader.read(source, progress)

    is_folder = not hasattr(data, "fingerprint")
    folder = pathlib.Path(data if is_folder else data.folder)
    rows, warnings = [None, None], []
    sources, held_out_reader = [data], copy.copy(recordings)
    if train is not None:
        sources = [train, data]
    elif is_folder and all((folder / split).is_dir() for split in SPLITS):
        sources = [folder / split for split in SPLITS]
    elif is_folder and has_test_split(folder):
        # The training split first: the run was trained on it alone.
        sources, held_out_reader.split = [folder, folder], "test"
    sets = [read(sources[0])] * 2
    if sources[1:]:
        if recordings is not None:  # Both are raised in level by one gain.
            held_out_reader.gain = sets[0].listing.gain
        sets[1] = read(sources[1], held_out_reader)
    else:
        held_out = in_held_out_half(folder, sets[0].names, sets[0].pitch, sets[0].label)
        rows = [np.flatnonzero(half) for half in (~held_out, held_out)]
        name = folder.name
        warnings = [f"{name} has no held-out part: a half of it, chosen by name, is the reference"]
    if sets[0] is not sets[1] and sets[0].fingerprint == sets[1].fingerprint:
        raise UsageError(
            f"training and held-out recordings are the same ({folder}); expected different ones"
        )
    parts = []
    for dataset, own, name in zip(sets, rows, ("training", "held-out"), strict=True):
        examples, about = repaired(Examples.from_dataset(dataset, own), f"{name} recordings")
        parts.append(examples)
        warnings += about
        warnings += left_out(dataset, f"{name} recording")
    return Splits(*parts, sets[1].fingerprint, warnings)


def left_out(dataset, name):
    """List of at most one sentence on the files of a data set that can't be used."""
    skipped = dataset.listing.skipped
    first = " ".join(next(iter(skipped.items()), ()))
    left = f"{counted(len(skipped), name)} left out, e.g. {first}"
    return [left] if skipped else []


def has_test_split(folder):
    """True for a prepared folder with a test split."""
    if not is_prepared(folder):
        return False
    return read_manifest(folder)["splits"].get("test", {"n_records": 0})["n_records"] > 0


def in_held_out_half(folder, names, pitches, labels):
    """Mask of the held-out recordings, about half of each class by name (or known pitch): bool [n].

    Args:
      folder: Its path, for the message.
      names: Of the recordings.
      pitches: MIDI; None or NaN where unknown.
      labels: Their classes.

    Raises:
      UsageError: if one half is empty.
    """
    kinds = [
        without_velocity(name) if pitch is None or not np.isfinite(pitch) else f"{pitch:g}"
        for name, pitch in zip(names, pitches, strict=True)
    ]
    held_out = half_of(kinds, labels)
    if held_out.all() or not held_out.any():
        raise UsageError(
            f"{folder} contains {len(kinds)} recordings of one kind, too few to hold some out; "
            "expected more, or separate training and held-out recordings"
        )
    return held_out


def recordings_for(folders):
    """`Recordings` at the lowest of the folders' usual rates, with the length of the shorter set.

    Args:
      folders: Paths.

    Raises:
      UsageError: for a folder without a file that can be read.
    """
    import soundfile

    usual, lengths = [], []
    for folder in folders:
        if is_prepared(folder):
            manifest = read_manifest(folder)
            rate = manifest["sample_rates"][0]
            usual.append(rate)
            lengths.append((manifest["n_samples"] or 4 * rate) / rate)
            continue
        infos = []
        for path in files_of(folder):
            with contextlib.suppress(soundfile.SoundFileError, RuntimeError, OSError):
                infos.append(soundfile.info(str(path)))
        if not infos:
            raise UsageError(f"no file in {folder} is readable audio")
        usual.append(collections.Counter(info.samplerate for info in infos).most_common(1)[0][0])
        lengths.append(max(info.duration for info in infos))
    return Recordings(sample_rate=min(usual), n_samples=round(min(lengths) * min(usual)))


def files_of(folder):
    """Paths of the recordings of a folder, of all its splits."""
    folder = pathlib.Path(folder)
    splits = [folder / split for split in SPLITS if (folder / split).is_dir()]
    return [entry.path for part in splits or [folder] for entry in list_recordings(part)[1]]


def check_audio(folder):
    """Raise UsageError for too few files in a folder, or stems among whole examples."""
    files = files_of(folder)
    if len(files) < MIN_EXAMPLES:
        raise UsageError(
            f"{folder} contains {len(files)} files; expected at least {MIN_EXAMPLES}, better "
            f"{ENOUGH_EXAMPLES}"
        )
    whole = {path.with_suffix("") for path in files}
    stems = [path for path in files if path.parent in whole]
    if stems:
        raise UsageError(
            f"{folder} contains stems, such as {stems[0].relative_to(folder)}; expected whole "
            "examples only: render without stems, or move those folders away"
        )
