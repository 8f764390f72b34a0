"""The same bits each time: what TensorFlow leaves to chance, taken away."""

import contextlib

from noisygan.benchmarks import machine


def make_deterministic(threads=None):
    """Makes everything that TensorFlow computes from here on the same bits each time.

    Must come before its first operation: later its threads are what they are, and how many there
    are decides how sums are divided. Beside its own switch, gradients are added in one order
    (`sum_in_order`).

    Args:
      threads: As `environment` gives them, of a run that is to be repeated; None: one a core.
    """
    import numba
    import tensorflow as tf

    n = machine.n_cores()
    threads = threads or {"intra_op": n, "inter_op": n, "kernels": numba.config.NUMBA_NUM_THREADS}
    for name in ("intra_op", "inter_op"):
        with contextlib.suppress(RuntimeError):  # It runs already, in a process of many commands.
            getattr(tf.config.threading, f"set_{name}_parallelism_threads")(threads[name])
    numba.config.NUMBA_NUM_THREADS = threads["kernels"]
    tf.config.experimental.enable_op_determinism()
    sum_in_order()


def sum_in_order():
    """Makes functions that are traced from here on add gradients in one order.

    TensorFlow's AddN begins with whichever of its terms has a buffer to give away by the time that
    it runs (its kernel is aggregate_ops.cc), so three terms and more are rounded by chance, also
    under `enable_op_determinism`. A tape, and `tf.add_n`, sum by it: they add one by one instead.
    TensorFlow's arithmetic optimizer would turn such sums into AddN again.
    """
    import tensorflow as tf
    from tensorflow.python.ops import gen_math_ops

    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    gen_math_ops.add_n = _add_one_by_one


def _add_one_by_one(inputs, name=None):
    """AddN's sum of tensors of one shape, by Add."""
    import tensorflow as tf

    first, *others = inputs
    total = tf.identity(first)
    for term in others:
        total = tf.add(total, term)
    return total if name is None else tf.identity(total, name)
