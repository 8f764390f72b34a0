"""Stateless random numbers of discriminators.

Random numbers are a hash of the bits of the input, per row. They differ between training steps, do
not depend on the other rows, and a resumed run draws the same. Inputs that are rounded differently
give different numbers.
"""

import tensorflow as tf

_N_PLACES = 8


def rows_bits(h):
    """Random number per row.

    Args:
      h: float32 [batch, n_steps, channels]; half precision gives the numbers of its float32 values.

    Returns:
      uint32 [batch]. No gradient.
    """
    n_steps = h.shape[1]
    places = [n_steps * i // _N_PLACES for i in range(_N_PLACES)]
    gathered = tf.cast(tf.gather(h[:, :, 0], places, axis=1), tf.float32)
    bits = tf.bitcast(gathered, tf.uint32)
    weights = tf.constant([2654435761 + 2 * i for i in range(_N_PLACES)], tf.uint32)
    return _scrambled(tf.reduce_sum(bits * weights, axis=1))


def dropout(h, rate):
    """Dropout: set a random share of the values to 0 and scale the others.

    Args:
      h: [batch, n_steps, channels], float32 or half precision.
      rate: Share of values that are set to 0, 0 up to 1.

    Returns:
      [batch, n_steps, channels], dtype of h.
    """
    if not rate:
        return h
    n_steps, n_channels = h.shape[1:]
    index = tf.reshape(tf.range(n_steps * n_channels), [n_steps, n_channels])
    bits = _scrambled(rows_bits(h)[:, None, None] + tf.bitcast(index, tf.uint32)[None])
    kept = bits >= tf.constant(int(rate * 2**32), tf.uint32)
    return tf.where(kept, h / (1.0 - rate), 0.0)


def _scrambled(x):
    """Bijective integer hash (the finalizer of MurmurHash3)."""

    def shifted(x, bits):
        return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(bits, tf.uint32)))

    x = shifted(x, 16) * tf.constant(0x85EBCA6B, tf.uint32)
    x = shifted(x, 13) * tf.constant(0xC2B2AE35, tf.uint32)
    return shifted(x, 16)
