"""Convolutional autoencoder of recordings, whose latents are the input of a generator."""

import keras
import numpy as np
import tensorflow as tf

N_LAST = 16
POOL = 4


class Autoencoder(keras.layers.Layer):
    """Convolutions with max pooling to a latent, and with nearest-neighbour upsampling back.

    A small U-Net without skip connections. It is trained before the adversarial training and holds
    the normal distribution of the recordings' latents (`set_distribution`).
    Layers with pooling by 4 are added until 16 steps or fewer are left; each has twice as many
    filters as the one before.

    Args:
      n_samples: Length of the segments.
      latent_dim: Size of the latent, below `n_samples`.
      units: Filters of the first layer.
      kernel_size: Of the convolutions.

    References:
      Wisnewski, "Time Domain Music Synthesis with Sample-GAN", section 3.1; its figures' sizes
      are lost, these are ours.
    """

    def __init__(self, n_samples=500, latent_dim=64, units=16, kernel_size=9, name="autoencoder"):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.latent_dim = latent_dim
        self.lengths = [n_samples]
        while self.lengths[-1] > N_LAST:
            self.lengths.append(-(-self.lengths[-1] // POOL))
        widths = [units << i for i in range(len(self.lengths) - 1)] or [units]
        self.width = widths[-1]

        def convolution(n_filters, name):
            return keras.layers.Conv1D(n_filters, kernel_size, padding="same", name=name)

        self.downs = [convolution(width, f"down_{i}") for i, width in enumerate(widths)]
        self.to_latent = keras.layers.Dense(latent_dim, name="latent")
        self.from_latent = keras.layers.Dense(self.lengths[-1] * self.width, name="from_latent")
        ups = [1, *widths[:-1]]
        self.ups = [convolution(width, f"up_{i}") for i, width in reversed(list(enumerate(ups)))]
        self.trainable = False  # by the adversarial training

    def build(self, *shapes):
        """Create all variables."""
        if self.built:
            return
        self.built = True
        self.decode(self.encode(tf.zeros([1, self.n_samples])))
        n = self.latent_dim
        self.mean, self.factor = (
            self.add_weight(shape=shape, initializer=initializer, trainable=False, name=name)
            for shape, initializer, name in (([n], "zeros", "mean"), ([n, n], "identity", "factor"))
        )

    @property
    def layers(self):
        """Layers that `TrainAutoencoder` trains."""
        return [*self.downs, self.to_latent, self.from_latent, *self.ups]

    def set_distribution(self, mean, factor):
        """Set the distribution of latents: mean [latent_dim], lower Cholesky factor."""
        self.mean.assign(mean)
        self.factor.assign(factor)

    def from_normal(self, z):
        """Latents of standard normal z, float32 [batch, latent_dim]."""
        return self.mean + tf.linalg.matvec(self.factor, z)

    def standardized(self, latent):
        """z of latents, the inverse of `from_normal`."""
        centred = tf.linalg.matrix_transpose(latent - self.mean)
        return tf.linalg.matrix_transpose(tf.linalg.triangular_solve(self.factor, centred))

    def encode(self, audio):
        """Encode segments, float32 [batch, n_samples], to latents, float32 [batch, latent_dim]."""
        h = audio[:, :, None]
        for down in self.downs:
            h = tf.nn.elu(down(h))
            if h.shape[1] > N_LAST:
                h = tf.nn.max_pool1d(h, POOL, POOL, padding="SAME")
        return self.to_latent(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))

    def decode(self, latent):
        """Decode latents, float32 [batch, latent_dim], to segments in -1 .. 1."""
        h = tf.reshape(self.from_latent(latent), [-1, self.lengths[-1], self.width])
        lengths = self.lengths[-2::-1] or self.lengths
        for up, length in zip(self.ups, lengths, strict=True):
            if h.shape[1] < length:
                h = tf.repeat(h, POOL, axis=1)[:, :length]
            h = up(tf.nn.elu(h))
        return tf.tanh(h[:, :, 0])

    def call(self, audio):
        """Reconstruct segments, float32 [batch, n_samples]."""
        return self.decode(self.encode(audio))


def gaussian(latents):
    """Mean and Cholesky factor of the normal distribution fitted to latents.

    Args:
      latents: float [n, latent_dim].

    Returns:
      (mean float32 [latent_dim], factor float32 [latent_dim, latent_dim], lower triangle):
      mean + factor @ z has this distribution for standard normal z. The covariance is regularized.
    """
    latents = np.asarray(latents, np.float64)
    mean = latents.mean(axis=0)
    spread = latents - mean
    covariance = spread.T @ spread / len(latents)
    least = 1e-4 * np.trace(covariance) / len(mean) + 1e-10
    factor = np.linalg.cholesky(covariance + least * np.eye(len(mean)))
    return mean.astype(np.float32), factor.astype(np.float32)
