"""Convolutional discriminator over a spectral view of the audio."""

import keras
import tensorflow as tf

from discriminators.base import Discriminator, DiscriminatorOutput
from discriminators.conditioning import projected
from discriminators.layers import ConvolutionAlongTime
from discriminators.readout import Statistics


class SpectrogramDiscriminator(Discriminator):
    """Convolutions over a spectral view, a pooling layer and a dense layer.

    The view's channels are normalized to mean 0 and deviation 1 by constants of the real audio
    (`adapt`), so one regularizer weight fits any data. Conditioning enters by projection (Miyato
    and Koyama 2018).

    Args:
      view: Of `discriminators.front_ends`.
      n_filters: Filters of each convolution.
      kernel_size, stride: Of the convolutions.
      over_bands: Whether the convolutions run over time and bands. Otherwise they run over time
        and all bands are input channels: several times faster, and suits coefficients that are not
        ordered by frequency.
      read_out: Of `discriminators.readout`; None: `Statistics`.
      hidden_units: Units of the dense layer between read-out and decision; None: as many as the
        last convolution has filters; 0: no such layer (conditioning is then projected on the mean
        of the last map).

    Raises:
      ValueError: when called, if it was not adapted to real audio.

    Example:
      >>> discriminator = SpectrogramDiscriminator(LogMel(), n_filters=(4, 8))
      >>> audio = tf.random.normal([2, 16000])
      >>> discriminator.adapt(audio)
      >>> logits, features = discriminator(audio)
      >>> logits[0].shape, len(features[0])
      (TensorShape([2]), 2)
    """

    def __init__(
        self,
        view,
        n_filters=(32, 64, 128),
        kernel_size=5,
        stride=2,
        over_bands=True,
        read_out=None,
        hidden_units=None,
        name="spectrogram_discriminator",
    ):
        super().__init__(name=name)
        self.view = view
        self.over_bands = over_bands
        kernel = (kernel_size, kernel_size if over_bands else 1)
        strides = (stride, stride if over_bands else 1)
        self.convolutions = [
            ConvolutionAlongTime(n, kernel, strides=strides, padding="same", name=f"conv_{i}")
            for i, n in enumerate(n_filters)
        ]
        self.step_rate = view.frame_rate / stride ** len(n_filters)
        self.read_out = read_out or Statistics()
        units = n_filters[-1] if hidden_units is None else hidden_units
        self.hidden = keras.layers.Dense(units, name="hidden") if units else None
        self.decision = keras.layers.Dense(1, name="decision")
        units = units or n_filters[-1]
        self.projection = keras.layers.Dense(units, use_bias=False, name="projection")
        self.mean = self.deviation = None

    def adapt(self, audio):
        """Set the view's mean and deviation per channel from real audio, [n, n_samples]."""
        view = self.view(audio)
        mean, variance = tf.nn.moments(view, [0, 1])
        if self.mean is None:
            self.mean, self.deviation = (
                self.add_weight(
                    shape=[view.shape[-1]], initializer="zeros", trainable=False, name=name
                )
                for name in ("mean", "deviation")
            )
        self.mean.assign(mean)
        self.deviation.assign(tf.sqrt(variance + 1e-4))

    def front_end(self, audio):
        """The normalized view, [batch, n_frames, n_bands], as a list of one."""
        if self.mean is None:
            raise ValueError(f"{self.name}: call adapt(audio) with real audio first.")
        return [(self.view(audio) - self.mean) / self.deviation]

    def score(self, features, conditioning, held_seconds=None):
        """Score the view, [batch, n_frames, n_bands]."""
        (view,) = features
        # The convolutions take bands before steps; the returned maps have steps first.
        h = tf.transpose(view, [0, 2, 1])[..., None] if self.over_bands else view[:, None]
        maps = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            maps.append(tf.transpose(h, [0, 2, 1, 3]))
        pooled = self.read_out(maps[-1], self.step_rate, held_seconds)
        if self.hidden is None:
            hidden = tf.reduce_mean(maps[-1], [1, 2])
        else:
            pooled = hidden = tf.nn.leaky_relu(self.hidden(pooled), 0.2)
        logits = self.decision(pooled)[:, 0]
        # Scaled so that the term starts as large as the unconditional one.
        logits += projected(self.projection, conditioning, hidden) / hidden.shape[-1] ** 0.5
        return DiscriminatorOutput([logits], [maps])
