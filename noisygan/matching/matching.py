"""One sound matched: what is asked, the start, and the descent."""

from typing import NamedTuple

import numpy as np

from noisygan.errors import UsageError
from noisygan.matching import free_fit, latent_fit, room_fit
from noisygan.matching.analysis import UNSURE, analyse, pitch_told
from noisygan.matching.distance import log_spectral_distance
from noisygan.matching.polyphony import is_several
from noisygan.matching.target import Target, at_rate
from noisygan.rendering.notes import check_pitches
from noisygan.rendering.synthesis import render_controls


class Match(NamedTuple):
    """What came out.

    Attributes:
      target: Target, at the rate and of the length that was matched.
      start: Sound of the plain start, float32 [n_samples].
      audio: Sound that was found, float32 [n_samples].
      controls: Of that sound, or None: a run of raw waveforms has none.
      latent: `latent_fit.Latent`, or None without a run.
      losses: Loss before each step; those of the latent, then those of the controls.
      start_db, distance_db: Log-spectral distance of both sounds from the target.
      remarks: What a person should know, a sentence each.
      pitch: That was found in the target, MIDI, or None: none was found, or none looked for.
    """

    target: Target
    start: np.ndarray
    audio: np.ndarray
    controls: dict | None
    latent: latent_fit.Latent | None
    losses: list
    start_db: float
    distance_db: float
    remarks: tuple
    pitch: float | None = None


def match_free(target, pitch=None, n_steps=300, seed=0, progress=None, room_seconds=None):
    """Matches a sound without any run: analysis by synthesis.

    Args:
      target: Target.
      pitch: MIDI, where it is known.
      n_steps: Steps of the descent.
      seed: Of the noise.
      progress: As of `descent.descend`.
      room_seconds: That the target's room takes to fall by 60 dB; 0: it has none; None: where the
        end of the target tells of a room, that one.

    Returns:
      Match.

    Raises:
      UsageError: if the target's rate can't hold the pitch.
    """
    target = at_rate(target)
    if pitch is not None:
        check_pitches([pitch], target.sample_rate)
    analysis = analyse(target.audio, target.sample_rate, pitch)
    room = _room_of(target, analysis, room_seconds)
    n_samples = len(target.audio)
    plain = free_fit.start_controls(analysis, n_samples, target.sample_rate, seed)
    start = plain
    if room is not None:
        start = free_fit.start_controls(analysis, n_samples, target.sample_rate, seed, room)
    controls, losses = free_fit.fit_controls(start, target.audio, n_steps, progress, room)
    remarks = target.remarks + _doubts(target, analysis) + _told(room, room_seconds)
    found = _match(target, render_controls(plain), controls, None, losses, remarks)
    return found._replace(pitch=_found_pitch(analysis))


def _told(room, known_seconds):
    """Remarks on a room."""
    if room is None and known_seconds:
        return ("its end tells of no room, so none is taken apart from it, in spite of --room",)
    if room is None:
        return ()
    wet_db = 10.0 * np.log10(room.wet)
    return (
        f"it sounds in a room, which is taken apart from it: {room.seconds:.1f} s until it is "
        f"60 dB down, {wet_db:+.0f} dB beside the direct sound (--room 0 leaves it in the curves)",
    )


def _room_of(target, analysis, seconds):
    """The room to take apart: the one known, the one found, or None."""
    if seconds is None:
        if is_several(target.audio, target.sample_rate, analysis):
            return None  # several notes end one after the other, as a note and its room do
        return room_fit.find_room(target.audio, target.sample_rate, analysis)
    return room_fit.known_room(target.audio, target.sample_rate, seconds) if seconds else None


