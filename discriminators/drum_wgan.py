"""The conditional drum WGAN's critic: strided convolutions, growing by fours."""

import keras
import tensorflow as tf

from discriminators.growing import GrowingDiscriminator
from discriminators.layers import convolve_strided
from discriminators.raw_waveform import check_whole
from discriminators.waveform import N_LAST, phase_shuffle

_FACTOR = 4


class DrumWGANDiscriminator(GrowingDiscriminator):
    """Strided convolutions down to sixteen steps, and one decision (Drysdale et al. 2020).

    The label's embedding becomes a second channel beside the waveform.

    Args:
      n_samples: Length of the longest sounds: 256 times a power of four.
      units: Filters of the first layer at the highest level; each further one has twice as many.
      kernel_size: Of the convolutions.
      embedding_dim: Size of the label's embedding.
      shuffle: Largest phase shift behind each layer but the last, in steps.
      conditional: Whether the sound's conditions are told.

    Raises:
      ValueError: for a length that the stack can't judge, fewer taps than a stride has steps, no
        units, or a shift beyond 16.
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
        for argument, value, low, high in (
            ("units", units, 1, float("inf")),
            ("kernel_size", kernel_size, _FACTOR, float("inf")),
            ("shuffle", shuffle, 0, N_LAST),
        ):
            check_whole(f"DrumWGANDiscriminator.{argument}", value, low, high)
        n_levels = possible.index(n_samples) + 1
        super().__init__(n_samples, n_levels, _FACTOR, name)
        self.shuffle = shuffle
        self.conditional = conditional
        widths = [units << i for i in reversed(range(n_levels))]
        self.listeners = self._convolutions(widths, kernel_size, "from_audio")
        self.blocks = self._convolutions([2 * widths[0], *widths[:-1]], kernel_size, "block")
        self.decision = keras.layers.Dense(1, name="decision")
        self.layers_in = [(layer, 2 if conditional else 1) for layer in self.listeners]
        self.layers_in += zip(self.blocks, widths, strict=True)
        self.embedding = self.told_map = None
        if conditional:
            self.embedding = keras.layers.Dense(embedding_dim, use_bias=False, name="embedding")
            self.told_map = keras.layers.Dense(n_samples, name="told")

    @staticmethod
    def _convolutions(widths, kernel_size, name):
        return [
            keras.layers.Conv1D(width, kernel_size, _FACTOR, padding="same", name=f"{name}_{i}")
            for i, width in enumerate(widths)
        ]

    def told(self, audio, conditioning):
        """The sound, and its label at the sound's length."""
        if not self.conditional:
            return audio
        if conditioning is None:
            raise ValueError(
                "DrumWGANDiscriminator: got no conditions, expected features of them; set "
                "Trainer.condition_encoder, or DrumWGANDiscriminator.conditional = False."
            )
        told = self.told_map(self.embedding(conditioning))[:, :, None]
        step = self.n_samples // audio.shape[1]
        if step > 1:
            told = tf.nn.avg_pool1d(told, step, step, "VALID")
        return tf.concat([audio, tf.cast(told, audio.dtype)], axis=2)

    def from_audio(self, level, x):
        """A sound to a level's map, a quarter as long."""
        return tf.nn.leaky_relu(_quartered(self.listeners[level], x), 0.2)

    def block(self, level, h, features):
        """A level's map to that of the level below."""
        features.append(h)
        h = phase_shuffle(h, self.shuffle)
        return tf.nn.leaky_relu(_quartered(self.blocks[level], h), 0.2)

    def decide(self, h, features, conditioning):
        """Logits of the last map; its conditions were told beside the sound."""
        features.append(h)
        return self.decision(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))[:, 0]


def _quartered(convolution, h):
    """A quarter as many steps, through a convolution: [batch, n_steps / 4, filters]."""
    h = tf.cast(h, convolution.compute_dtype)
    kernel = tf.cast(convolution.kernel, h.dtype)
    return convolve_strided(h, kernel, _FACTOR) + tf.cast(convolution.bias, h.dtype)
