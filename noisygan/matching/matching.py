"""One sound matched: what is asked, the start, the descent, and the files that tell of it."""

import pathlib
from typing import NamedTuple

import numpy as np

from noisygan.errors import UsageError
from noisygan.files import make_folder, written_whole
from noisygan.matching import codes, free
from noisygan.matching.analysis import NO_PITCH, UNSURE, analyse
from noisygan.matching.distance import log_spectral_distance
from noisygan.matching.target import Target, at_rate
from noisygan.rendering import audio_files
from noisygan.rendering.controls import render_controls, save_controls
from noisygan.rendering.notes import check_pitches


class Match(NamedTuple):
    """What came out.

    Attributes:
      target: Target, at the rate and of the length that was matched.
      start: Sound of the plain start, float32 [n_samples].
      audio: Sound that was found, float32 [n_samples].
      controls: Of that sound, or None: a run of raw waveforms has none.
      code: `codes.Code`, or None without a run.
      losses: Loss before each step; those of the code, then those of the controls.
      start_db, distance_db: Log-spectral distance of both sounds from the target.
      remarks: What a person should know, a sentence each.
    """

    target: Target
    start: np.ndarray
    audio: np.ndarray
    controls: dict | None
    code: codes.Code | None
    losses: list
    start_db: float
    distance_db: float
    remarks: tuple


def match_free(target, pitch=None, n_steps=300, seed=0, progress=None):
    """Matches a sound without any run: analysis by synthesis.

    Args:
      target: Target.
      pitch: MIDI, where it is known.
      n_steps: Steps of the descent.
      seed: Of the noise.
      progress: As of `descent.descend`.

    Returns:
      Match.

    Raises:
      UsageError: if the target's rate can't hold the pitch.
    """
    target = at_rate(target)
    if pitch is not None:
        check_pitches([pitch], target.sample_rate)
    analysis = analyse(target.audio, target.sample_rate, pitch)
    n_samples = len(target.audio)
    start = free.start_controls(analysis, n_samples, target.sample_rate, seed)
    controls, losses = free.fit_controls(start, target.audio, n_steps, progress)
    remarks = target.remarks + _doubts(analysis)
    return _match(target, render_controls(start), controls, None, losses, remarks)


def match_run(
    target, generator, pitch=None, label=None, also_free=False, n_steps=150, seed=0, progress=None
):
    """Matches a sound with a trained run's generator.

    Args:
      target: Target.
      generator: By the generator contract, with `label_names`.
      pitch: MIDI; None: by pYIN.
      label: Name of one of the run's labels; None: whichever comes nearest at the start.
      also_free: Whether the controls are sought as well, from those of the code that was found.
      n_steps: Steps of each descent.
      seed, progress: As of `match_free`.

    Returns:
      Match.

    Raises:
      UsageError: if the run lacks what is asked for, or a pitch that it needs is not found.
    """
    if also_free and not codes.draws_curves(generator):
        raise UsageError(
            "--free: this run's generator has no controls to seek, it writes samples directly; "
            "leave out --free, or leave out --run_dir"
        )
    target, remarks = _as_the_run_makes(target, generator)
    audio, rate, n_samples = target.audio, target.sample_rate, len(target.audio)
    pitch, doubts = _pitch_for(target, generator, pitch)
    labels = _labels_for(generator, label)
    start = codes.start_code(generator, audio, pitch, labels, seed)
    code, losses = codes.fit_code(generator, start, audio, n_steps, progress)
    start_audio = codes.render_code(generator, start, n_samples).audio[0].numpy()
    remarks = remarks + doubts
    if not codes.draws_curves(generator):
        found = codes.render_code(generator, code, n_samples).audio[0].numpy()
        distances = [log_spectral_distance(audio, y, rate) for y in (start_audio, found)]
        return Match(target, start_audio, found, None, code, losses, *distances, remarks)
    controls = codes.code_controls(generator, code, n_samples)
    if also_free:
        later = None if progress is None else lambda done: progress(n_steps + done)
        controls, more = free.fit_controls(controls, audio, n_steps, later)
        losses = losses + more
    return _match(target, start_audio, controls, code, losses, remarks)


def _match(target, start_audio, controls, code, losses, remarks):
    audio = render_controls(controls)
    start_db, distance_db = (
        log_spectral_distance(target.audio, y, target.sample_rate) for y in (start_audio, audio)
    )
    return Match(target, start_audio, audio, controls, code, losses, start_db, distance_db, remarks)


