"""The growing GAN's generator: nine levels of two convolutions each, for twelve seconds."""

import tensorflow as tf

from discriminators.equalized import EqualizedConv1D, EqualizedDense, pixel_norm
from noisygan.generators.growing import GrowingWaveform

# Filters of the nine levels, from the shortest sounds on.
FILTERS = (256, 256, 128, 64, 64, 32, 32, 16, 16)
_FACTOR = 2


class GrowingGAN(GrowingWaveform):
    """Two convolutions per level, each level twice as long (Netzer).

    Learning rates are equalized, and the channels of every step are normalised after each
    convolution.

    Args:
      sample_rate: Hz, of the recordings; level i has sample_rate / 2**(n_levels - 1 - i).
      filters: Filters of each level, from the shortest sounds on.
      n_seed: Samples of the shortest sounds.
      seed_channels: Channels that the latent is spread over.
      latent_dim: Size of z; that of the autoencoder's latents if there is one.
      prior: As of `RawWaveform`; the published one is uniform in -1 .. 1.
      condition_encoder: `ConditionEncoder`, or None as published.
      kernel_size: Of the convolutions.
      n_convolutions: Of each level; 2 as published.
      dilation: Of the last convolution of each level; needs two or more.
      autoencoder: `Autoencoder` of n_samples whose standardized latents of the recordings are z in
        training, or None as published; see `noisygan.training.pretraining.TrainAutoencoder`.
    """

    def __init__(
        self,
        sample_rate=22050,
        filters=FILTERS,
        n_seed=1024,
        seed_channels=4,
        latent_dim=256,
        prior=None,
        condition_encoder=None,
        kernel_size=25,
        n_convolutions=2,
        dilation=1,
        autoencoder=None,
        name="growing_gan",
    ):
        filters = list(filters)
        n_levels = len(filters)
        n_samples = n_seed * _FACTOR ** (n_levels - 1)
        latent_dim = autoencoder.latent_dim if autoencoder else latent_dim
        super().__init__(
            n_samples, sample_rate, latent_dim, prior, condition_encoder, n_levels, _FACTOR, name
        )
        self.n_seed = n_seed
        self.autoencoder = autoencoder
        self.seed_map = EqualizedDense(n_seed * seed_channels, name="seed")
        before = [seed_channels, *filters[:-1]]
        dilations = [1] * (n_convolutions - 1) + [dilation]
        self.convolutions = [
            [
                EqualizedConv1D(
                    n, kernel_size, 1 if k or not i else _FACTOR, d, name=f"conv_{i}_{k}"
                )
                for k, d in enumerate(dilations)
            ]
            for i, n in enumerate(filters)
        ]
        self.sounds = [EqualizedConv1D(1, 1, name=f"to_audio_{i}") for i in range(n_levels)]
        for (first, *others), n_in, n in zip(self.convolutions, before, filters, strict=True):
            self.layers_in += [(first, n_in), *((other, n) for other in others)]
        self.layers_in += zip(self.sounds, filters, strict=True)

    def begin(self, latent):
        """Map a latent to [batch, n_seed, seed_channels]."""
        h = self.seed_map(latent)
        return tf.reshape(h, [-1, self.n_seed, h.shape[1] // self.n_seed])

    def block(self, level, h):
        """Twice as many steps, but for the lowest level."""
        for convolution in self.convolutions[level]:
            h = pixel_norm(tf.nn.leaky_relu(convolution(h), 0.2))
        return h

    def to_audio(self, level, h):
        """As many samples as steps."""
        return tf.tanh(self.sounds[level](h))[:, :, 0]
