"""The manifest of a prepared folder: what was read, what was done to it, what came of it."""

import collections
import hashlib
import importlib.metadata
import json
from pathlib import Path

import numpy as np

import noisygan
from noisygan import files
from noisygan.data.prepare import statistics
from noisygan.data.source_files import HARMLESS, SPLITS
from noisygan.errors import UsageError

FORMAT, VERSION = "noisygan-data", 2
MANIFEST, MAX_BYTES = "manifest.json", 64 << 20

_EDGES = {
    "peak_db": statistics.LEVEL_EDGES,
    "loudness_db": statistics.LEVEL_EDGES,
    "seconds": statistics.SECONDS_EDGES,
}


def is_prepared(folder):
    """Whether `noisygan prepare` wrote a folder; UsageError if it has not finished it."""
    folder = Path(folder)
    if (folder / MANIFEST).is_file():
        return True
    if (folder / "state.json").is_file() and (folder / "parts").is_dir():
        raise UsageError(
            f"{folder} is not prepared to its end; run the same `noisygan prepare` again, which "
            "resumes"
        )
    return False


def read_manifest(folder):
    """Read the manifest of a prepared folder, dict.

    Raises:
      UsageError: if there is none, or one of another version or something else.
    """
    path = Path(folder) / MANIFEST
    if not is_prepared(folder):
        what = "no such folder" if not Path(folder).is_dir() else "no manifest.json in"
        raise UsageError(f"{what}: {folder}; expected a folder that `noisygan prepare` wrote")
    try:
        manifest = files.read_json(path, MAX_BYTES)
        kind = (manifest["format"], manifest["version"])
        if kind == (FORMAT, VERSION):
            for split in manifest["splits"].values():
                _ = [_own_name(name) for name in split["shards"]], int(split["n_records"])
            _ = [_own_name(name) for name, _ in manifest["sha256"].items()]
            _ = [f"{rate:d}" for rate in manifest["sample_rates"]]
            _ = manifest["options"].items()
            _ = f"{manifest['fingerprint']:s}", f"{manifest['counts']['files']:d}"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        detail = " ".join(str(error).split())
        raise UsageError(f"{path} is no manifest of `noisygan prepare` ({detail})") from error
    if kind != (FORMAT, VERSION):
        raise UsageError(
            f"{path} is of {str(kind[0])[:40]} version {str(kind[1])[:40]}; expected {FORMAT} "
            f"version {VERSION}: prepare the recordings again"
        )
    return manifest


def write_manifest(plan, about):
    """Merge the units' parts into files.jsonl, records.jsonl and, last, manifest.json.

    Args:
      plan: Plan whose units are all done.
      about: dict of what the manifest says first, such as the kind.

    Returns:
      dict, the manifest; without records no manifest.json is written.
    """
    tally, folder = _Tally(plan.options), plan.folder
    index_digest = hashlib.sha256()
    with (
        files.atomic_write(folder / "files.jsonl", overwrite=True) as files_path,
        files.atomic_write(folder / "records.jsonl", overwrite=True) as records_path,
        open(files_path, "w", encoding="ascii") as files_out,
        open(records_path, "wb") as records_out,
    ):
        for index in range(len(plan.units)):
            part = json.loads(plan.part(index).read_text())
            tally.add(part)
            for line in part["files"]:
                files_out.write(json.dumps(line) + "\n")
            for line in part["records"]:
                text = (json.dumps(line) + "\n").encode("ascii")
                index_digest.update(text)
                records_out.write(text)
    tally.sha256["records.jsonl"] = index_digest.hexdigest()
    manifest = {"format": FORMAT, "version": VERSION, **about, **tally.summary()}
    if tally.counts["records"]:
        with files.atomic_write(folder / MANIFEST, overwrite=True) as path:
            path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="ascii")
    return manifest


def bad_files(manifest):
    """Number and kind of skipped files that should have been used; '' if none."""
    kinds = manifest["counts"]["skipped_by_kind"].items()
    return ", ".join(f"{count} {kind}" for kind, count in kinds if kind not in HARMLESS)


class _Tally:
    """Sums over the units' parts; it grows with classes and shards, not with files."""

    def __init__(self, options):
        self.options = options
        self.counts = collections.Counter(
            files=0, used=0, skipped=0, put_right=0, records=0, seconds=0.0
        )
        self.skipped, self.labels, self.pitches = (collections.Counter() for _ in range(3))
        self.splits, self.sha256 = {}, {}
        self.histograms = {name: np.zeros(len(edges) - 1, int) for name, edges in _EDGES.items()}
        self.digest = hashlib.sha256(options.fingerprint().encode())

    def add(self, part):
        """Add the part of one unit."""
        self.counts["files"] += len(part["files"])
        used = [line for line in part["files"] if line["action"] == "used"]
        self.counts["used"] += len(used)
        skipped = [line["kind"] for line in part["files"] if line["action"] != "used"]
        self.counts["skipped"] += len(skipped)
        self.skipped.update(skipped)
        for line in used:
            self.counts["put_right"] += line["put_right"]
            self.counts["records"] += line["n_records"]
            self.counts["seconds"] += line["kept_seconds"]
            self.labels[line["label"]] += line["n_records"]
            self.pitches[line["pitch"]] += line["n_records"]
            names = ("file", "sha256", "label", "pitch", "velocity", "split")
            self.digest.update(json.dumps([line[name] for name in names]).encode())
        values = {
            "peak_db": [statistics.amplitude_to_db(line["peak"]) for line in used],
            "loudness_db": [line["loudness_db"] for line in used],
            "seconds": [line["seconds"] for line in used],
        }
        for name, edges in _EDGES.items():
            self.histograms[name] += statistics.histogram(values[name], edges)
        for split, shard in part["shards"].items():
            empty = {"n_records": 0, "n_seconds": 0.0, "shards": []}
            of_split = self.splits.setdefault(split, empty)
            of_split["n_records"] += shard["n_records"]
            of_split["n_seconds"] = round(of_split["n_seconds"] + shard["n_seconds"], 6)
            of_split["shards"].append(shard["name"])
        self.sha256 |= part["sha256"]

    def summary(self):
        """The manifest without its first entries."""
        options = self.options
        labels = {name: self.labels[name] for name in sorted(set(self.labels) - {None})}
        pitches = sorted(set(self.pitches) - {None})
        names = ("numpy", "soundfile", "soxr")
        versions = {name: importlib.metadata.version(name) for name in names}
        return {
            "options": options.to_dict(),
            "sample_rates": options.rate_names,
            "n_samples": options.n_samples,
            "splits": {name: self.splits[name] for name in SPLITS if name in self.splits},
            "label_names": list(labels),
            "counts": {
                **self.counts,
                "seconds": round(self.counts["seconds"], 6),
                "skipped_by_kind": dict(sorted(self.skipped.items())),
                "labels": labels,
                "without_label": self.labels[None],
                "pitches": {f"{pitch:g}": self.pitches[pitch] for pitch in pitches},
                "without_pitch": self.pitches[None],
            },
            "histograms": {
                name: {"edges": list(edges), "counts": self.histograms[name].tolist()}
                for name, edges in _EDGES.items()
            },
            "fingerprint": self.digest.hexdigest(),
            "sha256": self.sha256,
            "licence": options.licence,
            "made_with": {"noisygan": noisygan.__version__, **versions},
        }


def _own_name(name):
    """Name of a file beside the manifest; ValueError for anything else."""
    if not isinstance(name, str) or name != Path(name).name or "\0" in name or name in (".", ".."):
        raise ValueError(f"{name!r} is no name of a file beside it")
    return name