def _as_the_run_makes(target, generator):
    """(target at the generator's rate and no longer than it makes, remarks)."""
    target = at_rate(target, generator.sample_rate)
    remarks = target.remarks
    if not codes.draws_curves(generator) and target.seconds > generator.seconds:
        kept = round(generator.seconds * generator.sample_rate)
        remarks += (
            f"only its first {generator.seconds:g} s are matched, as long as the run's sounds",
        )
        target = target._replace(audio=target.audio[:kept])
        if not np.any(target.audio):
            raise UsageError(f"{target.path} is silent in its first {generator.seconds:g} s")
    return target, remarks


def _pitch_for(target, generator, pitch):
    """(pitch to tell the generator, remarks on it)."""
    if "pitch" not in generator.conditions:
        if pitch is not None:
            told = ", ".join(generator.conditions) or "nothing"
            raise UsageError(
                f"--pitch has no effect: this run's generator is told {told}; leave it out"
            )
        return None, ()
    if pitch is not None:
        check_pitches([pitch], generator.sample_rate)
    analysis = analyse(target.audio, target.sample_rate, pitch)
    if pitch is not None:
        # As it sounds, a little off the asked one, where that can be told.
        return (analysis.pitch if analysis.confidence >= UNSURE else float(pitch)), ()
    if not analysis.has_pitch:
        raise UsageError(
            f"{target.path}: no pitch was found in it, and this run's generator has to be told "
            "one; name it with --pitch, such as --pitch 60"
        )
    found = analysis.pitch if codes.draws_curves(generator) else float(round(analysis.pitch))
    return found, _doubts(analysis)


def _doubts(analysis):
    if analysis.confidence < NO_PITCH:
        return ("no pitch was found in it: what noise can do is matched (--pitch names a pitch)",)
    if analysis.confidence < UNSURE:
        return (
            "it has no single clear pitch, as if several notes sounded at once: it is matched as "
            f"one voice, from pitch {analysis.pitch:.1f} on (--pitch names another)",
        )
    return ()


def _labels_for(generator, label):
    """Indices of the labels to choose from."""
    known = list(generator.label_names)
    tells = "label" in generator.conditions
    if label is None:
        return range(len(known)) if tells else (0,)
    if not tells:
        raise UsageError("--label has no effect: this run's generator is told none; leave it out")
    if label not in known:
        raise UsageError(f"label {label} is unknown to this run, which knows {', '.join(known)}")
    return (known.index(label),)


def output_paths(target_path, out_dir):
    """Where a match is written: dict of pathlib.Path by sound, controls, code and page.

    Raises:
      UsageError: if one is there already, or the folder is a file.
    """
    out_dir = pathlib.Path(out_dir)
    if out_dir.exists() and not out_dir.is_dir():
        raise UsageError(f"--out_dir {out_dir} is a file; expected a folder")
    stem = pathlib.Path(target_path).stem
    names = {"sound": ".wav", "controls": ".npz", "code": "-z.npz", "page": ".html"}
    paths = {what: out_dir / f"{stem}{suffix}" for what, suffix in names.items()}
    for path in paths.values():
        if path.exists():
            raise UsageError(f"{path} exists already; choose another --out_dir")
    return paths


def write(match, paths, label_names=()):
    """Writes the sound, the controls, the code and the page, as far as there are any.

    Args:
      match: Match.
      paths: Of `output_paths`; their folder is made.
      label_names: Of the run.

    Returns:
      (list of the paths written, number of samples that were cut because a file can't hold them).
    """
    from noisygan.matching.page import page

    make_folder(paths["sound"].parent)
    written = [paths["sound"]]
    n_cut = audio_files.write_wav(paths["sound"], match.audio, match.target.sample_rate)
    if match.controls is not None:
        save_controls(paths["controls"], match.controls)
        written.append(paths["controls"])
    if match.code is not None:
        with written_whole(paths["code"]) as part, part.open("wb") as file:
            np.savez_compressed(file, **match.code.arrays(label_names))
        written.append(paths["code"])
    with written_whole(paths["page"]) as part:
        part.write_text(page(match), encoding="utf-8")
    return [*written, paths["page"]], n_cut
