"""Sets of examples to be compared: audio, conditioning and features, and checks of the audio."""

from __future__ import annotations

import dataclasses
import hashlib
import re

import numpy as np

from noisygan.errors import UsageError
from noisygan.metrics import features, note_envelopes
from noisygan.metrics.descriptors import CLIPPED, SILENT_PEAK

MIN_EXAMPLES = 8
ENOUGH_EXAMPLES = 500
_N_CLIPPED = 16


@dataclasses.dataclass
class Examples:
    """Audio of one sample rate and length with its conditioning.

    Attributes:
      audio: float32 [n, n_samples], in [-1, 1].
      sample_rate: Hz.
      pitch: MIDI, the target pitch of generated examples; NaN where unknown. float [n].
      labels: Class of each, "" where unknown. Array of str [n].
      names: list of n.
      velocity: 0 to 127, NaN where unknown. float [n].
      rows: Rows of the recordings that generated examples have the conditions of, int [n], or None.
      held_seconds: Time of the note-offs, infinite for never; None: unknown. float [n].
      tags: dict of name -> values [n], as of `AudioDataset`.
    """

    audio: np.ndarray
    sample_rate: int
    pitch: np.ndarray = None
    labels: np.ndarray = None
    names: list = None
    velocity: np.ndarray = None
    rows: np.ndarray = None
    held_seconds: np.ndarray = None
    tags: dict = dataclasses.field(default_factory=dict)
    _features: features.Features = dataclasses.field(default=None, repr=False)
    _embedded: dict = dataclasses.field(default_factory=dict, repr=False)
    _envelopes: note_envelopes.Envelopes = dataclasses.field(default=None, repr=False)

    def __post_init__(self):
        self.audio = np.asarray(self.audio, np.float32)
        n = len(self.audio)
        unknown = np.full(n, np.nan)
        self.pitch = unknown if self.pitch is None else np.asarray(self.pitch, float)
        self.velocity = unknown if self.velocity is None else np.asarray(self.velocity, float)
        self.labels = np.full(n, "") if self.labels is None else np.asarray(self.labels, str)
        self.names = [f"{i:04d}" for i in range(n)] if self.names is None else list(self.names)

    @classmethod
    def from_dataset(cls, dataset, rows=None):
        """Examples of an `AudioDataset`, all rows or some."""
        rows = np.arange(len(dataset)) if rows is None else np.asarray(rows)
        names = dataset.label_names
        return cls(
            np.stack([dataset.audio(i) for i in rows]),
            dataset.sample_rate,
            dataset.pitch[rows],
            [names[dataset.label[i]] for i in rows] if dataset.has_label else None,
            [dataset.names[i] for i in rows],
            dataset.velocity[rows],
            held_seconds=dataset.held_seconds_of(rows),
            tags={name: values[rows] for name, values in dataset.tags.items()},
        )

    def __len__(self):
        return len(self.audio)

    @property
    def features(self):
        """`metrics.features.Features` of the examples, computed once."""
        if self._features is None:
            self._features = features.extract(self.audio, self.sample_rate, self.pitch, self.labels)
        return self._features

    @property
    def envelopes(self):
        """`metrics.note_envelopes.Envelopes` of the examples, computed once."""
        if self._envelopes is None:
            self._envelopes = note_envelopes.envelopes(self.audio, self.sample_rate)
        return self._envelopes

    def embedded(self, name, function):
        """Output of an embedding, float64 [n, ...], computed once."""
        if name not in self._embedded:
            vectors = function(self.audio, self.sample_rate)
            self._embedded[name] = np.asarray(vectors, np.float64)
        return self._embedded[name]

    def take(self, rows):
        """Examples of some rows, with the features computed so far."""
        rows = np.arange(len(self))[rows]
        return Examples(
            self.audio[rows],
            self.sample_rate,
            self.pitch[rows],
            self.labels[rows],
            [self.names[i] for i in rows],
            self.velocity[rows],
            None if self.rows is None else self.rows[rows],
            None if self.held_seconds is None else self.held_seconds[rows],
            {name: values[rows] for name, values in self.tags.items()},
            self._features and self._features.take(rows),
            {name: vectors[rows] for name, vectors in self._embedded.items()},
            self._envelopes and self._envelopes.take(rows),
        )

    def with_audio(self, audio):
        """Examples with other audio and the same conditioning."""
        return dataclasses.replace(self, audio=audio, _features=None, _embedded={}, _envelopes=None)

    @property
    def has_pitch(self):
        """True if every pitch is known."""
        return not np.isnan(self.pitch).any()

    @property
    def classes(self):
        """Names of the classes, sorted; empty if an example has none."""
        return [] if (self.labels == "").any() else sorted(set(self.labels.tolist()))

    @property
    def groups(self):
        """Pitch, or drum without its velocity: one group must not be split. Array of str [n]."""
        if self.has_pitch:
            return self.pitch.astype(int).astype(str)
        return np.array([without_velocity(name) for name in self.names])


