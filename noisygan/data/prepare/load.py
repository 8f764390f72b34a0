"""The records of a prepared folder, for training: what is known of each, its sound when needed.

Shards are read through once, every checksum looked at; then each record is found in its
memory-mapped shard by its place there.
"""

import functools
import math
import os
from pathlib import Path

import numpy as np

from noisygan.data.layouts import Entry
from noisygan.data.prepare import records
from noisygan.data.prepare.manifest import FORMAT, VERSION
from noisygan.errors import RunError, UsageError
from noisygan.files import read_json

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 64 << 20


def is_prepared(folder):
    """Whether a folder is one that `noisygan prepare` wrote.

    Args:
      folder: Path.

    Raises:
      UsageError: if `noisygan prepare` has not finished it.
    """
    folder = Path(folder)
    if (folder / MANIFEST).is_file():
        return True
    if (folder / "state.json").is_file() and (folder / "parts").is_dir():
        raise UsageError(
            f"{folder} is not prepared to its end; run the same `noisygan prepare` again, it goes "
            "on where it was"
        )
    return False


def read_manifest(folder):
    """The manifest of a prepared folder.

    Args:
      folder: Path.

    Returns:
      dict.

    Raises:
      UsageError: if there is none, or one of something else.
    """
    path = Path(folder) / MANIFEST
    if not is_prepared(folder):
        what = "no such folder" if not Path(folder).is_dir() else "no manifest.json in"
        raise UsageError(f"{what}: {folder}; expected a folder that `noisygan prepare` wrote")
    try:
        manifest = read_json(path, MAX_MANIFEST_BYTES)
        kind = (manifest["format"], manifest["version"])
        for split in manifest["splits"].values():
            _ = [_own_name(name) for name in split["shards"]], int(split["n_records"])
        _ = [f"{rate:g}" for rate in manifest["sample_rates"]], f"{manifest['fingerprint']:s}"
        _ = f"{manifest['counts']['files']:d}"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        detail = " ".join(str(error).split())
        raise UsageError(f"{path} is no manifest of `noisygan prepare` ({detail})") from error
    if kind != (FORMAT, VERSION):
        raise UsageError(
            f"{path} is of {str(kind[0])[:40]} version {str(kind[1])[:40]}; expected {FORMAT} "
            f"version {VERSION}: prepare the recordings again"
        )
    return manifest


def _own_name(name):
    """The name of a file beside the manifest."""
    if not isinstance(name, str) or name != Path(name).name or "\0" in name or name in (".", ".."):
        raise ValueError(f"{name!r} is no name of a file beside it")
    return name


class Split:
    """The records of one split at one rate.

    Attributes:
      folder: Path.
      entries: list of `noisygan.data.layouts.Entry`, sorted by name, which is the record's key.
      fingerprint: That of the manifest.
    """

    def __init__(self, folder, split, sample_rate, progress=None):
        """Reads through the shards.

        Args:
          folder: Path of a prepared folder.
          split: Name of a split.
          sample_rate: Hz, one of those that the folder was prepared at.
          progress: None, or a function called with (records read, records in all).

        Raises:
          UsageError: if the folder holds no such split or rate.
          RunError: if a shard is missing or damaged, or records are missing.
        """
        manifest = read_manifest(folder)
        self.folder = Path(folder)
        self.fingerprint = manifest["fingerprint"]
        self._rate = sample_rate
        if split not in manifest["splits"]:
            raise UsageError(
                f"{folder} has no split {split}; there are {', '.join(manifest['splits'])}: set "
                "Recordings.split, or prepare the recordings again"
            )
        if sample_rate not in manifest["sample_rates"]:
            there = ", ".join(f"{rate:g}" for rate in manifest["sample_rates"])
            raise UsageError(
                f"{folder} was prepared at {there} Hz, the config wants {sample_rate} Hz; set the "
                f"config's rate, or prepare with --sample_rate {sample_rate}"
            )
        about = manifest["splits"][split]
        found = []
        for name in about["shards"]:
            path = self.folder / name
            for index, offset, payload in records.read_payloads(path):
                entry = _entry(path, index, payload)
                found.append((entry, offset, len(payload)))
                if progress is not None:
                    progress(len(found), about["n_records"])
        if len(found) != about["n_records"]:
            raise RunError(
                f"{folder} holds {len(found)} records of split {split}, its manifest says "
                f"{about['n_records']}; prepare the recordings again or copy the folder again"
            )
        found.sort(key=lambda one: one[0].name)
        self.entries = [entry for entry, _, _ in found]
        self._places = np.array([place for _, *place in found], np.int64)

    def audio(self, i):
        """The sound of record i at the rate, float32 [n], read-only.

        Raises:
          RunError: if its shard is not what it was.
        """
        path = self.entries[i].path
        offset, length = self._places[i]
        try:
            payload = bytes(_mapped(path)[offset : offset + length])
            return records.from_example(payload).audio[self._rate]
        except (OSError, ValueError, KeyError) as error:
            raise RunError(
                f"{path} changed while it was in use ({' '.join(str(error).split())}); "
                "prepare the recordings again or copy the file again"
            ) from error


def _entry(path, index, payload):
    record = records.from_payload(path, index, payload)
    known = {name: record.tags.get(name) for name in ("family", "source")}
    return Entry(
        name=record.key,
        path=path,
        label=record.label or None,
        **{name: value if isinstance(value, str) else None for name, value in known.items()},
        pitch=None if math.isnan(record.pitch) else record.pitch,
        velocity=None if math.isnan(record.velocity) else record.velocity,
    )


def _mapped(path):
    """Bytes of a file, mapped once for as long as it is the same file."""
    status = os.stat(path)
    return _mapping(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _mapping(path, *identity):
    return np.memmap(path, np.uint8, "r")
