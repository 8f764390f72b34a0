"""Variation between takes: jitter of the conditioning and of the controls, decided by z."""

import math

import keras
import numpy as np
import tensorflow as tf


class ConditionJitter:
    """Shift the conditioning that the curves read by the first numbers of z.

    The pitch that sounds stays the conditioned one. In training the shift hides the exact target
    from the generator, so it learns neighbouring notes as well, and a z picks one of them: seeds
    differ like takes, and single recordings are not memorised.

    Args:
      pitch: Shift at z = 1 in semitones.
      velocity: Shift at z = 1 in MIDI velocities.
    """

    def __init__(self, pitch=0.4, velocity=5.0):
        self.shifts = {"pitch": pitch, "velocity": velocity}

    @property
    def n_dims(self):
        """Number of leading z dimensions used."""
        return len(self.shifts)

    def __call__(self, z, conditioning):
        """(rest of z, shifted conditioning).

        Args:
          z: float32 [batch, latent_dim].
          conditioning: dict of [batch] tensors; what it lacks is not shifted.
        """
        shifted = dict(conditioning)
        for i, (name, shift) in enumerate(self.shifts.items()):
            if name in conditioning:
                shifted[name] = conditioning[name] + shift * z[:, i]
        if "velocity" in shifted:
            shifted["velocity"] = tf.clip_by_value(shifted["velocity"], 1.0, 127.0)
        return z[:, self.n_dims :], shifted


class Jitter(keras.layers.Layer):
    """Random deviations of pitch and level, a function of z.

    Each is a sum of sines with incommensurate rates. Their phases follow from z, so the wander is a
    function of z and of time in seconds, at any frame rate and length. The strength of each sine is
    learned.

    Args:
      pitch_cents: Root-mean-square deviation of F0 before training.
      level_db: Root-mean-square deviation of the loudness before training.
      n: Number of sines.
      max_hz: Highest rate.
    """

    def __init__(self, pitch_cents=1.2, level_db=0.3, n=24, max_hz=40.0, name="jitter"):
        super().__init__(name=name)
        self.pitch_cents = pitch_cents
        self.level_db = level_db
        # One rate in each of n equal stretches up to the highest.
        place = np.arange(n) + np.random.default_rng(n).uniform(size=n)
        self.rates_hz = (max_hz / n * place).astype(np.float32)
        self.log_strengths = self.add_weight(
            shape=[2, n], initializer="zeros", name="log_strengths"
        )

    def turns(self, latent_dim):
        """Turns of the sines by z, of pitch and then of level, float64 [latent_dim, 2 n]."""
        n = len(self.rates_hz)
        return np.random.default_rng(n).normal(size=(latent_dim, 2 * n))

    def call(self, times, z):
        """(deviation of F0 in cents, deviation of loudness in dB), each [batch, n_times, 1].

        Args:
          times: Seconds, float32 [n_times], or [batch, n_times].
          z: float32 [batch, latent_dim].
        """
        n = len(self.rates_hz)
        turns = tf.constant(self.turns(z.shape[1]), tf.float32)
        phases = 2.0 * math.pi * tf.matmul(z, turns)
        angle = 2.0 * math.pi * times[..., None] * self.rates_hz
        waves = tf.concat([tf.sin(angle), tf.cos(angle)], axis=-1)

        def wander(phase, log_strengths):
            turned = tf.stack([tf.cos(phase), tf.sin(phase)], axis=1) * tf.exp(log_strengths)
            turned = tf.reshape(turned, [-1, 2 * n])
            if times.shape.rank == 2:
                wave = tf.reduce_sum(turned[:, None] * waves, axis=2)
            else:
                wave = tf.matmul(turned, waves, transpose_b=True)
            return wave[:, :, None] * math.sqrt(2.0 / n)

        pitch, level = tf.split(phases, 2, axis=1)
        of_pitch, of_level = tf.unstack(self.log_strengths)
        return self.pitch_cents * wander(pitch, of_pitch), self.level_db * wander(level, of_level)
