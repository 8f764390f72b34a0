"""Base class of synthesizers and effects."""

import keras
import numpy as np
import tensorflow as tf

from synths.saving import SavedByArguments


class Processor(SavedByArguments, keras.layers.Layer):
    """Base class: raw network outputs to controls in physical units, and controls to audio.

    `get_controls(*raw)` returns a dict of tensors that can be plotted, saved and edited;
    `get_signal(**controls)` returns audio, [batch, n_samples]; a call does both. Subclasses define
    the two.

    Audio is float64 if an input is, else float32. Keras' autocast is off, since pitch and phase
    in half precision would be out of tune. Keras saves a processor by its constructor arguments.
    """

    def __init__(self, name=None, trainable=False):
        super().__init__(name=name, trainable=trainable, autocast=False)

    def __call__(self, *args, **kwargs):
        """`call` that also accepts numbers and lists as tensors."""
        args = [_with_tensors(x) for x in args]
        return super().__call__(*args, **_with_tensors(kwargs))

    def call(self, *args, return_outputs_dict=False, **kwargs):
        """Map raw tensors to audio.

        Args:
          *args, **kwargs: Arguments of `get_controls`; Keras' `training` and `mask` are ignored.
          return_outputs_dict: Whether to return {"signal": audio, "controls": dict} instead.
        """
        for name in ("training", "mask"):
            kwargs.pop(name, None)
        controls = self.get_controls(*args, **kwargs)
        signal = self.get_signal(**controls)
        if return_outputs_dict:
            return {"signal": signal, "controls": controls}
        return signal

    def get_controls(self, *args, **kwargs):
        """Map raw tensors to a dict of controls in physical units."""
        raise NotImplementedError

    def get_signal(self, *args, **kwargs):
        """Render controls to audio, [batch, n_samples]."""
        raise NotImplementedError


def _with_tensors(x):
    """Convert numbers and lists, which Keras refuses, to tensors."""
    if isinstance(x, dict):
        return {key: _with_tensors(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        symbolic = any(isinstance(part, keras.KerasTensor) for part in tf.nest.flatten(x))
        return x if symbolic else tf.convert_to_tensor(x)
    is_number = isinstance(x, (int, float, np.generic)) and not isinstance(x, bool)
    return tf.convert_to_tensor(x) if is_number else x
