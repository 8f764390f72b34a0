"""Reverb fit: an impulse response that is fitted together with the dry sound."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from noisygan.matching.analysis import FRAME_RATE, level_of
from noisygan.matching.descent import Parameter

LONGEST = 5.0  # seconds
_DIGITAL_SILENCE = 2.0**-17  # half a step of 16 bits
_FALL = 7  # frames in which the dry sound falls silent
_LEAST_TAIL = 8  # frames
_RANGE_DB, _LEAST_DB = 55.0, -84.0  # below the loudest frame, and below full scale
_NEAREST_DB, _FARTHEST_DB = 1.0, 30.0
"""Range of the level of an audible tail, below that of the held note."""
_SILENT_SECONDS = 0.15  # after which the dry sound is 60 dB down at the start of the descent
_SIXTY_DB = 3.0 * math.log(10.0)  # nepers

_LOWEST_HZ = 250.0
_GAIN_STRIDE = 0.01  # nepers
_SECONDS_STRIDE = 0.002  # nepers
_TAP_STRIDE = 0.02
_PREDELAY_SECONDS = 0.002


class Room(NamedTuple):
    """Reverberation of a recording.

    Attributes:
      seconds: Reverberation time, T60.
      wet: Energy of the impulse response relative to the direct sound.
      begin, end: Frames between which the dry sound falls silent.
    """

    seconds: float
    wet: float
    begin: int
    end: int


def find_room(audio, sample_rate, seconds):
    """Measure where the dry sound of a recording [n_samples] ends, and how loud its reverb is.

    The note is taken to end where the level falls fastest. The end of the recording, in digital
    silence or not, is no such fall. `seconds` is the known reverberation time, T60. None if no tail
    is audible behind the fall.
    """
    n_samples = len(audio)
    audio = audio[: np.max(np.flatnonzero(np.abs(audio) > _DIGITAL_SILENCE), initial=0) + 1]
    n_frames = max(2, math.ceil(len(audio) / sample_rate * FRAME_RATE - 1e-6))
    level = 20.0 * np.log10(level_of(audio, sample_rate, n_frames, seconds=0.02) + 1e-9)
    loudest_after = np.maximum.accumulate(level[::-1])[::-1]
    loudest_after = np.maximum(loudest_after, max(level.max() - _RANGE_DB, _LEAST_DB))
    width = min(_FALL, n_frames - 1)
    falls = loudest_after[:-width] - loudest_after[width:]
    begin = int(np.argmax(falls))
    n_silent = (n_samples - len(audio)) * FRAME_RATE / sample_rate
    no_tail = falls[begin] < _NEAREST_DB or begin + width > n_frames - _LEAST_TAIL
    if falls[begin] > _FARTHEST_DB or (no_tail and n_silent > _FALL):
        return None
    # Meanwhile the reverb itself has decayed.
    knee = float(falls[begin]) - 60.0 * width / (FRAME_RATE * seconds)
    share = 10.0 ** (-max(knee, 0.0) / 10.0)
    return Room(seconds, share / max(1.0 - share, 0.1), begin, begin + width)


def level_without(room, level):
    """Level [n_frames] of the dry sound: lower than the recording's, silent after its end."""
    level = np.array(level) / math.sqrt(1.0 + room.wet)
    after = np.maximum(np.arange(len(level)) - room.begin, 0) / FRAME_RATE
    silent = level[room.begin] * 10.0 ** (-3.0 * after / _SILENT_SECONDS)
    return np.where(after > 0.0, np.minimum(level, silent), level)


class Response:
    """An impulse response to fit: noise with an exponential decay per octave, of a Room.

    Its taps are fitted too, as they say which partials a room favours. Its energy is fixed to the
    room's: while a note is held, direct sound and reverb can't be separated. `parameters` is a dict
    of `descent.Parameter`.
    """

    def __init__(self, room, sample_rate, seed=0):
        n_taps = round(min(1.2 * room.seconds, LONGEST) * sample_rate)
        self._times = np.arange(n_taps, dtype=np.float32) / sample_rate
        self._energy = room.wet
        self._n_fft = 1 << (n_taps - 1).bit_length()
        self._bands = octaves(np.fft.rfftfreq(self._n_fft, 1.0 / sample_rate))
        self._begins = (self._times >= _PREDELAY_SECONDS).astype(np.float32)
        n_bands = len(self._bands)
        seconds = np.full(n_bands, math.log(room.seconds), np.float32)
        taps = np.random.default_rng([seed, n_taps]).normal(size=n_taps).astype(np.float32)
        self.parameters = {
            "room/gains": Parameter(np.zeros(n_bands, np.float32), _GAIN_STRIDE),
            "room/seconds": Parameter(seconds, _SECONDS_STRIDE),
            "room/taps": Parameter(taps, _TAP_STRIDE),
        }

    def __call__(self, values):
        """Impulse response float32 [n_taps] of values of the parameters."""
        spectrum = tf.signal.rfft(values["room/taps"], [self._n_fft])
        noise = tf.signal.irfft(tf.cast(self._bands, tf.complex64) * spectrum, [self._n_fft])
        seconds = tf.exp(values["room/seconds"])[:, None]
        decays = tf.exp(values["room/gains"][:, None] - _SIXTY_DB * self._times / seconds)
        taps = tf.reduce_sum(noise[:, : len(self._times)] * decays, axis=0) * self._begins
        return taps * tf.sqrt(self._energy / tf.reduce_sum(taps**2))


def octaves(hz):
    """Weights of octave bands from 250 Hz on that add up to 1: float32 [n_bands, n]."""
    n_bands = 1 + max(1, round(math.log2(hz[-1] / _LOWEST_HZ)))
    position = np.log2(np.maximum(hz, 1.0) / _LOWEST_HZ)
    centers = np.arange(n_bands) - 0.5
    position = np.clip(position, centers[0], centers[-1])
    distance = np.clip(np.abs(position - centers[:, None]), 0.0, 1.0)
    return (np.cos(0.5 * np.pi * distance) ** 2).astype(np.float32)
