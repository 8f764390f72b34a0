"""Critic of the growing GAN: the generator's levels in reverse."""

import keras
import tensorflow as tf

from discriminators.conditioning import projected
from discriminators.equalized import EqualizedConv1D, EqualizedDense, to_float32
from discriminators.growing import GrowingDiscriminator

_FACTOR = 2


class GrowingGANDiscriminator(GrowingDiscriminator):
    """Two equalized convolutions per level and a mean of two steps (Netzer).

    Conditioning, absent in the published network, enters by projection on the last map's mean over
    time (Miyato and Koyama 2018).

    Args:
      filters: Filters of each level, from the shortest audio on, as of the generator.
      n_seed: Samples of the shortest audio.
      kernel_size: Of the convolutions.
      n_convolutions, dilation: As of the generator.
      group_size: Rows that `minibatch_deviation` compares; 0: a whole batch, as published.
    """

    def __init__(
        self,
        filters=(256, 256, 128, 64, 64, 32, 32, 16, 16),
        n_seed=1024,
        kernel_size=25,
        n_convolutions=2,
        dilation=1,
        group_size=0,
        name="growing_gan_discriminator",
    ):
        n_levels = len(filters)
        super().__init__(n_seed * _FACTOR ** (n_levels - 1), n_levels, _FACTOR, name)
        self.group_size = group_size
        after = [filters[0], *filters[:-1]]
        self.inputs = [EqualizedConv1D(n, 1, name=f"from_audio_{i}") for i, n in enumerate(filters)]
        self.convolutions = [
            [
                EqualizedConv1D(n, kernel_size, name=f"conv_{i}_{k}")
                for k in range(n_convolutions - 1)
            ]
            + [
                EqualizedConv1D(
                    n_out, kernel_size, dilation=dilation, name=f"conv_{i}_{n_convolutions - 1}"
                )
            ]
            for i, (n, n_out) in enumerate(zip(filters, after, strict=True))
        ]
        self.decision = EqualizedDense(1, name="decision")
        self.layers_in = [(layer, 1) for layer in self.inputs]
        for i, (first, *others) in enumerate(self.convolutions):
            # The lowest level has the channel of `minibatch_deviation` in addition.
            self.layers_in.append((first, filters[i] + (i == 0)))
            self.layers_in += [(other, filters[i]) for other in others]
        self.layers_in.append((self.decision, n_seed * filters[0]))
        self.projection = keras.layers.Dense(filters[0], use_bias=False, name="projection")

    def from_audio(self, level, x):
        """First map of a level, as long as the audio."""
        return tf.nn.leaky_relu(self.inputs[level](x), 0.2)

    def block(self, level, h, maps):
        """Map of the level below, half as long; at the lowest level the last map."""
        if level == 0:
            h = minibatch_deviation(h, self.group_size)
        for convolution in self.convolutions[level]:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            maps.append(h)
        return h if level == 0 else tf.nn.avg_pool1d(h, _FACTOR, _FACTOR, "VALID")

    def decide(self, h, maps, conditioning):
        """Logits of the last map."""
        logits = self.decision(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))[:, 0]
        return logits + projected(self.projection, conditioning, tf.reduce_mean(h, axis=1))


def minibatch_deviation(h, group_size):
    """Append a channel with the mean deviation within each group of consecutive rows.

    The channel holds one number per group: the standard deviation over the group of every step and
    channel, averaged.

    Args:
      h: [batch, n_steps, channels]; batch is a multiple of group_size.
      group_size: Rows of a group; with 1 the channel is constant, with 0 all rows are one group.

    Returns:
      [batch, n_steps, channels + 1].

    Raises:
      ValueError: if the batch can't be divided into groups.

    References:
      Karras et al. 2018, section 3; in groups as in their code.
    """
    batch, n_steps, n_channels = h.shape
    if batch is not None and group_size and batch % group_size:
        raise ValueError(
            f"minibatch_deviation: got a batch of {batch}, expected a multiple of group_size, "
            f"{group_size}: {group_size} or {2 * group_size} would work."
        )
    groups = to_float32(h)[None]
    if group_size:
        groups = tf.reshape(groups, [-1, group_size, n_steps, n_channels])
    deviation = tf.sqrt(tf.math.reduce_variance(groups, axis=1) + 1e-8)
    mean = tf.repeat(tf.reduce_mean(deviation, axis=[1, 2]), group_size or tf.shape(h)[0])
    channel = tf.cast(mean, h.dtype)[:, None, None] + tf.zeros_like(h[:, :, :1])
    return tf.concat([h, channel], axis=2)
