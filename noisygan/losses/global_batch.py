"""Operations over the global batch, of which a replica or an accumulated part holds some rows.

Under `tf.distribute`, inside `strategy.run`, replica i holds the i-th of equal parts. Losses that
are means over rows need nothing: the mean of the replicas' means is the mean over the batch, and so
are gradients. What depends on several rows at once, or samples for each row, calls these functions.
On one device they return their arguments.
"""

import contextlib
import threading

import tensorflow as tf

_part = threading.local()


def _context():
    """The replica context where there are several replicas, else None."""
    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None


@contextlib.contextmanager
def part(index, n_parts):
    """Treat batches within as part `index` (int or scalar) of `n_parts` of the global batch."""
    _part.place = (index, n_parts)
    try:
        yield
    finally:
        del _part.place


def sample(draw, n):
    """Sample random numbers for the global batch and return the rows of this part.

    Args:
      draw: Function of a number of rows to a tensor of as many rows.
      n: Rows of this part, int or scalar.

    Returns:
      [n, ...]: concatenated over all parts, what one device samples for the whole batch.
    """
    context = _context()
    if context is None and not hasattr(_part, "place"):
        return draw(n)
    if context is None:
        index, n_parts = _part.place
    else:
        index, n_parts = context.replica_id_in_sync_group, context.num_replicas_in_sync
    rows = draw(n * n_parts)[index * n : (index + 1) * n]
    return tf.ensure_shape(rows, [n if isinstance(n, int) else None, *rows.shape[1:]])


def mean(values):
    """Mean over the replicas of tensors, in any structure; differentiable."""
    context = _context()
    return values if context is None else context.all_reduce("MEAN", values)


def gather(rows):
    """Rows of all replicas, [batch, ...] from [n, ...]; differentiable."""
    context = _context()
    return rows if context is None else context.all_gather(rows, axis=0)


def apply_gradients(optimizer, gradients, variables):
    """Update variables by gradients that are averaged over the replicas already.

    Each replica updates its own copy by equal numbers, so the copies stay equal. `Optimizer.apply`
    would sum the gradients over replicas again and can't be called in a branch. Its weight decay,
    clipping and averaging are not applied.

    Args:
      optimizer: A built Keras optimizer.
      gradients: One for each variable.
      variables: Those of the optimizer.
    """
    if _context() is None:
        optimizer.apply(gradients, variables)
        return
    for gradient, variable in zip(gradients, variables, strict=True):
        optimizer.update_step(gradient, variable.value, optimizer.learning_rate)
    optimizer.iterations.assign_add(1)
