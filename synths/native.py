"""Choice between compiled CPU kernels and TensorFlow operations.

A compiled kernel is a call of Python code in the graph, which XLA can't compile and a SavedModel
can't contain. Kernels are therefore not used:

- inside a function with `jit_compile=True` (or called by one), and inside any other XLA context;
- while `tf.saved_model.save` or Keras' export writes a model;
- in functions that are traced by `get_concrete_function`, as signatures are
  (`set_native_kernels(True)` overrides this one).

Two cases are not detected; call `set_native_kernels(False)` before the first call: a `tf.function`
that was traced with kernels and is later called by a compiled or exported function, and an export
or `get_concrete_function` around a `MirroredStrategy.run`, which traces its replicas in threads.
"""

import importlib.util
import sys

import tensorflow as tf

from synths.portable import portable_operations_used

_native_kernels = None


def set_native_kernels(enabled):
    """Choose between compiled CPU kernels and TensorFlow operations.

    Args:
      enabled: True: use kernels, also if TensorFlow sees an accelerator. False: use TensorFlow
        operations. None (the default): use kernels if Numba is installed and TensorFlow sees no
        accelerator. XLA and exported models use TensorFlow operations in any case.
    """
    global _native_kernels
    _native_kernels = enabled


@tf.autograph.experimental.do_not_convert
def native_kernels_used():
    """Return whether compiled kernels are used now, eagerly or in the traced graph."""
    if _native_kernels is False or portable_operations_used() or _made_for_xla_or_export():
        return False
    if _native_kernels:
        return True
    if importlib.util.find_spec("numba") is None:
        return False
    if tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"):
        return False
    return tf.executing_eagerly() or not _made_by_get_concrete_function()


def _made_for_xla_or_export():
    if tf.executing_eagerly():
        return False
    try:
        from tensorflow.python.framework.ops import get_default_graph
        from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
        from tensorflow.python.saved_model.save_context import in_save_context
    except ImportError:
        # Unknown TensorFlow version: no kernels in graphs.
        return True
    return in_save_context() or GraphOrParentsInXlaContext(get_default_graph())


def _made_by_get_concrete_function():
    """Return whether `get_concrete_function`, rather than a call, traces a `tf.function`."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "get_concrete_function":
            caller = frame.f_back.f_globals.get("__name__", "")
            # tf.data traces mapped functions this way but runs them here.
            if not caller.startswith("tensorflow.python.data"):
                return True
        frame = frame.f_back
    return False


def call_kernel(kernel, inputs, *shapes):
    """Call a kernel in the graph.

    Args:
      kernel: Function from arrays to one float32 array, or a tuple of them.
      inputs: Tensors or numbers.
      *shapes: Static shape of each result.

    Returns:
      List of tensors.
    """
    types = tf.float32 if len(shapes) == 1 else [tf.float32] * len(shapes)
    results = tf.numpy_function(kernel, inputs, types, stateful=False)
    results = [results] if len(shapes) == 1 else results
    for result, shape in zip(results, shapes, strict=True):
        result.set_shape(shape)
    return results


def with_all_gradients(forward, backward, plain):
    """Build a function with kernels for value and gradient, and gradients of every order.

    Args:
      forward: Kernel from tensors to the result.
      backward: Kernel from the tensors and the upstream gradient to a list of gradients.
      plain: The same function in TensorFlow operations, for gradients of gradients.

    Returns:
      The function of the tensors. It raises RuntimeError in a `tf.autodiff.ForwardAccumulator`.
    """

    @tf.custom_gradient
    def slopes(*inputs):
        *tensors, upstream = inputs

        def again(*changes):
            with tf.GradientTape() as outer:
                outer.watch(inputs)
                with tf.GradientTape() as inner:
                    inner.watch(tensors)
                    result = plain(*tensors)
                first = inner.gradient(result, tensors, upstream)
            if any(slope is None for slope in first):
                raise RuntimeError(
                    "Compiled kernels have no forward-mode gradients; call "
                    "synths.set_native_kernels(False) before."
                )
            return outer.gradient(first, inputs, changes, "zero")

        return backward(*tensors, upstream), again

    @tf.custom_gradient
    def function(*tensors):
        return forward(*tensors), lambda upstream: slopes(*tensors, upstream)

    return function
