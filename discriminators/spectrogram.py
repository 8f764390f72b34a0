"""Convolutional discriminators over a spectral view of the sound."""

import keras
import tensorflow as tf

from discriminators.conditioning import projected
from discriminators.layers import ConvolutionAlongTime
from discriminators.output import DiscriminatorOutput
from discriminators.readout import Statistics


class SpectrogramDiscriminator(keras.layers.Layer):
    """A spectral view, a few 2-D convolutions, one decision.

    The view's channels are brought to mean 0 and deviation 1 by constants taken from recordings
    (`adapt`), so one regularizer weight fits any data. Conditions enter by
    projection (Miyato and Koyama 2018).

    Args:
      view: Of `discriminators.views`.
      n_filters: Filters of each convolution.
      kernel_size, stride: Of the convolutions.
      over_bands: Whether the convolutions run over time and the view's channels, as over a
        picture; else over time alone, with all channels going in at once, as suits coefficients
        that are no neighbours of each other, and is several times faster.
      read_out: Of `discriminators.readout`; `Statistics` where absent.
    """

    def __init__(
        self,
        view,
        n_filters=(32, 64, 128),
        kernel_size=5,
        stride=2,
        over_bands=True,
        read_out=None,
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
        self.hidden = keras.layers.Dense(n_filters[-1], name="hidden")
        self.decision = keras.layers.Dense(1, name="decision")
        self.projection = keras.layers.Dense(n_filters[-1], use_bias=False, name="projection")

    def adapt(self, audio):
        """Takes the view's mean and deviation by channel from recordings, [n, n_samples]."""
        view = self.view(audio)
        mean, variance = tf.nn.moments(view, [0, 1])
        n_channels = view.shape[-1]
        for name, value in (("mean", mean), ("deviation", tf.sqrt(variance + 1e-4))):
            if not hasattr(self, name):
                weight = self.add_weight(
                    shape=[n_channels], initializer="zeros", trainable=False, name=name
                )
                setattr(self, name, weight)
            getattr(self, name).assign(value)

    def front_end(self, audio):
        """The maps that the network judges, and that gradients are penalised by: a list of one.

        Raises:
          ValueError: if the view was not adapted to recordings.
        """
        if not hasattr(self, "mean"):
            raise ValueError(
                f"{self.name}: its view's mean and deviation are not known; call "
                "adapt(recordings) first."
            )
        return [(self.view(audio) - self.mean) / self.deviation]

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        (view,) = features
        # Bands and steps change places where the convolutions run; outside steps come first.
        h = tf.transpose(view, [0, 2, 1])[..., None] if self.over_bands else view[:, None]
        features = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            features.append(tf.transpose(h, [0, 2, 1, 3]))
        h = features[-1]
        read = self.hidden(self.read_out(h, self.step_rate))
        hidden = tf.nn.leaky_relu(read, 0.2)
        logits = self.decision(hidden)[:, 0]
        # Scaled so that the term starts as large as the unconditional one.
        logits += projected(self.projection, conditioning, hidden) / hidden.shape[-1] ** 0.5
        return DiscriminatorOutput([logits], [features])

    def build(self, *shapes):
        """Nothing: the parts make their variables when they are first called."""
        self.built = True

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples]."""
        return self.score(self.front_end(audio), conditioning)
