"""The errors that the synths raise."""

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
