"""Matrix products in full precision, also where a device would rather round."""

import tensorflow as tf

from synths.impulse_responses import length


def matmul(a, b, transpose_b=False):
    """`tf.matmul`, with float32 accuracy on every device.

    On recent GPUs TensorFlow rounds the factors of float32 products to 10 bits (TensorFloat-32),
    which leaves about 65 dB between a sound and its error. There each factor is split in two, and
    three products of the parts are added.

    Args:
      a: [..., m, k], float32 or float64.
      b: [..., k, n], or [..., n, k] with transpose_b; the same leading axes, or none.
      transpose_b: Whether b is transposed first.

    Returns:
      [..., m, n].
    """
    if a.dtype != tf.float32 or not _is_rounded():
        return tf.matmul(a, b, transpose_b=transpose_b)
    b = tf.linalg.matrix_transpose(b) if transpose_b else b
    if b.shape.rank == 2 and a.shape.rank > 2:
        rows = tf.reshape(a, [-1, length(a, -1)])
        shape = [length(a, axis) for axis in range(a.shape.rank - 1)] + [length(b, 1)]
        return tf.reshape(_in_parts(rows, b), shape)
    return _in_parts(a, b)


def _is_rounded():
    tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
    return tf32 and bool(tf.config.list_logical_devices("GPU"))


@tf.custom_gradient
def _in_parts(a, b):
    def gradient(upstream):
        to_a = _in_parts(upstream, tf.linalg.matrix_transpose(b))
        return to_a, _in_parts(tf.linalg.matrix_transpose(a), upstream)

    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    small = tf.matmul(a_high, b_low) + tf.matmul(a_low, b_high)
    return small + tf.matmul(a_high, b_high), gradient


def _split(x):
    """(high, low): x = high + low, and high has 10 bits behind the point, as TensorFloat-32."""
    mask = tf.constant(-(2**13), tf.int32)
    high = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(x, tf.int32), mask), tf.float32)
    return high, x - high
