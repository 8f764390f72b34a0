"""Onset, note-off and end of a recorded note, measured from its level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FRAME_SECONDS = 0.04
HOP_SECONDS = 0.01
ONSET_DB = -40.0  # relative to the peak: the note begins where the level rises above it
END_DB = -50.0  # relative to the peak: the note ends where the level stays below it
# A release falls at least this fast, and this many times as fast as the note before it.
RELEASE_DB_PER_SECOND = 30.0
RELEASE_RATIO = 2.5
# It begins at least at this level, and falls at least this far.
RELEASE_LEVEL_DB = -30.0
RELEASE_FALL_DB = 9.0
# Lines are fitted to this much of the note before the note-off, and of its fall after it.
HELD_SECONDS = 0.5
RELEASE_DEPTH_DB = 30.0
# A shorter note rings out. Frames: of the least time of a line before and after the note-off.
LEAST_SECONDS = 0.3
_LEAST_HELD, _LEAST_RELEASE = 20, 3
ENDINGS = ("released", "ringing out", "cut by the end of the file")


class NoteTiming(NamedTuple):
    """Moments of a note, in seconds since the beginning of its audio.

    Attributes:
      onset: Where it begins.
      note_off: Where it is released; infinite for a note that rings out.
      end: Where it has fallen by 50 dB for good, at most the end of the audio.
      is_cut: Whether the audio ends while it still sounds; that is its note-off then.
    """

    onset: float
    note_off: float
    end: float
    is_cut: bool

    @property
    def ending(self):
        """One of `ENDINGS`."""
        if np.isinf(self.note_off):
            return ENDINGS[1]
        at_end = self.is_cut and self.end - self.note_off < 2.0 * FRAME_SECONDS
        return ENDINGS[2] if at_end else ENDINGS[0]


def level_db(audio, sample_rate):
    """Level in dB relative to its peak, in frames of 40 ms centred on every 10 ms, float64 [n]."""
    size, hop = (max(1, round(t * sample_rate)) for t in (FRAME_SECONDS, HOP_SECONDS))
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    centers = np.arange(0, len(audio), hop)
    low, high = np.maximum(centers - size // 2, 0), np.minimum(centers + size // 2, len(audio))
    level = 10.0 * np.log10(np.maximum(energy[high] - energy[low], 0.0) / size + 1e-12)
    return level - level.max()


def onset_sample(audio):
    """First sample above -40 dB relative to the peak, int."""
    magnitude = np.abs(audio)
    return int(np.argmax(magnitude > magnitude.max() * 10.0 ** (ONSET_DB / 20.0)))


def note_timing(audio, sample_rate):
    """Measure when a note begins, is released and ends.

    The note-off is the knee of two lines through the level in dB: the half second before it, and
    the fall after it. The fall is a release if it is faster than 30 dB/s and than 2.5 times the
    slope before it. Of several knees, two lines improve most on one at the chosen one.

    Args:
      audio: float [n_samples], at least one.
      sample_rate: Hz.

    Returns:
      NoteTiming; silence has length 0.
    """
    audio = np.asarray(audio)
    if not np.any(audio):
        return NoteTiming(0.0, np.inf, 0.0, False)
    magnitude, onset = np.abs(audio), onset_sample(audio)
    # Silence follows, so a note that is cut has a fall.
    n_behind = round((2.0 * FRAME_SECONDS) * sample_rate)
    level = np.maximum(level_db(np.pad(audio, (0, n_behind)), sample_rate), 2.0 * END_DB)
    seconds = len(audio) / sample_rate
    end = min((np.flatnonzero(level > END_DB)[-1] + 1) * HOP_SECONDS, seconds)
    is_cut = magnitude[-max(1, n_behind // 4) :].max() > magnitude.max() * 10.0 ** (-40.0 / 20.0)
    knee = _knee(level, int(onset / sample_rate / HOP_SECONDS))
    note_off = np.inf if knee is None else min(knee * HOP_SECONDS, seconds)
    return NoteTiming(onset / sample_rate, note_off, end, bool(is_cut))


def _knee(level, first):
    """Frame of the note-off, or None."""
    peak = first + int(np.argmax(level[first:]))
    n = len(level)
    knees = np.arange(max(peak, first + round(LEAST_SECONDS / HOP_SECONDS)), n - _LEAST_RELEASE)
    knees = knees[level[knees] > RELEASE_LEVEL_DB]
    if not len(knees):
        return None
    # Frames where the fall from each knee is over: first below, or the last one.
    depth = level[knees] - RELEASE_DEPTH_DB
    behind = np.where(np.arange(n) > knees[:, None], level, np.inf) < depth[:, None]
    stops = np.where(behind.any(axis=1), behind.argmax(axis=1) + 1, n)
    stops = np.minimum(np.maximum(stops, knees + _LEAST_RELEASE), n)
    lines = _Lines(level)
    starts = np.minimum(peak, knees - _LEAST_HELD)
    starts = np.maximum(starts, knees - round(HELD_SECONDS / HOP_SECONDS))
    (held, held_error), (released, released_error) = lines(starts, knees + 1), lines(knees, stops)
    # The loudest that follows.
    later = np.append(np.maximum.accumulate(level[::-1])[::-1], -np.inf)[stops]
    steepest = np.maximum(RELEASE_DB_PER_SECOND, -RELEASE_RATIO * held / HOP_SECONDS)
    fall = level[knees] - np.maximum(later, level[stops - 1])
    is_release = (-released / HOP_SECONDS > steepest) & (fall > RELEASE_FALL_DB)
    if not is_release.any():
        return None
    share = (held_error + released_error) / (lines(starts, stops)[1] + 1e-9)
    return int(knees[np.argmin(np.where(is_release, share, np.inf))])


class _Lines:
    """Least-squares lines through stretches of a curve, from running sums."""

    def __init__(self, y):
        x = np.arange(len(y), dtype=np.float64)
        rows = [np.ones_like(x), x, x * x, y, x * y, y * y]
        self.sums = np.concatenate([np.zeros([6, 1]), np.cumsum(rows, axis=1)], axis=1)

    def __call__(self, low, high):
        """(slopes per step, sums of squared errors) of lines through steps low to high, [m]."""
        n, x, xx, y, xy, yy = self.sums[:, high] - self.sums[:, low]
        sxx, sxy, syy = xx - x * x / n, xy - x * y / n, yy - y * y / n
        slope = sxy / sxx
        return slope, np.maximum(syy - slope * sxy, 0.0)
