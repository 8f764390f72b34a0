"""Checks and broadcasting of tensor shapes."""

import functools

import tensorflow as tf

_AXES = ("batch", "n_frames", "n_sinusoids")


class ShapeError(ValueError):
    """A tensor has a shape that the formula can't use.

    The message names the argument, the expected shape and the given one.
    """

    # With this AutoGraph raises the error from a tf.function with its own type.
    __init__ = Exception.__init__


def check_shape(name, tensor, *expected):
    """Raise ShapeError unless a tensor has one of the expected shapes.

    Args:
      name: Name of the argument, for the message.
      tensor: Tensor or array, or None, which passes. Unknown ranks and sizes pass.
      *expected: Shapes in words, such as "[batch, n_frames, 1]". The rank and the numbers must
        match, and numbers of frames must not be 0.
    """
    if tensor is None:
        return
    shape = tf.TensorShape(tensor.shape)
    if shape.rank is not None and not any(_matches(shape.as_list(), each) for each in expected):
        raise ShapeError(f"{name}: expected {' or '.join(expected)}, got shape {tuple(shape)}.")


def _matches(sizes, expected):
    axes = axes_of(expected)
    return len(sizes) == len(axes) and all(
        size is None
        or (size == axis if isinstance(axis, int) else size or not axis.endswith("frames"))
        for size, axis in zip(sizes, axes, strict=True)
    )


@functools.cache
def axes_of(expected):
    """Axes of a shape in words: a list of names and ints."""
    axes = expected.strip("[]").split(", ")
    return [int(axis) if axis.isdigit() else axis for axis in axes]


def check_alike(axis, tensors, places):
    """Raise ShapeError unless an axis of tensors has one size, or 1, where it is known.

    Args:
      axis: Name of the axis, for the message.
      tensors: Tensors by name of argument.
      places: Index of the axis in tensors that have it, by name.
    """
    sizes = {tensors[name].shape[place] for name, place in places.items()} - {None, 1}
    if len(sizes) > 1:
        shapes = [f"{name} {tuple(tensors[name].shape)}" for name in places]
        raise ShapeError(
            f"{', '.join(places)}: expected the same {axis}, or 1, got shapes {', '.join(shapes)}."
        )


def broadcast(n_axes, axes=_AXES, **tensors):
    """Broadcast the first axes of tensors against each other.

    Args:
      n_axes: Number of axes.
      axes: Their names, for the message.
      **tensors: Tensors by name of argument, or None.

    Returns:
      The tensors in order; None stays None. Sizes that are unknown while tracing are broadcast when
      the graph runs; a mismatch is an InvalidArgumentError there.

    Raises:
      ShapeError: if known sizes are neither equal nor 1.
    """
    given = {name: t for name, t in tensors.items() if t is not None}
    for axis in range(n_axes):
        check_alike(axes[axis], given, dict.fromkeys(given, axis))
    shapes = {name: t.shape[:n_axes] for name, t in given.items()}
    wanted = [_common(list(given.values()), axis) for axis in range(n_axes)]
    known = tf.TensorShape([tf.get_static_value(size) for size in wanted])
    found = []
    for name, tensor in tensors.items():
        if tensor is not None and not (shapes[name].is_fully_defined() and shapes[name] == known):
            rest = tensor.shape[n_axes:]
            inner = tf.shape(tensor)[n_axes:]
            with tf.name_scope(name):
                tensor = tf.broadcast_to(tensor, tf.concat([tf.stack(wanted), inner], 0))
            tensor.set_shape(known.concatenate(rest))
        found.append(tensor)
    return found


def _common(tensors, axis):
    """Common size of an axis: an int where it is known, else a scalar."""
    sizes = [t.shape[axis] for t in tensors]
    large = [size for size in sizes if size not in (None, 1)]
    if large:
        return large[0]
    if None not in sizes:
        return 1
    unknown = tf.stack([tf.shape(t)[axis] for t in tensors])
    return tf.where(tf.reduce_any(unknown == 0), 0, tf.reduce_max(unknown))


def length(tensor, axis):
    """Size of an axis: int where it is known, else a scalar int32 tensor."""
    return tf.shape(tensor)[axis] if tensor.shape[axis] is None else tensor.shape[axis]
