"""Layers whose weights are scaled when they are used, so that all learn at one pace.

Weights are drawn from N(0, 1) and multiplied by sqrt(2 / n), where n is how many numbers each
output is a sum of (Karras et al. 2018, section 4.1; for sounds the kernel is one-dimensional).
"""

import math

import keras
import tensorflow as tf

from discriminators.layers import convolve_repeated


class EqualizedDense(keras.layers.Layer):
    """A dense layer, [batch, n] to [batch, units]."""

    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.units = units
        self.initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, shape):
        """Makes the weights."""
        self.scale = math.sqrt(2.0 / shape[-1])
        self.kernel = self.add_weight(
            shape=[shape[-1], self.units], initializer=self.initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=[self.units], initializer="zeros", name="bias")
        self.built = True

    def call(self, x):
        """[batch, units]."""
        return tf.matmul(x, self.scale * self.kernel) + self.bias


class EqualizedConv1D(keras.layers.Layer):
    """A convolution, [batch, n_steps, n] to [batch, n_steps * repeats, filters].

    Args:
      filters: Channels that come out.
      kernel_size: Taps.
      repeats: How often each step is repeated before.
    """

    def __init__(self, filters, kernel_size, repeats=1, name=None):
        super().__init__(name=name)
        self.filters = filters
        self.kernel_size = kernel_size
        self.repeats = repeats
        self.initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, shape):
        """Makes the weights."""
        self.scale = math.sqrt(2.0 / (self.kernel_size * shape[-1]))
        self.kernel = self.add_weight(
            shape=[self.kernel_size, shape[-1], self.filters],
            initializer=self.initializer,
            name="kernel",
        )
        self.bias = self.add_weight(shape=[self.filters], initializer="zeros", name="bias")
        self.built = True

    def call(self, x):
        """[batch, n_steps * repeats, filters]."""
        return convolve_repeated(x, self.scale * self.kernel, self.repeats) + self.bias


def pixel_norm(h):
    """Every step's channels brought to a mean square of 1, [batch, n_steps, channels]."""
    x = to_float32(h)
    x *= tf.math.rsqrt(tf.reduce_mean(x**2, axis=2, keepdims=True) + 1e-8)
    return tf.cast(x, h.dtype)


def to_float32(x):
    """Half precision as float32: squares would overflow, and 1e-8 would be 0."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x
