"""Requests for notes: pitches, velocities, labels, seeds and file names.

What a note sounds like depends only on its own request and the seed, not on the notes rendered
beside it.
"""

import dataclasses
import math
import re

import numpy as np

from noisygan.errors import UsageError

DEFAULT_PITCH = 60
DEFAULT_VELOCITY = 100
NO_NOTE_OFF = "held_seconds: this run's generator writes whole waveforms; leave it out"


@dataclasses.dataclass(frozen=True)
class Request:
    """One note to render.

    Attributes:
      pitch: MIDI number, 0 if the generator is not conditioned on pitch.
      velocity: 0 .. 127, 0 if the generator is not conditioned on velocity.
      label: Index into the run's label names.
      name: First part of the file name: a label or the run's name.
      number: Number of its z: equal numbers and seeds give the same z.
      index: Distinguishes files of one name, pitch and velocity.
      condition_names: What the generator is conditioned on.
      bend: Pitch bend, points (seconds, semitones), linear between them; all requests that are
        rendered together have equally many.
      held_seconds: Time of the note-off, infinite for never; None: the generator's default.
    """

    pitch: float
    velocity: float
    label: int
    name: str
    number: int
    index: int
    condition_names: tuple = ("pitch", "velocity")
    bend: tuple = ()
    held_seconds: float | None = None

    @property
    def kind(self):
        """File name before the index: `<name>-<pitch>-<velocity>` as in NSynth.

        Without conditioning on pitch `<name>-v<velocity>`, without both the name alone.
        """
        if "pitch" in self.condition_names:
            # 060 or 067.5: a pitch between keys keeps its fraction.
            whole, part = f"{self.pitch:.3f}".split(".")
            pitch = f"{whole:0>3}.{part}".rstrip("0").removesuffix(".")
            return f"{self.name}-{pitch}-{round(self.velocity):03d}"
        has_velocity = "velocity" in self.condition_names
        return f"{self.name}-v{round(self.velocity)}" if has_velocity else self.name

    @property
    def stem(self):
        """File name without suffix, `<kind>-<index>`."""
        return f"{self.kind}-{self.index:03d}"


def file_name(run, label):
    """First part of the file names of a label: its name, or the run's name for None."""
    name = run.name if label is None or not run.label_names else run.label_names[label]
    # A label may be any folder's name; a file name must stay inside its folder.
    return re.sub(r"[^\w.+-]", "_", name).lstrip(".") or "note"


def note_seeds(seed, number):
    """Seeds of a note's z and noise: two int below 2**31."""
    words = np.random.SeedSequence([seed, number]).generate_state(2)
    return tuple(int(word & 0x7FFFFFFF) for word in words)


def make_requests(run, count=1, pitch=None, velocity=None, label=None, seed=0, held_seconds=None):
    """Request `count` notes at each pitch and label: list of Request.

    The i-th note at each pitch has the same z: notes of one index sound like one instrument.

    Args:
      run: Run, or an object with its name, condition_names, label_names and pitches.
      count: Notes at each pitch, 1 or more.
      pitch: List of MIDI numbers; None draws one of the run's pitches for each note.
      velocity: 0 .. 127; None: 100.
      label: List of label names; None: each in turn.
      seed: Decides which pitches are drawn.
      held_seconds: Time of the note-offs; None: the generator's default.

    Raises:
      UsageError: if the run's generator is not conditioned on what is given, or can't play it.
    """
    if count < 1:
        raise UsageError(f"count {count}: expected 1 or more")
    _check_conditions(run, pitch, velocity, label)
    velocity = DEFAULT_VELOCITY if velocity is None else velocity
    velocity = velocity if "velocity" in run.condition_names else 0
    indices = _label_indices(run, label)
    notes = []
    for number in range(count):
        if "pitch" not in run.condition_names:
            chosen = [0]
        elif pitch is not None:
            chosen = pitch
        elif run.pitches:
            draw = np.random.default_rng([seed, number])
            chosen = [run.pitches[draw.integers(len(run.pitches))]]
        else:
            chosen = [DEFAULT_PITCH]
        labels = indices if label is not None else [indices[number % len(indices)]]
        notes += [
            (each, velocity, index, number, held_seconds) for each in chosen for index in labels
        ]
    return _numbered(run, notes)


