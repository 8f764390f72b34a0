"""Seeded white noise without state: a function of (seed, sample number) and nothing else."""

import zlib

import tensorflow as tf

from synths import portable
from synths.errors import check_rank, whole
from synths.native import native_kernels_used


def white_noise(seed, n_samples, first_sample=0):
    """Uniform white noise in [-1, 1), the same on every device and for every batch and chunking.

    Sample n of a row depends only on the row's seed and on first_sample + n, so a row is the same
    alone or in a batch, and two chunks joined equal the whole.

    Args:
      seed: int32 [batch], one number a row; equal numbers give equal rows.
      n_samples: int or scalar int32.
      first_sample: Where the chunk begins, in samples, int or scalar int32 or int64. The noise
        repeats after 2**32 samples (a day at 48 kHz).

    Returns:
      float32 [batch, n_samples], variance 1/3. No gradient.

    Raises:
      ShapeError: if seed is not rank 1.
      ValueError: if n_samples is negative or has a fraction.
    """
    n_samples = whole("n_samples", n_samples)
    seed = tf.convert_to_tensor(seed)
    check_rank("seed", seed, 1, "[batch]")
    if portable.portable_operations_used():
        return portable.white_noise(seed, portable.samples_from(first_sample, n_samples))
    first_sample = tf.math.floormod(tf.cast(first_sample, tf.int64), 2**32)
    if native_kernels_used():
        from synths.kernels import noise_cpu

        inputs = [tf.cast(seed, tf.int32), n_samples, first_sample]
        noise = tf.numpy_function(noise_cpu.white_noise, inputs, tf.float32, stateful=False)
        noise.set_shape([seed.shape[0], tf.get_static_value(n_samples)])
        return noise
    start = _scramble(tf.bitcast(tf.cast(seed, tf.int32), tf.uint32))
    counter = tf.bitcast(tf.range(tf.cast(n_samples, tf.int32)), tf.uint32)
    counter += tf.cast(first_sample, tf.uint32)
    # A row walks in odd steps of its own: with equal steps, two rows whose starts lie near each
    # other would be one stream and its echo.
    step = tf.bitwise.bitwise_or(_scramble(start), tf.constant(1, tf.uint32))
    bits = _scramble(start[:, None] + step[:, None] * counter[None, :])
    return (
        tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * (2.0**-23)
        - 1.0
    )


def seed_of_layer(name):
    """A seed for a layer that is given none; it follows from the layer's name and nothing else."""
    return zlib.crc32(name.encode()) % 2**31


def _scramble(x):
    """A bijective 32-bit integer hash: each input bit flips each output bit half of the time.

    Multiplicative xor-shift hash with the "lowbias32" constants of C. Wellons' search.
    """

    def shift(x, bits):
        return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(bits, tf.uint32)))

    x = shift(x + tf.constant(0x9E3779B9, tf.uint32), 16) * tf.constant(0x7FEB352D, tf.uint32)
    x = shift(x, 15) * tf.constant(0x846CA68B, tf.uint32)
    return shift(x, 16)
