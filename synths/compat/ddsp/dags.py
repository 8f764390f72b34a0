"""`DAGLayer` of `ddsp.dags`, for Keras 3."""

import logging
from typing import TypeVar

import keras
import tensorflow as tf

from synths.compat.ddsp import core
from synths.compat.ddsp._arguments import to_float32

KeyOrModule = TypeVar("KeyOrModule", str, tf.Module)
TensorDict = dict[str, tf.Tensor]
Node = tuple[KeyOrModule, list[str], list[str]]
DAG = list[Node]


def filter_by_value(d, cond):
    """Select the items of a dict whose value meets a condition."""
    return {key: value for key, value in d.items() if cond(value)}


def is_module(v):
    """True for a layer or another module with variables."""
    return isinstance(v, (tf.Module, keras.layers.Layer))


def is_loss(v):
    """True for a layer that returns losses by name."""
    return hasattr(v, "get_losses_dict")


def is_processor(v):
    """True for a processor or a group of processors."""
    return hasattr(v, "get_signal") and hasattr(v, "get_controls")


def split_keras_kwargs(kwargs):
    """Split arguments into (those of Keras, the others)."""
    of_keras = {k: v for k, v in kwargs.items() if k in ("training", "mask", "name")}
    others = {k: v for k, v in kwargs.items() if k not in of_keras}
    return {k: v for k, v in of_keras.items() if v is not None}, others


class DAGLayer(keras.layers.Layer):
    """Directed acyclic graph of modules.

    Each module is an attribute by its name.

    Args:
      dag: List of nodes in order of execution: (module or its name, inputs) or (module, inputs,
        outputs). Inputs are keys such as "f0_hz" or "inputs/f0_hz" (inputs of the graph) or
        "decoder/amps" (an output of a previous node). Outputs name what a module returns that
        does not return a dict.
      **kwarg_modules: Modules by name, and `name` of the layer; anything else is ignored.
    """

    def __init__(self, dag, **kwarg_modules):
        of_keras, others = split_keras_kwargs(kwarg_modules)
        super().__init__(**of_keras)
        self.dag, modules = self.format_dag(dag)
        modules = filter_by_value(others, is_module) | modules
        self.module_names = list(modules)
        for name, module in modules.items():
            setattr(self, name, module)
        self.built = True

    def build(self, unused_input_shape=None):
        """Do nothing: modules build themselves."""
        self.built = True

    @property
    def modules(self):
        """Modules, those of keyword arguments first."""
        return [getattr(self, name) for name in self.module_names]

    @staticmethod
    def format_dag(dag):
        """Split a graph into (graph with names instead of modules, modules by name)."""
        modules = {node[0].name: node[0] for node in dag if is_module(node[0])}
        named = [[node[0].name if is_module(node[0]) else node[0], *node[1:]] for node in dag]
        return named, modules

    def __call__(self, inputs, **kwargs):
        """Run `call`. Inputs may contain text and numbers, which Keras refuses."""
        return self.call(to_float32(inputs), **kwargs)

    def call(self, inputs, **kwargs):
        """Run the graph; see `run_dag`."""
        return self.run_dag(inputs, **kwargs)

    def run_dag(self, inputs, verbose=False, **kwargs):
        """Run all nodes.

        Args:
          inputs: dict of tensors and anything else.
          verbose: Whether the shapes at every node are logged.
          **kwargs: Further arguments of every module.

        Returns:
          dict: the inputs, by name and under "inputs"; the outputs of each node under its name (of
          a processor: signal and controls); those of the last also under "out".
        """
        outputs = {"inputs": inputs, **inputs}
        made = {}
        for name, keys, *names in self.dag:
            module = getattr(self, name)
            arguments = [core.nested_lookup(key, outputs) for key in keys]
            if is_processor(module):
                made = module(*arguments, return_outputs_dict=True, **kwargs)
            elif is_loss(module):
                made = module.get_losses_dict(*arguments, **kwargs)
            else:
                made = module(*arguments, **kwargs)
            if not isinstance(made, dict):
                made = core.to_dict(made, names[0] if names else ())
            if verbose:
                shapes = [getattr(x, "shape", x) for x in arguments]
                logging.info("%s: inputs %s, outputs %s", name, shapes, core.nested_keys(made))
            outputs[name] = made
        outputs["out"] = made
        return outputs
