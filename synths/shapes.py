"""Tensors of one batch and of equally many frames: what has 1 of them serves all."""

import tensorflow as tf

from synths.errors import ShapeError

_AXES = ("batch", "n_frames", "n_sinusoids")


def check_alike(n_axes, axes=_AXES, **tensors):
    """Raises ShapeError unless the first axes of tensors are equal or 1, as far as they are known.

    Args:
      n_axes: How many.
      axes: Their names, for the message.
      **tensors: Tensors by the names of arguments, of that many axes or more; None is left out.
    """
    for axis in range(n_axes):
        sizes = {n: t.shape[axis] for n, t in tensors.items() if t is not None}
        known = {size for size in sizes.values() if size not in (None, 1)}
        if len(known) > 1:
            came = [f"{n} {tuple(t.shape)}" for n, t in tensors.items() if t is not None]
            raise ShapeError(
                f"{', '.join(sizes)}: expected the same {axes[axis]}, or 1, got shapes "
                f"{', '.join(came)}."
            )


def broadcast(n_axes, axes=_AXES, **tensors):
    """Tensors repeated along those of their first axes that are 1 until all are equal.

    Args:
      n_axes, axes, **tensors: As of `check_alike`.

    Returns:
      The tensors in order; None stays None. Sizes that only a running graph knows are brought
      together there; those that can't be are an InvalidArgumentError.

    Raises:
      ShapeError: where sizes are known that are neither equal nor 1.
    """
    check_alike(n_axes, axes, **tensors)
    given = {name: t for name, t in tensors.items() if t is not None}
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
    """The size that all can be brought to: an int where it is known, else a scalar."""
    sizes = [t.shape[axis] for t in tensors]
    large = [size for size in sizes if size not in (None, 1)]
    if large:
        return large[0]
    if None not in sizes:
        return 1
    unknown = tf.stack([tf.shape(t)[axis] for t in tensors])
    return tf.where(tf.reduce_any(unknown == 0), 0, tf.reduce_max(unknown))
