"""The growing GAN's generator: nine levels of two convolutions each, for twelve seconds."""

import tensorflow as tf

from discriminators.equalized import EqualizedConv1D, EqualizedDense, pixel_norm
from noisygan.generators.growing import GrowingWaveform

# Filters of the nine levels, from the shortest sounds on.
FILTERS = (256, 256, 128, 64, 64, 32, 32, 16, 16)
_FACTOR = 2


class GrowingGAN(GrowingWaveform):
    """Two convolutions a level, each level twice as long (Netzer).

    Learning rates are equalized, and the channels of every step are normalised after each
    convolution.

    Args:
      sample_rate: Hz, of the recordings; level i has sample_rate / 2**(n_levels - 1 - i).
      filters: Filters of each level, from the shortest sounds on.
      n_seed: Samples of the shortest sounds.
      seed_channels: Channels that the latent is spread over.
      latent_dim: Size of z.
      prior: As of `RawWaveform`; the published one is uniform in -1 .. 1.
      condition_encoder: `ConditionEncoder`, or None as published.
      kernel_size: Of the convolutions.
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
        name="growing_gan",
    ):
        filters = list(filters)
        n_levels = len(filters)
        n_samples = n_seed * _FACTOR ** (n_levels - 1)
        super().__init__(
            n_samples, sample_rate, latent_dim, prior, condition_encoder, n_levels, _FACTOR, name
        )
        self.n_seed = n_seed
        self.seed_map = EqualizedDense(n_seed * seed_channels, name="seed")
        before = [seed_channels, *filters[:-1]]
        self.convolutions = [
            [
                EqualizedConv1D(n, kernel_size, _FACTOR if i else 1, name=f"conv_{i}_0"),
                EqualizedConv1D(n, kernel_size, name=f"conv_{i}_1"),
            ]
            for i, n in enumerate(filters)
        ]
        self.sounds = [EqualizedConv1D(1, 1, name=f"to_audio_{i}") for i in range(n_levels)]
        for (first, second), n_in, n in zip(self.convolutions, before, filters, strict=True):
            self.layers_in += [(first, n_in), (second, n)]
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
