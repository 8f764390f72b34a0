"""Base class of generators that grow level by level."""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.raw_waveform import RawWaveform


class GrowingWaveform(RawWaveform):
    """Base class of generators whose output grows in length and rate, level by level.

    A level's sound is a blend: `alpha` of what its new layers make and the rest of the level below,
    its samples repeated. Subclasses define `begin(latent)`, `block(level, h)` and
    `to_audio(level, h)`, and hold each layer with the channels that go in in `layers_in`.

    Args:
      n_samples, sample_rate, latent_dim, prior, condition_encoder: As of `RawWaveform`.
      n_levels: How many.
      factor: How many times longer a level's sound is than the one below.

    Attributes:
      level: The present one, from 0; the highest at first. Set by whoever trains.
      alpha: The present blend, a weight that is not trained, 0 to 1.
    """

    def __init__(
        self, n_samples, sample_rate, latent_dim, prior, condition_encoder, n_levels, factor, name
    ):
        super().__init__(n_samples, sample_rate, latent_dim, prior, condition_encoder, name)
        self.n_levels = n_levels
        self.factor = factor
        self.level = n_levels - 1
        self.alpha = self.add_weight(shape=[], initializer="ones", trainable=False, name="alpha")
        self.layers_in = []

    def length_of(self, level):
        """Samples of a sound at a level.

        Raises:
          UsageError: for a level that is not there.
        """
        if not 0 <= level < self.n_levels:
            raise UsageError(f"level: got {level}, expected 0 to {self.n_levels - 1}.")
        return self.n_samples // self.factor ** (self.n_levels - 1 - level)

    def build(self, *shapes):
        """Create the variables of all levels."""
        for layer, n_channels in self.layers_in:
            if not layer.built:
                layer.build((None, None, n_channels))
        if self.autoencoder is not None:
            self.autoencoder.build()
        self.built = True

    def begin(self, latent):
        """Map a latent to the first map, [batch, n_steps, channels]."""
        raise NotImplementedError

    def block(self, level, h):
        """The map of the level below to that of a level."""
        raise NotImplementedError

    def to_audio(self, level, h):
        """A level's map to sound, [batch, length_of(level)]."""
        raise NotImplementedError

    def audio_at(self, latent, level, alpha):
        """Generate audio at a level.

        Args:
          latent: As of `make_audio`.
          level: From 0.
          alpha: Scalar, the blend; at 0 the level below, repeated, and at 1 nothing of it, not even
            a gradient. Of no effect at level 0.

        Returns:
          float32 [batch, length_of(level)].

        Raises:
          UsageError: for a level that is not there.
        """
        self.length_of(level)
        h, below = self.begin(latent), None
        for i in range(level + 1):
            h, below = self.block(i, h), h
        audio = tf.cast(self.to_audio(level, h), tf.float32)
        if level == 0:
            return audio
        lower = tf.cast(self.to_audio(level - 1, below), tf.float32)
        return alpha * audio + (1.0 - alpha) * tf.repeat(lower, self.factor, axis=1)

    def make_audio(self, latent):
        """Generate audio at the current level and blend, float32 [batch, length_of(level)]."""
        return self.audio_at(latent, self.level, tf.cast(self.alpha, tf.float32))
