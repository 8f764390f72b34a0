"""Pitch and level of a sound over time, measured before anything is fitted."""

import math
from typing import NamedTuple

import numpy as np

from noisygan.metrics.note_analysis import hz_to_midi, midi_to_hz, power_to_db

FRAME_RATE = 100.0
NOTE_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MIN_HZ, MAX_HZ = 25.0, 6000.0
COARSE, FINE = 0.2, 0.05
"""Resolution in semitones of pYIN's first pass over all pitches and of the second around them."""
MARGIN = 1.19  # pYIN needs a range of more than four semitones
LOUD_DB = 30.0
"""Frames within this range of the loudest frame decide whether there is a pitch."""
NO_PITCH, UNSURE = 0.15, 0.5
"""Mean confidence of the loud frames below which there is no pitch, or an uncertain one."""
_SURE_FRAME = 0.5
_SHORTEST_SECONDS = 0.05
_LEAP, _OCTAVE_SLACK = 1.0, 0.7  # semitones: from frame to frame, and off an octave


class Analysis(NamedTuple):
    """Pitch and level of a sound.

    Attributes:
      f0_hz: float32 [n_frames]; interpolated over frames without a pitch.
      level: Root mean square around each frame, float32 [n_frames].
      confidence: Mean confidence in the pitch of the loud frames, 0 to 1; 1 if the pitch is known.
      frame_rate: Hz; frame i stands at i / frame_rate.
    """

    f0_hz: np.ndarray
    level: np.ndarray
    confidence: float
    frame_rate: float = FRAME_RATE

    @property
    def pitch(self):
        """Energy-weighted median pitch, MIDI; None if there is none."""
        if self.confidence < NO_PITCH:
            return None
        midi = hz_to_midi(self.f0_hz)
        order = np.argsort(midi)
        energy = np.cumsum(self.level[order] ** 2)
        return float(midi[order][np.searchsorted(energy, 0.5 * energy[-1])])

    @property
    def remarks(self):
        """Sentences on a missing or uncertain pitch, a tuple."""
        if self.pitch is None:
            return ("no pitch was found: its noise is matched (--pitch names a pitch)",)
        if self.confidence < UNSURE:
            name = pitch_name(self.pitch)
            return (f"its pitch is uncertain, taken as {name}: one voice is matched (--pitch P)",)
        return ()


def analyse(audio, sample_rate, pitch=None):
    """Measure pitch (pYIN, a coarse and a fine pass) and level: Analysis.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      pitch: MIDI, if known: F0 is within half an octave of it, and equal to it where pYIN is
        unsure.
    """
    from synths.pitch import PYIN

    n_frames = max(1, math.ceil(len(audio) / sample_rate * FRAME_RATE - 1e-6))
    low, high = MIN_HZ, min(MAX_HZ, 0.45 * sample_rate)
    if pitch is not None:
        hz = midi_to_hz(pitch)
        low, high = hz / math.sqrt(2.0), min(hz * math.sqrt(2.0), 0.5 * sample_rate)
    track = PYIN(low, high, resolution=COARSE)(audio, sample_rate, FRAME_RATE)
    f0_hz, confidence = track.f0_hz[:n_frames], track.confidence[:n_frames]
    level = level_of(audio, sample_rate, n_frames)
    loud = level >= level.max() * 10.0 ** (-LOUD_DB / 20.0)
    found = loud & (confidence >= _SURE_FRAME)
    sure = float(np.mean(confidence[loud]))
    if pitch is not None and sure < UNSURE:
        f0_hz = np.full(n_frames, hz)
    elif found.any():
        low, high = f0_hz[found].min() / MARGIN, f0_hz[found].max() * MARGIN
        if high <= min(4.0 * low, 0.5 * sample_rate):
            fine = PYIN(low, high, resolution=FINE)
            f0_hz = fine(audio, sample_rate, FRAME_RATE).f0_hz[:n_frames]
        if pitch is None:
            f0_hz = f0_hz.copy()
            f0_hz[found] = in_one_octave(f0_hz[found])
        f0_hz = _interpolated(f0_hz, found)
    return Analysis(f0_hz.astype(np.float32), level, sure if pitch is None else 1.0)


def level_of(audio, sample_rate, n_frames, seconds=0.04):
    """Root mean square of the given duration around each frame, float32 [n_frames]."""
    width = max(1, round(seconds * sample_rate))
    power = np.cumsum(np.pad(np.asarray(audio, np.float64) ** 2, (width // 2 + 1, width)))
    begin = np.minimum((np.arange(n_frames) * sample_rate / FRAME_RATE).astype(int), len(audio))
    return np.sqrt(np.maximum(power[begin + width] - power[begin], 0.0) / width).astype(np.float32)


def _interpolated(f0_hz, found):
    frames = np.arange(len(f0_hz))
    return np.exp(np.interp(frames, frames[found], np.log(f0_hz[found])))


def in_one_octave(f0_hz):
    """Remove octave leaps from an F0 track [n] in Hz by moving the upper part down.

    The lower pitch has all harmonics of the upper one, so nothing is lost. Stretches shorter than
    50 ms between leaps of any size are tracking errors and interpolated.
    """
    midi = 12.0 * np.log2(f0_hz)
    edges = np.concatenate([[0], np.flatnonzero(np.abs(np.diff(midi)) > _LEAP) + 1, [len(midi)]])
    steady = [
        np.arange(begin, end)
        for begin, end in zip(edges[:-1], edges[1:], strict=True)
        if end - begin >= _SHORTEST_SECONDS * FRAME_RATE
    ]
    if not steady:
        return f0_hz
    for _ in steady:
        for before, after in zip(steady[:-1], steady[1:], strict=True):
            leap = midi[after[0]] - midi[before[-1]]
            if abs(abs(leap) - 12.0) <= _OCTAVE_SLACK:
                midi[after if leap > 0 else before] -= 12.0
    kept = np.zeros(len(midi), bool)
    kept[np.concatenate(steady)] = True
    return _interpolated(2.0 ** (midi / 12.0), kept)


def pitch_name(pitch):
    """Name of a MIDI pitch: `A4 -12 cents (437.0 Hz)`."""
    nearest = round(pitch)
    cents = round(100.0 * (pitch - nearest))
    off = f" {cents:+d} cents" if cents else ""
    hz = midi_to_hz(pitch)
    return f"{NOTE_NAMES[nearest % 12]}{nearest // 12 - 1}{off} ({hz:.1f} Hz)"


def level_db(level):
    """Convert root mean square to dB relative to a full-scale sine."""
    return power_to_db(np.asarray(level, np.float64) ** 2).astype(np.float32)
