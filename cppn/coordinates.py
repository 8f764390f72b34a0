"""Time coordinates: what a CPPN is told about a moment.

A set of coordinates is called with the moments, the note's end and the note's code, and gives
[batch, n_times, n_coordinates]. All of them are functions of time in seconds and of nothing else:
the frame rate never enters, so a curve is the same however finely it is sampled. The moments are
those of all notes, [n_times], or each note's own, [batch, n_times].
"""

import math

import keras
import tensorflow as tf


def _rows(times):
    """Moments as [batch or 1, n_times, 1]."""
    return times[..., None] if times.shape.rank == 2 else times[None, :, None]


def _for_each(note_off, curves, times):
    """Curves of moments that all notes share, [1, n_times, n], once for each note."""
    if times.shape.rank == 2:
        return curves
    return tf.tile(curves, [tf.shape(note_off)[0], 1, 1])


class Linear:
    """Time itself, mapped to -1 (the start) ... 1 (`seconds`) and on, as in the first CPPNs."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, times, note_off, code):
        """float32 [batch, n_times, 1]."""
        return _for_each(note_off, 2.0 * _rows(times) / self.seconds - 1.0, times)


class Attack:
    """Time since the note began, as saturating exponentials `1 - exp(-t / constant)`.

    They come to rest, so a held note stays as it was however long it is held.

    Args:
      time_constants: Seconds. Long ones let a held note sink or swell for three times as long.
    """

    def __init__(self, time_constants=(0.01, 0.03, 0.1, 0.3)):
        self.time_constants = time_constants

    def __call__(self, times, note_off, code):
        """float32 [batch, n_times, len(time_constants)]."""
        constants = tf.constant(self.time_constants, tf.float32)
        return _for_each(note_off, 1.0 - tf.exp(-_rows(times) / constants), times)


class Release:
    """Time since the note was let go: 0 until then, saturating exponentials from there on.

    With them comes a straight ramp, which ends after `ramp_seconds` at 1: a level in decibels that
    follows it decays as struck and blown things do.
    """

    def __init__(self, time_constants=(0.01, 0.03, 0.1, 0.3), ramp_seconds=1.0):
        self.time_constants = time_constants
        self.ramp_seconds = ramp_seconds

    def __call__(self, times, note_off, code):
        """float32 [batch, n_times, len(time_constants) + 1]."""
        since = tf.maximum(_rows(times) - note_off[:, None, None], 0.0)
        constants = tf.constant(self.time_constants, tf.float32)
        ramp = tf.minimum(since / self.ramp_seconds, 1.0)
        return tf.concat([1.0 - tf.exp(-since / constants), ramp], axis=2)


class Periodic:
    """Sines and cosines of fixed rates."""

    def __init__(self, rates_hz=(0.25, 0.5, 1.0, 2.0)):
        self.rates_hz = rates_hz

    def __call__(self, times, note_off, code):
        """float32 [batch, n_times, 2 len(rates_hz)]."""
        angle = 2.0 * math.pi * _rows(times) * tf.constant(self.rates_hz, tf.float32)
        curves = tf.concat([tf.sin(angle), tf.cos(angle)], axis=2)
        return _for_each(note_off, curves, times)


class Vibrato(keras.layers.Layer):
    """Oscillations whose rate and phase are the note's own, for vibrato and tremolo.

    A rate is read from the code once per note, so the oscillation is as regular as a player's.
    Each comes plain, and faded in over `fade_seconds`, since players let vibrato grow.

    Args:
      n: Number of oscillations.
      min_hz, max_hz: The range of the rates.
      fade_seconds: Time constant of the fade-in.
    """

    def __init__(self, n=1, min_hz=3.0, max_hz=8.0, fade_seconds=0.4, name="vibrato"):
        super().__init__(name=name)
        self.n = n
        self.min_hz = min_hz
        self.max_hz = max_hz
        self.fade_seconds = fade_seconds
        self.rate = keras.layers.Dense(n, name="rate")
        # Two outputs whose angle is the phase: no seam at a full turn.
        self.phase = keras.layers.Dense(2 * n, name="phase")

    def rates_hz(self, code):
        """The rates of the notes with these codes, [batch, n]."""
        return self.min_hz + (self.max_hz - self.min_hz) * tf.sigmoid(self.rate(code))

    def call(self, times, note_off, code):
        """float32 [batch, n_times, 4 n]."""
        x, y = tf.split(self.phase(code), 2, axis=1)
        start = tf.math.atan2(y, x + 1e-6)
        angle = 2.0 * math.pi * _rows(times) * self.rates_hz(code)[:, None, :]
        angle += start[:, None, :]
        waves = tf.concat([tf.sin(angle), tf.cos(angle)], axis=2)
        fade = 1.0 - tf.exp(-_rows(times) / self.fade_seconds)
        return tf.concat([waves, waves * fade], axis=2)
