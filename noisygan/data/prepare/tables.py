"""A manifest as text: a few tables for the terminal."""

from noisygan.progress import duration

_BARS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"

# Rows of a table of labels; the rest is counted.
_N_LABELS = 20


def text(manifest, folder):
    """Everything that a person asks first of a prepared folder.

    Args:
      manifest: dict.
      folder: Its folder.

    Returns:
      str of several lines.
    """
    counts = manifest["counts"]
    blocks = [_head(manifest, folder), _table(_split_rows(manifest))]
    if counts["labels"]:
        blocks.append(_table(_label_rows(counts)))
    if counts["pitches"]:
        blocks.append(_pitches(counts))
    blocks.append("\n".join(_histogram(*each) for each in _histograms(manifest)))
    if counts["skipped"]:
        kinds = sorted(counts["skipped_by_kind"].items(), key=lambda each: -each[1])
        rows = [("skipped", "files"), *((kind, f"{n:,}") for kind, n in kinds)]
        blocks.append(f"{_table(rows)}\nwhy, file by file: {folder}/files.jsonl")
    steps = [f"  {name} = {shown(value)}" for name, value in taken_steps(manifest).items()]
    blocks.append("\n".join(["steps", *steps]))
    return "\n\n".join(blocks)


def taken_steps(manifest):
    """The options that do something: dict of name -> value."""
    return {
        name: value
        for name, value in manifest["options"].items()
        if value not in (None, False, 0.0, []) and name not in ("licence", "source")
    }


def shown(value):
    """A value as a person writes it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def lengths(manifest):
    """How long the sounds are and at which rates, in words."""
    rates = " and ".join(f"{rate:,} Hz" for rate in manifest["sample_rates"])
    n_samples = manifest["n_samples"]
    if n_samples is None:
        return f"of their own lengths at {rates}"
    return f"{n_samples / manifest['sample_rates'][0]:.4g} s each at {rates}"


def _head(manifest, folder):
    counts = manifest["counts"]
    kind = manifest.get("preset") or manifest.get("kind") or "recordings"
    lines = [
        f"{folder}: {kind}, {counts['records']:,} sounds of {counts['used']:,} files, "
        f"{duration(counts['seconds'])}, {lengths(manifest)}"
    ]
    for name in ("licence", "source"):
        if manifest.get(name):
            lines.append(f"{name}: {printable(manifest[name])}")
    return "\n".join(lines)


def _split_rows(manifest):
    rows = [("split", "sounds", "length", "shards")]
    for name, split in manifest["splits"].items():
        length = duration(split["n_seconds"])
        rows.append((name, f"{split['n_records']:,}", length, f"{len(split['shards']):,}"))
    return rows


def _label_rows(counts):
    labels = sorted(counts["labels"].items(), key=lambda each: (-each[1], each[0]))
    rows = [("label", "sounds"), *((name, f"{n:,}") for name, n in labels[:_N_LABELS])]
    left = labels[_N_LABELS:]
    if left:
        rows.append((f"{len(left):,} more", f"{sum(n for _, n in left):,}"))
    if counts["without_label"]:
        rows.append(("(none)", f"{counts['without_label']:,}"))
    return rows


def _pitches(counts):
    pitches = {float(pitch): n for pitch, n in counts["pitches"].items()}
    low, high = int(min(pitches)), int(max(pitches))
    heights = [
        sum(n for p, n in pitches.items() if round(p) == key) for key in range(low, high + 1)
    ]
    return _histogram("pitch", heights, f"{low}", f"{high}")


def _histograms(manifest):
    units = {
        "peak_db": ("peak", "dB"),
        "loudness_db": ("loudness", "LUFS"),
        "seconds": ("length", "s"),
    }
    for name, (title, unit) in units.items():
        edges, heights = (manifest["histograms"][name][part] for part in ("edges", "counts"))
        edges, heights = filled(edges, heights)
        yield title, heights, f"{edges[0]:g}", f"{edges[-1]:g} {unit}"


def _histogram(title, heights, low, high):
    most = max(heights) or 1
    bars = "".join(_BARS[-(-8 * n // most)] for n in heights)
    return f"{title:<10}{low:>6} |{bars}| {high}"


def filled(edges, heights):
    """A histogram without its empty ends.

    Args:
      edges: list of n + 1 numbers.
      heights: list of n counts.

    Returns:
      (edges, heights), at least one step.
    """
    where = [i for i, n in enumerate(heights) if n] or [0]
    first, last = where[0], where[-1] + 1
    return edges[first : last + 1], heights[first:last]


def printable(text):
    """Text without line breaks and bytes that are no text, which names of files may hold."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def _table(rows):
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return "\n".join(lines)
