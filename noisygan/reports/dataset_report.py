"""Page about a prepared folder: a sound of each class, levels, what was left out and why."""

import json
from pathlib import Path

import numpy as np

from noisygan.data.prepare import records, summary
from noisygan.data.prepare.manifest import read_manifest
from noisygan.errors import RunError, printable
from noisygan.progress import duration
from noisygan.reports import page
from noisygan.reports.plots import Curve, Plot, histogram, time_axis, value_axis
from noisygan.reports.sounds import Sound, note_title

# Classes, records compared for each, seconds of each sound, rows of tables.
MAX_CLASSES, MAX_CANDIDATES, MAX_SECONDS, MAX_ROWS = 24, 8, 6.0, 100


def write(folder, path):
    """Write the page of a prepared folder to `path`, returned as a Path.

    Raises:
      UsageError: if the folder holds no manifest that can be read.
      RunError: if a shard is damaged, or the page cannot be written.
    """
    manifest, folder = read_manifest(folder), Path(folder)
    counts = manifest["counts"]
    n_left_out = counts["skipped"] + counts.get("put_right", 0)
    text = page.render(
        "dataset.html",
        title=f"{folder.resolve().name}, prepared",
        kicker="prepared recordings",
        credit=[f"Licence: {manifest['licence']}"] if manifest["licence"] else [],
        manifest=manifest,
        counts=counts,
        length=duration(counts["seconds"]),
        lengths=summary.lengths(manifest),
        sounds=[_sound(record) for record in _one_of_each(folder)],
        levels=_levels(manifest),
        files=_files(folder) if n_left_out else [],
        n_left_out=n_left_out,
        max_rows=MAX_ROWS,
        shown=summary.shown,
        printable=printable,
    )
    return page.write(path, text)


def _one_of_each(folder):
    """A record of each class, the loudest of some, sorted by label."""
    candidates = {}
    for line in records.read_index(folder):
        of_label = candidates.setdefault(line["label"] or "", [])
        if len(of_label) < MAX_CANDIDATES:
            of_label.append(line["key"])
    labels = sorted(candidates)[:MAX_CLASSES]
    keys = {key for label in labels for key in candidates[label]}
    found = {}
    for record in records.read_records(folder, lambda line: line["key"] in keys):
        level = float(np.mean(np.square(record.audio[max(record.audio)])))
        if record.label not in found or level > found[record.label][0]:
            found[record.label] = (level, record)
    return [record for _, (_, record) in sorted(found.items(), key=lambda each: each[0] or "")]


def _sound(record):
    """`Sound` of a record, its stored curves as graphs, and a line about it."""
    rate = max(record.audio)
    audio = record.audio[rate]
    sound = Sound(audio[: round(MAX_SECONDS * rate)], rate, record.label or "sound")
    known = note_title(record.pitch, record.velocity)[1]
    facts = ", ".join(filter(None, [record.source_file, f"{len(audio) / rate:.3g} s", known]))
    graphs = []
    for name, title, unit in (("f0_hz", "Pitch", " Hz"), ("loudness_db", "Loudness", " dB")):
        values = np.array(record.features.get(name, ()), np.float64)
        if name == "f0_hz" and len(values):
            values[record.features["f0_confidence"] < 0.5] = np.nan
        times = np.arange(len(values)) / (record.frame_rate or 1.0)
        shown = times <= sound.seconds
        if np.any(np.isfinite(values[shown])):
            y = value_axis(np.nanmin(values[shown]), np.nanmax(values[shown]), unit)
            curve = Curve(times[shown], values[shown], "real")
            plot = Plot(time_axis(sound.seconds), y, f"{title} over time", (curve,), sound=sound)
            graphs.append((title, "as stored", plot))
    return sound, graphs, printable(facts)


def _levels(manifest):
    """Graphs of the levels, lengths, pitches and spectra of all files."""
    graphs = []
    for name, title, unit in (
        ("peak_db", "Peak", "dB of full scale"),
        ("loudness_db", "Loudness", "LUFS, whole files"),
        ("seconds", "Length of the files", "seconds"),
    ):
        found = manifest["histograms"][name]
        edges, heights = summary.filled(found["edges"], found["counts"])
        # Lengths stand at equal distances: their edges grow by a factor.
        at = list(edges) if name != "seconds" else list(range(len(edges)))
        every = max(1, len(edges) // 8)
        ticks = [(float(x), f"{edge:g}") for x, edge in zip(at, edges, strict=True)][::every]
        graphs.append((title, unit, histogram(at, heights, ticks, title)))
    if manifest["counts"]["pitches"]:
        low, heights = summary.pitch_histogram(manifest["counts"])
        keys = range(low, low + len(heights))
        ticks = [(float(key), f"{key}") for key in keys if key % 12 == 0]
        edges = [key - 0.5 for key in (*keys, keys[-1] + 1)]
        graphs.append(("Pitches", "MIDI number", histogram(edges, heights, ticks, "Pitches")))
    return graphs


def _files(folder):
    """(file, what became of it) of files that could not be taken as they were."""
    rows = []
    try:
        with open(folder / "files.jsonl", encoding="utf-8") as lines:
            for line in lines:
                fact = json.loads(line)
                if fact["action"] == "skipped":
                    rows.append((fact["file"], f"{fact['kind']}: {fact['reason']}"))
                elif fact.get("put_right"):
                    rows.append((fact["file"], "; ".join(fact["did"])))
                if len(rows) == MAX_ROWS:
                    break
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder}/files.jsonl cannot be read ({error})") from error
    return [tuple(map(printable, row)) for row in rows]