def requests_like(run, entries):
    """Request one note for each recording, at its pitch, velocity, label and note-off.

    Recordings that lack a condition of the generator, or have an unknown label, are left out.

    Args:
      run: As of `make_requests`.
      entries: Recordings: objects with path, pitch, velocity, label and held_seconds, None where
        unknown.

    Returns:
      list of Request, in the entries' order.

    Raises:
      UsageError: if no recording is left.
    """
    notes, problems = [], []
    known = list(run.label_names)
    for number, entry in enumerate(entries):
        if entry.pitch is None and "pitch" in run.condition_names:
            problems.append(
                f"{entry.path}: its pitch is unknown; expected names like C4.wav or "
                "flute-060-100.wav, or NSynth's examples.json"
            )
            continue
        label = 0
        if entry.label in known:
            label = known.index(entry.label)
        elif len(known) > 1 and "label" in run.condition_names:
            problems.append(
                f"{entry.path}: label {entry.label} is unknown to this run, "
                f"which knows {', '.join(known)}"
            )
            continue
        velocity = DEFAULT_VELOCITY if entry.velocity is None else entry.velocity
        notes.append((entry.pitch or 0, velocity, label, number, entry.held_seconds))
    if not notes:
        raise UsageError(problems[0])
    return _numbered(run, notes)


def bend_requests(requests, bend, generator, sample_rate):
    """Add a pitch bend, points (seconds, semitones), to requests: list of Request.

    Raises:
      UsageError: for a generator without F0, and for pitches that can't be played.
    """
    if not any(voice.kind == "harmonic" for voice in generator.voices):
        raise UsageError("glide: this run's generator has no F0 curve to bend; leave it out")
    if "pitch" in generator.condition_names:
        for pitch in dict.fromkeys(request.pitch for request in requests):
            for semitones in {value for _, value in bend}:
                try:
                    check_pitches([pitch + semitones], sample_rate)
                except UsageError as error:
                    takes = f"glide takes pitch {pitch:g} by {semitones:+g} semitones"
                    raise UsageError(f"{takes}: {error}") from error
    return [dataclasses.replace(request, bend=tuple(bend)) for request in requests]


def check_pitches(pitches, sample_rate=None):
    """Raise UsageError for pitches outside 0 .. 127 or, given a rate in Hz, above half of it."""
    for pitch in pitches:
        if not 0 <= pitch <= 127:
            raise UsageError(f"pitch {pitch:g}: expected MIDI numbers 0 to 127, such as 60")
        hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        if sample_rate and hz >= sample_rate / 2:
            highest = math.ceil(69 + 12 * math.log2(sample_rate / 2 / 440.0)) - 1
            raise UsageError(
                f"pitch {pitch:g} is {hz:.0f} Hz, which {sample_rate} Hz cannot hold; expected at "
                f"most pitch {highest}, or a higher sample_rate"
            )


def far_pitches(pitches, known):
    """Remarks on the lowest and highest pitch, over an octave beyond those of the recordings.

    Args:
      pitches: MIDI pitches that are rendered.
      known: Those of the recordings, or none.

    Returns:
      list of str.
    """
    if not pitches or not known:
        return []
    low, high = min(known), max(known)
    span = f"the recordings' range ({low:g} to {high:g})"
    remarks = []
    if min(pitches) < low - 12:
        remarks.append(f"pitch {min(pitches):g} is {low - min(pitches):g} semitones below {span}")
    if max(pitches) > high + 12:
        remarks.append(f"pitch {max(pitches):g} is {max(pitches) - high:g} semitones above {span}")
    return remarks


def check_labels(known, labels):
    """Raise UsageError for labels that a run, whose label names are `known`, does not know."""
    if not known:
        raise UsageError("label: this run's recordings had no labels; leave it out")
    for label in labels:
        if label not in known:
            names = ", ".join(known)
            raise UsageError(f"label {label} is unknown to this run, which knows {names}")


def _check_conditions(run, pitch, velocity, label):
    if velocity is not None and not 0 <= velocity <= 127:
        raise UsageError(f"velocity {velocity:g}: expected 0 to 127, such as 100")
    if label is not None:
        check_labels(run.label_names, label)
    # The one label of a run is known without conditioning on it.
    label = label if len(run.label_names) > 1 else None
    for name, given in (("pitch", pitch), ("velocity", velocity), ("label", label)):
        if given is not None and name not in run.condition_names:
            names = ", ".join(run.condition_names) or "nothing"
            raise UsageError(
                f"{name} has no effect: this run is conditioned on {names}; leave it out"
            )


def _label_indices(run, labels):
    known = list(run.label_names)
    if labels is None:
        if "label" in run.condition_names and known:
            return list(range(len(known)))
        # A generator of several instruments that is conditioned on none makes none in particular.
        return [0] if len(known) == 1 else [None]
    return [known.index(label) for label in labels]


def _numbered(run, notes):
    """Number the files of equal names; `notes` are the fields of requests."""
    seen, requests, names = {}, [], tuple(run.condition_names)
    for pitch, velocity, label, number, held in notes:
        name = file_name(run, label)
        request = Request(pitch, velocity, label or 0, name, number, 0, names, held_seconds=held)
        seen[request.kind] = seen.get(request.kind, -1) + 1
        requests.append(dataclasses.replace(request, index=seen[request.kind]))
    return requests
