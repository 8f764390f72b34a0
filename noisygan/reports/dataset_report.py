"""A prepared folder as one HTML page: a sound of each class, levels, what was left out and why.

Sounds and pictures are inside the file.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np

from noisygan.data.prepared import load, records, tables
from noisygan.errors import RunError
from noisygan.files import make_folder, written_whole
from noisygan.progress import duration
from noisygan.reports.page import asset, document, escape
from noisygan.reports.plots import Axis, Curve, line_plot, time_axis, value_axis, waveform
from noisygan.reports.sections import Sections, log_mel, play_button, spectrogram
from noisygan.reports.sounds import Sound

# So many classes, shards that are looked through for them, seconds of each sound, rows of tables.
MAX_CLASSES, MAX_SHARDS, MAX_SECONDS, MAX_ROWS = 24, 64, 6.0, 100


def write_page(folder, out_file):
    """Writes the page.

    Args:
      folder: Path of a prepared folder.
      out_file: pathlib.Path of the page; an older one is replaced.

    Returns:
      out_file.

    Raises:
      UsageError: if the folder holds no manifest that can be read.
      RunError: if a shard is damaged, or the page cannot be written.
    """
    manifest = load.read_manifest(folder)
    folder = Path(folder)
    text = body(folder, manifest, one_of_each(folder, manifest))
    make_folder(out_file.parent)
    with written_whole(out_file, overwrite=True) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
    return out_file


def one_of_each(folder, manifest):
    """A record of each class, the loudest of those that are looked at.

    Args:
      folder: Path.
      manifest: dict.

    Returns:
      list of Record, sorted by label; at most `MAX_CLASSES`.
    """
    named = [split["shards"] for split in manifest["splits"].values()]
    names = [name for name in itertools.chain(*itertools.zip_longest(*named)) if name is not None]
    if len(names) > MAX_SHARDS:
        names = [names[i] for i in np.linspace(0, len(names) - 1, MAX_SHARDS).astype(int)]
    n_labels = len(manifest["label_names"]) + bool(manifest["counts"].get("without_label"))
    found = {}
    for name in names:
        for record in records.read_shard(folder / name):
            level = float(np.mean(np.square(_audio(record)[1])))
            if record.label not in found or level > found[record.label][0]:
                found[record.label] = (level, record)
        if len(found) >= n_labels:
            break
    return [found[label][1] for label in sorted(found)[:MAX_CLASSES]]


def body(folder, manifest, shown):
    """The whole page as text.

    Args:
      folder: Path of the folder.
      manifest: dict.
      shown: list of Record.

    Returns:
      str.
    """
    sections = Sections()
    counts = manifest["counts"]
    left_out = _left_out(folder, counts) if counts["skipped"] or counts.get("put_right") else ""
    content = [
        sections.section(
            "listen",
            "Listen",
            "A sound of each class, as it lies in the records. Spectrograms are log-mel, 80 dB "
            "from the brightest to black; waveforms fill their box.",
            _listen(sections, shown),
        ),
        sections.section(
            "levels",
            "Levels, lengths, pitches",
            "Of the files that were used, before their level was changed.",
            _levels(manifest),
        ),
        sections.section(
            "classes", "Classes", "Sounds of each label.", _class_table(manifest["counts"])
        ),
        sections.section(
            "left-out",
            "Left out, put right",
            "What became of files that could not be taken as they were; files.jsonl in the folder "
            "has a line for every file.",
            left_out,
        ),
        sections.section(
            "steps",
            "Steps",
            "What was done, with the exact options.",
            _table([(name, tables.shown(v)) for name, v in manifest["options"].items()], False),
        ),
    ]
    name = folder.resolve().name
    credit = [
        f"{word.capitalize()}: {manifest[word]}"
        for word in ("licence", "source")
        if manifest.get(word)
    ]
    lede = f"{counts['records']:,} sounds of {counts['used']:,} files, {tables.lengths(manifest)}."
    return document(
        f"{name}, prepared",
        "prepared recordings",
        f'<p class="summary">{escape(lede)}</p>{_strip(manifest)}{sections.contents()}',
        "".join(content),
        asset("players.js"),
        credit="".join(f"<p>{escape(line)}</p>" for line in credit),
    )


def _strip(manifest):
    counts = manifest["counts"]
    items = [(duration(counts["seconds"]), "of sound")]
    items += [(f"{split['n_records']:,}", name) for name, split in manifest["splits"].items()]
    items.append((f"{len(manifest['label_names']):,}", "labels"))
    items.append((f"{counts['skipped']:,}", "files left out"))
    cells = "".join(f"<div><dd>{escape(v)}</dd><dt>{escape(k)}</dt></div>" for v, k in items)
    return f'<dl class="strip-facts">{cells}</dl>'


def _audio(record):
    rate = max(record.audio)
    return rate, record.audio[rate]


def _listen(sections, shown):
    return f'<div class="sides">{"".join(_player(sections, record) for record in shown)}</div>'


def _player(sections, record):
    rate, audio = _audio(record)
    seconds = len(audio) / rate
    known = None if math.isnan(record.pitch) else round(record.pitch)
    audio = audio[: round(MAX_SECONDS * rate)]
    sound = Sound(Path(record.source_file), audio, rate, None, None, record.label or "sound")
    audio_id, element = sections.audio(sound, sound.title)
    facts = [record.source_file, f"{seconds:.3g} s"]
    facts += [] if known is None else [f"pitch {record.pitch:g}"]
    facts += [] if math.isnan(record.velocity) else [f"velocity {record.velocity:g}"]
    return (
        f'<figure class="note real"><figcaption>{play_button(audio_id, sound.title)}'
        f"<b>{escape(sound.title)}</b>"
        f'<span class="clock" data-clock="{audio_id}">{sound.seconds:.1f} s</span></figcaption>'
        f"{spectrogram(sound, log_mel(sound).max(), audio_id)}{waveform(audio, audio_id)}{element}"
        f"{_curves(record, sound, audio_id)}"
        f'<p class="lede">{escape(", ".join(facts))}</p></figure>'
    )


def _curves(record, sound, audio_id):
    """Pitch and loudness as they are stored, where they are."""
    made = ""
    for name, title, unit in (("f0_hz", "Pitch", " Hz"), ("loudness_db", "Loudness", " dB")):
        if name not in record.features:
            continue
        values = np.array(record.features[name], np.float64)
        times = np.arange(len(values)) / record.frame_rate
        inside = times <= sound.seconds
        if name == "f0_hz":
            values[record.features["f0_confidence"] < 0.5] = np.nan
        values, times = values[inside], times[inside]
        if not np.any(np.isfinite(values)):
            continue
        axis = value_axis(np.nanmin(values), np.nanmax(values), unit)
        plot = line_plot(
            [Curve(times, values, "real")],
            time_axis(sound.seconds),
            axis,
            f"{title} of {sound.title}",
            audio=audio_id,
        )
        made += _graph(title, "as stored", plot)
    return made


def _levels(manifest):
    graphs = []
    for name, title, unit in (
        ("peak_db", "Peak", "dB of full scale"),
        ("loudness_db", "Loudness", "LUFS, whole files"),
        ("seconds", "Length of the files", "seconds"),
    ):
        histogram = manifest["histograms"][name]
        edges, heights = tables.filled(histogram["edges"], histogram["counts"])
        # Lengths stand at equal distances: their edges grow by a factor.
        at = edges if name != "seconds" else range(len(edges))
        every = max(1, len(edges) // 8)
        pairs = list(zip(at, edges, strict=True))[::every]
        ticks = tuple((float(x), f"{edge:g}") for x, edge in pairs)
        graphs.append(_graph(title, unit, _steps(list(at), heights, ticks, title)))
    pitches = {float(pitch): n for pitch, n in manifest["counts"]["pitches"].items()}
    if pitches:
        low, high = math.floor(min(pitches)), math.ceil(max(pitches))
        heights = [
            sum(n for p, n in pitches.items() if round(p) == key) for key in range(low, high + 1)
        ]
        ticks = tuple((float(k), f"{k}") for k in range(low, high + 1) if k % 12 == 0)
        edges = [key - 0.5 for key in range(low, high + 2)]
        graphs.append(_graph("Pitches", "MIDI number", _steps(edges, heights, ticks, "Pitches")))
    if manifest.get("log_mel", {}).get("n_frames"):
        graphs.append(
            _graph("Mean spectrum", "dB and deviation over Hz, in mel bands", _spectrum(manifest))
        )
    return f'<div class="graphs">{"".join(graphs)}</div>'


def _graph(title, unit, plot):
    return (
        f'<div class="graph"><div class="figcaption"><b>{title}</b> <small>{unit}</small></div>'
        f"{plot}</div>"
    )


def _steps(edges, heights, ticks, title):
    """A histogram as a curve of steps."""
    x = np.repeat(np.asarray(edges, np.float64), 2)
    y = np.concatenate([[0.0], np.repeat(np.asarray(heights, np.float64), 2), [0.0]])
    return line_plot(
        [Curve(x, y, "real")],
        Axis(float(edges[0]), float(edges[-1]), ticks),
        value_axis(0.0, float(max(heights) or 1)),
        f"{title}: a histogram with at most {max(heights):,} in a step",
    )


def _spectrum(manifest):
    mean = np.array(manifest["log_mel"]["mean_db"])
    deviation = np.array(manifest["log_mel"]["deviation_db"])
    bands = np.arange(len(mean), dtype=np.float64)
    half = 0.5 * manifest["sample_rates"][0]
    top = 2595.0 * math.log10(1.0 + half / 700.0)
    ticks = tuple(
        (2595.0 * math.log10(1.0 + hz / 700.0) / top * (len(mean) + 1) - 1.0, f"{hz / 1000:g}k")
        for hz in (500, 1000, 2000, 4000, 8000, 16000)
        if hz <= half
    )
    return line_plot(
        [
            Curve(bands, mean, "real"),
            Curve(bands, mean - deviation, "real faint"),
            Curve(bands, mean + deviation, "real faint"),
        ],
        Axis(0.0, len(mean) - 1.0, ticks),
        value_axis(float(np.min(mean - deviation)), float(np.max(mean + deviation))),
        "Mean log-mel spectrum of all sounds",
    )


def _class_table(counts):
    rows = [(label, f"{n:,}") for label, n in counts["labels"].items()][:MAX_ROWS]
    left = len(counts["labels"]) - len(rows)
    rows += [("and", f"{left:,} more labels")] if left > 0 else []
    rows += [("without a label", f"{counts['without_label']:,}")] if counts["without_label"] else []
    return _table(rows, False)


def _left_out(folder, counts):
    kinds = sorted(counts["skipped_by_kind"].items(), key=lambda each: -each[1])
    made = _table([(kind, f"{n:,} left out") for kind, n in kinds], False)
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
    n_all = counts["skipped"] + counts.get("put_right", 0)
    title = f"{len(rows):,} of {n_all:,} files" if n_all > len(rows) else "File by file"
    return f"{made}<details open><summary>{title}</summary>{_table(rows, True)}</details>"


def _table(rows, in_code):
    def cell(name):
        text = escape(tables.printable(name))
        return f"<code>{text}</code>" if in_code else text

    cells = "".join(
        f"<tr><th>{cell(name)}</th><td>{escape(tables.printable(what))}</td></tr>"
        for name, what in rows
    )
    return f'<table class="facts"><tbody>{cells}</tbody></table>' if rows else ""
