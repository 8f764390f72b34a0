"""An impulse response that is sought together with what is heard in it."""

import math

import numpy as np
import tensorflow as tf

from noisygan.matching.descent import Unknown
from noisygan.matching.room_fit import LONGEST

_LOWEST_HZ = 250.0
_GAIN_STRIDE = 0.01  # nepers
_SECONDS_STRIDE = 0.002  # nepers
_TAP_STRIDE = 0.02
_PREDELAY_SECONDS = 0.002
_SIXTY_DB = 3.0 * math.log(10.0)  # nepers


class Response:
    """An impulse response to be fitted: noise that falls in each octave at a rate of its own.

    Its taps are sought as well, around seeded noise: which partials a room favours is in them. Its
    energy is the room's, as the end of the note told it: while a note is held, what is direct and
    what is the room can't be told apart.

    Args:
      room: `room_fit.Room`.
      sample_rate: Hz.
      seed: Of the noise.

    Attributes:
      unknowns: dict of `descent.Unknown`.
    """

    def __init__(self, room, sample_rate, seed=0):
        n_taps = round(min(1.2 * room.seconds, LONGEST) * sample_rate)
        self._times = np.arange(n_taps, dtype=np.float32) / sample_rate
        self._energy = room.wet
        self._n_fft = 1 << (n_taps - 1).bit_length()
        self._bands = octaves(np.fft.rfftfreq(self._n_fft, 1.0 / sample_rate))
        self._begins = (self._times >= _PREDELAY_SECONDS).astype(np.float32)
        shape = len(self._bands)
        seconds = np.full(shape, math.log(room.seconds), np.float32)
        taps = np.random.default_rng([seed, n_taps]).normal(size=n_taps).astype(np.float32)
        self.unknowns = {
            "room/gains": Unknown(np.zeros(shape, np.float32), _GAIN_STRIDE),
            "room/seconds": Unknown(seconds, _SECONDS_STRIDE),
            "room/taps": Unknown(taps, _TAP_STRIDE),
        }

    def __call__(self, values):
        """The response, float32 [n_taps], of values of the unknowns."""
        spectrum = tf.signal.rfft(values["room/taps"], [self._n_fft])
        noise = tf.signal.irfft(tf.cast(self._bands, tf.complex64) * spectrum, [self._n_fft])
        seconds = tf.exp(values["room/seconds"])[:, None]
        falls = tf.exp(values["room/gains"][:, None] - _SIXTY_DB * self._times / seconds)
        shape = tf.reduce_sum(noise[:, : len(self._times)] * falls, axis=0) * self._begins
        return shape * tf.sqrt(self._energy / tf.reduce_sum(shape**2))


def octaves(hz):
    """Weights of octaves from 250 Hz on, that add up to 1 everywhere: float32 [n_bands, n]."""
    n_bands = 1 + max(1, round(math.log2(hz[-1] / _LOWEST_HZ)))
    place = np.log2(np.maximum(hz, 1.0) / _LOWEST_HZ)
    centers = np.arange(n_bands) - 0.5
    place = np.clip(place, centers[0], centers[-1])
    distance = np.clip(np.abs(place - centers[:, None]), 0.0, 1.0)
    return (np.cos(0.5 * np.pi * distance) ** 2).astype(np.float32)
