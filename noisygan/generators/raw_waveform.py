"""What generators of raw waveforms share: a prior, conditions, one rate and one length."""

import keras
import numpy as np
import soxr
import tensorflow as tf
import tensorflow_probability as tfp

from noisygan.errors import UsageError
from noisygan.generators.output import GeneratorOutput


class RawWaveform(keras.layers.Layer):
    """A network from a code straight to samples, by the generator contract.

    Subclasses define `make_audio(code)`: z with the conditions' features behind it, float32
    [batch, n], to audio in -1 .. 1, float32 [batch, n_samples].

    Args:
      n_samples: Length of the recordings and of the generated sounds.
      sample_rate: Hz, of the recordings.
      latent_dim: Size of z.
      prior: A distribution of tensorflow-probability over z (scalar); standard normal where absent.
      condition_encoder: `discriminators.conditioning.ConditionEncoder`, or None.
    """

    def __init__(self, n_samples, sample_rate, latent_dim, prior, condition_encoder, name):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.latent_dim = latent_dim
        self.distribution = tfp.distributions.Normal(0.0, 1.0) if prior is None else prior
        self.condition_encoder = condition_encoder

    @property
    def seconds(self):
        """Length of a sound."""
        return self.n_samples / self.sample_rate

    @property
    def condition_names(self):
        """Names of the conditions that the generator uses."""
        return self.condition_encoder.names if self.condition_encoder else ()

    def prior(self, n, seed):
        """n codes drawn with a stateless seed (int, or int32 [2]), float32 [n, latent_dim]."""
        seed = tf.convert_to_tensor(seed, tf.int32)
        seed = tf.stack([seed, 0]) if seed.shape.rank == 0 else seed
        return tf.cast(self.distribution.sample([n, self.latent_dim], seed=seed), tf.float32)

    def check_seconds(self, seconds, sample_rate):
        """Refuses a length that the network can't make.

        Before a call: Keras wraps in lines of its own what is raised within one.

        Args:
          seconds: Length.
          sample_rate: Hz, that it is wanted at.

        Raises:
          UsageError: for more seconds than the network makes.
        """
        if seconds > self.seconds + 0.5 / sample_rate:
            raise UsageError(
                f"{seconds:g} seconds: this generator makes waveforms of {self.seconds:g} "
                "seconds; ask for that or less"
            )

    def make_audio(self, code):
        """Sounds of codes, float32 [batch, n_samples]."""
        raise NotImplementedError

    def build(self, *shapes):
        """Nothing: the parts make their variables when they are first called."""
        self.built = True

    def call(self, z, conditioning, seconds=None, sample_rate=None, seed=0, training=False):
        """Sounds.

        Args:
          z: float32 [batch, latent_dim].
          conditioning: dict with what `condition_names` names.
          seconds: Length: shorter sounds are cut off. Longer ones can't be made.
          sample_rate: Hz; from another one than the network's the sound is resampled, which adds
            nothing above half of its rate, and is not possible inside a `tf.function`.
          seed: Plays no part.
          training: Whether a discriminator is going to judge: then a network that still grows
            keeps the rate of its level.

        Returns:
          GeneratorOutput without controls.

        Raises:
          UsageError: for more seconds than the network makes.
        """
        features = self.condition_encoder(conditioning) if self.condition_encoder else None
        code = z if features is None else tf.concat([z, features], axis=1)
        audio = self.make_audio(code)
        if training:
            return GeneratorOutput(audio, {})
        # Of a network that still grows; exactly the network's own where it is grown.
        rate = self.sample_rate * audio.shape[1] / self.n_samples
        wanted = self.sample_rate if sample_rate is None else sample_rate
        seconds = self.seconds if seconds is None else seconds
        self.check_seconds(seconds, wanted)
        n_samples = round(seconds * wanted)
        if rate != wanted:
            audio = resampled(audio, rate, wanted, n_samples)
        return GeneratorOutput(audio[:, :n_samples], {})


def resampled(audio, rate, wanted, n_samples):
    """Rows at another rate, at least n_samples long."""
    rows = [soxr.resample(row, rate, wanted)[:n_samples] for row in audio.numpy()]
    return tf.stack([np.pad(row, (0, n_samples - len(row))) for row in rows])
