"""Folders of training and held-out recordings that all systems share."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import NamedTuple

import numpy as np

from noisygan.data.layouts import list_entries
from noisygan.errors import UsageError
from noisygan.evaluation import splits
from noisygan.files import atomic_write, make_folder


class Folders(NamedTuple):
    """Folders of recordings.

    Attributes:
      train: Training recordings.
      held_out: Held-out recordings.
      note: How they were divided, for the reader, or "".
    """

    train: pathlib.Path
    held_out: pathlib.Path
    note: str = ""


def training_and_held_out(data, train, out_dir):
    """Find held-out recordings, or hold out half of them.

    Args:
      data: Folder of recordings. With `train` all of it is held out. It may have splits
        (nsynth-train and nsynth-test, or the test split of a prepared folder); any other is
        divided by name into halves, with all velocities of a drum or pitch in one, as links in
        `out_dir`.
      train: Folder of the training recordings, or None.
      out_dir: Folder for the halves, parts/train and parts/held_out.

    Returns:
      Folders.

    Raises:
      UsageError: if the recordings can't be divided.
    """
    data = pathlib.Path(data)
    if train is not None:
        return Folders(pathlib.Path(train), data)
    parts = [data / split for split in splits.SPLITS]
    if all(part.is_dir() for part in parts):
        return Folders(*parts)
    if splits.has_test_split(data):
        return Folders(data, data)
    folder, entries = list_entries(data)
    if (folder / "examples.json").exists():
        raise UsageError(
            f"{data} has no held-out part; expected nsynth-test beside nsynth-train, or --train "
            "DIR and held-out recordings in --data"
        )
    held_out = splits.in_held_out_half(
        data,
        [entry.name for entry in entries],
        [entry.pitch for entry in entries],
        [entry.label or "" for entry in entries],
    )
    halves = {"train": ~held_out, "held_out": held_out}
    for name, chosen in halves.items():
        half = pathlib.Path(out_dir) / "parts" / name
        paths = [entries[i].path for i in np.flatnonzero(chosen)]
        links = {half / path.relative_to(folder): path for path in paths}
        for link, path in links.items():
            _link(path, link)
        for path in half.rglob("*"):
            if path.is_file() and path not in links:
                path.unlink()  # of a recording that is no longer in the folder
    return Folders(
        *(pathlib.Path(out_dir) / "parts" / name for name in halves),
        f"{data.name} has no held-out part: a half of it, chosen by name, was kept from training",
    )


def _link(path, link):
    if link.exists():
        return
    make_folder(link.parent)
    try:
        os.link(path, link)
    except OSError:  # another disk, or a system without links
        with atomic_write(link) as part:
            shutil.copyfile(path, part)
