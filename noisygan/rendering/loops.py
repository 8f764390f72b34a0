"""Loops of held notes: where a sound can go round without a click, and the seam made smooth."""

import dataclasses
import math

import numpy as np
import scipy.signal

# Length of the stretch on either side of the seam that is faded, at most.
_FADE_SECONDS = 0.08
# A loop is at least this share of the stretch that it is looked for in.
_SHORTEST = 0.25
_N_ENDS = 32
# Among loops that fit about as well as the best one, the longest: it is heard least.
_AS_GOOD = 0.02
# Where the two sides of the seam have less in common, there is no loop.
_LEAST_LIKENESS = 0.5
# Samples about the seam that are exactly those of the loop's start, for players that interpolate.
_EXACT = 8


@dataclasses.dataclass(frozen=True)
class Loop:
    """A stretch of a sound that is played again and again.

    Attributes:
      start: Its first sample.
      end: The sample behind its last one, from which a player goes on at `start`.
      fade: How many samples before and behind the end are faded into what lies around the start.
      likeness: How much the two sides have in common over the fade, -1 to 1 (equal).
    """

    start: int
    end: int
    fade: int
    likeness: float


def find_loop(audio, sample_rate, first, last):
    """The best loop within a stretch of a held note.

    Two moments fit where the waveforms around them are alike over the whole fade: in phase, in
    level, and in how pitch and level are moving.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      first, last: Samples between which the note is held.

    Returns:
      Loop, or None where no two moments are alike enough: a sound that dies away, or mere noise.
    """
    length = last - first
    fade = min(round(_FADE_SECONDS * sample_rate), length // 8)
    shortest = max(math.ceil(_SHORTEST * length), 2 * fade)
    if fade < 2 * _EXACT or first + fade + shortest > last - fade:
        return None
    sound = np.asarray(audio, np.float64)
    found = []
    for end in np.linspace(first + fade + shortest, last - fade, _N_ENDS).astype(int):
        template = sound[end - fade : end + fade]
        # Around every start from first + fade to end - shortest.
        around = sound[first : end - shortest + fade]
        products = scipy.signal.correlate(around, template, "valid", "fft")
        powers = np.cumsum(np.concatenate([[0.0], around**2]))
        power = powers[2 * fade :] - powers[: -2 * fade] + np.sum(template**2)
        # 1 - |a - b|**2 / (|a|**2 + |b|**2): other than a correlation it sees the levels, too.
        likeness = 2.0 * products / np.maximum(power, 1e-12)
        start = int(np.argmax(likeness))
        found.append(Loop(first + fade + start, int(end), fade, float(likeness[start])))
    best = max(loop.likeness for loop in found)
    if best < _LEAST_LIKENESS:
        return None
    good = [loop for loop in found if loop.likeness >= best - _AS_GOOD]
    return max(good, key=lambda loop: loop.end - loop.start)


def with_smooth_seam(audio, loop):
    """A sound whose loop goes round without a click, and that still plays on behind its loop.

    About the loop's end the sound is faded into what lies about the loop's start, and back.

    Args:
      audio: float32 [n_samples].
      loop: Loop of it.

    Returns:
      float32 [n_samples].
    """
    distance = np.abs(np.arange(-loop.fade, loop.fade))
    weight = np.clip((loop.fade - distance) / (loop.fade - _EXACT), 0.0, 1.0)
    here = np.asarray(audio, np.float64)[loop.end - loop.fade : loop.end + loop.fade]
    there = np.asarray(audio, np.float64)[loop.start - loop.fade : loop.start + loop.fade]
    # What both have in common adds up as amplitudes, the rest as power: the level stays.
    power = (1.0 - weight) ** 2 + weight**2 + 2.0 * loop.likeness * weight * (1.0 - weight)
    mixed = ((1.0 - weight) * here + weight * there) / np.sqrt(power)
    smooth = np.array(audio, np.float32)
    smooth[loop.end - loop.fade : loop.end + loop.fade] = mixed
    return smooth


def played(audio, loop, n_samples):
    """What a sampler plays of a key that stays down: the sound, then its loop round and round.

    Args:
      audio: float32 [n], of `with_smooth_seam`.
      loop: Loop of it, or None: the sound ends.
      n_samples: Length.

    Returns:
      float32 [n_samples].
    """
    if loop is None:
        return np.pad(audio, (0, max(0, n_samples - len(audio))))[:n_samples]
    place = np.arange(n_samples)
    late = place >= loop.end
    place[late] = loop.start + (place[late] - loop.end) % (loop.end - loop.start)
    return audio[place]
