"""A voice of learned wavetables, in place of or beside a `HarmonicVoice`."""

import keras
import tensorflow as tf

from noisygan.generators.drum_voices import DRUM_VOICES
from noisygan.generators.voices import VOICES, HarmonicVoice


class WavetableVoice(HarmonicVoice):
    """A bank of learned wavetables, mixed frame by frame as the decoded features say.

    All notes share the tables, so a timbre is a point between a few shapes and not free. A table is
    held as the levels of its harmonics in sine phase: it has no aliasing at any pitch, and is
    rendered, streamed and exported as the controls of a `HarmonicVoice` are.

    Args:
      n_tables: Number of tables.
      **kwargs: Of `HarmonicVoice`.
    """

    def __init__(self, n_tables=16, name="wavetable", **kwargs):
        self.n_tables = n_tables
        super().__init__(name=name, **kwargs)

    def _set_n_harmonics(self, n_harmonics):
        super()._set_n_harmonics(n_harmonics)
        self.distribution = _WavetableMixture(self.n_tables, n_harmonics, name="distribution")


class _WavetableMixture(keras.layers.Layer):
    def __init__(self, n_tables, n_harmonics, name):
        super().__init__(name=name)
        self.shares = keras.layers.Dense(n_tables, name="shares")
        self.shape = [n_tables, n_harmonics]
        # Tables that differ, or all would be trained alike.
        self.initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, shape):
        """Create the tables: levels of their harmonics, nepers."""
        self.tables = self.add_weight(shape=self.shape, initializer=self.initializer, name="tables")
        self.built = True

    def call(self, decoded):
        """Levels of the mixture's harmonics in nepers, [batch, n_frames, n_harmonics]."""
        shares = tf.nn.softmax(self.shares(decoded))
        return tf.math.log(tf.matmul(shares, tf.exp(self.tables)))


# Voices that can be rendered from their controls alone, and exported.
BUNDLED_VOICES = (*VOICES.values(), *DRUM_VOICES.values(), WavetableVoice)
