"""Where the compiled CPU kernels are used, and where TensorFlow's own operations are.

A compiled kernel enters a graph as a call of Python code, which XLA can't compile and a SavedModel
can't hold. So they are left out by themselves wherever a graph is being made for either:

- inside a function with `jit_compile=True` (or called by one), and inside any other XLA context;
- while `tf.saved_model.save` or Keras' export writes a model;
- in functions that are traced by `get_concrete_function`, which is how signatures are made
  (`set_native_kernels(True)` overrides this one).

What can't be seen: a `tf.function` that was traced by an ordinary call before, with the kernels in
its graph, and is called by a compiled or an exported function afterwards. TensorFlow takes the
graph that it has, so call `set_native_kernels(False)` before the first call. Nor the export, or
the `get_concrete_function`, around a `MirroredStrategy.run`, which traces its replicas in threads
of their own: call it there, too.
"""

import importlib.util
import sys

import tensorflow as tf

from synths.portable import portable_operations_used

_native_kernels = None


def set_native_kernels(enabled):
    """Chooses how sounds are computed on a CPU.

    Args:
      enabled: True: by the compiled kernels, also where TensorFlow sees an accelerator. False: in
        TensorFlow's own operations. None (the default): by the kernels where Numba is installed
        and TensorFlow sees no accelerator. Under XLA and in exported models TensorFlow's own
        operations serve in any case.
    """
    global _native_kernels
    _native_kernels = enabled


@tf.autograph.experimental.do_not_convert
def native_kernels_used():
    """Whether a sound that is computed, or a graph that is traced, now uses compiled kernels."""
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
        # A TensorFlow that can't be asked: graphs are kept free of kernels.
        return True
    return in_save_context() or GraphOrParentsInXlaContext(get_default_graph())


def _made_by_get_concrete_function():
    """Whether a `tf.function` is being traced by `get_concrete_function` rather than by a call."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "get_concrete_function":
            caller = frame.f_back.f_globals.get("__name__", "")
            # tf.data traces what it maps in this way, and runs it here.
            if not caller.startswith("tensorflow.python.data"):
                return True
        frame = frame.f_back
    return False


def with_all_gradients(forward, backward, plain):
    """A function that kernels compute, with gradients of every order.

    Args:
      forward: From tensors to the result, by a kernel.
      backward: From the tensors and the gradient with respect to the result to a list of those
        with respect to the tensors, by a kernel.
      plain: The same function in TensorFlow's own operations. Gradients of gradients are rare and
        are taken of it.

    Under a `tf.autodiff.ForwardAccumulator`, which stops the tapes that this takes, the function
    raises RuntimeError.
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
