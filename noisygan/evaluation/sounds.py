"""Sets of sounds to be compared: audio, what is known of each, and what is wrong with them."""

from __future__ import annotations

import dataclasses
import hashlib
import re

import numpy as np

from noisygan.errors import UsageError
from noisygan.metrics.descriptors import CLIPPED, SILENT_PEAK

MIN_SOUNDS = 8
ENOUGH_SOUNDS = 500
_N_CLIPPED = 16


@dataclasses.dataclass(frozen=True)
class Sounds:
    """Sounds of one rate and length.

    Attributes:
      audio: float32 [n, n_samples], in [-1, 1].
      sample_rate: Hz.
      pitch: MIDI number, for generated sounds the asked one; NaN where unknown. float [n].
      labels: Class of each, "" where unknown. Array of str [n].
      names: list of n.
      velocity: 0 to 127, NaN where unknown. float [n].
    """

    audio: np.ndarray
    sample_rate: int
    pitch: np.ndarray
    labels: np.ndarray
    names: list
    velocity: np.ndarray

    def __len__(self):
        return len(self.audio)

    def take(self, rows):
        """The sounds of some rows."""
        rows = np.arange(len(self))[rows]
        return Sounds(
            self.audio[rows],
            self.sample_rate,
            self.pitch[rows],
            self.labels[rows],
            [self.names[i] for i in rows],
            self.velocity[rows],
        )

    def with_audio(self, audio):
        """The same sounds after something was done to their audio."""
        return dataclasses.replace(self, audio=np.asarray(audio, np.float32))

    @property
    def has_pitch(self):
        """Whether every pitch is known."""
        return not np.isnan(self.pitch).any()

    @property
    def classes(self):
        """Names of the classes, sorted; empty where not every sound has one."""
        return [] if (self.labels == "").any() else sorted(set(self.labels.tolist()))


def make_sounds(audio, sample_rate, pitch=None, labels=None, names=None, velocity=None):
    """`Sounds` of arrays; what is not given is unknown."""
    audio = np.asarray(audio, np.float32)
    n = len(audio)
    return Sounds(
        audio,
        int(sample_rate),
        np.full(n, np.nan) if pitch is None else np.asarray(pitch, float),
        np.full(n, "") if labels is None else np.asarray(labels, str),
        [f"{i:04d}" for i in range(n)] if names is None else list(names),
        np.full(n, np.nan) if velocity is None else np.asarray(velocity, float),
    )


def sounds_of(notes, rows=None):
    """`Sounds` of an `AudioDataset`, of all rows or some."""
    rows = np.arange(len(notes)) if rows is None else np.asarray(rows)
    labels = None
    if notes.has_label:
        labels = [notes.label_names[notes.label[i]] for i in rows]
    return make_sounds(
        np.stack([notes.audio(i) for i in rows]),
        notes.sample_rate,
        notes.pitch[rows],
        labels,
        [notes.names[i] for i in rows],
        notes.velocity[rows],
    )


def without_velocity(name):
    """A recording's name without a velocity at its end: kick/jazz-35 of kick/jazz-35-v127."""
    return re.sub(r"-v?\d{2,3}$", "", name)


def half_of(kinds, labels):
    """About a half of the kinds of each class, chosen by name: bool [n].

    Args:
      kinds: Of each sound, str; equal ones stay together.
      labels: Class of each, [n].
    """
    kinds, labels = np.asarray(kinds, str), np.asarray(labels)
    chosen = np.zeros(len(kinds), bool)
    for label in np.unique(labels):
        own = sorted(set(kinds[labels == label].tolist()), key=_shuffled)
        chosen |= (labels == label) & np.isin(kinds, own[::2])
    return chosen


def _shuffled(text):
    return hashlib.sha256(text.encode()).digest()


def repaired(sounds, who):
    """Sounds that every measure can take, and what was wrong with them.

    Samples that are not finite become 0 and samples beyond full scale are cut to it, as a WAV file
    would hold them.

    Args:
      sounds: Sounds.
      who: What they are, for the messages, such as "generated sounds".

    Returns:
      (Sounds, list of str: one sentence for each kind of fault).

    Raises:
      UsageError: for too few sounds, or where none has anything to hear.
    """
    n = len(sounds)
    if n < MIN_SOUNDS:
        raise UsageError(
            f"{n} {who}; expected at least {MIN_SOUNDS}, better {ENOUGH_SOUNDS}: add sounds"
        )
    said = []
    audio = sounds.audio
    bad = ~np.isfinite(audio).all(axis=1)
    if bad.any():
        audio = np.where(np.isfinite(audio), audio, 0.0).astype(np.float32)
        said.append(
            f"{bad.sum()} of {n} {who} hold NaN or infinite samples; these count as silence: "
            "train again with another seed or a lower learning rate"
        )
    peaks = np.abs(audio).max(axis=1)
    silent = peaks < SILENT_PEAK
    if silent.all():
        raise UsageError(
            f"all {n} {who} are silent (peak below {SILENT_PEAK:g}); expected sounds: train "
            "longer, or name another folder"
        )
    if silent.any():
        said.append(
            f"{silent.sum()} of {n} {who} are silent (peak below {SILENT_PEAK:g}); they count as "
            "they are: leave them out of the folder if they do not belong there"
        )
    loud = peaks > 1.0 + 1e-6
    if loud.any():
        audio = np.clip(audio, -1.0, 1.0)
        said.append(
            f"{loud.sum()} of {n} {who} peak above full scale, up to {peaks.max():.2f}; they are "
            "cut to it, as in a WAV file: render them softer"
        )
    clipped = (np.abs(audio) >= CLIPPED).sum(axis=1) >= _N_CLIPPED
    if clipped.any():
        said.append(
            f"{clipped.sum()} of {n} {who} are clipped ({_N_CLIPPED} samples or more at full "
            "scale); they count as they are: record or render them softer"
        )
    if n < ENOUGH_SOUNDS:
        said.append(
            f"only {n} {who}; from {ENOUGH_SOUNDS} on intervals are narrow enough to rank systems"
        )
    return sounds.with_audio(audio), said


def check_alike(sets):
    """Refuses sets that can't be compared.

    Args:
      sets: dict of what they are -> Sounds.

    Raises:
      UsageError: for different rates or lengths.
    """
    for what, unit, value in (
        ("sample rates", "Hz", lambda s: s.sample_rate),
        ("lengths", "samples", lambda s: s.audio.shape[1]),
    ):
        found = {who: value(sounds) for who, sounds in sets.items()}
        if len(set(found.values())) > 1:
            each = ", ".join(f"{who} {number} {unit}" for who, number in found.items())
            raise UsageError(
                f"sounds of different {what} can't be compared: {each}; expected one for all: "
                "convert them, or cut them to one length"
            )
