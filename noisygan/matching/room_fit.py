"""The room that a sound was recorded in: whether one can be told, and a response to be fitted.

A tail alone tells nothing: strings, bells and plates die away as rooms do. What a room does to a
held note that is let go is more: its level falls fast, as the instrument falls silent, and then
slowly, as the room does - and while the room dies away, each partial wavers on its own, as the many
reflections of it meet. Where a target shows both, a room is taken apart from the instrument.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.signal

from noisygan.matching.analysis import FRAME_RATE

SHORTEST, LONGEST = 0.5, 5.0
"""Seconds that a room takes to fall by 60 dB; what is shorter is not told from an instrument."""

_BEFORE = 30  # frames of the held note that are looked at
_LONGEST_FALL = 25  # frames that the instrument may take to fall silent
_FALL = 7  # frames: it takes this long in the middle
_LEAST_TAIL = 8
_RANGE_DB, _LEAST_DB = 55.0, -84.0  # below the loudest frame, and below full scale
_DIGITAL_SILENCE = 2.0**-17
"""What 16 bits round to 0."""
_NEAREST_DB, _HEARD_DB = 1.0, 30.0
"""How far below the held note a known room's tail may begin."""
_LEAST_FALL_DB = 10.0
"""How far the tail must be seen to fall."""
_LEAST_KNEE_DB = 4.0
"""How far the note must fall before it, beyond the tail's own slope."""
_STEADY_DB, _STRAIGHT_DB = 2.0, 2.6
"""How far the held note, and the tail, may lie from a line."""
_WAVERING_DB = 2.0
"""How far the partials of the tail must lie from lines of their own (a dense room: 3 to 4)."""
_PARTIAL_RANGE_DB = 30.0
_N_PARTIALS = 25

_SILENT_SECONDS = 0.15
"""After which the instrument is 60 dB down at the start of the descent."""


class Room(NamedTuple):
    """What the end of a note tells of a room.

    Attributes:
      seconds: It takes to fall by 60 dB.
      wet: Energy of the response relative to the direct sound.
      begin, end: Frames between which the instrument falls silent.
    """

    seconds: float
    wet: float
    begin: int
    end: int


def find_room(audio, sample_rate, analysis):
    """The room of a recording, where the end of its last note tells of one.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      analysis: `analysis.Analysis` of it.

    Returns:
      Room, or None.
    """
    level = 20.0 * np.log10(_levels(audio, sample_rate, len(analysis.f0_hz)) + 1e-9)
    knee = _knee(level)
    if knee is None:
        return None
    room, last = knee
    f0_hz = analysis.f0_hz[max(room.begin - 5, 0)]
    last = min(last, room.end + round(0.5 * room.seconds * FRAME_RATE))
    wavers = _wavering(audio, sample_rate, f0_hz, room.end, last) >= _WAVERING_DB
    return room if wavers else None


def known_room(audio, sample_rate, seconds):
    """The room of a recording of which a person knows that it has one.

    The note is taken to be let go where the level falls fastest; that the recording itself ends,
    in silence or not, is no such fall.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      seconds: It takes to fall by 60 dB.

    Returns:
      Room, or None where its end tells of none: less than can be heard lies behind the fall.
    """
    n_samples = len(audio)
    audio = audio[: np.max(np.flatnonzero(np.abs(audio) > _DIGITAL_SILENCE), initial=0) + 1]
    n_frames = max(2, math.ceil(len(audio) / sample_rate * FRAME_RATE - 1e-6))
    level = 20.0 * np.log10(_levels(audio, sample_rate, n_frames) + 1e-9)
    later = np.maximum(_later(level), max(level.max() - _RANGE_DB, _LEAST_DB))
    width = min(_FALL, n_frames - 1)
    falls = later[:-width] - later[width:]
    begin = int(np.argmax(falls))
    n_silent = (n_samples - len(audio)) * FRAME_RATE / sample_rate
    no_tail = falls[begin] < _NEAREST_DB or begin + width > n_frames - _LEAST_TAIL
    if falls[begin] > _HEARD_DB or (no_tail and n_silent > _FALL):
        return None
    return Room(seconds, _wet(float(falls[begin])), begin, begin + width)


def _wet(knee):
    """Energy of a response of which the tail begins so many dB below the held note."""
    share = 10.0 ** (-max(knee, 0.0) / 10.0)
    return share / max(1.0 - share, 0.1)


def _later(level):
    """The loudest from each frame on, [n_frames]."""
    return np.maximum.accumulate(level[::-1])[::-1]


