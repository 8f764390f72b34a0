"""Mappings of a raw curve to F0 in Hz."""

import math

import numpy as np
import tensorflow as tf

from noisygan.metrics import note_analysis
from synths.units import midi_to_hz


class ConditionedPitch:
    """F0 as the conditioned pitch plus a bounded deviation.

    Args:
      max_deviation: Largest deviation in semitones.
    """

    condition_names = ("pitch",)

    def __init__(self, max_deviation=1.0):
        self.max_deviation = max_deviation

    def __call__(self, raw, conditioning):
        """F0 in Hz, [batch, n_frames, 1], from a raw curve of that shape."""
        deviation = self.max_deviation * tf.tanh(raw / self.max_deviation)
        # The nearest note's frequency, as exact as can be, and what little is left in semitones:
        # a float32 of a whole pitch is too coarse for a phase that adds up over seconds.
        pitch = conditioning["pitch"]
        note = tf.clip_by_value(tf.cast(tf.round(pitch), tf.int32), 0, 127)
        left = (pitch - tf.cast(note, tf.float32))[:, None, None] + deviation
        hz = tf.constant(note_analysis.midi_to_hz(np.arange(128)), tf.float32)
        return shifted(tf.gather(hz, note)[:, None, None], left)


def shifted(hz, semitones):
    """Shift frequencies by a few semitones, with little more than one rounding.

    `hz * exp(x)` rounds twice, and the exponentials of two processors differ in their last bit; in
    `hz + hz * expm1(x)` the error is negligible.

    Args:
      hz: Any shape.
      semitones: Of a shape that broadcasts with it.
    """
    half = tf.tanh(semitones * (math.log(2.0) / 24.0))
    return hz + hz * (2.0 * half / (1.0 - half))


def at_pitch(table, pitch):
    """Interpolate a table over MIDI pitch, float32 [128], linearly: [batch] at pitches [batch]."""
    place = tf.clip_by_value(pitch, 0.0, 127.0)
    low = tf.minimum(tf.cast(place, tf.int32), 126)
    here, after = tf.gather(table, low), tf.gather(table, low + 1)
    return here + (place - tf.cast(low, tf.float32)) * (after - here)


class UnconditionedPitch:
    """F0 anywhere in a range, without a pitch condition; untrained networks give its center.

    Args:
      min_midi, max_midi: The range in MIDI notes.
    """

    condition_names = ()

    def __init__(self, min_midi=36.0, max_midi=100.0):
        self.min_midi = min_midi
        self.max_midi = max_midi

    def __call__(self, raw, conditioning):
        """F0 in Hz, [batch, n_frames, 1], from a raw curve of that shape."""
        return midi_to_hz(self.min_midi + (self.max_midi - self.min_midi) * tf.sigmoid(raw))


def bend_at(times, points):
    """Interpolate a pitch bend linearly between points and hold it outside them.

    Args:
      times: Seconds, float32 [n_frames] or [batch, n_frames].
      points: (seconds, semitones), the seconds rising, float32 [batch, n_points, 2].

    Returns:
      Semitones, float32 [batch, n_frames, 1].
    """
    since = times[..., None] - points[:, None, :-1, 0]
    lasts, rises = tf.unstack(points[:, 1:] - points[:, :-1], axis=2)
    share = tf.clip_by_value(since / tf.maximum(lasts, 1e-6)[:, None], 0.0, 1.0)
    bend = points[:, :1, 1] + tf.reduce_sum(share * rises[:, None], axis=2)
    return bend[:, :, None]
