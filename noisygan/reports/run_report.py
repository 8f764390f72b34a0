"""Page about a run: what it sounds like, which curves it draws, how it learned.

Sections that do not apply to a run, such as the curves of a generator of raw waveforms, are left
out.
"""

from __future__ import annotations

import pathlib
import shlex

import numpy as np

from noisygan.reports import page
from noisygan.reports.controls import control_plots
from noisygan.reports.plots import Curve, Plot, step_axis, value_axis
from noisygan.reports.sounds import Sound, latents_over_training, loudest, note_title

MAX_PAIRS, MAX_STEPS, MAX_LATENTS = 8, 8, 3
MAX_BYTES = 9_000_000
"""Of all sounds as 16-bit samples; fewer are shown where they would take more."""
VELOCITY = 100

FACTS = {
    "command": "Command",
    "started": "Started",
    "steps": "Steps",
    "seconds": "Training time",
    "seed": "Seed",
    "summary": "Recordings",
    "fingerprint": "Their fingerprint",
    "label_names": "Labels",
    "sample_rate": "Sample rate, Hz",
    "n_samples": "Samples per sound",
    "parameters": "Parameters",
    "noisygan": "noisygan",
    "versions": "Versions",
}
METRICS = (
    ("Losses", ("d_loss", "discriminator", "real"), ("g_loss", "generator", "fake")),
    ("Logits", ("real_logits", "recordings", "real"), ("fake_logits", "generated", "fake")),
    (
        "How different the sounds of a batch are",
        ("real_spread", "recordings", "real"),
        ("fake_spread", "generated", "fake"),
    ),
    ("Distance from the recordings, %", ("sound_distance_percent", "generated", "fake")),
)
BUNDLED_CREDIT = (
    "The recordings are sounds of the FluidR3 GM soundfont, © 2000–2002, 2008 Frank Wen and "
    "© 2008 Toby Smithe, under the MIT licence (LICENSE-FluidR3.txt beside them)."
)


def write(run, path=None, data=None):
    """Write the page of a run.

    Args:
      run: `noisygan.Run`.
      path: File; None: `index.html` in the run folder. An older one is replaced.
      data: `AudioDataset`, or folder of recordings, that generated sounds are set beside; None:
        the page shows generated sounds only.

    Returns:
      pathlib.Path of the page.

    Raises:
      UsageError: if the folder contains no usable recordings.
      RunError: if a sound of the run folder can't be read, or the page can't be written.
    """
    if isinstance(data, (str, pathlib.Path)):
        data = _read(run, data)
    metrics = _arrays(run.metrics())
    share = MAX_BYTES / (run.seconds * run.sample_rate * 2 * (2 * MAX_PAIRS + MAX_STEPS * 3))
    n_pairs, n_steps = (max(2, int(n * min(1.0, share))) for n in (MAX_PAIRS, MAX_STEPS))
    pairs = _pairs(run, data, n_pairs)
    latents = latents_over_training(run.path / "samples", n_steps, MAX_LATENTS)
    recording, drawn, controls = max(pairs, key=lambda pair: np.abs(pair[1].audio).max())
    conditions = " and ".join(run.condition_names)
    text = page.render(
        "run.html",
        title=_title(run),
        kicker=f"run {run.path.resolve().name}",
        credit=_credit(data),
        has_controls=bool(controls),
        seconds=metrics["seconds"][-1] if "seconds" in metrics else None,
        strip=_strip(run, metrics),
        conditions=conditions,
        paired=data is not None,
        trained_on=data is not None and data.fingerprint == _data(run).get("fingerprint"),
        pairs=[(real, fake, loudest([real, fake])) for real, fake, _ in pairs],
        latents=[_tiles(row, metrics) for row in latents],
        controls=control_plots(controls, drawn, recording if "pitch" in conditions else None),
        drawn=drawn,
        metrics=_metric_plots(metrics),
        facts=_facts(run, metrics),
        config=run.config,
        commands=_commands(run),
    )
    return page.write(path or run.path / "index.html", text)


def _read(run, folder):
    from noisygan.data.dataset import Recordings

    n_samples = round(run.seconds * run.sample_rate)
    return Recordings(sample_rate=run.sample_rate, n_samples=n_samples).read(folder)


def _data(run):
    return run.metadata.get("data") or {}


# ------------------------------------------------------------------------------------------ sounds


def _pairs(run, data, n):
    """(recording or None, generated `Sound`, controls) of n notes with different conditions."""
    if data is None:
        notes = [(None, *conditions) for conditions in _spread(run, n)]
    else:
        rows = np.lexsort((data.velocity, data.pitch, data.label))
        rows = _evenly(_usable(run, data, rows), n)
        notes = [(row, data.pitch[row], data.velocity[row], _label(data, row)) for row in rows]
    pairs = []
    for seed, (row, pitch, velocity, label) in enumerate(notes):
        title, detail = note_title(pitch, velocity, label)
        given = {"pitch": pitch, "velocity": velocity, "label": label}
        given = {k: v for k, v in given.items() if k in run.condition_names and _is_known(v)}
        rendered = run.render(**given, seed=seed)
        fake_title, fake_detail = note_title(**given)
        known = float(pitch) if _is_known(pitch) and "pitch" in given else None
        fake = Sound(
            rendered.audio[0],
            rendered.sample_rate,
            fake_title or f"sound {seed + 1}",
            fake_detail,
            known,
        )
        real = None if row is None else Sound(data.audio(row), data.sample_rate, title, detail)
        pairs.append((real, fake, rendered.controls))
    return pairs


