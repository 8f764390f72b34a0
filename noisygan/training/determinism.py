"""The same bits each time: what TensorFlow leaves to chance, taken away."""

import contextlib

from noisygan import machine
from noisygan.training.run_files import MAX_THREADS


def make_deterministic(threads=None):
    """Makes everything that TensorFlow computes from here on the same bits each time.

    Must come before its first operation: later its threads are what they are, and how many there
    are decides how sums are divided. Beside its own switch, gradients are added in one order
    (`sum_in_order`).

    Args:
      threads: As `environment` gives them, of a run that is to be repeated; None: one a core, up to
        MAX_THREADS.
    """
    import numba
    import tensorflow as tf

    from synths.kernels.threads import n_threads

    own = {"intra_op": machine.n_cores(), "inter_op": machine.n_cores(), "kernels": n_threads()}
    threads = threads or {name: min(n, MAX_THREADS) for name, n in own.items()}
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
    under `enable_op_determinism`. Tapes and `tf.add_n` sum by it: here they give it two at a time,
    whose order makes no difference. TensorFlow's arithmetic optimizer would put the sums together
    again.
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
