"""Songs played by trained runs: each note rendered from its run, and their sum."""

import dataclasses
import math

import numpy as np

from noisygan.audio_io import midi
from noisygan.errors import UsageError
from noisygan.rendering import notes

# Bounds what one batch takes.
_MAX_SAMPLES = 16 * 4 * 48000
_MAX_BATCH = 32
# A single note is rendered at once, with all its curves.
MAX_NOTE_SECONDS = 120.0
# Notes of nearly one length share a batch: lengths are rounded up to these steps.
_LENGTH_RATIO = 1.3
# How soon a sound that can't be let go is faded out after its note.
_FADE_SECONDS = 0.05

# General MIDI's drums, by the classes that runs may know them under.
DRUMS = {
    "kick": (35, 36),
    "rimshot": (37,),
    "snare": (38, 40),
    "clap": (39,),
    "tom": (41, 43, 45, 47, 48, 50),
    "hihat": (42, 44, 46),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
    "tambourine": (54,),
    "cowbell": (56,),
}
# What stands in for a class that a run does not know.
STAND_INS = {"hihat": "cymbal", "rimshot": "snare", "clap": "snare", "tambourine": "cymbal"}
_CLASS_OF_NOTE = {note: name for name, numbers in DRUMS.items() for note in numbers}


@dataclasses.dataclass(frozen=True)
class Part:
    """A run that plays some of a song's channels.

    Attributes:
      generator: By the generator contract.
      instrument: `noisygan.rendering.notes.Instrument`.
      number: Which z its notes have; equal numbers (and seeds) are the same z. None: each of its
        notes one of its own, but equal drums the same.
    """

    generator: object
    instrument: notes.Instrument
    number: int | None = None

    @property
    def is_kit(self):
        """Whether notes mean drums to it, not pitches."""
        return "pitch" not in self.instrument.condition_names

    def label(self, note):
        """Index of the label that plays a note, or None where it knows none that could."""
        known = list(self.instrument.label_names)
        if not self.is_kit:
            return 0
        if not known or "label" not in self.instrument.condition_names:
            return 0
        name = _CLASS_OF_NOTE.get(note.pitch)
        for candidate in (name, STAND_INS.get(name)):
            if candidate in known:
                return known.index(candidate)
        return None


def play(song, parts, sample_rate, seed=0, report=None):
    """The sound of a song.

    Args:
      song: `noisygan.audio_io.midi.Song`.
      parts: A function from a `midi.Note` to the `Part` that plays it, or None: it is left out.
      sample_rate: Hz.
      seed: Decides z and noise.
      report: None, or a function called with (notes rendered, notes in all).

    Returns:
      (audio float32 [n_samples], notes left out: dict of reason -> count).
    """
    chosen, left_out = [], {}
    for index, note in enumerate(song.notes):
        part = parts(note)
        reason = _refusal(note, part, sample_rate)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            chosen.append((index, note, part))
    seconds = max((_end(note, part) for _, note, part in chosen), default=0.0)
    audio = np.zeros(round(seconds * sample_rate), np.float32)
    n_done = 0
    for batch in _batches(chosen, sample_rate):
        part = batch[0][2]
        for (_, note, _), sound in zip(batch, _render(part, batch, sample_rate, seed), strict=True):
            start = round(note.start * sample_rate)
            sound = sound[: len(audio) - start]
            audio[start : start + len(sound)] += sound
        n_done += len(batch)
        if report is not None:
            report(n_done, len(chosen))
    return audio, left_out


def _refusal(note, part, sample_rate):
    """Why a note is not played, or None."""
    if part is None:
        return f"on channel {note.channel}, which no run plays"
    if not note.held and not part.is_kit:
        return "of no length"
    if _seconds(note, part) > MAX_NOTE_SECONDS:
        return f"longer than {MAX_NOTE_SECONDS:g} seconds"
    if part.label(note) is None:
        known = ", ".join(part.instrument.label_names)
        return f"for a drum (note {note.pitch}) that the run does not know; it knows {known}"
    if not part.is_kit:
        highest = max((bend for _, bend in note.bend), default=0.0)
        if 440.0 * 2.0 ** ((note.pitch + highest - 69) / 12) >= sample_rate / 2:
            return f"above what {sample_rate} Hz can hold (pitch {note.pitch})"
    return None


def _end(note, part):
    return note.start + _seconds(note, part)


def _seconds(note, part):
    """How long a note sounds."""
    generator = part.generator
    if part.is_kit:
        return generator.seconds
    if hasattr(generator, "release_seconds"):
        return note.held + generator.release_seconds
    return min(note.held + _FADE_SECONDS, generator.seconds)


