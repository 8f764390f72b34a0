"""Multi-period discriminator: convolutions over every p-th sample."""

import keras
import tensorflow as tf

from discriminators.base import Discriminator, DiscriminatorOutput
from discriminators.conditioning import projected
from discriminators.multi import MultiDiscriminator


def fold(waveform, period):
    """Fold a waveform into rows of `period` samples; the end is reflected to fill the last row.

    Column i holds samples i, i + period, i + 2 period ...

    Args:
      waveform: [batch, n_samples, 1].
      period: From 1 to n_samples.

    Returns:
      [batch, ceil(n_samples / period), period, 1].
    """
    n_samples = waveform.shape[1]
    missing = -n_samples % period
    padded = tf.pad(waveform, [[0, 0], [0, missing], [0, 0]], mode="REFLECT")
    return tf.reshape(padded, [-1, (n_samples + missing) // period, period, 1])


class PeriodDiscriminator(Discriminator):
    """Convolutions along each column of a folded waveform; the logit is the mean over the map.

    Real audio is scaled to a level of 1 (`adapt`), so one regularizer weight fits any data.
    Conditioning enters by projection (Miyato and Koyama 2018).

    Args:
      period: Samples per row.
      n_filters: Filters of each convolution.
      kernel_size: Of the convolutions along a column.
      stride: Of all convolutions but the last, which has none.

    Raises:
      ValueError: when called, if it was not adapted to real audio.

    References:
      Kong et al. 2020 (HiFi-GAN), section 2.3.
    """

    def __init__(
        self,
        period,
        n_filters=(32, 128, 512, 1024, 1024),
        kernel_size=5,
        stride=3,
        name="period_discriminator",
    ):
        super().__init__(name=name)
        self.period = period
        self.convolutions = [
            keras.layers.Conv2D(
                n,
                (kernel_size, 1),
                strides=(stride if i < len(n_filters) - 1 else 1, 1),
                padding="same",
                name=f"conv_{i}",
            )
            for i, n in enumerate(n_filters)
        ]
        self.decision = keras.layers.Conv2D(1, (3, 1), padding="same", name="decision")
        self.projection = keras.layers.Dense(n_filters[-1], use_bias=False, name="projection")
        self.level = None

    def adapt(self, audio):
        """Set the level (root mean square) of real audio, [n, n_samples]."""
        if self.level is None:
            self.level = self.add_weight(
                shape=[], initializer="ones", trainable=False, name="level"
            )
        self.level.assign(tf.sqrt(tf.reduce_mean(tf.square(audio)) + 1e-8))

    def check_length(self, n_samples):
        """Raise ValueError unless the audio fills a row."""
        if n_samples < self.period:
            raise ValueError(
                f"PeriodDiscriminator: got audio of {n_samples} samples and a period of "
                f"{self.period}, expected a period of {n_samples} or less."
            )

    def front_end(self, audio):
        """The waveform at a level of 1, [batch, n_samples, 1], as a list of one."""
        if self.level is None:
            raise ValueError(f"{self.name}: call adapt(audio) with real audio first.")
        return [waveform / self.level for waveform in super().front_end(audio)]

    def score(self, features, conditioning, held_seconds=None):
        """Score the waveform, [batch, n_samples, 1]."""
        (h,) = features
        h = fold(h, self.period)
        maps = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            maps.append(h)
        logits = tf.reduce_mean(self.decision(h), axis=[1, 2, 3])
        logits += projected(self.projection, conditioning, tf.reduce_mean(h, axis=[1, 2]))
        return DiscriminatorOutput([logits], [maps])


class MultiPeriodDiscriminator(MultiDiscriminator):
    """A `PeriodDiscriminator` for each of several periods.

    Args:
      periods: Prime numbers share the fewest samples.
      n_filters, kernel_size, stride: Of each `PeriodDiscriminator`.
    """

    def __init__(
        self,
        periods=(2, 3, 5, 7, 11),
        n_filters=(32, 128, 512, 1024, 1024),
        kernel_size=5,
        stride=3,
        name="multi_period_discriminator",
    ):
        super().__init__(
            [
                PeriodDiscriminator(p, n_filters, kernel_size, stride, name=f"period_{p}")
                for p in periods
            ],
            name=name,
        )
