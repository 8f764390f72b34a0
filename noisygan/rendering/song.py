"""MIDI songs played by trained runs: each note is rendered from its run, and all are summed."""

import collections
import dataclasses
import math
import pathlib

import numpy as np
import scipy.ndimage

from noisygan.audio_io import midi
from noisygan.audio_io.controls import frames_to_samples
from noisygan.data import softer_hits
from noisygan.data.drums import drum_keys
from noisygan.errors import UsageError
from noisygan.metrics.note_analysis import midi_to_hz
from noisygan.progress import counted
from noisygan.rendering.batches import conditioning
from noisygan.rendering.kits import FADE_SECONDS, drum_seconds, faded
from noisygan.rendering.notes import Note, Notes
from noisygan.rendering.requests import Request, draw_tags, note_seeds, tag_value

_MAX_SAMPLES, _MAX_BATCH = 16 * 4 * 48000, 32  # of one batch
MAX_NOTE_SECONDS = 120.0  # a note is rendered at once, with all its curves
_LEVEL_SECONDS = 0.01  # of a step of volume or expression, which would click
_LENGTH_RATIO = 1.3  # notes of one batch differ by at most this factor in length


@dataclasses.dataclass(frozen=True)
class Part:
    """A run that plays some of a song's notes.

    Attributes:
      run: Run.
      number: Number of the z that its notes share; equal numbers and seeds are the same z. None:
        each note has its own, equal drums the same.
      tags: dict of name -> value.
    """

    run: object
    number: int | None = None
    tags: dict = dataclasses.field(default_factory=dict)

    @property
    def is_kit(self):
        """True if notes mean drums, not pitches."""
        return "pitch" not in self.run.condition_names

    def label(self, note):
        """Index of the label that plays a note, or None if the run has none that could."""
        known = list(self.run.label_names)
        if not self.is_kit or not known or "label" not in self.run.condition_names:
            return 0
        playing = [i for i, keys in enumerate(drum_keys(known).values()) if note.pitch in keys]
        return playing[0] if playing else None

    def seconds(self, note):
        """Length of a note with its release."""
        generator = self.run.generator
        if self.is_kit:
            return drum_seconds(generator)
        if generator.release_seconds is not None:
            return note.held + generator.release_seconds
        return min(note.held + FADE_SECONDS, generator.seconds)

    def z_number(self, index, note):
        """Number of the z of the note of an index."""
        if self.is_kit:
            return (self.number or 0) * 128 + note.pitch
        return index if self.number is None else self.number


def play_midi(
    path,
    run=None,
    drums=None,
    channels=None,
    programs=None,
    sample_rate=None,
    seed=0,
    progress=None,
    tags=None,
):
    """Play a MIDI file on trained runs; arguments as of `noisygan.Run.play`, run may be None."""
    song = midi.read_song(path)
    remarks = [f"{path} {song.damage}; what could be read is played"] if song.damage else []
    if not song.notes:
        raise UsageError(f"{path} holds no notes")
    parts = _assign(song, run, drums, channels or {}, programs or {}, tags or {})
    used = {id(part.run): part.run for part in parts.values() if part is not None}
    if not used:
        silent = ", ".join(map(str, sorted({note.channel for note in song.notes})))
        is_kit = run is not None and "pitch" not in run.condition_names
        advice = f"; use --drums {run.path}" if is_kit else ""
        raise UsageError(f"{path} has notes on channel {silent}, which no run plays{advice}")
    for name, value in (tags or {}).items():
        having = [run for run in used.values() if name in run.tag_values]
        for each in having or used.values():
            tag_value(each.tag_values, name, value)
    sample_rate = sample_rate or max(run.generator.sample_rate for run in used.values())

    def part_of(note):
        return parts[note.channel, note.program]

    audio, left_out = play(song, part_of, sample_rate, seed, progress)
    reasons = [
        f"{counted(len(pitches), 'note')} ({_listed(pitches)}) {reason}"
        for reason, pitches in left_out.items()
    ]
    if sum(map(len, left_out.values())) == len(song.notes):
        raise UsageError(f"{path}: no note can be played ({'; '.join(reasons)})")
    remarks += [f"left out: {reason}" for reason in reasons]
    remarks += _beyond(song.notes, part_of)
    return Notes([pathlib.Path(path).stem], sample_rate, lambda stems: [Note(audio)], remarks)