def without_velocity(name):
    """Name of a recording without its velocity: kick/jazz-35 of kick/jazz-35-v127."""
    return re.sub(r"-v\d{2,3}$", "", name)


def half_of(kinds, labels):
    """About half of the kinds of each class, chosen by a hash of the kind: bool [n].

    Args:
      kinds: Of each example, str; equal ones stay together.
      labels: Class of each, [n].
    """
    kinds, labels = np.asarray(kinds, str), np.asarray(labels)
    chosen = np.zeros(len(kinds), bool)
    for label in np.unique(labels):
        own = set(kinds[labels == label].tolist())
        own = sorted(own, key=lambda kind: hashlib.sha256(kind.encode()).digest())
        chosen |= (labels == label) & np.isin(kinds, own[::2])
    return chosen


def check_alike(sets):
    """Raise UsageError if sets, a dict name -> Examples, differ in sample rate or length."""
    for what, unit, value in (
        ("sample rates", "Hz", lambda s: s.sample_rate),
        ("lengths", "samples", lambda s: s.audio.shape[1]),
    ):
        found = {name: value(examples) for name, examples in sets.items()}
        if len(set(found.values())) > 1:
            each = ", ".join(f"{name} {number} {unit}" for name, number in found.items())
            raise UsageError(
                f"audio of different {what} can't be compared: {each}; expected one: convert the "
                "files, or cut them to one length"
            )


def repaired(examples, name):
    """(Examples with finite audio within full scale, list of warnings about the audio).

    Non-finite samples become 0; samples beyond full scale are clipped, as in a WAV file. `name` is
    what they are, for the messages.

    Raises:
      UsageError: for too few examples, or if all are silent.
    """
    n, audio, warnings = len(examples), examples.audio, []
    if n < MIN_EXAMPLES:
        raise UsageError(
            f"{n} {name}; expected at least {MIN_EXAMPLES}, better {ENOUGH_EXAMPLES}: add audio"
        )

    def warn(bad, text):
        if bad.any():
            warnings.append(f"{bad.sum()} of {n} {name} {text}")

    bad = ~np.isfinite(audio).all(axis=1)
    audio = np.where(np.isfinite(audio), audio, np.float32(0.0))
    warn(
        bad,
        "contain NaN or infinite samples, which count as silence: train again with another seed or "
        "a lower learning rate",
    )
    peaks = np.abs(audio).max(axis=1)
    silent = peaks < SILENT_PEAK
    if silent.all():
        raise UsageError(
            f"all {n} {name} are silent (peak below {SILENT_PEAK:g}); expected audio: train "
            "longer, or name another folder"
        )
    warn(silent, f"are silent (peak below {SILENT_PEAK:g}) and count as they are")
    warn(
        peaks > 1.0 + 1e-6,
        f"peak above full scale, up to {peaks.max():.2f}, and are clipped: render them softer",
    )
    audio = np.clip(audio, -1.0, 1.0)
    clipped = (np.abs(audio) >= CLIPPED).sum(axis=1) >= _N_CLIPPED
    warn(clipped, f"are clipped ({_N_CLIPPED} samples or more at full scale)")
    if n < ENOUGH_EXAMPLES:
        warnings.append(
            f"only {n} {name}; intervals are narrow enough to rank systems from {ENOUGH_EXAMPLES}"
        )
    return examples.with_audio(audio), warnings
