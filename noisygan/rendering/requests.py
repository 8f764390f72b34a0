"""Requests for notes: pitches, velocities, labels, tags, seeds and file names.

What a note sounds like depends only on its own request and the seed, not on the notes rendered
beside it.
"""

import dataclasses
import itertools
import math
import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from noisygan.audio_io import audio_files
from noisygan.data.source_files import text_of
from noisygan.data.tagging import UNKNOWN, is_number, shown
from noisygan.errors import UsageError
from noisygan.metrics.note_analysis import hz_to_midi, midi_to_hz

DEFAULT_PITCH = 60
DEFAULT_VELOCITY = 100
_KNOWN = ("pitch", "velocity", "label")
MAX_VARIATION = 10.0
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
      tags: dict of name -> number or category.
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
    tags: dict = dataclasses.field(default_factory=dict, hash=False)

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


class NoteSpec(NamedTuple):
    """What to render; fields as the arguments of `noisygan.Run.render`."""

    pitch: float | Sequence[float] | None = None
    velocity: float | None = None
    label: str | Sequence[str] | None = None
    count: int = 1
    seconds: float | None = None
    sample_rate: int | None = None
    seed: int = 0
    z: np.ndarray | str | pathlib.Path | None = None
    glide: Sequence[tuple[float, float]] | None = None
    like: str | pathlib.Path | None = None
    held_seconds: float | None = None
    tags: dict | None = None
    variation: float = 1.0

    def check(self):
        """Raise UsageError for values out of range and values that exclude each other."""
        audio_files.check_sample_rate(self.sample_rate)
        audio_files.check_seconds(self.seconds)
        if self.held_seconds is not None and not self.held_seconds >= 0.0:
            raise UsageError(f"held_seconds {self.held_seconds:g}: expected 0 or more, such as 2.5")
        names = ("pitch", "velocity", "label", "z", "tags")
        given = [name for name in names if getattr(self, name) is not None]
        if self.like is not None and (given or self.count != 1):
            raise UsageError(
                "like takes pitch, velocity, label and tags from the recordings, one note of "
                f"another z for each; leave out {', '.join(given or ['count'])}"
            )
        if self.z is not None and self.count != 1:
            raise UsageError("z makes one note of each latent; leave out count")
        if self.z is not None and self.variation != 1.0:
            raise UsageError("variation scales drawn latents; leave out z or variation")
        if not 0.0 <= self.variation <= MAX_VARIATION:
            raise UsageError(
                f"variation {self.variation:g}: expected 0 to {MAX_VARIATION:g}, such as 3"
            )


def file_name(run, label):
    """First part of the file names of a label: its name, or the run's name for None."""
    name = run.name if label is None or not run.label_names else run.label_names[label]
    # A label may be any folder's name; a file name must stay inside its folder.
    return safe(name).lstrip(".") or "note"


def safe(name):
    """A name with underscores in place of what a file name can't have."""
    return re.sub(r"[^\w.+-]", "_", name)


def note_seeds(seed, number):
    """Seeds of a note's z and noise: two int below 2**31."""
    words = np.random.SeedSequence([seed, number]).generate_state(2)
    return tuple(int(word & 0x7FFFFFFF) for word in words)


def make_requests(run, spec):
    """Request `count` notes at each pitch, label and combination of tags: list of Request.

    The i-th note at each pitch has the same z: notes of one index sound like one instrument.

    Args:
      run: Run, or an object with its name, condition_names, label_names, pitches and, with tags,
        tag_values and tag_rows.
      spec: NoteSpec; pitch, velocity, label, count, seed, held_seconds and tags are read.

    Raises:
      UsageError: if the run's generator is not conditioned on what is given, or can't play it.
    """
    if spec.count < 1:
        raise UsageError(f"count {spec.count}: expected 1 or more")
    label = [spec.label] if isinstance(spec.label, str) else spec.label
    _check_conditions(run, spec.pitch, spec.velocity, label)
    if spec.tags:
        check_tags(run.tag_values, spec.tags)
    choices = list_tags(spec.tags)
    velocity = DEFAULT_VELOCITY if spec.velocity is None else spec.velocity
    velocity = velocity if "velocity" in run.condition_names else 0
    indices = _label_indices(run, label)
    notes = []
    for number in range(spec.count):
        if "pitch" not in run.condition_names:
            chosen = [0]
        elif spec.pitch is not None:
            chosen = np.atleast_1d(spec.pitch).tolist()
        elif run.pitches:
            draw = np.random.default_rng([spec.seed, number])
            chosen = [run.pitches[draw.integers(len(run.pitches))]]
        else:
            chosen = [DEFAULT_PITCH]
        labels = indices if label is not None else [indices[number % len(indices)]]
        for each, index, given in itertools.product(chosen, labels, choices):
            own = draw_tags(run, number, index, spec.seed, given)
            more = "".join(f"-{name}_{text_of(value)}" for name, value in given.items())
            notes.append((each, velocity, index, number, spec.held_seconds, own, more))
    return _numbered(run, notes)


