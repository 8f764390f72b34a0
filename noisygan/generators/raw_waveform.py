"""Base class of raw-waveform generators: fixed sample rate and length."""

import numpy as np
import soxr
import tensorflow as tf

from noisygan.generators.generator import Generator, GeneratorOutput


class RawWaveform(Generator):
    """Base class of generators that output samples directly.

    Subclasses define `make_audio(latent)`: z with encoded conditions, float32
    [batch, n], to audio in -1 .. 1, float32 [batch, n_samples].

    Args:
      n_samples: Length of the recordings and of the generated sounds.
      sample_rate: Hz, of the recordings.
      latent_dim: Size of z.
      prior: A distribution of tensorflow-probability over z (scalar); standard normal where absent.
      condition_encoder: `discriminators.conditioning.ConditionEncoder`, or None.

    Attributes:
      autoencoder: `Autoencoder` that encodes recordings to latents in training, or None.
    """

    autoencoder = None

    def __init__(self, n_samples, sample_rate, latent_dim, prior, condition_encoder, name):
        seconds = n_samples / sample_rate
        super().__init__(sample_rate, seconds, latent_dim, prior, condition_encoder, name)
        self.n_samples = n_samples

    def make_audio(self, latent):
        """Generate audio from latents, float32 [batch, n_samples]."""
        raise NotImplementedError

    def call(self, z, conditioning, seconds=None, sample_rate=None, seed=0, training=False):
        """Generate audio.

        Args:
          z: float32 [batch, latent_dim]; ignored in training with an autoencoder.
          conditioning: dict with what `condition_names` names; an autoencoder encodes `recorded`,
            or `audio`, float32 [batch, n_samples].
          seconds: Length: shorter sounds are cut off. Longer ones can't be made.
          sample_rate: Hz; from another one than the network's the sound is resampled, which adds
            nothing above half of its rate, and is not possible inside a `tf.function`.
          seed: Ignored.
          training: Whether the audio is for the discriminator: a growing network then keeps
            the rate of its level.

        Returns:
          GeneratorOutput without controls.

        Raises:
          UsageError: for more seconds than the network makes.
        """
        if training and self.autoencoder is not None:
            recorded = conditioning.get("recorded", conditioning["audio"])
            z = self.autoencoder.standardized(self.autoencoder.encode(recorded))
        audio = tf.cast(self.make_audio(self.conditioned_latent(z, conditioning)), tf.float32)
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
    """Resample rows to at least n_samples."""
    rows = [soxr.resample(row, rate, wanted)[:n_samples] for row in audio.numpy()]
    return tf.stack([np.pad(row, (0, n_samples - len(row))) for row in rows])
