"""Tensor functions and constants of ddsp's public API."""

import tensorflow as tf

from synths.mixing import Crop
from synths.precision import as_float

# Range in decibels and MIDI notes by which ddsp scales loudness and pitch to 0 .. 1.
DB_RANGE = 80.0
F0_RANGE = 127.0


def tf_float32(x):
    """Convert to a float32 tensor, including float64."""
    return tf.cast(tf.convert_to_tensor(x), tf.float32)


def nan_to_num(x, value=0.0):
    """Replace NaN by `value`, with gradient 0, any shape."""
    x = as_float(x)
    return tf.where(tf.math.is_nan(x), tf.cast(value, x.dtype), x)


def diff(x, axis=-1):
    """Differences between neighbours along an axis, which becomes shorter by 1.

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
    """Pad one axis of a tensor.

    Args:
      x: Any shape.
      padding: Number of added elements (before, after).
      axis: Axis; -1 is the last.
      **pad_kwargs: Arguments of `tf.pad`.
    """
    x = tf.convert_to_tensor(x)
    paddings = [[0, 0]] * x.shape.rank
    paddings[axis] = list(padding)
    return tf.pad(x, paddings, **pad_kwargs)


def gradient_reversal(x):
    """Identity with a reversed gradient, any shape."""
    x = as_float(x)
    return tf.stop_gradient(2.0 * x) - x


def center_crop(audio, frame_size):
    """Cut half a frame off each end, [batch, n_samples - frame_size // 2 * 2, ...].

    Args:
      audio: [batch, n_samples, ...].
      frame_size: Samples.
    """
    return Crop(frame_size, "center").get_signal(audio)
