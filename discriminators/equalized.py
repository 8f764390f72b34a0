"""Layers with equalized learning rates, and pixel normalization (Karras et al. 2018, section 4).

Weights are initialized from N(0, 1) and multiplied by sqrt(2 / fan_in) in each call.
"""

import math

import keras
import tensorflow as tf

from discriminators.layers import convolve_repeated


class EqualizedDense(keras.layers.Layer):
    """Equalized dense layer, [batch, n] to [batch, units]."""

    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.units = units
        self.initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, shape):
        """Create the weights."""
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
    """Equalized convolution, [batch, n_steps, n] to [batch, n_steps * repeats, filters].

    Args:
      filters: Output channels.
      kernel_size: Taps.
      repeats: Factor of nearest-neighbour upsampling before the convolution.
      dilation: Steps between taps; 1 after upsampling.
    """

    def __init__(self, filters, kernel_size, repeats=1, dilation=1, name=None):
        super().__init__(name=name)
        if repeats > 1 and dilation > 1:
            raise ValueError(f"repeats {repeats}, dilation {dilation}: expected 1 for one of them")
        self.filters = filters
        self.kernel_size = kernel_size
        self.repeats = repeats
        self.dilation = dilation
        self.initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, shape):
        """Create the weights."""
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
        kernel = self.scale * self.kernel
        if self.dilation > 1:
            kernel = tf.cast(kernel, x.dtype)
            return tf.nn.convolution(x, kernel, padding="SAME", dilations=self.dilation) + self.bias
        return convolve_repeated(x, kernel, self.repeats) + self.bias


def pixel_norm(h):
    """Normalize the channels of each step to a mean square of 1, [batch, n_steps, channels]."""
    x = to_float32(h)
    x *= tf.math.rsqrt(tf.reduce_mean(x**2, axis=2, keepdims=True) + 1e-8)
    return tf.cast(x, h.dtype)


def to_float32(x):
    """Cast half precision to float32, in which squares do not overflow and 1e-8 is not 0."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x
