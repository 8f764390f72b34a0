"""The errors that the synths raise."""

import numbers

import tensorflow as tf


class ShapeError(ValueError):
    """A tensor whose shape can't be what the formula needs.

    The message names the argument, what came and what was expected.
    """

    # By this AutoGraph knows that it may raise the error again, as what it is, from a tf.function.
    __init__ = Exception.__init__


def check_rank(name, tensor, rank, axes):
    """Raises ShapeError unless `tensor` has the rank (unknown ranks pass).

    Args:
      name: The argument's name, for the message.
      tensor: A tensor or an array.
      rank: The expected number of axes.
      axes: The expected shape in words, like "[batch, n_frames, 1]".
    """
    came = tf.TensorShape(tensor.shape).rank
    if came is not None and came != rank:
        raise ShapeError(f"{name}: expected {axes}, got shape {tuple(tensor.shape)}.")


def check_last(name, tensor, size, axes):
    """Raises ShapeError unless the last axis of `tensor` has `size` (unknown sizes pass)."""
    last = tensor.shape[-1]
    if last is not None and last != size:
        raise ShapeError(f"{name}: expected {axes}, got shape {tuple(tensor.shape)}.")


def check_positive(name, value):
    """Raises ValueError unless a rate or a duration is more than 0 (tensors and None pass)."""
    if isinstance(value, numbers.Real) and not value > 0:
        raise ValueError(f"{name}: got {value}, expected more than 0.")


def whole(name, value, least=0):
    """A number of samples, frames or bins as an int, also where it came as 16000.0.

    Args:
      name: The argument's name, for the message.
      value: A number; a tensor is returned as it is.
      least: The smallest number that makes sense.

    Raises:
      ValueError: if it has a fraction, or is less than `least`.
    """
    if not isinstance(value, numbers.Real):
        return value
    if value % 1 != 0 or value < least:
        raise ValueError(f"{name}: got {value}, expected a whole number, {least} or more.")
    return int(value)