def match_run(
    target, generator, pitch=None, label=None, also_free=False, n_steps=150, seed=0, progress=None
):
    """Matches a sound with a trained run's generator.

    Args:
      target: Target.
      generator: By the generator contract, with `label_names`.
      pitch: MIDI; None: by pYIN.
      label: Name of one of the run's labels; None: whichever comes nearest at the start.
      also_free: Whether the controls are sought as well, from those of the latent that was found.
      n_steps: Steps of each descent.
      seed, progress: As of `match_free`.

    Returns:
      Match.

    Raises:
      UsageError: if the run lacks what is asked for, or a pitch that it needs is not found.
    """
    if also_free and not latent_fit.draws_curves(generator):
        raise UsageError(
            "--free: this run's generator has no controls to seek, it writes samples directly; "
            "leave out --free, or leave out --run_dir"
        )
    target, remarks = _as_the_run_makes(target, generator)
    audio, n_samples = target.audio, len(target.audio)
    pitch, found_pitch, doubts = _pitch_for(target, generator, pitch)
    labels = _labels_for(generator, label)
    start = latent_fit.start_latent(generator, audio, pitch, labels, seed)
    latent, losses = latent_fit.fit_latent(generator, start, audio, n_steps, progress)
    start_audio = latent_fit.render_latent(generator, start, n_samples).audio[0].numpy()
    remarks = remarks + doubts
    found = _found_by_run(target, generator, latent, start_audio, losses, remarks)
    if also_free:
        later = None if progress is None else lambda done: progress(n_steps + done)
        controls, more = free_fit.fit_controls(found.controls, audio, n_steps, later)
        found = _match(target, start_audio, controls, latent, losses + more, remarks)
    if found.distance_db > found.start_db:
        remarks += ("the descent came no nearer than it began, so the start is kept",)
        found = _found_by_run(target, generator, start, start_audio, found.losses, remarks)
    return found._replace(pitch=found_pitch)


def _found_by_run(target, generator, latent, start_audio, losses, remarks):
    """Match with the sound of a latent."""
    n_samples = len(target.audio)
    if not latent_fit.draws_curves(generator):
        audio = latent_fit.render_latent(generator, latent, n_samples).audio[0].numpy()
        return _match(target, start_audio, None, latent, losses, remarks, audio)
    controls = latent_fit.latent_controls(generator, latent, n_samples)
    return _match(target, start_audio, controls, latent, losses, remarks)


def _match(target, start_audio, controls, latent, losses, remarks, audio=None):
    audio = render_controls(controls) if audio is None else audio
    start_db, distance_db = (
        log_spectral_distance(target.audio, y, target.sample_rate) for y in (start_audio, audio)
    )
    return Match(
        target, start_audio, audio, controls, latent, losses, start_db, distance_db, remarks
    )


def _as_the_run_makes(target, generator):
    """(target at the generator's rate and no longer than it makes, remarks)."""
    target = at_rate(target, generator.sample_rate)
    remarks = target.remarks
    if not latent_fit.draws_curves(generator) and target.seconds > generator.seconds:
        kept = round(generator.seconds * generator.sample_rate)
        remarks += (
            f"only its first {generator.seconds:g} s are matched, as long as the run's sounds",
        )
        target = target._replace(audio=target.audio[:kept])
        if not np.any(target.audio):
            raise UsageError(f"{target.path} is silent in its first {generator.seconds:g} s")
    return target, remarks


def _pitch_for(target, generator, pitch):
    """(pitch to tell the generator, pitch that was found, remarks on it)."""
    if "pitch" not in generator.condition_names:
        if pitch is not None:
            told = ", ".join(generator.condition_names) or "nothing"
            raise UsageError(
                f"--pitch has no effect: this run's generator is told {told}; leave it out"
            )
        return None, None, ()
    if pitch is not None:
        check_pitches([pitch], generator.sample_rate)
    analysis = analyse(target.audio, target.sample_rate, pitch)
    heard = _found_pitch(analysis)
    if pitch is not None:
        # As it sounds, a little off the asked one, where that can be told.
        told = analysis.pitch if analysis.confidence >= UNSURE else float(pitch)
        return told, heard, _doubts(target, analysis)
    if not analysis.has_pitch:
        raise UsageError(
            f"{target.path}: no pitch was found in it, and this run's generator has to be told "
            "one; name it with --pitch, such as --pitch 60"
        )
    found = analysis.pitch if latent_fit.draws_curves(generator) else float(round(analysis.pitch))
    return found, heard, _doubts(target, analysis)


def _found_pitch(analysis):
    return analysis.pitch if analysis.has_pitch else None


def _doubts(target, analysis):
    """Remarks on the pitch."""
    if not analysis.has_pitch:
        return (
            "no pitch was found in it, as in noise or in many notes at once: what noise can do is "
            "matched (--pitch names a pitch)",
        )
    if is_several(target.audio, target.sample_rate, analysis):
        return (
            "several notes seem to sound in it at once: it is matched as one voice, from "
            f"{pitch_told(analysis.pitch)} on (--pitch names another)",
        )
    return ()


def _labels_for(generator, label):
    """Indices of the labels to choose from."""
    known = list(generator.label_names)
    tells = "label" in generator.condition_names
    if label is None:
        return range(len(known)) if tells else (0,)
    if not tells:
        raise UsageError("--label has no effect: this run's generator is told none; leave it out")
    if label not in known:
        raise UsageError(f"label {label} is unknown to this run, which knows {', '.join(known)}")
    return (known.index(label),)
