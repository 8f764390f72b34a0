"""The contract of everything that makes or changes sound."""

import keras
import numpy as np
import tensorflow as tf

from synths.saving import SavedByArguments


class Processor(SavedByArguments, keras.layers.Layer):
    """Maps raw tensors to controls in physical units, and controls to audio.

    `get_controls(*raw)` returns a dict of physically meaningful tensors, which can be plotted,
    saved and edited; `get_signal(**controls)` returns audio, [batch, n_samples]; calling the
    processor does both. Subclasses define the two. Nothing in `get_signal` depends on how the
    controls were made.

    Sound has the precision of the inputs: float64 where one of them is, else float32, in which
    half precision is computed as well. Keras' own casting is off, whatever its dtype policy: a
    phase or a pitch in half precision would be out of tune.

    Keras saves a processor by the arguments it was made with.
    """

    def __init__(self, name=None, trainable=False):
        super().__init__(name=name, trainable=trainable, autocast=False)

    def __call__(self, *args, **kwargs):
        """`call`, which also takes numbers and lists in the place of tensors."""
        args = [_with_tensors(x) for x in args]
        return super().__call__(*args, **_with_tensors(kwargs))

    def call(self, *args, return_outputs_dict=False, **kwargs):
        """Audio from raw tensors.

        Args:
          *args, **kwargs: What `get_controls` takes; Keras' `training` and `mask` are ignored.
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
        """Raw tensors to a dict of controls in physical units."""
        raise NotImplementedError

    def get_signal(self, *args, **kwargs):
        """Controls to audio, [batch, n_samples]."""
        raise NotImplementedError


def _with_tensors(x):
    """x with tensors in the place of numbers and lists, which Keras refuses; all else as it is."""
    if isinstance(x, dict):
        return {key: _with_tensors(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        symbolic = any(isinstance(part, keras.KerasTensor) for part in tf.nest.flatten(x))
        return x if symbolic else tf.convert_to_tensor(x)
    is_number = isinstance(x, (int, float, np.generic)) and not isinstance(x, bool)
    return tf.convert_to_tensor(x) if is_number else x
