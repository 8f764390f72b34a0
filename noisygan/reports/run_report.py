"""Page about a run: what it sounds like, which curves it draws, how it learned.

Sections that do not apply to a run, such as the curves of a generator of raw waveforms, are left
out.
"""

from __future__ import annotations

import contextlib
import pathlib
import shlex

import numpy as np

from noisygan.data.drums import drum_keys
from noisygan.data.selection import listed
from noisygan.errors import RunError, UsageError
from noisygan.rendering import requests
from noisygan.reports import page
from noisygan.reports.controls import control_plots
from noisygan.reports.plots import arrays, metric_plot
from noisygan.reports.sounds import Sound, latents_over_training, loudest, note_title

MAX_TILE_DB = 40.0
"""Difference in level of a row's sounds that their pictures show."""
MAX_PAIRS, MAX_STEPS, MAX_LATENTS = 8, 8, 3
MAX_BYTES = 9_000_000
"""Of all sounds as 16-bit samples; fewer are shown where they would take more."""
VELOCITY = 100

METRICS = (
    ("Losses", ("d_loss", "discriminator", "real"), ("g_loss", "generator", "fake")),
    ("Logits", ("real_logits", "recordings", "real"), ("fake_logits", "generated", "fake")),
    (
        "How different the sounds of a batch are",
        ("real_spread", "recordings", "real"),
        ("fake_spread", "generated", "fake"),
    ),
    ("Distance from the recordings, %", ("distance_percent", "generated", "fake")),
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
      data: `AudioDataset`, or folder of recordings, to compare with; None: generated only.

    Returns:
      pathlib.Path of the page.

    Raises:
      UsageError: if the folder contains no usable recordings.
      RunError: if a file of the run folder can't be read, the page can't be written, or nothing
        that the run generates is finite.
    """
    if isinstance(data, (str, pathlib.Path)):
        from noisygan.evaluation.generate import recordings_of

        data = recordings_of(run).read(data)
    metrics = arrays(run.metrics())
    share = MAX_BYTES / (run.seconds * run.sample_rate * 2 * (2 * MAX_PAIRS + MAX_STEPS * 3))
    n_pairs, n_steps = (max(2, int(n * min(1.0, share))) for n in (MAX_PAIRS, MAX_STEPS))
    pairs = _pairs(run, data, n_pairs)
    latents = latents_over_training(run.path / "samples", n_steps, MAX_LATENTS)
    if not pairs:
        raise RunError(f"{run.path} generates no finite sound")
    real, drawn, controls = max(pairs, key=lambda pair: np.abs(pair[1].audio).max())
    text = page.render(
        "run.html",
        title=_title(run),
        kicker=f"run {run.path.resolve().name}",
        credit=_credit(data),
        run=run,
        metadata={**run.metadata, **run.metadata["data"], "steps": run.step},
        command=shlex.join(run.metadata["command"]),
        folder=shlex.quote(run.path.as_posix()),
        seconds=metrics["seconds"][-1] if "seconds" in metrics else 0,
        has_controls=bool(controls),
        data=data,
        pairs=[(real, fake, loudest([real, fake])) for real, fake, _ in pairs],
        latents=[_tiles(row, metrics) for row in latents],
        controls=control_plots(controls, drawn, real if "pitch" in run.condition_names else None),
        drawn=drawn,
        metrics=_metric_plots(metrics),
    )
    return page.write(path or run.path / "index.html", text)


# ------------------------------------------------------------------------------------------ sounds


def _pairs(run, data, n):
    """(recording or None, generated `Sound`, its controls) of n notes, without non-finite ones."""
    pairs = []
    for seed, (row, conditions) in enumerate(_conditions(run, data, n)):
        held, tags = {}, {}
        if row is not None:
            own = {name: values[row].item() for name, values in data.tags.items()}
            # A category that the run does not know is left to be drawn.
            for name, value in requests.in_range(run, own).items():
                with contextlib.suppress(UsageError):
                    tags[name] = requests.tag_value(run.tag_values, name, value)
            if "pitch" in conditions and run.generator.has_controls:
                held["held_seconds"] = float(data.held_seconds_of([row])[0])
        notes = run.render(**conditions, **held, seed=seed, tags=tags)
        if not np.isfinite(notes.audio).all():
            continue
        title, detail = note_title(**conditions)
        detail = ", ".join(
            [detail] * bool(detail) + [f"{k} {listed([v])}" for k, v in tags.items()]
        )
        real, name = None, title or f"sound {seed + 1}"
        if row is not None:
            real = Sound(data.audio(row), data.sample_rate, title or data.names[row])
        pitch = conditions.get("pitch")
        fake = Sound(notes.audio[0], notes.sample_rate, name, detail, pitch)
        pairs.append((real, fake, notes.controls))
    return pairs


def _conditions(run, data, n):
    """(row of the data or None, conditions) of n notes, spread over pitches and labels."""
    names = [name for name in run.condition_names if name not in run.tag_values]
    names = [name for name in names if name != "label" or len(run.label_names) > 1]
    if data is None:
        pitches = _evenly(run.pitches, n)
        choices = {"pitch": pitches, "velocity": [VELOCITY], "label": run.label_names}
        choices = {name: choices[name] for name in names if choices[name]}
        return [(None, {k: v[i % len(v)] for k, v in choices.items()}) for i in range(n)]
    labels = np.array(data.label_names)[data.label]
    known = {"pitch": data.pitch, "velocity": data.velocity, "label": labels}
    rows = np.lexsort((data.velocity, data.pitch, data.label))
    if "label" in names:
        rows = rows[np.isin(labels[rows], run.label_names)]
    if not len(rows):
        raise UsageError(
            f"{data.folder} has none of the run's labels ({', '.join(run.label_names)}); choose "
            "recordings that it was trained on, or held-out ones of the same labels"
        )
    return [
        (row, {k: known[k][row].item() for k in names if known[k][row] == known[k][row]})
        for row in _evenly(rows, n)
    ]


def _evenly(items, n):
    if len(items) <= n:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, n).round().astype(int)]


def _tiles(row, metrics):
    """Sounds of one latent with their pictures and training times."""
    lowest = loudest(sound for _, sound in row) - MAX_TILE_DB
    tiles = []
    for step, sound in row:
        image = sound.picture(max(sound.log_mel.max(), lowest), min(4, len(sound.log_mel)))
        seconds = None
        if step and "seconds" in metrics:
            seconds = float(np.interp(step, metrics["step"], metrics["seconds"]))
        tiles.append({"step": step, "sound": sound, "image": image, "seconds": seconds})
    return tiles


# ----------------------------------------------------------------------------------------- metrics


def _metric_plots(metrics):
    found = [(title, "", metric_plot(title, wanted, [metrics])) for title, *wanted in METRICS]
    return [plot for plot in found if plot[2]]


# -------------------------------------------------------------------------------------------- text


def _title(run):
    labels = [name.replace("_", " ") for name in run.label_names]
    noun = "notes" if "pitch" in run.condition_names else "sounds"
    # NSynth's flute_acoustic_000 is a flute.
    what = run.label_names[0].split("_")[0] if len(labels) == 1 else ", ".join(labels)
    if len(labels) > 3:
        noun = "drums" if noun == "sounds" and drum_keys(run.label_names) else noun
        what = f"{len(labels)} classes of"
    return f"{what} {noun}, learned from recordings".strip().capitalize()


def _credit(data):
    from noisygan.demo import notes_folder

    is_bundled = data is not None and notes_folder().parent in data.folder.resolve().parents
    return [BUNDLED_CREDIT] if is_bundled else []
