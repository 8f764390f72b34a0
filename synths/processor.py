"""The contract of everything that makes or changes sound."""

import keras


class Processor(keras.layers.Layer):
    """Maps raw tensors to controls in physical units, and controls to audio.

    `get_controls(*raw)` returns a dict of physically meaningful tensors, which can be plotted,
    saved and edited; `get_signal(**controls)` returns audio, [batch, n_samples]; calling the
    processor does both. Subclasses define the two. Nothing in `get_signal` depends on how the
    controls were made.

    Precision is the processor's own business: inputs are never cast by Keras.
    """

    def __init__(self, name=None, trainable=False):
        super().__init__(name=name, trainable=trainable, autocast=False)

    def call(self, *args, return_outputs_dict=False, **kwargs):
        """Audio from raw tensors.

        Args:
          *args, **kwargs: What `get_controls` takes.
          return_outputs_dict: Whether to return {"signal": audio, "controls": dict} instead.
        """
        controls = self.get_controls(*args, **kwargs)
        signal = self.get_signal(**controls)
        if return_outputs_dict:
            return {"signal": signal, "controls": controls}
        return signal

    def get_controls(self, *args, **kwargs):
        """Raw tensors to a dict of controls in physical units."""
        raise NotImplementedError

    def get_signal(self, *args, **kwargs):
        """Controls to audio, float32 [batch, n_samples]."""
        raise NotImplementedError