def _is_known(value):
    return value is not None and value == value


def _label(data, row):
    return data.label_names[data.label[row]] if data.has_label else None


def _usable(run, data, rows):
    """Rows whose label the run knows; all where it is not conditioned on labels."""
    if "label" not in run.condition_names or len(run.label_names) < 2:
        return rows
    found = [row for row in rows if _label(data, row) in run.label_names]
    return found or rows[:0]


def _spread(run, n):
    """(pitch, velocity, label) of n notes over the run's pitches and labels; None: unknown."""
    pitches = _evenly(run.pitches, n) if "pitch" in run.condition_names else ()
    labels = run.label_names if "label" in run.condition_names else ()
    return [
        (
            pitches[i % len(pitches)] if len(pitches) else None,
            VELOCITY,
            labels[i % len(labels)] if labels else None,
        )
        for i in range(n)
    ]


def _evenly(items, n):
    if len(items) <= n:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, n).round().astype(int)]


def _tiles(row, metrics):
    """Sounds of one latent with their pictures and training times."""
    peak = loudest(sound for _, sound in row)
    has_times = "seconds" in metrics
    return [
        {
            "step": step,
            "sound": sound,
            "image": sound.tile(peak),
            "seconds": float(np.interp(step, metrics["step"], metrics["seconds"]))
            if has_times and step
            else None,
        }
        for step, sound in row
    ]


# ----------------------------------------------------------------------------------------- metrics


def _arrays(lines):
    """Metrics as float arrays by name, NaN where a line lacks a value; empty if there are none."""
    names = dict.fromkeys(
        name for line in lines for name, value in line.items() if isinstance(value, (int, float))
    )
    return {name: np.array([line.get(name, np.nan) for line in lines], float) for name in names}


def _metric_plots(metrics):
    plots = []
    for title, *wanted in METRICS:
        curves, values = [], [np.zeros(0)]
        for name, label, kind in wanted:
            raw = metrics.get(name, np.zeros(0))
            is_finite = np.isfinite(raw)
            steps, raw = metrics["step"][is_finite] if len(raw) else raw, raw[is_finite]
            if len(raw):
                curves.append(Curve(steps, raw, f"{kind} faint"))
                curves.append(Curve(steps, _running_mean(raw), kind, label))
                values.append(raw)
        if curves:
            low, high = np.percentile(np.concatenate(values), (0.5, 99.5))
            x, y = step_axis(metrics["step"][-1]), value_axis(float(low), float(high))
            plots.append((title, "", Plot(x, y, f"{title} over training", tuple(curves))))
    return plots


def _running_mean(values):
    """Centred mean over a fortieth of the values, over fewer at the ends."""
    box = np.ones(2 * (len(values) // 80) + 1)
    sums, counts = (np.convolve(v, box, "same") for v in (values, np.ones(len(values))))
    return sums / counts


# ------------------------------------------------------------------------------------------- facts


def _title(run):
    labels = [name.replace("_", " ") for name in run.label_names]
    noun = "notes" if "pitch" in run.condition_names else "sounds"
    # NSynth's flute_acoustic_000 is a flute.
    what = run.label_names[0].split("_")[0] if len(labels) == 1 else ", ".join(labels[:4])
    return f"{what} {noun}, learned from recordings".strip().capitalize()


def _strip(run, metrics):
    """The few numbers of interest first."""
    items = [(f"{run.step:,}", "training steps")]
    if "seconds" in metrics and metrics["seconds"][-1] > 0:
        seconds = float(metrics["seconds"][-1])
        items.append((page.time_text(seconds), "training time"))
        items.append((f"{metrics['step'][-1] / seconds:.1f}", "steps per second"))
    items.append((f"{run.generator.count_params():,}", "generator parameters"))
    if "n_recordings" in _data(run):
        items.append((f"{_data(run)['n_recordings']:,}", "recordings trained on"))
    return items


def _facts(run, metrics):
    known = {**run.metadata, **_data(run), "steps": run.step}
    known["command"] = shlex.join(known.get("command", ()))
    if "seconds" in metrics:
        known["seconds"] = page.time_text(metrics["seconds"][-1])
    rows = [(title, _fact(known[name])) for name, title in FACTS.items() if known.get(name)]
    return [(title, text) for title, text in rows if text]


def _fact(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {_fact(v)}" for name, v in value.items() if v)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(v) for v in value)
    return str(value)


def _credit(data):
    from noisygan.demo import notes_folder

    is_bundled = data is not None and notes_folder().parent in data.folder.resolve().parents
    return [BUNDLED_CREDIT] if is_bundled else []


def _commands(run):
    """(explanation, command) pairs."""
    folder = shlex.quote(run.path.as_posix())
    scale = "--pitch 60,62,64,65,67,69,71,72" if "pitch" in run.condition_names else "--count 8"
    return [
        (
            "Render sounds at 48 kHz",
            f"noisygan render --run_dir {folder} --out_dir sounds {scale} --sample_rate 48000",
        ),
        (
            "Compare it with recordings",
            f"noisygan evaluate --run_dir {folder} --data MY_RECORDINGS",
        ),
        ("List the bundled configs", "noisygan configs"),
        (
            "Train on a folder of your own notes",
            "noisygan train --gin_file runs/notes.gin --data MY_NOTES --run_dir runs/mine "
            "--minutes 10",
        ),
    ]
