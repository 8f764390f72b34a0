"""Which float type a formula is computed in: float32, or float64 where any input has it."""

import tensorflow as tf


def as_float(x):
    """x as a float32 or float64 tensor: its own type, or float32 for half precision and integers.

    A NumPy array of float64 stays float64; Python numbers become float32.
    """
    x = tf.convert_to_tensor(x)
    return x if x.dtype in (tf.float32, tf.float64) else tf.cast(x, tf.float32)


def as_floats(*tensors):
    """Tensors of one float type: float64 where any of them is, else float32; None stays None."""
    tensors = [None if x is None else as_float(x) for x in tensors]
    wide = any(x is not None and x.dtype == tf.float64 for x in tensors)
    dtype = tf.float64 if wide else tf.float32
    return tuple(None if x is None else tf.cast(x, dtype) for x in tensors)
