"""Envelopes of notes: level, slope, end and bands, compared with a recording of the same note.

Levels are dB relative to the note's own peak. Each figure has a floor, the same figure between
recordings of neighbouring pitches: a ratio of 1 to the floor means that a generated note differs
from its recording as much as the next note of the instrument does.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import fft, signal

from noisygan.metrics import spectrograms
from noisygan.metrics.descriptors import SILENT_PEAK
from noisygan.metrics.features import in_threads

# Unit and smallest floor of each figure.
FIGURES = {"level": "dB", "slope": "dB/s", "end": "s", "bands": "dB"}
MIN_FLOORS = {"level": 0.5, "slope": 0.5, "end": 0.03, "bands": 0.5}
LEVEL_SECONDS, BAND_SECONDS = 0.01, 0.02
N_BANDS = 24
# The slope is measured after the attack.
ATTACK_SECONDS = 0.3
# A note is heard down to RANGE_DB below its peak, and silent at LOWEST_DB.
RANGE_DB, LOWEST_DB = 50.0, -80.0


@dataclasses.dataclass(frozen=True)
class Envelopes:
    """Envelopes of n notes of one length.

    Attributes:
      level: Level of frames of 10 ms, float32 [n, n_frames], dB relative to the peak.
      bands: Level of 24 mel bands in frames of 20 ms, float32 [n, n_frames // 2, 24], dB relative
        to the peak of all bands.
      slope: Of a line through the level from 0.3 s to the end, dB/s, [n]; NaN for shorter notes.
      end: Time at which the level has fallen 50 dB below the peak, s, [n]; the length of the audio
        if it does not.
    """

    level: np.ndarray
    bands: np.ndarray
    slope: np.ndarray
    end: np.ndarray

    def take(self, rows):
        """`Envelopes` of some rows."""
        return Envelopes(*(values[rows] for values in vars(self).values()))


def join(parts):
    """`Envelopes` of several sets of notes of one length."""
    return Envelopes(*map(np.concatenate, zip(*(vars(x).values() for x in parts), strict=True)))


def envelopes(audio, sample_rate):
    """`Envelopes` of notes, float [n, n_samples]; silent ones are at -80 dB throughout."""
    found = in_threads(lambda note: _envelope(np.asarray(note, np.float32), sample_rate), audio)
    return Envelopes(*(np.stack(values) for values in zip(*found, strict=True)))


def _envelope(audio, sample_rate):
    edges = np.arange(0, len(audio) / sample_rate + 1e-9, LEVEL_SECONDS) * sample_rate
    sums = np.pad(np.cumsum(audio.astype(np.float64) ** 2), (1, 0))[edges.round().astype(int)]
    power = np.diff(sums) / np.diff(edges)
    level = _relative_db(np.maximum(power, 0.0), SILENT_PEAK**2)
    heard = np.flatnonzero(level > -RANGE_DB)
    last = heard[-1] + 1 if len(heard) else 0
    after = np.arange(round(ATTACK_SECONDS / LEVEL_SECONDS), last)
    slope = np.nan
    if len(after) > 1:
        slope = np.polyfit(after * LEVEL_SECONDS, level[after], 1)[0]
    bands = _relative_db(_band_power(audio, sample_rate), SILENT_PEAK**2)
    return level, bands, np.float64(slope), np.float64(last * LEVEL_SECONDS)


def _relative_db(power, silent):
    peak = power.max(initial=0.0)
    if peak <= silent:
        return np.full(power.shape, LOWEST_DB, np.float32)
    lowest = 10.0 ** (LOWEST_DB / 10.0)
    return (10.0 * np.log10(np.maximum(power / peak, lowest))).astype(np.float32)


def _band_power(audio, sample_rate):
    """Power of mel bands in Hann windows of 40 ms every 20 ms, [n_frames, 24]."""
    hop = round(BAND_SECONDS * sample_rate)
    n_fft = fft.next_fast_len(2 * hop, real=True)
    window = signal.windows.hann(2 * hop, sym=False).astype(np.float32)
    padded = np.pad(audio, (hop // 2, 2 * hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop]
    frames = frames[: len(audio) // hop] * (2.0 / window.sum() * window)
    filters, _ = spectrograms.mel_filters(sample_rate, N_BANDS, n_fft)
    return np.abs(fft.rfft(frames, n_fft, axis=1)) ** 2 @ filters.T.astype(np.float32)


def differences(real, fake):
    """Differences of notes, row by row: dict figure -> float [n].

    Level and bands: mean absolute difference where the recording is within 50 dB of its peak, dB.
    Slope: dB/s; NaN where one of the two has none. End: s; NaN if most recordings ring on.

    Args:
      real, fake: `Envelopes` of recordings and of the notes that are compared with them, of n rows.
    """
    found = {}
    for name in ("level", "bands"):
        a, b = getattr(real, name), getattr(fake, name)
        heard, axes = a > -RANGE_DB, tuple(range(1, a.ndim))
        count = np.maximum(heard.sum(axis=axes), 1)
        found[name] = (np.abs(a - b) * heard).sum(axis=axes, dtype=np.float64) / count
    end = np.abs(real.end - fake.end)
    rings_on = real.end >= LEVEL_SECONDS * real.level.shape[1]
    if rings_on.mean() > 0.5:
        end[:] = np.nan
    return found | {"slope": np.abs(real.slope - fake.slope), "end": end}


def neighbours(pitch, velocity, label):
    """Row of the neighbour of each note: same label, nearest velocity, then nearest pitch; int [n].

    Notes of the same pitch are no neighbours: they may be takes of one note.

    Args:
      pitch: MIDI, [n].
      velocity: [n], NaN where unknown.
      label: Instrument of each, [n].

    Raises:
      ValueError: if all notes have one pitch.
    """
    pitch, velocity = np.asarray(pitch, float), np.nan_to_num(np.asarray(velocity, float))
    if len(np.unique(pitch)) < 2:
        raise ValueError("all recordings have one pitch; neighbours need at least two")
    found, label = [], np.asarray(label)
    for row in range(len(pitch)):
        away = np.abs(pitch - pitch[row])
        others = np.flatnonzero(away > 0.0)
        keys = away, np.abs(velocity - velocity[row]), label != label[row]
        found.append(others[np.lexsort([key[others] for key in keys])[0]])
    return np.array(found)


def floors(real, pitch, velocity, label):
    """Differences between n recordings and their neighbours: dict figure -> float [n].

    Args:
      real: `Envelopes` of the recordings.
      pitch, velocity, label: As of `neighbours`.
    """
    return differences(real, real.take(neighbours(pitch, velocity, label)))


def median_floors(found):
    """Medians of `floors`, at least `MIN_FLOORS`: dict figure -> float, NaN without a value."""
    return {name: float(np.maximum(_median(found[name]), low)) for name, low in MIN_FLOORS.items()}


def ratios(found, floor):
    """Median difference over the floor: dict figure -> float, NaN where no note has the figure.

    Args:
      found: dict figure -> differences, [n], as of `differences`.
      floor: dict figure -> float, as of `median_floors`.
    """
    return {name: _median(found[name]) / floor[name] for name in FIGURES}


def _median(values):
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")
