"""Time coordinates: inputs of a CPPN.

Coordinates are called with times in seconds ([n_times] for all notes, or [batch, n_times]), the
note-off in seconds ([batch], infinite for a note that is never released) and the latent (z with
encoded conditions, float32 [batch, n]), and return [batch, n_times, n_coordinates].
They are functions of time in seconds, so a curve does not depend on the frame rate.
`stops_while_held` says that their time stops while a note is held longer than the recordings are.
"""

import math

import keras
import tensorflow as tf


def _rows(times):
    """Reshape times to [batch or 1, n_times, 1]."""
    return times[..., None] if times.shape.rank == 2 else times[None, :, None]


def _for_each(note_off, curves, times):
    """Repeat curves of common times, [1, n_times, n], for each note."""
    if times.shape.rank == 2:
        return curves
    return tf.tile(curves, [tf.shape(note_off)[0], 1, 1])


class Linear:
    """Time, mapped linearly from 0 .. seconds to -1 .. 1 and beyond, as in the first CPPNs."""

    stops_while_held = True

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, times, note_off, latent):
        """float32 [batch, n_times, 1]."""
        return _for_each(note_off, 2.0 * _rows(times) / self.seconds - 1.0, times)


class Attack:
    """Time since the onset, as saturating exponentials `1 - exp(-t / constant)`.

    They converge, so a held note becomes steady.

    Args:
      time_constants: Seconds. A held note changes for about three of the longest.
    """

    stops_while_held = True

    def __init__(self, time_constants=(0.01, 0.03, 0.1, 0.3)):
        self.time_constants = time_constants

    def __call__(self, times, note_off, latent):
        """float32 [batch, n_times, len(time_constants)]."""
        constants = tf.constant(self.time_constants, tf.float32)
        return _for_each(note_off, 1.0 - tf.exp(-_rows(times) / constants), times)


class Release:
    """Time since the note-off: 0 before, then saturating exponentials and a linear ramp.

    The ramp reaches 1 after `ramp_seconds`: a level in dB that follows it decays exponentially.
    """

    stops_while_held = False

    def __init__(self, time_constants=(0.01, 0.03, 0.1, 0.3), ramp_seconds=1.0):
        self.time_constants = time_constants
        self.ramp_seconds = ramp_seconds

    def __call__(self, times, note_off, latent):
        """float32 [batch, n_times, len(time_constants) + 1]."""
        since = tf.maximum(_rows(times) - note_off[:, None, None], 0.0)
        constants = tf.constant(self.time_constants, tf.float32)
        ramp = tf.minimum(since / self.ramp_seconds, 1.0)
        return tf.concat([1.0 - tf.exp(-since / constants), ramp], axis=2)


class Periodic:
    """Sines and cosines of fixed rates in Hz."""

    stops_while_held = True

    def __init__(self, rates_hz=(0.25, 0.5, 1.0, 2.0)):
        self.rates_hz = rates_hz

    def __call__(self, times, note_off, latent):
        """float32 [batch, n_times, 2 len(rates_hz)]."""
        angle = 2.0 * math.pi * _rows(times) * tf.constant(self.rates_hz, tf.float32)
        curves = tf.concat([tf.sin(angle), tf.cos(angle)], axis=2)
        return _for_each(note_off, curves, times)


class Vibrato(keras.layers.Layer):
    """Oscillations with a learned rate, phase and depth per note, for vibrato and tremolo.

    Each is returned plain and with a fade-in. The depth is 0 to 2, and 1 before training.

    Args:
      n: Number of oscillations.
      min_hz, max_hz: Range of the rates.
      fade_seconds: Time constant of the fade-in.
    """

    stops_while_held = False

    def __init__(self, n=1, min_hz=3.0, max_hz=8.0, fade_seconds=0.4, name="vibrato"):
        super().__init__(name=name)
        self.n = n
        self.min_hz = min_hz
        self.max_hz = max_hz
        self.fade_seconds = fade_seconds
        self.rate = keras.layers.Dense(n, name="rate")
        # The phase is the angle of two outputs, which is continuous at a full turn.
        self.phase = keras.layers.Dense(2 * n, name="phase")
        self.depth = keras.layers.Dense(n, kernel_initializer="zeros", name="depth")

    def rates_hz(self, latent):
        """Rates of notes with these latents, [batch, n]."""
        return self.min_hz + (self.max_hz - self.min_hz) * tf.sigmoid(self.rate(latent))

    def call(self, times, note_off, latent):
        """float32 [batch, n_times, 4 n]."""
        x, y = tf.split(self.phase(latent), 2, axis=1)
        start = tf.math.atan2(y, x + 1e-6)
        angle = 2.0 * math.pi * _rows(times) * self.rates_hz(latent)[:, None, :]
        angle += start[:, None, :]
        depth = 2.0 * tf.sigmoid(self.depth(latent))[:, None, :]
        waves = tf.concat([depth * tf.sin(angle), depth * tf.cos(angle)], axis=2)
        fade = 1.0 - tf.exp(-_rows(times) / self.fade_seconds)
        return tf.concat([waves, waves * fade], axis=2)
