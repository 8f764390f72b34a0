"""Which recordings all systems are trained on, and which are held out for all of them."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import NamedTuple

import numpy as np

from noisygan.data.layouts import list_entries
from noisygan.errors import UsageError
from noisygan.evaluation import sources
from noisygan.files import atomic_write, make_folder


class Folders(NamedTuple):
    """Where recordings are.

    Attributes:
      train: Folder that systems are trained on.
      held_out: Folder of the held-out ones.
      note: What a reader has to know of how they were divided, or "".
    """

    train: pathlib.Path
    held_out: pathlib.Path
    note: str = ""


def training_and_held_out(data, train, out_dir):
    """Finds held-out recordings, or holds a half of them out.

    Args:
      data: Folder of recordings. It is held out as a whole where `train` is given; it may have
        parts of its own (nsynth-train and nsynth-test, a prepared folder's test split); any other
        is divided by name into halves, all velocities of a drum or pitch in one, which are written
        as links into `out_dir`.
      train: Folder of the training recordings, or None.
      out_dir: Where halves are put: parts/train and parts/held_out.

    Returns:
      Folders.

    Raises:
      UsageError: if there is nothing to divide.
    """
    data = pathlib.Path(data)
    if train is not None:
        return Folders(pathlib.Path(train), data)
    splits = [data / split for split in sources.SPLITS]
    if all(split.is_dir() for split in splits):
        return Folders(*splits)
    if sources.has_test_split(data):
        return Folders(data, data)
    folder, entries = list_entries(data)
    if (folder / "examples.json").exists():
        raise UsageError(
            f"{data} has no held-out part; expected nsynth-test beside nsynth-train, or --train "
            "DIR and held-out recordings in --data"
        )
    held_out = sources.in_held_out_half(
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
        for there in half.rglob("*"):
            if there.is_file() and there not in links:
                there.unlink()  # of a recording that is no longer in the folder
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
