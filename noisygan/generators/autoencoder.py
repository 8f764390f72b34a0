"""An autoencoder of short segments: its code is what Sample-GAN's generator begins with."""

import keras
import numpy as np
import tensorflow as tf

N_LAST = 16
POOL = 4


class Autoencoder(keras.layers.Layer):
    """Convolutions and max pooling down to a code, and nearest neighbours up from it.

    Shaped as a small U-Net without its skips: all that the decoder knows passes through the code.
    Layers with pooling by 4 are added until 16 steps or fewer are left; each has twice as many
    filters as the one before.

    Args:
      n_samples: Length of the segments.
      code_size: Numbers in a code; fewer than samples.
      units: Filters of the first layer.
      kernel_size: Of the convolutions.

    References:
      Wisnewski, "Time Domain Music Synthesis with Sample-GAN", section 3.1; its figures' sizes
      are lost, these are ours.
    """

    def __init__(self, n_samples=500, code_size=64, units=16, kernel_size=9, name="autoencoder"):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.code_size = code_size
        self.lengths = [n_samples]
        while self.lengths[-1] > N_LAST:
            self.lengths.append(-(-self.lengths[-1] // POOL))
        widths = [units << i for i in range(len(self.lengths) - 1)] or [units]
        self.width = widths[-1]

        def convolution(n_filters, name):
            return keras.layers.Conv1D(n_filters, kernel_size, padding="same", name=name)

        self.downs = [convolution(width, f"down_{i}") for i, width in enumerate(widths)]
        self.to_code = keras.layers.Dense(code_size, name="code")
        self.from_code = keras.layers.Dense(self.lengths[-1] * self.width, name="from_code")
        ups = [1, *widths[:-1]]
        self.ups = [convolution(width, f"up_{i}") for i, width in reversed(list(enumerate(ups)))]

    def build(self, *shapes):
        """Makes every variable."""
        self.built = True
        self.decode(self.encode(tf.zeros([1, self.n_samples])))

    def encode(self, audio):
        """Codes, float32 [batch, code_size], of segments, float32 [batch, n_samples]."""
        h = audio[:, :, None]
        for down in self.downs:
            h = tf.nn.elu(down(h))
            if h.shape[1] > N_LAST:
                h = tf.nn.max_pool1d(h, POOL, POOL, padding="SAME")
        return self.to_code(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))

    def decode(self, code):
        """Segments in -1 .. 1, float32 [batch, n_samples], of codes, float32 [batch, code_size]."""
        h = tf.reshape(self.from_code(code), [-1, self.lengths[-1], self.width])
        lengths = self.lengths[-2::-1] or self.lengths
        for up, length in zip(self.ups, lengths, strict=True):
            if h.shape[1] < length:
                h = tf.repeat(h, POOL, axis=1)[:, :length]
            h = up(tf.nn.elu(h))
        return tf.tanh(h[:, :, 0])

    def call(self, audio):
        """Segments by way of their codes, float32 [batch, n_samples]."""
        return self.decode(self.encode(audio))


def gaussian(codes):
    """Mean and Cholesky factor of the normal distribution with the moments of given codes.

    Args:
      codes: float [n, code_size].

    Returns:
      (mean float32 [code_size], lower triangle float32 [code_size, code_size]): mean + factor @ z
      is distributed so for z of a standard normal. Directions without spread get a little.
    """
    codes = np.asarray(codes, np.float64)
    mean = codes.mean(axis=0)
    spread = codes - mean
    covariance = spread.T @ spread / len(codes)
    least = 1e-4 * np.trace(covariance) / len(mean) + 1e-10
    factor = np.linalg.cholesky(covariance + least * np.eye(len(mean)))
    return mean.astype(np.float32), factor.astype(np.float32)
