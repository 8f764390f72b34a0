"""The batch of which a replica holds a part: sampling, means and comparisons over all its rows.

Under `tf.distribute`, inside `strategy.run`, each replica holds equally many rows, replica i the
i-th part. Losses that are means over rows need nothing: the mean of the replicas' means is the mean
over the batch, and so are gradients. What ties rows together goes through these functions. On one
device they return what they are given.
"""

import tensorflow as tf


def _context():
    """The replica's context where there are several, else None."""
    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None


def sample(draw, n):
    """Sample random numbers for the global batch and return this replica's rows.

    Args:
      draw: From a number of rows to a tensor of so many.
      n: Rows of this replica, int or scalar.

    Returns:
      [n, ...]: over all replicas, the very numbers that one device draws.
    """
    context = _context()
    if context is None:
        return draw(n)
    first = context.replica_id_in_sync_group * n
    rows = draw(n * context.num_replicas_in_sync)
    n_static = n if isinstance(n, int) else None
    return tf.ensure_shape(rows[first : first + n], [n_static, *rows.shape[1:]])


def mean(values):
    """Means over the replicas of tensors, in any structure; gradients flow."""
    context = _context()
    return values if context is None else context.all_reduce("MEAN", values)


def gather(rows):
    """The rows of all replicas, [batch, ...] of [n, ...]; gradients flow."""
    context = _context()
    return rows if context is None else context.all_gather(rows, axis=0)


def apply_gradients(optimizer, gradients, variables):
    """Updates variables by gradients that are the whole batch's already.

    Each replica updates its own copy, by equal numbers, so that copies stay equal.
    `Optimizer.apply` would add the replicas' gradients up once more, and can't be in a branch. What
    else it does is left out: weight decay, clipping, and averages of Keras' own, none of which
    `noisygan.training.optimizers` sets.

    Args:
      optimizer: A built Keras optimizer.
      gradients: Of each variable.
      variables: Those of the optimizer.
    """
    if _context() is None:
        optimizer.apply(gradients, variables)
        return
    for gradient, variable in zip(gradients, variables, strict=True):
        optimizer.update_step(gradient, variable.value, optimizer.learning_rate)
    optimizer.iterations.assign_add(1)
