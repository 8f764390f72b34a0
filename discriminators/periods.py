"""Discriminators that look at every p-th sample: what repeats, and how it changes."""

import keras
import tensorflow as tf

from discriminators.conditioning import projected
from discriminators.multi import MultiDiscriminator
from discriminators.output import DiscriminatorOutput


def fold(waveform, period):
    """A waveform in rows of `period` samples each; its end is reflected to fill the last row.

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


class PeriodDiscriminator(keras.layers.Layer):
    """Convolutions along each column of a folded waveform; one decision, the mean over the map.

    Recordings are brought to a level of 1 by a constant taken from them (`adapt`), so one
    regularizer weight fits any data and the spectral discriminators beside this one. Conditions
    enter by projection (Miyato and Koyama 2018).

    Args:
      period: Samples a row.
      n_filters: Filters of each convolution.
      kernel_size: Of the convolutions along a column.
      stride: Of the convolutions but the last one, which has none.

    Raises:
      ValueError: for a period below 1 or no filters; when called, if not adapted to recordings.

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
        if period < 1:
            raise ValueError(f"PeriodDiscriminator.period: got {period}, expected 1 or more.")
        if not n_filters:
            raise ValueError("PeriodDiscriminator.n_filters: got none, expected one or more.")
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

    def adapt(self, audio):
        """Takes the level (root mean square) of recordings, [n, n_samples]."""
        if not hasattr(self, "level"):
            self.level = self.add_weight(
                shape=[], initializer="ones", trainable=False, name="level"
            )
        self.level.assign(tf.sqrt(tf.reduce_mean(tf.square(audio)) + 1e-8))

    def check_length(self, n_samples):
        """Raises ValueError unless sounds of so many samples fill a row."""
        if n_samples < self.period:
            raise ValueError(
                f"PeriodDiscriminator: got sounds of {n_samples} samples and a period of "
                f"{self.period}, expected a period of {n_samples} or less."
            )

    def front_end(self, audio):
        """The waveform at a level of 1, [batch, n_samples, 1], as a list of one.

        Raises:
          ValueError: if the level of the recordings is not known, or for sounds shorter than a row.
        """
        self.check_length(audio.shape[1])
        if not hasattr(self, "level"):
            raise ValueError(
                f"{self.name}: the recordings' level is not known; call adapt(recordings) first."
            )
        return [audio[:, :, None] / self.level]

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        (h,) = features
        h = fold(h, self.period)
        features = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            features.append(h)
        logits = tf.reduce_mean(self.decision(h), axis=[1, 2, 3])
        logits += projected(self.projection, conditioning, tf.reduce_mean(h, axis=[1, 2]))
        return DiscriminatorOutput([logits], [features])

    def build(self, *shapes):
        """Nothing: the parts make their variables when they are first called."""
        self.built = True

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples]."""
        return self.score(self.front_end(audio), conditioning)


class MultiPeriodDiscriminator(MultiDiscriminator):
    """A `PeriodDiscriminator` for each of several periods.

    Args:
      periods: Prime numbers see the fewest of each other's samples.
      n_filters, kernel_size, stride: Of each; see there.
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
