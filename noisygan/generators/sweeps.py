"""Falling pitch of struck membranes."""

import math

import keras
import tensorflow as tf

from synths.units import midi_to_hz


class PitchSweep(keras.layers.Layer):
    """Sum of exponential decays in semitones: `end + sum of rise_i exp(-t / time_i)`.

    A dense layer maps each note's latent to end, rises and time constants. Replaces the F0 network,
    together with `FixedCenterPitch`.

    Args:
      n: Number of exponentials: a fast one for the beater's click, a slow one for the skin.
      max_end: Farthest that the end lies from 0, in semitones.
      max_rise: Highest rise of each exponential, in semitones; a rise is never negative.
      min_seconds, max_seconds: Range of the time constants.
    """

    def __init__(
        self, n=2, max_end=30.0, max_rise=36.0, min_seconds=0.002, max_seconds=0.3, name="sweep"
    ):
        super().__init__(name=name)
        self.max_end = max_end
        self.max_rise = max_rise
        self.min_seconds = min_seconds
        self.max_seconds = max_seconds
        # Untrained: a third of an octave, at most half the range, and time constants evenly in
        # ratio over theirs.
        share = min(4.0 / max_rise, 0.5)
        rest = math.log(share / (1.0 - share))
        self.place = [(i + 1.0) / (n + 1.0) for i in range(n)]
        self.end = keras.layers.Dense(1, name="end")
        self.rises = keras.layers.Dense(
            n, bias_initializer=keras.initializers.Constant(rest), name="rises"
        )
        self.times = keras.layers.Dense(n, name="times")

    def build(self, *shapes):
        """Do nothing: sublayers build themselves in the first call."""
        self.built = True

    def call(self, times, note_off, latent):
        """Semitones, float32 [batch, n_times, 1]; note_off is ignored.

        Args:
          times: Seconds, [n_times], or [batch, n_times].
          note_off: Seconds, [batch].
          latent: [batch, n].
        """
        end = self.max_end * tf.tanh(self.end(latent) / 3.0)
        rises = self.max_rise * tf.sigmoid(self.rises(latent))
        logits = tf.constant([math.log(p / (1.0 - p)) for p in self.place], tf.float32)
        place = tf.sigmoid(self.times(latent) + logits)
        constants = self.min_seconds * (self.max_seconds / self.min_seconds) ** place
        falling = tf.exp(-times[..., None] / constants[:, None, :])
        swept = tf.reduce_sum(rises[:, None, :] * falling, axis=2, keepdims=True)
        return end[:, None, :] + swept


class FixedCenterPitch:
    """F0 from a curve in semitones around a fixed pitch.

    Args:
      center_midi: MIDI pitch at 0 semitones.
      max_midi: Upper limit of F0, MIDI pitch; a soft limit.
    """

    condition_names = ()

    def __init__(self, center_midi=45.0, max_midi=110.0):
        self.center_midi = center_midi
        self.max_midi = max_midi

    def __call__(self, raw, conditioning):
        """F0 in Hz, [batch, n_frames, 1], from a curve of that shape in semitones."""
        above = self.max_midi - self.center_midi
        return midi_to_hz(self.center_midi + above - tf.nn.softplus(above - raw))