def _assign(song, run, drums, channels, programs, tags):
    """Part, or None, of each channel and program of a song: a channel may change its program."""
    parts = {}
    for channel, program in dict.fromkeys((note.channel, note.program) for note in song.notes):
        is_drums = channel == midi.DRUM_CHANNEL
        given = channels.get(channel)
        if given is None and not is_drums:  # programs on the drums' channel are kits
            given = programs.get(program)
        if given is None:
            # The notes of a channel belong together, as of one instrument.
            given = (drums, None) if is_drums else (run, channel - 1)
        part = Part(*given) if isinstance(given, tuple) else Part(given)
        parts[channel, program] = None
        if part.run is not None:
            check_playable(part, channel)
            own = {name: value for name, value in tags.items() if name in part.run.tag_values}
            parts[channel, program] = dataclasses.replace(part, tags=own)
    return parts


def _listed(pitches):
    """Each pitch once; at most eight."""
    each = sorted(set(pitches))
    return ", ".join(map(str, each[:8])) + (" ..." if len(each) > 8 else "")


def _beyond(played, part_of):
    """Remarks on notes outside the pitches that a run was trained on."""
    beyond = collections.Counter()
    for note in played:
        part = part_of(note)
        if part is not None and not part.is_kit and part.run.pitches:
            low, high = min(part.run.pitches), max(part.run.pitches)
            beyond[part.run.name, low, high] += not low <= note.pitch <= high
    return [
        f"{counted(n, 'note')} outside the pitches {low:g} to {high:g} that {name} was trained on"
        for (name, low, high), n in beyond.items()
        if n
    ]


def play(song, parts, sample_rate, seed=0, progress=None):
    """Render a `midi.Song`: (audio float32 [n_samples], reason -> pitches left out).

    `parts` is a function from a `midi.Note` to the Part that plays it, or None; `progress` is
    called with (notes rendered, notes in all).
    """
    chosen, left_out = [], collections.defaultdict(list)
    for index, note in enumerate(song.notes):
        part = parts(note)
        reason = _refusal(note, part, sample_rate)
        if reason:
            left_out[reason].append(note.pitch)
        else:
            chosen.append((index, note, part))
    seconds = max((note.start + part.seconds(note) for _, note, part in chosen), default=0.0)
    audio = np.zeros(round(seconds * sample_rate), np.float32)
    levels = {n: np.array([(-math.inf, 1.0), *steps]).T for n, steps in song.levels.items()}
    n_done = 0
    for batch in _batches(chosen, sample_rate):
        for (_, note, _), sound in zip(batch, _render(batch, sample_rate, seed), strict=True):
            start = round(note.start * sample_rate)
            sound = sound[: len(audio) - start]
            if note.channel in levels:
                level = _level(*levels[note.channel], note.start, len(sound), sample_rate)
                sound = sound * level
            audio[start : start + len(sound)] += sound
        n_done += len(batch)
        if progress is not None:
            progress(n_done, len(chosen))
    return audio, dict(left_out)


def _refusal(note, part, sample_rate):
    """Why a note is not played, or None."""
    if part is None:
        return f"on channel {note.channel}, which no run plays"
    if not note.held and not part.is_kit:
        return "of no length"
    if part.seconds(note) > MAX_NOTE_SECONDS:
        return f"longer than {MAX_NOTE_SECONDS:g} seconds"
    if part.label(note) is None:
        known = ", ".join(part.run.label_names)
        return f"for drums that the run does not know; it knows {known}"
    highest = max((bend for _, bend in note.bend), default=0.0)
    if not part.is_kit and midi_to_hz(note.pitch + highest) >= sample_rate / 2:
        return f"above what {sample_rate} Hz can hold"
    return None


