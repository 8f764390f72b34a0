"""Convolutional discriminators over a spectral view of the sound."""

import keras
import tensorflow as tf

from discriminators.output import DiscriminatorOutput


class SpectrogramDiscriminator(keras.layers.Layer):
    """A spectral view, a few 2-D convolutions, one decision.

    The view's channels are brought to mean 0 and deviation 1 by constants taken from recordings
    (`adapt`), so one regularizer weight fits any data. The last map is read out as its mean and
    deviation over time, its means over parts of the sound, and its frames at moments that matter.
    Conditions enter by projection (Miyato and Koyama 2018).

    Args:
      view: Of `discriminators.views`.
      n_filters: Filters of each convolution.
      kernel_size, stride: Of the convolutions.
      n_parts: Into how many parts the sound is cut for the means.
      moments_seconds: Moments whose frames are read out by themselves.
      activation: "leaky_relu" or another name of Keras.
    """

    def __init__(
        self,
        view,
        n_filters=(32, 64, 128),
        kernel_size=5,
        stride=2,
        n_parts=8,
        moments_seconds=(0.0,),
        name="spectrogram_discriminator",
    ):
        super().__init__(name=name)
        self.view = view
        self.convolutions = [
            keras.layers.Conv2D(n, kernel_size, strides=stride, padding="same", name=f"conv_{i}")
            for i, n in enumerate(n_filters)
        ]
        self.step_rate = view.frame_rate / stride ** len(n_filters)
        self.n_parts = n_parts
        self.moments_seconds = tuple(moments_seconds)
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

    def represent(self, audio):
        """The maps that the network judges, and that gradients are penalised by: a list of one."""
        return [(self.view(audio) - self.mean) / self.deviation]

    def judge(self, maps, conditioning):
        """DiscriminatorOutput for maps of `represent` and features of `Conditions` (or None)."""
        (h,) = maps
        h = h[..., None]
        features = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            features.append(h)
        read = self.hidden(self._read_out(h))
        hidden = tf.nn.leaky_relu(read, 0.2)
        logits = self.decision(hidden)[:, 0]
        if conditioning is not None:
            # Scaled so that the term starts as large as the unconditional one.
            weights = self.projection(conditioning)
            logits += tf.reduce_sum(weights * hidden, axis=1) / hidden.shape[-1] ** 0.5
        return DiscriminatorOutput([logits], [features])

    def _read_out(self, h):
        """[batch, n_steps, n_bands, n_filters] to [batch, n]."""
        n_steps = h.shape[1]
        flat = tf.reshape(h, [-1, n_steps, h.shape[2] * h.shape[3]])
        mean, variance = tf.nn.moments(flat, [1])
        parts = [mean, tf.sqrt(variance + 1e-6)]
        edges = [n_steps * i // self.n_parts for i in range(self.n_parts + 1)]
        by_band = tf.reduce_mean(h, axis=2)
        parts += [
            tf.reduce_mean(by_band[:, low : max(high, low + 1)], axis=1)
            for low, high in zip(edges, edges[1:], strict=False)
        ]
        for moment in self.moments_seconds:
            step = min(int(round(moment * self.step_rate)), n_steps - 1)
            parts.append(flat[:, step])
        return tf.concat(parts, axis=1)

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples]."""
        return self.judge(self.represent(audio), conditioning)
