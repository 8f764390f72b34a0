"""Processors of `ddsp.processors`."""

import synths
from synths.compat.ddsp._arguments import to_float32
from synths.compat.ddsp.dags import DAG, DAGLayer, TensorDict


class Processor(synths.Processor):
    """`synths.Processor` in float32; also the first base of each processor here."""

    def build(self, unused_input_shape=None):
        """Do nothing: variables are created by the constructor."""
        self.built = True

    def get_controls(self, *args, **kwargs):
        """As of the processor of `synths`."""
        return super().get_controls(*map(to_float32, args), **to_float32(kwargs))

    def get_signal(self, *args, **kwargs):
        """As of the processor of `synths`."""
        return super().get_signal(*map(to_float32, args), **to_float32(kwargs))


class ProcessorGroup(DAGLayer):
    """Directed acyclic graph of processors; see `DAGLayer`."""

    def __init__(self, dag, **kwarg_processors):
        super().__init__(dag, **kwarg_processors)
        self.processor_names = self.module_names

    @property
    def processors(self):
        """Processors, those of keyword arguments first."""
        return [getattr(self, name) for name in self.processor_names]

    def call(self, inputs, return_outputs_dict=False, **kwargs):
        """Signal of the last node; or, with return_outputs_dict, a dict of signal and controls."""
        controls = self.get_controls(inputs, **kwargs)
        signal = self.get_signal(controls)
        return {"signal": signal, "controls": controls} if return_outputs_dict else signal

    def get_controls(self, inputs, **kwargs):
        """Outputs of all nodes; see `run_dag`."""
        return self.run_dag(to_float32(inputs), **kwargs)

    def get_signal(self, outputs):
        """Signal of the last node."""
        return outputs["out"]["signal"]


class Add(Processor, synths.Add):
    """`synths.Add`, also of numbers and of any shapes that broadcast."""

    def get_controls(self, signal_one, signal_two):
        """Return both signals."""
        return {"signal_one": to_float32(signal_one), "signal_two": to_float32(signal_two)}


class Mix(Processor, synths.Mix):
    """`synths.Mix`."""


class Crop(Processor, synths.Crop):
    """`synths.Crop`."""
