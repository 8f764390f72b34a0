"""The manifest: what was read, what was done to it, and what came of it, from the units' parts."""

import collections
import hashlib
import importlib.metadata
import json

import noisygan
from noisygan import files
from noisygan.data.prepare import statistics
from noisygan.data.prepare.splits import SPLITS

FORMAT, VERSION = "noisygan-data", 1

# Inputs that nobody expects to become sounds; --strict does not mind them.
HARMLESS = (
    *("not audio", "hidden", "left out", "not named", "not a word"),
    *("folder again", "folder named as a file", "prepared"),
)


def read(folder):
    """The manifest of a finished folder, or None.

    Args:
      folder: pathlib.Path.
    """
    try:
        return json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError):
        return None


def write(plan, about):
    """Puts the units' parts together: files.jsonl, then manifest.json, which says all is there.

    Args:
      plan: Plan whose units are all done.
      about: dict of what the manifest says first, such as the kind.

    Returns:
      dict, the manifest; without records only files.jsonl is written.
    """
    tally = _Tally(plan)
    with (
        files.atomic_write(plan.folder / "files.jsonl", overwrite=True) as path,
        open(path, "w", encoding="ascii") as lines,
    ):
        for index in range(len(plan.units)):
            part = json.loads(plan.part(index).read_text())
            tally.add(part)
            for line in part["files"]:
                lines.write(json.dumps(line) + "\n")
    manifest = {"format": FORMAT, "version": VERSION, **about, **tally.facts()}
    if not tally.counts["records"]:
        return manifest
    with files.atomic_write(plan.folder / "manifest.json", overwrite=True) as path:
        path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="ascii")
    return manifest


def bad_files(manifest):
    """How many files of what kind were skipped that should have been sounds; '' if none."""
    kinds = manifest["counts"]["skipped_by_kind"].items()
    return ", ".join(f"{count} {kind}" for kind, count in kinds if kind not in HARMLESS)


def made_with():
    """Versions of what had a part in the result."""
    names = ("numpy", "soundfile", "soxr")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"noisygan": noisygan.__version__, **versions}


class _Tally:
    """What is counted while the parts go by; it grows with classes and shards, not with files."""

    def __init__(self, plan):
        self.options = plan.options
        self.counts = collections.Counter(
            files=0, used=0, skipped=0, put_right=0, records=0, seconds=0.0
        )
        self.skipped = collections.Counter()
        self.labels = collections.Counter()
        self.pitches = collections.Counter()
        self.splits = {}
        self.edges = {
            "peak_db": statistics.LEVEL_EDGES,
            "loudness_db": statistics.LEVEL_EDGES,
            "seconds": statistics.SECONDS_EDGES,
        }
        self.histograms = {name: [0] * (len(edges) - 1) for name, edges in self.edges.items()}
        self.mel = statistics.LogMelSums(plan.options.sample_rates[0])
        self.digest = hashlib.sha256(plan.options.fingerprint().encode())

    def add(self, part):
        """Takes in the part of one unit."""
        values = {name: [] for name in self.edges}
        for line in part["files"]:
            self.counts["files"] += 1
            self.counts[line["action"]] += 1
            if line["action"] == "skipped":
                self.skipped[line["kind"]] += 1
                continue
            self.counts["put_right"] += line["put_right"]
            self.counts["records"] += line["n_records"]
            self.counts["seconds"] += line["kept_seconds"]
            self.labels[line["label"]] += line["n_records"]
            self.pitches[line["pitch"]] += line["n_records"]
            names = ("file", "sha256", "label", "pitch", "velocity", "split")
            self.digest.update(json.dumps([line[name] for name in names]).encode())
            values["peak_db"].append(statistics.amplitude_to_db(line["peak"]))
            values["loudness_db"].append(line["loudness_db"])
            values["seconds"].append(line["seconds"])
        for name, edges in self.edges.items():
            counts = statistics.histogram(values[name], edges)
            both = zip(self.histograms[name], counts, strict=True)
            self.histograms[name] = [a + b for a, b in both]
        for split, shard in part["shards"].items():
            known = self.splits.setdefault(split, {"n_records": 0, "n_seconds": 0.0, "shards": []})
            known["n_records"] += shard["n_records"]
            known["n_seconds"] = round(known["n_seconds"] + shard["n_seconds"], 6)
            known["shards"].append(shard["name"])
        rate = self.mel.rate
        self.mel.merge(statistics.LogMelSums(rate, part["log_mel"]))

    def facts(self):
        """The manifest, but for what stands at its beginning."""
        options = self.options
        labels = {name: self.labels[name] for name in sorted(set(self.labels) - {None})}
        pitches = sorted(set(self.pitches) - {None})
        self.counts["seconds"] = round(self.counts["seconds"], 6)
        return {
            "options": options.facts(),
            "sample_rates": options.rate_names,
            "n_samples": options.n_samples,
            "splits": {name: self.splits[name] for name in SPLITS if name in self.splits},
            "label_names": list(labels),
            "counts": {
                **self.counts,
                "skipped_by_kind": dict(sorted(self.skipped.items())),
                "labels": labels,
                "without_label": self.labels[None],
                "pitches": {f"{pitch:g}": self.pitches[pitch] for pitch in pitches},
                "without_pitch": self.pitches[None],
            },
            "histograms": {
                name: {"edges": list(edges), "counts": self.histograms[name]}
                for name, edges in self.edges.items()
            },
            "log_mel": self.mel.summary(),
            "fingerprint": self.digest.hexdigest(),
            "licence": options.licence,
            "source": options.source,
            "made_with": made_with(),
        }
