"""Text tables of a prepared folder for the terminal."""

import json
from pathlib import Path

from noisygan.data.listing import FileFacts, Listing
from noisygan.data.source_files import HARMLESS, Entry
from noisygan.errors import printable
from noisygan.files import short_lines
from noisygan.progress import counted, duration

_BARS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"

# Rows of the table of labels; the rest is counted.
_N_LABELS = 20

_MAX_LINE = 1 << 20

_HISTOGRAMS = {
    "peak_db": ("peak", "dB"),
    "loudness_db": ("loudness", "LUFS"),
    "seconds": ("length", "s"),
}


def result_lines(manifest, out):
    """Result of `noisygan prepare` into the folder `out` in a few lines, list of str."""
    counts = manifest["counts"]
    splits = ", ".join(f"{name} {each['n_records']}" for name, each in manifest["splits"].items())
    lines = [
        f"{counted(counts['records'], 'example')} of {counted(counts['used'], 'file')}, "
        f"{duration(counts['seconds'])} ({splits}) in {out}"
    ]
    if counts["skipped"]:
        listed = ", ".join(f"{n} {kind}" for kind, n in _by_count(counts["skipped_by_kind"]))
        skipped = counted(counts["skipped"], "file")
        lines.append(f"skipped {skipped}: {listed}; see {out}/files.jsonl")
    if counts["put_right"]:
        lines.append(f"{counted(counts['put_right'], 'file')} repaired; files.jsonl says how")
    for name in ("valid", "test"):
        if manifest["options"].get(name) and name not in manifest["splits"]:
            lines.append(f"no example fell to --{name} {manifest['options'][name]:g}: ask for more")
    return lines


def listing(manifest, folder):
    """Build the `Listing` of a prepared folder.

    Raises:
      OSError, ValueError, LookupError, TypeError: if files.jsonl is damaged.
    """
    middle_c = manifest["options"].get("middle_c", "C4")
    found = Listing(folder, manifest["sample_rates"][0], middle_c=middle_c)
    names = ("label", "pitch", "velocity", "take", "rule", "problem", "ending", "tags")
    with open(Path(folder) / "files.jsonl", encoding="ascii") as file:
        for text in short_lines(file, _MAX_LINE):
            line = json.loads(text)
            if line["action"] == "used":
                known = {name: line[name] for name in names if name in line}
                facts = FileFacts(**line["facts"]) if "facts" in line else None
                entry = Entry(line["file"], Path(line["file"]), **known)
                found.add(entry, facts, line["n_records"])
            elif line["kind"] not in HARMLESS:
                found.skipped[line["file"]] = line["reason"]
    return found


def text(manifest, folder):
    """Summary of a prepared folder: counts, classes, pitches, levels, steps."""
    counts = manifest["counts"]
    kind = manifest.get("preset") or manifest.get("kind") or "recordings"
    head = (
        f"{folder}: {kind}, {counts['records']:,} examples of {counts['used']:,} files, "
        f"{duration(counts['seconds'])}, {lengths(manifest)}"
    )
    if manifest.get("licence"):
        head += f"\nlicence: {printable(manifest['licence'])}"
    rows = [("split", "examples", "length", "shards")]
    for name, split in manifest["splits"].items():
        length, n_shards = duration(split["n_seconds"]), len(split["shards"])
        rows.append((name, f"{split['n_records']:,}", length, f"{n_shards:,}"))
    blocks = [head, _table(rows)]
    if counts["labels"]:
        labels = _by_count(counts["labels"])
        rows = [("label", "examples"), *((name, f"{n:,}") for name, n in labels[:_N_LABELS])]
        if labels[_N_LABELS:]:
            n_left = sum(n for _, n in labels[_N_LABELS:])
            rows.append((f"{len(labels) - _N_LABELS:,} more", f"{n_left:,}"))
        if counts["without_label"]:
            rows.append(("(none)", f"{counts['without_label']:,}"))
        blocks.append(_table(rows))
    if counts["pitches"]:
        low, heights = pitch_histogram(counts)
        blocks.append(_bars("pitch", heights, f"{low}", f"{low + len(heights) - 1}"))
    lines = []
    for name, (title, unit) in _HISTOGRAMS.items():
        histogram = manifest["histograms"][name]
        edges, heights = filled(histogram["edges"], histogram["counts"])
        lines.append(_bars(title, heights, f"{edges[0]:g}", f"{edges[-1]:g} {unit}"))
    blocks.append("\n".join(lines))
    if counts["skipped"]:
        kinds = _by_count(counts["skipped_by_kind"])
        rows = [("skipped", "files"), *((kind, f"{n:,}") for kind, n in kinds)]
        blocks.append(f"{_table(rows)}\nwhy, file by file: {folder}/files.jsonl")
    steps = {name: value for name, value in manifest["options"].items() if name != "licence"}
    steps = [f"  {name} = {shown(value)}" for name, value in steps.items() if value]
    return "\n\n".join([*blocks, "\n".join(["steps", *steps])])


def shown(value):
    """Value of an option as a person writes it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def lengths(manifest):
    """Length of the examples and their rates, in words."""
    rates = " and ".join(f"{rate:,} Hz" for rate in manifest["sample_rates"])
    if manifest["n_samples"] is None:
        return f"of their own lengths at {rates}"
    return f"{manifest['n_samples'] / manifest['sample_rates'][0]:.4g} s each at {rates}"


def pitch_histogram(counts):
    """(lowest MIDI number, list of the number of examples of each key from there on)."""
    pitches = {float(pitch): n for pitch, n in counts["pitches"].items()}
    low, high = int(min(pitches)), round(max(pitches))
    keys = range(low, high + 1)
    return low, [sum(n for p, n in pitches.items() if round(p) == key) for key in keys]


def filled(edges, heights):
    """Histogram (n + 1 edges, n heights) without its empty ends, at least one bin."""
    where = [i for i, n in enumerate(heights) if n] or [0]
    first, last = where[0], where[-1] + 1
    return edges[first : last + 1], heights[first:last]


def _by_count(counts):
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _bars(title, heights, low, high):
    most = max(heights) or 1
    bars = "".join(_BARS[-(-8 * n // most)] for n in heights)
    return f"{title:<10}{low:>6} |{bars}| {high}"


def _table(rows):
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return "\n".join(lines)
