"""Float types of formulas, and matrix products in full precision."""

import tensorflow as tf

from synths.shapes import axes_of, check_alike, check_shape, length


def as_float(x):
    """Convert to a float32 or float64 tensor: half precision and integers become float32.

    A NumPy array of float64 stays float64; Python numbers become float32.
    """
    x = tf.convert_to_tensor(x)
    return x if x.dtype in (tf.float32, tf.float64) else tf.cast(x, tf.float32)


def as_floats(*tensors):
    """Convert to one float type: float64 where any tensor is, else float32; None stays None."""
    tensors = [None if x is None else as_float(x) for x in tensors]
    wide = any(x is not None and x.dtype == tf.float64 for x in tensors)
    dtype = tf.float64 if wide else tf.float32
    return tuple(None if x is None else tf.cast(x, dtype) for x in tensors)


def check_floats(**tensors):
    """Convert tensors to one float type, as `as_floats`, and check their shapes.

    Args:
      **tensors: (tensor or None, expected shapes as of `check_shape`) by name of argument. Axes
        of one name, such as "batch", must be equal or 1 in all tensors.

    Returns:
      The tensors in order.
    """
    floats = as_floats(*(tensor for tensor, *_ in tensors.values()))
    given, places = {}, {}
    for (name, (_, *shapes)), tensor in zip(tensors.items(), floats, strict=True):
        check_shape(name, tensor, *shapes)
        if tensor is not None and tensor.shape.rank is not None:
            given[name] = tensor
            axes = next(a for a in map(axes_of, shapes) if len(a) == tensor.shape.rank)
            for place, axis in enumerate(axes):
                places.setdefault(axis, {})[name] = place
    for axis, place in places.items():
        check_alike(axis, given, place)
    return floats


def matmul(a, b, transpose_b=False):
    """`tf.matmul` with float32 accuracy on every device.

    On recent GPUs TensorFlow rounds the factors of float32 products to 10 bits (TensorFloat-32),
    which leaves a signal-to-error ratio of about 65 dB. There each factor is split in two, and
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
        return tf.reshape(_split_matmul(rows, b), shape)
    return _split_matmul(a, b)


def _is_rounded():
    tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
    return tf32 and bool(tf.config.list_logical_devices("GPU"))


@tf.custom_gradient
def _split_matmul(a, b):
    def gradient(upstream):
        to_a = _split_matmul(upstream, tf.linalg.matrix_transpose(b))
        return to_a, _split_matmul(tf.linalg.matrix_transpose(a), upstream)

    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    small = tf.matmul(a_high, b_low) + tf.matmul(a_low, b_high)
    return small + tf.matmul(a_high, b_high), gradient


def _split(x):
    """(high, low) with x = high + low; high has the 10 mantissa bits of TensorFloat-32."""
    mask = tf.constant(-(2**13), tf.int32)
    high = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(x, tf.int32), mask), tf.float32)
    return high, x - high
