"""What code for Keras 2, such as ddsp.training, needs to run on Keras 3."""

import functools
import inspect

import keras


@functools.cache
def adapt():
    """Restore `Metric.reset_states`, and let Keras create layers that gin configures."""
    import gin

    keras.Metric.reset_states = keras.Metric.reset_state
    make_wrapper = gin.config._make_gin_wrapper

    @functools.wraps(make_wrapper)
    def make_wrapper_with_signature(function, *args, **kwargs):
        wrapper = make_wrapper(function, *args, **kwargs)
        # Keras 3 reads it with `getfullargspec`, which does not follow `__wrapped__`.
        wrapper.__signature__ = inspect.signature(function)
        return wrapper

    gin.config._make_gin_wrapper = make_wrapper_with_signature
