"""Loops of held notes: find loop points and crossfade the seam."""

import dataclasses
import math

import numpy as np
import scipy.signal

# Longest crossfade on either side of the seam.
_FADE_SECONDS = 0.08
# Shortest loop as a share of the searched stretch.
_SHORTEST = 0.25
_N_ENDS = 32
# Of loops with about the best likeness, the longest is taken: it is heard least.
_AS_GOOD = 0.02
# Least likeness of a loop.
_LEAST_LIKENESS = 0.5
# A note that falls faster, and by more than this, decays: it rings out and is not held.
_MAX_FALL_DB_PER_SECOND, _LEAST_FALL_DB = 3.0, 2.0
# Samples around the seam that equal the loop's start, for players that interpolate.
_EXACT = 8


@dataclasses.dataclass(frozen=True)
class Loop:
    """A loop of a sound.

    Attributes:
      start: First sample.
      end: Sample behind the last one.
      fade: Samples before and behind the end that are crossfaded with those around the start.
      likeness: Similarity of both sides over the fade, -1 to 1 (equal).
    """

    start: int
    end: int
    fade: int
    likeness: float


def find_loop(audio, sample_rate, first, last):
    """Find the best loop within a held note.

    Start and end fit if the waveforms around them are alike over the whole fade, in phase and
    level.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      first, last: Samples between which the note is held.

    Returns:
      Loop, or None if no two moments are alike enough, as in decaying sounds and noise.
    """
    length = last - first
    fade = min(round(_FADE_SECONDS * sample_rate), length // 8)
    shortest = max(math.ceil(_SHORTEST * length), 2 * fade)
    if fade < 2 * _EXACT or first + fade + shortest > last - fade:
        return None
    sound = np.asarray(audio, np.float64)
    early, late = sound[first : first + length // 4], sound[last - length // 4 : last]
    fall_db = 10.0 * np.log10((np.mean(early**2) + 1e-12) / (np.mean(late**2) + 1e-12))
    if fall_db > max(_LEAST_FALL_DB, _MAX_FALL_DB_PER_SECOND * 0.75 * length / sample_rate):
        return None
    found = []
    for end in np.linspace(first + fade + shortest, last - fade, _N_ENDS).astype(int):
        template = sound[end - fade : end + fade]
        # Around every start from first + fade to end - shortest.
        around = sound[first : end - shortest + fade]
        products = scipy.signal.correlate(around, template, "valid", "fft")
        powers = np.cumsum(np.concatenate([[0.0], around**2]))
        power = powers[2 * fade :] - powers[: -2 * fade] + np.sum(template**2)
        # 1 - |a - b|**2 / (|a|**2 + |b|**2): unlike a correlation it depends on the levels.
        likeness = 2.0 * products / np.maximum(power, 1e-12)
        start = int(np.argmax(likeness))
        found.append(Loop(first + fade + start, int(end), fade, float(likeness[start])))
    best = max(loop.likeness for loop in found)
    if best < _LEAST_LIKENESS:
        return None
    good = [loop for loop in found if loop.likeness >= best - _AS_GOOD]
    return max(good, key=lambda loop: loop.end - loop.start)


def crossfade_loop(audio, loop):
    """Crossfade a sound [n_samples] around its loop's end into that around its start, and back.

    Without a loop (None) it stays as it is.
    """
    if loop is None:
        return audio
    distance = np.abs(np.arange(-loop.fade, loop.fade))
    weight = np.clip((loop.fade - distance) / (loop.fade - _EXACT), 0.0, 1.0)
    here = np.asarray(audio, np.float64)[loop.end - loop.fade : loop.end + loop.fade]
    there = np.asarray(audio, np.float64)[loop.start - loop.fade : loop.start + loop.fade]
    # Constant level: the common part adds as amplitudes, the rest as power.
    power = (1.0 - weight) ** 2 + weight**2 + 2.0 * loop.likeness * weight * (1.0 - weight)
    mixed = ((1.0 - weight) * here + weight * there) / np.sqrt(power)
    smooth = np.array(audio, np.float32)
    smooth[loop.end - loop.fade : loop.end + loop.fade] = mixed
    return smooth


def play_loop(audio, loop, n_samples):
    """Play a sound, then its loop repeatedly, as a sampler does: float32 [n_samples].

    Without a loop (None) the sound ends.
    """
    if loop is None:
        return np.pad(audio, (0, max(0, n_samples - len(audio))))[:n_samples]
    place = np.arange(n_samples)
    late = place >= loop.end
    place[late] = loop.start + (place[late] - loop.end) % (loop.end - loop.start)
    return audio[place]
