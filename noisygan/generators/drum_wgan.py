"""The conditional drum WGAN's generator: upsampling by nearest neighbours, growing by fours."""

import keras
import tensorflow as tf

from discriminators.layers import convolve_repeated
from noisygan.errors import UsageError
from noisygan.generators.growing import GrowingWaveform

N_SEED = 16
_FACTOR = 4


class DrumWGAN(GrowingWaveform):
    """A latent and a label, each through a dense layer, and upsampling by four (Drysdale et al.).

    Every layer but the last upsamples, convolves and rectifies; the last one of a level makes the
    sound. The label is an embedding (of each condition's features a learnt vector) and becomes one
    channel besides the latent's.

    Args:
      n_samples: Length of the longest sounds: 256 times a power of four.
      sample_rate: Hz, of the recordings.
      units: Channels of the last hidden layer; each one before has twice as many.
      latent_dim: Size of z; 100 and 3 have been published.
      prior: As of `RawWaveform`.
      condition_encoder: `ConditionEncoder`, or None.
      kernel_size: Of the convolutions.
      embedding_dim: Size of the label's embedding.

    Raises:
      UsageError: for a length that the stack can't make.
    """

    def __init__(
        self,
        n_samples=16384,
        sample_rate=44100,
        units=64,
        latent_dim=100,
        prior=None,
        condition_encoder=None,
        kernel_size=25,
        embedding_dim=50,
        name="drum_wgan",
    ):
        shortest = N_SEED * _FACTOR**2
        possible = [shortest * _FACTOR**i for i in range(6)]
        if n_samples not in possible:
            raise UsageError(
                f"DrumWGAN.n_samples: got {n_samples}, expected one of "
                f"{', '.join(map(str, possible))}."
            )
        n_levels = possible.index(n_samples) + 1
        super().__init__(
            n_samples, sample_rate, latent_dim, prior, condition_encoder, n_levels, _FACTOR, name
        )
        n_told = 0 if condition_encoder is None else 1
        widths = [units << i for i in reversed(range(n_levels))]
        self.seed_map = keras.layers.Dense(N_SEED * 2 * widths[0], name="seed")
        self.embedding = keras.layers.Dense(embedding_dim, use_bias=False, name="embedding")
        self.condition_map = keras.layers.Dense(N_SEED, name="condition_map")
        self.blocks = self._convolutions(widths, kernel_size, "block")
        self.sounds = self._convolutions([1] * n_levels, kernel_size, "to_audio")
        before = [2 * widths[0] + n_told, *widths[:-1]]
        self.layers_in = [*zip(self.blocks, before, strict=True)]
        self.layers_in += zip(self.sounds, widths, strict=True)

    @staticmethod
    def _convolutions(widths, kernel_size, name):
        return [
            keras.layers.Conv1D(width, kernel_size, padding="same", name=f"{name}_{i}")
            for i, width in enumerate(widths)
        ]

    def begin(self, latent):
        """Map a latent to [batch, 16, channels], the label in the last channel."""
        h = tf.nn.relu(self.seed_map(latent[:, : self.latent_dim]))
        h = tf.reshape(h, [-1, N_SEED, h.shape[1] // N_SEED])
        if self.condition_encoder is None:
            return h
        label_map = self.condition_map(self.embedding(latent[:, self.latent_dim :]))
        return tf.concat([h, label_map[:, :, None]], axis=2)

    def block(self, level, h):
        """Four times as many steps."""
        return tf.nn.relu(_quadrupled(self.blocks[level], h))

    def to_audio(self, level, h):
        """Four times as many samples as steps."""
        return tf.tanh(_quadrupled(self.sounds[level], h))[:, :, 0]


def _quadrupled(convolution, h):
    """Each step four times, through a convolution: [batch, 4 * n_steps, filters]."""
    kernel = tf.cast(convolution.kernel, h.dtype)
    return convolve_repeated(h, kernel, _FACTOR) + tf.cast(convolution.bias, h.dtype)