def _levels(audio, sample_rate, n_frames):
    """Root mean square of the 20 ms around each frame."""
    width = max(1, round(0.02 * sample_rate))
    power = np.cumsum(np.pad(np.asarray(audio, np.float64) ** 2, (width // 2 + 1, width)))
    begin = np.minimum((np.arange(n_frames) * sample_rate / FRAME_RATE).astype(int), len(audio))
    return np.sqrt(np.maximum(power[begin + width] - power[begin], 0.0) / width)


def _knee(level):
    """Three lines through the end of a sound: held, falling silent, the tail.

    Args:
      level: dB, [n_frames].

    Returns:
      (Room, last frame of the tail); None where no three such lines come near the level.
    """
    later = _later(level)
    loudest = level.max()
    if loudest <= _LEAST_DB:
        return None
    last = int(np.flatnonzero(level > max(loudest - _RANGE_DB, _LEAST_DB))[-1]) + 1
    best, most = None, -math.inf
    for end in range(_BEFORE + 4, last - _LEAST_TAIL):
        for begin in range(max(_BEFORE, end - _LONGEST_FALL), end - 2, 2):
            if later[begin] - later[end] < 5.0 or level[begin] < loudest - 30.0:
                continue
            times = np.arange(begin - _BEFORE, last, dtype=float)
            lines = [np.ones_like(times), times - begin]
            lines += [np.maximum(times - begin, 0.0), np.maximum(times - end, 0.0)]
            lines = np.stack(lines, axis=1)
            wanted = level[begin - _BEFORE : last]
            found = np.linalg.solve(lines.T @ lines, lines.T @ wanted)
            _, fall, tail = np.cumsum(found[1:])
            seconds = -60.0 / (tail * FRAME_RATE)
            knee = (tail - fall) * (end - begin)
            seen = -tail * (last - end)
            if not SHORTEST <= seconds <= LONGEST or fall > 2.0 * tail:
                continue
            if knee < _LEAST_KNEE_DB or seen < _LEAST_FALL_DB:
                continue
            off = (lines @ found - wanted) ** 2
            # The clearest knee, not the nearest lines: those are found within a tail that wavers.
            score = knee - 3.0 * math.sqrt(np.mean(off))
            held, straight = np.mean(off[:_BEFORE]), np.mean(off[_BEFORE + end - begin :])
            if held > _STEADY_DB**2 or straight > _STRAIGHT_DB**2 or score <= most:
                continue
            most = score
            best = Room(float(seconds), _wet(float(knee)), begin, end), last
    return best


def _wavering(audio, sample_rate, f0_hz, begin, end):
    """Median distance in dB of the partials of a stretch from lines of their own; 0: too few."""
    n_fft = 1 << round(math.log2(0.064 * sample_rate))
    places = (np.arange(begin, end) * sample_rate / FRAME_RATE).astype(int)
    padded = np.pad(audio, (n_fft // 2, n_fft))
    frames = padded[places[:, None] + np.arange(n_fft)] * scipy.signal.get_window("hann", n_fft)
    level = 20.0 * np.log10(np.abs(np.fft.rfft(frames, axis=1)) + 1e-7)
    bins = np.round(np.arange(1, _N_PARTIALS + 1) * f0_hz / sample_rate * n_fft).astype(int)
    bins = bins[bins < n_fft // 2 - 2]
    if len(bins) == 0 or len(places) < 4:
        return 0.0
    partials = np.max([level[:, bins + d] for d in (-1, 0, 1)], axis=0)
    partials = partials[:, partials[0] > partials[0].max() - _PARTIAL_RANGE_DB]
    times = np.arange(len(places))
    fitted = np.polynomial.polynomial.polyfit(times, partials, 1)
    off = partials - np.polynomial.polynomial.polyval(times, fitted).T
    return float(np.median(np.sqrt(np.mean(off**2, axis=0))))


def level_without(room, level):
    """The level that a sound has before the room: less of it, and none behind the end.

    Args:
      room: Room.
      level: Root mean square around each frame, [n_frames].

    Returns:
      [n_frames].
    """
    level = np.array(level) / math.sqrt(1.0 + room.wet)
    behind = np.maximum(np.arange(len(level)) - room.begin, 0) / FRAME_RATE
    silent = level[room.begin] * 10.0 ** (-3.0 * behind / _SILENT_SECONDS)
    return np.where(behind > 0.0, np.minimum(level, silent), level)
