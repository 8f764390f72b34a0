"""Small functions of tensors that ddsp's users call."""

import tensorflow as tf

from synths.errors import whole
from synths.mixing import Crop
from synths.precision import as_float

# Decibels from the loudest to silence, and MIDI notes from the lowest to the highest: by these
# ddsp scales loudness and pitch to 0 ... 1.
DB_RANGE = 80.0
F0_RANGE = 127.0


def tf_float32(x):
    """Anything like a tensor as a float32 tensor, also what is float64."""
    return tf.cast(tf.convert_to_tensor(x), tf.float32)


def nan_to_num(x, value=0.0):
    """x with `value`, and gradient 0, wherever it is no number, any shape."""
    x = as_float(x)
    return tf.where(tf.math.is_nan(x), tf.cast(value, x.dtype), x)


def diff(x, axis=-1):
    """Differences from each element to the next along an axis, which gets shorter by 1.

    Raises:
      ValueError: if x has no such axis.
    """
    x = tf.convert_to_tensor(x)
    rank = x.shape.rank
    if not -rank <= axis < rank:
        raise ValueError(f"axis: got {axis}, expected one of the {rank} axes of {tuple(x.shape)}.")
    size = tf.shape(x)[axis]
    after = tf.gather(x, tf.range(1, size), axis=axis)
    return after - tf.gather(x, tf.range(size - 1), axis=axis)


def pad_axis(x, padding=(0, 0), axis=0, **pad_kwargs):
    """Pads one axis of a tensor.

    Args:
      x: Any shape.
      padding: How many elements are added (before, after).
      axis: Which axis; -1 is the last one.
      **pad_kwargs: For `tf.pad`.
    """
    x = tf.convert_to_tensor(x)
    paddings = [[0, 0]] * x.shape.rank
    paddings[axis] = list(padding)
    return tf.pad(x, paddings, **pad_kwargs)


def gradient_reversal(x):
    """x with its gradient reversed, any shape."""
    x = as_float(x)
    return tf.stop_gradient(2.0 * x) - x


def center_crop(audio, frame_size):
    """Sound without half a frame at each end, [batch, n_samples - frame_size // 2 * 2, ...].

    Args:
      audio: [batch, n_samples, ...].
      frame_size: Samples; of 0 and 1 nothing is cut.
    """
    return Crop(whole("frame_size", frame_size), "center").get_signal(audio)