def _batches(chosen, sample_rate):
    """Yields lists of (index, note, part) of one part, of lengths near to each other."""
    groups = {}
    for item in chosen:
        _, note, part = item
        step = math.ceil(math.log(max(_seconds(note, part), 0.1)) / math.log(_LENGTH_RATIO))
        groups.setdefault((id(part), step), []).append(item)
    for group in groups.values():
        longest = max(_seconds(note, part) for _, note, part in group)
        n_rows = int(max(1, min(_MAX_BATCH, _MAX_SAMPLES // (longest * sample_rate))))
        for start in range(0, len(group), n_rows):
            yield group[start : start + n_rows]


def _render(part, batch, sample_rate, seed):
    """Yields the sound of each note of a batch, float32 [n]."""
    import tensorflow as tf

    generator = part.generator
    played = [note for _, note, _ in batch]
    seconds = [_seconds(note, part) for note in played]
    numbers = [_number(part, index, note) for index, note, _ in batch]
    z = tf.concat(
        [generator.prior(1, seed=notes.note_seeds(seed, number)[0]) for number in numbers], axis=0
    )
    # Each note has noise of its own, or repeated ones would sound like one sample.
    noise_seeds = tf.constant([notes.note_seeds(seed, index)[1] for index, _, _ in batch])
    conditioning = {
        "pitch": tf.constant([note.pitch for note in played], tf.float32),
        "velocity": tf.constant([note.velocity for note in played], tf.float32),
        "label": tf.constant([part.label(note) for note in played], tf.int32),
    }
    if hasattr(generator, "get_controls"):
        held = None if part.is_kit else tf.constant([note.held for note in played], tf.float32)
        # Frames behind the last note, too, so that it ends like all others: cut off.
        longest = max(seconds) + (0.0 if part.is_kit else 2.0 / generator.frame_rate)
        controls = generator.get_controls(z, conditioning, longest, held)
        _bend(controls, played, generator.frame_rate)
        n_frames = controls["loudness_db"].shape[1]
        covered = round(n_frames * sample_rate / generator.frame_rate)
        audio = generator.get_signal(controls, covered, sample_rate, noise_seeds).numpy()
    else:
        longest = min(max(seconds), generator.seconds)
        output = generator(
            z, conditioning, seconds=longest, sample_rate=sample_rate, seed=noise_seeds
        )
        audio = output.audio.numpy()
    tells_velocity = "velocity" in part.instrument.condition_names
    for sound, note, length in zip(audio, played, seconds, strict=True):
        sound = sound[: round(length * sample_rate)].copy()
        if not hasattr(generator, "release_seconds"):
            _fade(sound, sample_rate)
        # As General MIDI's developers are advised: 40 log10 of velocity / 127.
        yield sound if tells_velocity else sound * np.float32((note.velocity / 127.0) ** 2)


def _number(part, index, note):
    """Which z a note has."""
    if part.number is not None and not part.is_kit:
        return part.number
    if part.is_kit:
        return (part.number or 0) * 128 + note.pitch
    return index


def _bend(controls, played, frame_rate):
    """Bends the F0 curves of controls, in place."""
    if not any(note.bend for note in played):
        return
    times = np.arange(controls["loudness_db"].shape[1]) / frame_rate
    semitones = np.zeros([len(played), len(times)], np.float32)
    for row, note in zip(semitones, played, strict=True):
        for at, value in note.bend:
            row[times >= at - 0.5 / frame_rate] = value
    ratio = 2.0 ** (semitones[:, :, None] / 12.0)
    for name in controls:
        if name.endswith("/f0_hz"):
            controls[name] = controls[name] * ratio


def _fade(sound, sample_rate):
    n = min(len(sound), round(_FADE_SECONDS * sample_rate))
    sound[len(sound) - n :] *= np.linspace(1.0, 0.0, n, dtype=np.float32)


def without_clipping(audio):
    """A sound brought down to full scale where it is louder.

    Returns:
      (audio, decibels it was lowered by: 0 or more).
    """
    peak = float(np.max(np.abs(audio), initial=0.0))
    if peak <= 1.0:
        return audio, 0.0
    return audio / np.float32(peak), 20.0 * math.log10(peak)


def check_playable(part, channel):
    """Refuses a run on a channel that asks it for what it can't do.

    Raises:
      UsageError: for a run that is not told pitches on a melodic channel.
    """
    if channel != midi.DRUM_CHANNEL and part.is_kit:
        told = ", ".join(part.instrument.condition_names) or "nothing"
        raise UsageError(
            f"{part.instrument.run_name} can't play melodies: its generator is told {told}; train "
            "one that is conditioned on pitch, or give it to the drums with --drums"
        )