def _batches(chosen, sample_rate):
    """Yields lists of (index, note, part) of one part and of similar lengths."""
    groups = {}
    for item in chosen:
        _, note, part = item
        step = math.ceil(math.log(max(part.seconds(note), 0.1)) / math.log(_LENGTH_RATIO))
        groups.setdefault((id(part.run), part.number, step), []).append(item)
    for group in groups.values():
        longest = max(part.seconds(note) for _, note, part in group)
        n_rows = int(max(1, min(_MAX_BATCH, _MAX_SAMPLES // (longest * sample_rate))))
        for start in range(0, len(group), n_rows):
            yield group[start : start + n_rows]


def _render(batch, sample_rate, seed):
    """Yields the sound of each note of a batch, float32 [n]."""
    import tensorflow as tf

    part = batch[0][2]
    generator = part.run.generator
    played = [note for _, note, _ in batch]
    seconds = [part.seconds(note) for note in played]
    requests = []
    for i, note, _ in batch:
        number, label = part.z_number(i, note), part.label(note)
        tags = draw_tags(part.run, number, label, seed, part.tags)
        requests.append(Request(note.pitch, note.velocity, label, "", number, i, tags=tags))
    z = [generator.prior(1, seed=note_seeds(seed, request.number)[0]) for request in requests]
    z = tf.concat(z, axis=0)
    # Each note has another noise seed, or repeated ones would sound like one sample.
    noise_seeds = tf.constant([note_seeds(seed, request.index)[1] for request in requests])
    given = conditioning(requests, generator)
    if generator.has_controls:
        held = None if part.is_kit else tf.constant([note.held for note in played], tf.float32)
        # Frames behind the last note, too, so that it ends like all others: cut off.
        longest = max(seconds) + (0.0 if part.is_kit else 2.0 / generator.frame_rate)
        controls = generator.get_controls(z, given, longest, held)
        _bend(controls, played, generator.frame_rate)
        n_frames = controls["loudness_db"].shape[1]
        covered = frames_to_samples(n_frames, generator.frame_rate, sample_rate)
        audio = generator.get_signal(controls, covered, sample_rate, noise_seeds).numpy()
    else:
        longest = min(max(seconds), generator.seconds)
        lengths = {"seconds": longest, "sample_rate": sample_rate}
        audio = generator(z, given, **lengths, seed=noise_seeds).audio.numpy()
    has_velocity = "velocity" in part.run.condition_names
    for sound, note, length in zip(audio, played, seconds, strict=True):
        sound = sound[: round(length * sample_rate)]
        if part.is_kit or generator.release_seconds is None:
            sound = faded(sound, sample_rate)
        yield sound if has_velocity else sound * np.float32(softer_hits.gain(note.velocity))


def _bend(controls, played, frame_rate):
    """Bend the F0 curves of controls, in place."""
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


def _level(times, gains, start, n_samples, sample_rate):
    """Gain of a channel while a note sounds: a float32, or [n_samples] without steps."""
    first = np.searchsorted(times, start, "right") - 1
    last = np.searchsorted(times, start + n_samples / sample_rate)
    gains = gains[first:last].astype(np.float32)
    if len(gains) < 2:
        return gains[0]
    steps = np.round((times[first + 1 : last] - start) * sample_rate).astype(int).clip(0, n_samples)
    curve = np.repeat(gains, np.diff(steps, prepend=0, append=n_samples))
    return scipy.ndimage.uniform_filter1d(
        curve, round(_LEVEL_SECONDS * sample_rate), mode="nearest"
    )


def check_playable(part, channel):
    """Refuse a run without pitches on a melodic channel, with a UsageError."""
    if channel != midi.DRUM_CHANNEL and part.is_kit:
        names = ", ".join(part.run.condition_names) or "nothing"
        why = f"it is conditioned on {names}; expected a run that is conditioned on pitch"
        raise UsageError(f"{part.run.name} can't play melodies: {why}")
