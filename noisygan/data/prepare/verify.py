"""Whether a prepared folder still holds what its manifest says, as far as that can be told."""

import hashlib
from pathlib import Path

from noisygan.data.prepare import load, records
from noisygan.errors import RunError


def problems(folder, progress=None):
    """Reads every record of a prepared folder and compares all with the manifest.

    Args:
      folder: Path of a prepared folder.
      progress: None, or a function called with (shards read, shards in all).

    Yields:
      str, a sentence for each problem; none where all is well.

    Raises:
      UsageError: if the folder holds no manifest that can be read.
    """
    folder = Path(folder)
    manifest = load.read_manifest(folder)
    named = [
        (split, name) for split, about in manifest["splits"].items() for name in about["shards"]
    ]
    counts, damaged, keys = dict.fromkeys(manifest["splits"], 0), set(), set()
    for done, (split, name) in enumerate(named):
        try:
            for record in records.read_shard(folder / name):
                counts[split] += 1
                key = hashlib.blake2b(records.to_bytes(record.key), digest_size=8).digest()
                if key in keys:
                    yield f"{name}: the key {record.key!r} is there more than once"
                keys.add(key)
                yield from _wrong_lengths(name, record, manifest)
        except RunError as error:
            damaged.add(split)
            yield str(error)
        if progress is not None:
            progress(done + 1, len(named))
    for split, about in manifest["splits"].items():
        if counts[split] != about["n_records"] and split not in damaged:
            yield (
                f"split {split} holds {counts[split]} records; the manifest says "
                f"{about['n_records']}"
            )
    unnamed = {path.name for path in folder.glob("*.tfrecord")} - {name for _, name in named}
    for name in sorted(unnamed):
        yield f"{name} is not in the manifest"
    yield from _wrong_files(folder, manifest)


def _wrong_lengths(name, record, manifest):
    rates = sorted(manifest["sample_rates"])
    if sorted(record.audio) != rates:
        yield f"{name}: {record.key!r} is at {sorted(record.audio)} Hz; the manifest says {rates}"
    n_samples, first = manifest.get("n_samples"), manifest["sample_rates"][0]
    if n_samples is not None and first in record.audio and len(record.audio[first]) != n_samples:
        n = len(record.audio[first])
        yield f"{name}: {record.key!r} has {n} samples; the manifest says {n_samples}"


def _wrong_files(folder, manifest):
    try:
        with open(folder / "files.jsonl", "rb") as lines:
            n_lines = sum(1 for _ in lines)
    except OSError as error:
        yield f"files.jsonl cannot be read: {error.strerror}"
        return
    if n_lines != manifest["counts"]["files"]:
        yield f"files.jsonl has {n_lines} lines; the manifest says {manifest['counts']['files']}"