def requests_like(run, entries):
    """Request one note for each recording, at its pitch, velocity, label, tags and note-off.

    Recordings that lack a condition of the generator, or have an unknown label, are left out.

    Args:
      run: As of `make_requests`.
      entries: Recordings: objects with path, pitch, velocity, label and held_seconds, None where
        unknown, and a dict of tags; those that are missing are drawn.

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
        try:
            tags = draw_tags(run, number, label, given=in_range(run, entry.tags))
        except UsageError as error:
            problems.append(f"{entry.path}: {error}")
            continue
        notes.append((entry.pitch or 0, velocity, label, number, entry.held_seconds, tags, ""))
    if not notes:
        raise UsageError(problems[0])
    return _numbered(run, notes)


def list_tags(tags):
    """Every combination of the values of tags, dict of name -> value or list: list of dict."""
    values = {
        name: list(each) if isinstance(each, (list, tuple)) else [each]
        for name, each in (tags or {}).items()
    }
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


def draw_tags(run, number=0, label=None, seed=0, given=None):
    """Tags of a note: those given, all others of a recording that is drawn.

    It is drawn among the recordings that have most of the given categories and the label.

    Args:
      run: As of `make_requests`.
      number: Number of the note's z.
      label: Index into the run's label names, or None.
      seed: Decides with the number which recording is drawn.
      given: dict of name -> number or category.

    Returns:
      dict of name -> number or category; {} for a run without tags.

    Raises:
      UsageError: for a value that the run does not know.
    """
    names = [name for name in run.condition_names if name not in _KNOWN]
    if not names:
        return {}
    wanted = dict(given or {})
    if label is not None and run.label_names and "label" in run.condition_names:
        wanted["label"] = run.label_names[label]
    alike = [sum(row[name] == value for name, value in wanted.items()) for row in run.tag_rows]
    most = max(alike)
    rows = [row for row, n in zip(run.tag_rows, alike, strict=True) if n == most]
    drawn = rows[np.random.default_rng([seed, number, 1]).integers(len(rows))] | wanted
    return {name: tag_value(run.tag_values, name, drawn[name]) for name in names}


def check_tags(known, tags):
    """Raise UsageError for tags, as of `make_requests`, that a run, `known`, does not know."""
    for given in list_tags(tags):
        tag_values(known, given)


def tag_values(known, tags):
    """`tag_value` of each tag, dict of name -> value, or None for no tags: dict."""
    return {name: tag_value(known, name, value) for name, value in (tags or {}).items()}


def tag_value(known, name, value):
    """Value of a tag as a float, or one of its categories.

    Args:
      known: dict of a tag's name -> its categories, or its lowest and highest number.
      name: Name of the tag.
      value: Number, category, or text of either.

    Raises:
      UsageError: for an unknown tag, or a value that it can't have.
    """
    if name not in known:
        there = f"which knows {', '.join(known)}" if known else "which has none; leave it out"
        raise UsageError(f"tag {name} is unknown to this run, {there}")
    values = known[name]
    if not is_number(values):
        if text_of(value) in values:
            return text_of(value)
        raise UsageError(f"tag {name}: got {value}, expected one of {shown(values)}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    # Ranges are those of float32.
    low, high = (np.float32(each) for each in values)
    if not low <= np.float32(number) <= high:
        raise UsageError(f"tag {name}: got {value}, expected a number {shown(values)}")
    return number


def in_range(run, tags):
    """Known tags of a recording that a run has; numbers are clipped to those of its recordings."""
    found = {}
    for name in (name for name in run.condition_names if name in tags):
        value, known = tags[name], run.tag_values[name]
        if is_number(known) and isinstance(value, float):
            value = float(np.clip(value, *known))
        if value != UNKNOWN or UNKNOWN in known:
            found[name] = value
    return found


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
        hz = midi_to_hz(pitch)
        if sample_rate and hz >= sample_rate / 2:
            highest = math.ceil(hz_to_midi(sample_rate / 2)) - 1
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
    for pitch, velocity, label, number, held, tags, more in notes:
        name = file_name(run, label) + safe(more)
        request = Request(pitch, velocity, label or 0, name, number, 0, names, (), held, tags)
        seen[request.kind] = seen.get(request.kind, -1) + 1
        requests.append(dataclasses.replace(request, index=seen[request.kind]))
    return requests
