"""Random numbers of what a network sees: no state, other ones in every step of a training.

A discriminator has no seed of its own. What it draws is a hash of the bits of the map that is
drawn for, row by row: equal maps draw the same, whatever else is in the batch, and a run that is
resumed draws what it would have drawn. A map that another program rounds otherwise in its last bit
draws something else.
"""

import tensorflow as tf

_N_PLACES = 8


def rows_bits(h):
    """One random number for each row.

    Args:
      h: float32 [batch, n_steps, channels]; half floats draw as the same numbers in float32 do.

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
    """Sets a share of the numbers to 0, chosen at random, and scales up the others.

    Args:
      h: [batch, n_steps, channels], float32 or half floats.
      rate: Share, 0 up to 1.

    Returns:
      [batch, n_steps, channels], in the type of h.
    """
    if not rate:
        return h
    n_steps, n_channels = h.shape[1:]
    index = tf.reshape(tf.range(n_steps * n_channels), [n_steps, n_channels])
    bits = _scrambled(rows_bits(h)[:, None, None] + tf.bitcast(index, tf.uint32)[None])
    kept = bits >= tf.constant(int(rate * 2**32), tf.uint32)
    return tf.where(kept, h / (1.0 - rate), 0.0)


def _scrambled(x):
    """A bijective integer hash (the finalizer of MurmurHash3)."""

    def shifted(x, bits):
        return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(bits, tf.uint32)))

    x = shifted(x, 16) * tf.constant(0x85EBCA6B, tf.uint32)
    x = shifted(x, 13) * tf.constant(0xC2B2AE35, tf.uint32)
    return shifted(x, 16)
