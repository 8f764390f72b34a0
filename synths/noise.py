"""Stateless white noise: a function of seed and sample number."""

import zlib

import tensorflow as tf

from synths import portable
from synths.native import call_kernel, native_kernels_used
from synths.shapes import check_shape


def white_noise(seed, n_samples, first_sample=0):
    """Uniform white noise in [-1, 1), equal on every device and for every batch and chunking.

    Sample n of a row depends only on the seed of the row and on first_sample + n.

    Args:
      seed: int32 [batch]; equal seeds give equal rows.
      n_samples: int or scalar int32.
      first_sample: Sample number at which the chunk begins, int or scalar int32 or int64. The noise
        repeats after 2**32 samples (a day at 48 kHz).

    Returns:
      float32 [batch, n_samples], variance 1/3. No gradient.
    """
    seed = tf.convert_to_tensor(seed)
    check_shape("seed", seed, "[batch]")
    if portable.portable_operations_used():
        return portable.white_noise(seed, portable.samples_from(first_sample, n_samples))
    first_sample = tf.math.floormod(tf.cast(first_sample, tf.int64), 2**32)
    if native_kernels_used():
        from synths.kernels import noise_cpu

        inputs = [tf.cast(seed, tf.int32), n_samples, first_sample]
        shape = [seed.shape[0], tf.get_static_value(n_samples)]
        return call_kernel(noise_cpu.white_noise, inputs, shape)[0]
    start = _scramble(tf.bitcast(tf.cast(seed, tf.int32), tf.uint32))
    counter = tf.bitcast(tf.range(tf.cast(n_samples, tf.int32)), tf.uint32)
    counter += tf.cast(first_sample, tf.uint32)
    # Each row has its own odd step: with equal steps, two rows with nearby starts would be one
    # stream and a delayed copy.
    step = tf.bitwise.bitwise_or(_scramble(start), tf.constant(1, tf.uint32))
    bits = _scramble(start[:, None] + step[:, None] * counter[None, :])
    return (
        tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * (2.0**-23)
        - 1.0
    )


def seed_of_layer(name):
    """Default seed of a layer, a hash of its name."""
    return zlib.crc32(name.encode()) % 2**31


def _scramble(x):
    """Bijective 32-bit integer hash ("lowbias32" of C. Wellons)."""

    def shift(x, bits):
        return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(bits, tf.uint32)))

    x = shift(x + tf.constant(0x9E3779B9, tf.uint32), 16) * tf.constant(0x7FEB352D, tf.uint32)
    x = shift(x, 15) * tf.constant(0x846CA68B, tf.uint32)
    return shift(x, 16)
