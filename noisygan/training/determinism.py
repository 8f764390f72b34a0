"""Deterministic training: bit-equal results on one machine."""

import contextlib
import os

from noisygan.training.run_files import MAX_THREADS


def make_deterministic(threads=None):
    """Make everything that TensorFlow computes from here on bit-equal in every run.

    To be called before its first operation: later its number of threads is fixed, which decides how
    sums are divided. Gradients are added in one order (`sum_in_order`).

    Args:
      threads: dict of intra_op, inter_op and kernels of a resumed run; None: one per core.

    Returns:
      dict of the threads.
    """
    import numba
    import tensorflow as tf

    from synths.kernels.threads import n_threads

    affinity = getattr(os, "sched_getaffinity", None)
    n_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    own = {"intra_op": n_cores, "inter_op": n_cores, "kernels": n_threads()}
    threads = threads or {name: min(n, MAX_THREADS) for name, n in own.items()}
    for name in ("intra_op", "inter_op"):
        with contextlib.suppress(RuntimeError):  # It runs already, in a process of many commands.
            getattr(tf.config.threading, f"set_{name}_parallelism_threads")(threads[name])
    numba.config.NUMBA_NUM_THREADS = threads["kernels"]
    tf.config.experimental.enable_op_determinism()
    sum_in_order()
    return threads


def sum_in_order():
    """Make functions that are traced from here on add gradients in one order.

    TensorFlow's AddN begins with whichever term has a free buffer when it runs (aggregate_ops.cc),
    so three terms or more are rounded at random, also under `enable_op_determinism`. Tapes and
    `tf.add_n` use it: here they add two terms at a time, whose order makes no difference.
    TensorFlow's arithmetic optimizer would merge the sums again.
    """
    import tensorflow as tf
    from tensorflow.python.ops import gen_math_ops

    add_n = gen_math_ops.add_n
    if getattr(add_n, "in_order", False):
        return

    def two_at_a_time(inputs, name=None):
        total, *others = inputs
        for term in others:
            total = add_n([total, term])
        return total if name is None else tf.identity(total, name)

    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    two_at_a_time.in_order = True
    gen_math_ops.add_n = two_at_a_time
