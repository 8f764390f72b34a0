"""Critic of the conditional drum WGAN: strided convolutions that grow by factors of four."""

import keras
import tensorflow as tf

from discriminators.growing import GrowingDiscriminator
from discriminators.layers import convolve_strided
from discriminators.waveform import phase_shuffle

_FACTOR = 4


class DrumWGANDiscriminator(GrowingDiscriminator):
    """Strided convolutions down to sixteen steps, then a dense layer (Drysdale et al. 2020).

    The label's embedding is a second channel besides the waveform.

    Args:
      n_samples: Length of the audio at the highest level: 256 times a power of four.
      units: Filters of the first layer at the highest level, doubled in each further layer.
      kernel_size: Of the convolutions, 4 or more.
      embedding_dim: Size of the label's embedding.
      shuffle: Largest phase shift behind each layer but the last, 0 to 16 steps.
      conditional: Whether `score` requires conditioning.

    Raises:
      ValueError: for another length.
    """

    def __init__(
        self,
        n_samples=16384,
        units=64,
        kernel_size=25,
        embedding_dim=50,
        shuffle=2,
        conditional=True,
        name="drum_wgan_discriminator",
    ):
        possible = [256 * _FACTOR**i for i in range(6)]
        if n_samples not in possible:
            raise ValueError(
                f"DrumWGANDiscriminator.n_samples: got {n_samples}, expected one of "
                f"{', '.join(map(str, possible))}."
            )
        n_levels = possible.index(n_samples) + 1
        super().__init__(n_samples, n_levels, _FACTOR, name)
        self.shuffle = shuffle
        self.conditional = conditional
        widths = [units << i for i in reversed(range(n_levels))]
        self.inputs = self._convolutions(widths, kernel_size, "from_audio")
        self.blocks = self._convolutions([2 * widths[0], *widths[:-1]], kernel_size, "block")
        self.decision = keras.layers.Dense(1, name="decision")
        self.layers_in = [(layer, 2 if conditional else 1) for layer in self.inputs]
        self.layers_in += zip(self.blocks, widths, strict=True)
        self.embedding = self.condition_map = None
        if conditional:
            self.embedding = keras.layers.Dense(embedding_dim, use_bias=False, name="embedding")
            self.condition_map = keras.layers.Dense(n_samples, name="condition_map")

    @staticmethod
    def _convolutions(widths, kernel_size, name):
        return [
            keras.layers.Conv1D(width, kernel_size, _FACTOR, padding="same", name=f"{name}_{i}")
            for i, width in enumerate(widths)
        ]

    def concat_conditions(self, audio, conditioning):
        """Concatenate the audio and the label's map at the same length."""
        if not self.conditional:
            return audio
        if conditioning is None:
            raise ValueError(
                "DrumWGANDiscriminator: got no conditioning; set Trainer.condition_encoder, or "
                "DrumWGANDiscriminator.conditional = False."
            )
        channel = self.condition_map(self.embedding(conditioning))[:, :, None]
        step = self.n_samples // audio.shape[1]
        if step > 1:
            channel = tf.nn.avg_pool1d(channel, step, step, "VALID")
        return tf.concat([audio, tf.cast(channel, audio.dtype)], axis=2)

    def from_audio(self, level, x):
        """First map of a level, a quarter as long as the audio."""
        return tf.nn.leaky_relu(_convolve(self.inputs[level], x), 0.2)

    def block(self, level, h, maps):
        """Map of the level below."""
        maps.append(h)
        h = phase_shuffle(h, self.shuffle)
        return tf.nn.leaky_relu(_convolve(self.blocks[level], h), 0.2)

    def decide(self, h, maps, conditioning):
        """Logits of the last map."""
        maps.append(h)
        return self.decision(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))[:, 0]


def _convolve(convolution, h):
    """Apply a convolution with a stride of four: [batch, n_steps / 4, filters]."""
    h = tf.cast(h, convolution.compute_dtype)
    kernel = tf.cast(convolution.kernel, h.dtype)
    return convolve_strided(h, kernel, _FACTOR) + tf.cast(convolution.bias, h.dtype)
