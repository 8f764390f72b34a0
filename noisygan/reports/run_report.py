"""One self-contained HTML page about a run: what it sounds like, what it draws, how it learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from noisygan.archives import read_arrays
from noisygan.demo import notes_folder
from noisygan.errors import RunError
from noisygan.files import written_whole
from noisygan.reports.facts import (
    command_list,
    default_commands,
    duration,
    facts_table,
    read_facts,
    read_metrics,
    steps_done,
    strip,
)
from noisygan.reports.page import asset, document, escape
from noisygan.reports.sections import Sections
from noisygan.reports.sounds import checkpoints, name_of, pair_up, read_sound

MAX_PAIRS, MAX_STEPS, MAX_CODES = 8, 8, 3
AUDIO_BUDGET = 9_000_000
"""Characters that all sounds together may take; fewer are shown where they would not fit."""

BUNDLED_CREDIT = (
    "The recordings are notes of the FluidR3 GM soundfont, \u00a9 2000\u20132002, 2008 Frank Wen "
    "and \u00a9 2008 Toby Smithe, under the MIT licence (LICENSE-FluidR3.txt beside the bundled "
    "notes)."
)


def write_page(
    run_dir, out_file=None, rendered_dir=None, recordings=(), credit=None, commands=None
):
    """Writes the result page of a run.

    A piece that is missing (no rendered notes, no controls, no metrics) leaves its section out.

    Args:
      run_dir: Run folder.
      out_file: The page; `index.html` in the run folder by default.
      rendered_dir: Generated notes, `<label>-<pitch>-<velocity>[-<index>].wav`, each with its
        controls beside it as `.npz`; `rendered` in the run folder by default.
      recordings: Paths of recorded notes to set beside the generated ones of the same pitch.
      credit: A line about whose recordings they are; known for the bundled notes.
      commands: (explanation, command) pairs for what to try next; sensible ones by default.

    Returns:
      Path of the page.

    Raises:
      RunError: if the folder holds nothing to show, or a sound can't be read.
    """
    run_dir = Path(run_dir)
    out_file = Path(out_file) if out_file else run_dir / "index.html"
    rendered_dir = Path(rendered_dir) if rendered_dir else run_dir / "rendered"
    recordings = [Path(p) for p in recordings]
    facts, metrics = read_facts(run_dir), read_metrics(run_dir)
    pairs, rows = choose_sounds(sorted(rendered_dir.glob("*.wav")), recordings, run_dir)
    if not (pairs or rows or metrics):
        raise RunError(
            f"There is nothing to show in {run_dir}: no metrics, samples or rendered notes were "
            "found; give a folder that `noisygan train` wrote."
        )
    body = page_body(run_dir, facts, metrics, pairs, rows, credit, commands)
    out_file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out_file, overwrite=True) as part:
        part.write_text(body, encoding="utf-8")
    return out_file


def choose_sounds(generated, recordings, run_dir):
    """Reads as many sounds as fit the page.

    Returns:
      (list of (recording or None, generated) `Sound` pairs,
       dict code -> list of (step, `Sound`)).
    """
    n_pairs, n_steps, n_codes = MAX_PAIRS, MAX_STEPS, MAX_CODES
    while True:
        paths = pair_up(recordings, generated, n_pairs) if generated else []
        pairs = [(read_sound(r) if r else None, read_sound(g)) for r, g in paths]
        rows = {
            index: [(step, read_sound(path)) for step, path in steps]
            for index, steps in checkpoints(run_dir / "samples", n_steps, n_codes).items()
        }
        sounds = [s for pair in pairs for s in pair if s is not None]
        sounds += [s for steps in rows.values() for _, s in steps]
        size = sum(s.address_bytes for s in sounds)
        if size <= AUDIO_BUDGET or (n_pairs, n_steps, n_codes) == (1, 2, 1):
            return pairs, rows
        shrink = max(0.3, AUDIO_BUDGET / size)
        n_pairs, n_steps = (max(1, int(n_pairs * shrink)), max(2, int(n_steps * shrink)))
        n_codes = max(1, n_codes - 1)


def read_controls(pairs):
    """(controls, generated, recording) of the pair whose note is loudest, or None."""
    candidates = []
    for recording, generated in pairs:
        path = generated.path.with_suffix(".npz")
        if path.is_file():
            candidates.append((float(np.abs(generated.audio).max()), path, generated, recording))
    if not candidates:
        return None
    _, path, generated, recording = max(candidates, key=lambda c: c[0])
    try:
        return read_arrays(path), generated, recording
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is not a controls file ({error}); render it again.") from error


def page_body(run_dir, facts, metrics, pairs, rows, credit, commands):
    """The whole page as text."""
    sections = Sections()
    subject = subject_of(pairs, facts)
    drawn = read_controls(pairs)
    n_steps = steps_done(metrics, rows)
    content = [
        sections.section("listen", "Listen", listen_lede(pairs), sections.pairs(pairs)),
        sections.section(
            "learn",
            "Hear it learn",
            "The same latent code, rendered at successive checkpoints: from the untrained network "
            "to the last step.",
            sections.learning(rows, metrics),
        ),
        sections.section(
            "draw",
            "What it draws",
            "The generator makes no waveform. It draws these curves, in physical units; an "
            "oscillator bank and a noise filter turn them into the sound. They can be saved, "
            "edited and rendered again at any sample rate.",
            sections.controls(*drawn) if drawn else "",
        ),
        sections.section(
            "train",
            "How it trained",
            "Healthy adversarial training keeps the two losses near each other, the logits of "
            "recordings and generated sounds within reach, and generated sounds as varied as the "
            "recordings.",
            sections.training(metrics),
        ),
        sections.section(
            "facts",
            "Facts",
            "What this run was made with.",
            facts_table(run_dir, facts, metrics, n_steps),
        ),
        sections.section(
            "next",
            "What to try next",
            "From the folder that this run was started in:",
            command_list(commands or default_commands(run_dir)),
        ),
    ]
    bundled = notes_folder()
    if credit is None and any(
        r is not None and bundled in r.path.resolve().parents for r, _ in pairs
    ):
        credit = BUNDLED_CREDIT
    title = f"{subject.capitalize()}, learned from recordings"
    head = f'<p class="summary">{lede(subject, metrics)}</p>{strip(facts, metrics, n_steps)}'
    return document(
        title,
        f"run {run_dir.name}",
        head + sections.contents(),
        "".join(content),
        asset("players.js"),
        credit=f"<p>{escape(credit)}</p>" if credit else "",
    )


def listen_lede(pairs):
    """What the pairs of notes are."""
    scale = "Spectrograms are log-mel, 80 dB from the brightest to black; waveforms fill their box."
    if all(recording is None for recording, _ in pairs):
        return f"Notes from the generator. {scale}"
    held_out = all(
        recording is not None and {"nsynth-test", "nsynth-valid"} & set(recording.path.parts)
        for recording, _ in pairs
    )
    real = "a recording that it never heard" if held_out else "a recording"
    return (
        f"Pairs at one pitch and velocity: {real}, and what the generator makes of the same "
        f"request. {scale} Breath is the noise between harmonics at 2 to 4 kHz, against the note."
    )


def subject_of(pairs, facts):
    """What was learned, in a word or two: `flute notes`."""
    names = facts.get("label_names")
    label = names[0] if isinstance(names, list) and len(names) == 1 else None
    if label is None and pairs and pairs[0][0] is not None:
        labels = {r.label for r, _ in pairs if r is not None}
        label = labels.pop() if len(labels) == 1 else None
    pitched = bool(pairs) and name_of(pairs[0][1].path) is not None
    noun = "notes" if pitched or not pairs else "sounds"
    family = str(label).split("_")[0] if label else ""
    return f"{family} {noun}" if family.isalpha() else noun


def lede(subject, metrics):
    """The paragraph under the title."""
    when = ""
    if "seconds" in metrics:
        when = f" in {duration(metrics['seconds'][-1])}"
    return (
        f"A small network drew these {escape(subject)}{when} of training, starting from nothing. "
        "It draws pitch, loudness, timbre and breath as curves over time; an oscillator bank and "
        "filtered noise turn the curves into sound, and a second network, listening to real "
        "recordings, tells it what still sounds wrong."
    )
