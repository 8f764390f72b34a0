"""The generator contract: what every generator returns, and which capabilities it declares."""

from typing import NamedTuple

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from noisygan.errors import UsageError


class GeneratorOutput(NamedTuple):
    """Audio and the controls that it was synthesized from.

    Attributes:
      audio: float32 [batch, n_samples].
      controls: dict of tensors in physical units; empty for a raw-waveform generator.
    """

    audio: tf.Tensor
    controls: dict


class Capabilities:
    """Capabilities of a generator; subclasses override the defaults.

    Attributes:
      has_controls: Whether it synthesizes from `get_controls`.
      voices: Synth voices of a hybrid.
      predicts: Whether it has `predict`, the next sample of real examples.
      is_any_length: Whether it makes more seconds than it was trained on.
      release_seconds: Time from note-off to the end of a note; None without a note-off.
      rings_out: Whether notes are not released unless a note-off is given.
      min_batch_size: Smallest training batch whose statistics are meaningful.
      n_levels: Levels of a generator that grows; 1: it does not.
      level: Present level, from 0.
    """

    has_controls = False
    voices = ()
    predicts = False
    is_any_length = False
    release_seconds = None
    rings_out = False
    min_batch_size = 1
    n_levels = 1
    level = 0

    def adapt(self, data):
        """Set constants that are measured from the recordings, an `AudioDataset`."""

    def set_pitches(self, pitches):
        """Set what depends on the range of the recordings' MIDI pitches, before variables exist."""

    def length_of(self, level):
        """Samples of the audio at a level."""
        return round(self.seconds * self.sample_rate)

    def check_seconds(self, seconds, sample_rate):
        """Raise UsageError for a length that the generator can't make.

        To be called before the generator: Keras adds lines to errors within a call.

        Args:
          seconds: Length.
          sample_rate: Hz, of the rendered audio.
        """
        if seconds > self.seconds + 0.5 / sample_rate and not self.is_any_length:
            raise UsageError(
                f"{seconds:g} seconds: {type(self).__name__} makes at most {self.seconds:g} "
                "seconds; request that or less"
            )


class Generator(Capabilities, keras.layers.Layer):
    """Base class of generators: `generator(z, conditioning) -> GeneratorOutput`.

    Args:
      sample_rate: Hz, of the training data.
      seconds: Length of the training data.
      latent_dim: Size of z.
      prior: Distribution of tensorflow-probability over z, scalar or with event shape [latent_dim];
        None: standard normal.
      condition_encoder: `discriminators.conditioning.ConditionEncoder`, or None.
    """

    def __init__(self, sample_rate, seconds, latent_dim, prior, condition_encoder, name):
        super().__init__(name=name)
        self.sample_rate = sample_rate
        self.seconds = seconds
        self.latent_dim = latent_dim
        self.distribution = tfp.distributions.Normal(0.0, 1.0) if prior is None else prior
        self.condition_encoder = condition_encoder

    @property
    def condition_names(self):
        """Names of the conditions that the generator uses, a tuple."""
        return self.condition_encoder.names if self.condition_encoder else ()

    def encode_conditions(self, conditioning):
        """Encoded conditioning, float32 [batch, n], or None without conditions."""
        return self.condition_encoder(conditioning) if self.condition_encoder else None

    def conditioned_latent(self, z, conditioning):
        """z followed by the encoded conditioning, float32 [batch, n]."""
        encoded = self.encode_conditions(conditioning)
        return z if encoded is None else tf.concat([z, encoded], axis=1)

    def prior(self, n, seed):
        """n latents sampled with a stateless seed (int, or int32 [2]), float32 [n, latent_dim]."""
        seed = tf.convert_to_tensor(seed, tf.int32)
        seed = tf.stack([seed, 0]) if seed.shape.rank == 0 else seed
        shape = [n] if self.distribution.event_shape.rank else [n, self.latent_dim]
        return tf.cast(self.distribution.sample(shape, seed=seed), tf.float32)

    @property
    def has_normal_prior(self):
        """Whether z is drawn from a scalar normal distribution."""
        return isinstance(self.distribution, tfp.distributions.Normal)

    def at_take(self, z, take):
        """Latents that select a take: their last number is moved into a share of the prior.

        Over all takes of a note z stays distributed as the prior. Priors other than a scalar normal
        select none.

        Args:
          z: float32 [batch, latent_dim].
          take: Where each row's share begins and ends, 0 to 1 (`AudioDataset.takes`), float32
            [batch, 2].

        Returns:
          float32 [batch, latent_dim].
        """
        if not self.has_normal_prior:
            return z
        rest, last = z[:, :-1], z[:, -1:]
        begin, end = take[:, :1], take[:, 1:]
        share = begin + (end - begin) * self.distribution.cdf(last)
        # Where float32 reaches 1 the quantile is infinite.
        moved = self.distribution.quantile(tf.clip_by_value(share, 1e-6, 1.0 - 1e-6))
        return tf.concat([rest, tf.where(end - begin < 1.0, moved, last)], axis=1)

    def build(self, *shapes):
        """Do nothing: sublayers build themselves in the first call."""
        self.built = True
