"""Match a sound with a trained run (`match_run`) or with synthesizers alone (`match_free`)."""

from typing import NamedTuple

import numpy as np

from noisygan.audio_io.controls import save_controls, scale_controls
from noisygan.data.tagging import is_number
from noisygan.errors import UsageError
from noisygan.files import atomic_write, make_folder
from noisygan.matching import N_STEPS, free_fit, latent_fit, room_fit
from noisygan.matching.analysis import analyse
from noisygan.matching.distance import log_spectral_distance
from noisygan.matching.target import Target, at_rate, output_paths, read_target
from noisygan.rendering.notes import Note, missing, write_note
from noisygan.rendering.requests import check_labels, check_pitches, draw_tags, tag_values
from noisygan.rendering.synthesis import render_controls, render_in_blocks

# Recordings of each label whose tags are tried.
_N_DRAWN = 8


class Match(NamedTuple):
    """Result of a match.

    Attributes:
      target: Target, at the rate and of the length that was matched.
      start: Sound of the start of the descent, float32 [n_samples].
      audio: Sound that was found, float32 [n_samples] in -1 .. 1.
      controls: Controls of that sound as `noisygan.audio_io.controls` has them; None for a run of
        raw waveforms.
      latent: `latent_fit.Latent`; None without a run.
      losses: Loss before each step: of the latent fit, then of the free fit.
      start_db, distance_db: Log-spectral distances of start and audio from the target.
      remarks: Sentences on the target and the match for the user.
      pitch: Pitch found in the target, MIDI; None if none was found or needed.
      lowered_db: By how much the sound was turned down because it was louder than full scale.
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
    lowered_db: float = 0.0

    def save(self, out_dir, stems=False):
        """Write the sound, its controls, its latent and, if wanted, its stems.

        Args:
          out_dir: Folder; may be missing.
          stems: Whether to write the sound of each voice into a folder of the target's name.

        Returns:
          list of pathlib.Path.

        Raises:
          UsageError: if a file exists, or for the stems of a raw waveform.
          RunError: if a file can't be written.
        """
        if stems and self.controls is None:
            raise UsageError(missing("stems"))
        paths = output_paths(self.target.path, out_dir, stems)
        make_folder(paths["audio"].parent)
        note = Note(self.audio) if self.controls is None else Note(None, self.controls)
        write_note(paths["audio"], note, self.target.sample_rate, stems=stems)
        written = [paths["audio"]]
        if self.controls is not None:
            save_controls(paths["controls"], self.controls)
            written += [paths["controls"]] + ([paths["stems"]] if stems else [])
        if self.latent is not None:
            with atomic_write(paths["latent"]) as part, part.open("wb") as file:
                np.savez_compressed(file, **self.latent.arrays())
            written.append(paths["latent"])
        return written


def match_free(target, pitch=None, n_steps=2 * N_STEPS, seed=0, room_seconds=0.0, progress=None):
    """Match a sound of one voice with a harmonic and a noise synthesizer, without a run.

    Args:
      target: Path of an audio file, or Target.
      pitch: MIDI, if known; None: by pYIN.
      n_steps: Steps of the descent.
      seed: Of the noise.
      room_seconds: Reverberation time of the target's room, T60; a reverb is fitted too. 0: none.
      progress: None, or a function that is called with the number of steps done.

    Returns:
      Match.

    Raises:
      UsageError: as `read_target`, and if the target's rate can't hold the pitch.
    """
    target = at_rate(target if isinstance(target, Target) else read_target(target))
    audio, rate = target.audio, target.sample_rate
    if pitch is not None:
        check_pitches([pitch], rate)
    analysis = analyse(audio, rate, pitch)
    remarks = target.remarks + analysis.remarks
    room = room_fit.find_room(audio, rate, room_seconds) if room_seconds else None
    if room_seconds and room is None:
        remarks += ("no reverb is heard after its end, so none is fitted in spite of room",)
    plain = start = free_fit.start_controls(analysis, len(audio), rate, seed)
    if room is not None:
        start = free_fit.start_controls(analysis, len(audio), rate, seed, room)
    controls, losses = free_fit.fit_controls(start, audio, n_steps, progress, room)
    match = _match(target, render_controls(plain), controls, None, losses, remarks)
    return match._replace(pitch=analysis.pitch)


def match_run(
    run,
    target,
    pitch=None,
    label=None,
    free=False,
    n_steps=N_STEPS,
    seed=0,
    progress=None,
    tags=None,
):
    """Match a sound with a run; arguments and errors as of `noisygan.Run.match`."""
    generator = run.generator
    if free and not generator.has_controls:
        raise UsageError(f"free: {missing('controls')}; leave out free, or match without a run")
    labels, tags = _label_indices(run, label), tag_values(run.tag_values, tags)
    target = target if isinstance(target, Target) else read_target(target)
    target = _cut(at_rate(target, generator.sample_rate), generator)
    audio, remarks = target.audio, target.remarks
    analysis = None
    if "pitch" in generator.condition_names:
        pitch, analysis = _pitch_for(target, generator, pitch)
        remarks += analysis.remarks
    elif pitch is not None:
        names = ", ".join(generator.condition_names) or "nothing"
        raise UsageError(f"pitch: this run is conditioned on {names}; leave it out")
    numbers = range(_N_DRAWN if draw_tags(run).keys() - tags.keys() else 1)
    choices = [(i, draw_tags(run, number, i, given=tags)) for i in labels for number in numbers]
    fitted = {name: known for name, known in run.tag_values.items() if name not in tags}
    fitted = {name: known for name, known in fitted.items() if is_number(known)}
    start = latent_fit.start_latent(generator, audio, pitch, choices, seed)
    start_audio = latent_fit.render_latent(generator, start, len(audio)).audio[0].numpy()
    latent, losses = latent_fit.fit_latent(generator, start, audio, n_steps, progress, fitted)
    match = _match_of_latent(run, target, latent, start_audio, losses, remarks)
    if free:
        later = None if progress is None else lambda done: progress(n_steps + done)
        controls, more = free_fit.fit_controls(match.controls, audio, n_steps, later)
        match = _match(target, start_audio, controls, match.latent, losses + more, remarks)
    if match.distance_db > match.start_db:
        remarks += ("the descent came no nearer than it began, so the start is kept",)
        match = _match_of_latent(run, target, start, start_audio, match.losses, remarks)
    return match._replace(pitch=analysis and analysis.pitch)


def _match_of_latent(run, target, latent, start_audio, losses, remarks):
    """Match with the sound of a latent."""
    n_samples = len(target.audio)
    if run.label_names:
        latent = latent._replace(label_name=run.label_names[latent.label])
    if not run.generator.has_controls:
        audio = latent_fit.render_latent(run.generator, latent, n_samples).audio[0].numpy()
        return _match(target, start_audio, None, latent, losses, remarks, audio)
    controls = latent_fit.latent_controls(run.generator, latent, n_samples)
    return _match(target, start_audio, controls, latent, losses, remarks)


def _match(target, start_audio, controls, latent, losses, remarks, audio=None):
    """Match with its distances; sound and controls are turned down to full scale."""
    peak = 1.0
    if controls is not None:
        blocks = list(render_in_blocks(controls))
        audio = np.concatenate([sound for sound, _ in blocks])
        parts = [part for _, parts in blocks for part in parts.values()]
        peak = max(float(np.max(np.abs(part))) for part in parts)
    start_db, distance_db = (
        log_spectral_distance(target.audio, y, target.sample_rate) for y in (start_audio, audio)
    )
    peak = max(peak, float(np.max(np.abs(audio))))
    if peak > 1.0:
        # A little more, so that rounding leaves no sample above full scale.
        factor = 1.0 / (peak * (1.0 + 1e-6))
        controls = None if controls is None else scale_controls(controls, factor)
        audio = np.float32(factor) * audio if controls is None else render_controls(controls)
    lowered_db = 20.0 * float(np.log10(max(peak, 1.0)))
    distances = start_db, distance_db
    return Match(
        target, start_audio, audio, controls, latent, losses, *distances, remarks, None, lowered_db
    )


def _cut(target, generator):
    """The target, no longer than a raw-waveform generator's sounds."""
    if generator.has_controls or target.seconds <= generator.seconds:
        return target
    audio = target.audio[: round(generator.seconds * generator.sample_rate)]
    if not np.any(audio):
        raise UsageError(f"{target.path} is silent in its first {generator.seconds:g} s")
    remark = f"only its first {generator.seconds:g} s are matched, as long as the run's sounds"
    return target._replace(audio=audio, remarks=(*target.remarks, remark))


def _pitch_for(target, generator, pitch):
    """(pitch to condition the generator on, Analysis)."""
    check_pitches([] if pitch is None else [pitch], generator.sample_rate)
    analysis = analyse(target.audio, target.sample_rate, pitch)
    if analysis.pitch is None:
        raise UsageError(f"{target.path}: no pitch was found; give the pitch, such as 60")
    # A known pitch as it sounds, a little off.
    is_free = generator.has_controls or pitch is not None
    return analysis.pitch if is_free else float(round(analysis.pitch)), analysis


def _label_indices(run, label):
    """Indices of the labels to choose from."""
    if "label" not in run.generator.condition_names:
        if label is not None:
            raise UsageError("label: this run is not conditioned on a label; leave it out")
        return (0,)
    if label is None:
        return range(max(len(run.label_names), 1))
    check_labels(run.label_names, [label])
    return (list(run.label_names).index(label),)
