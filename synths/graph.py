"""Directed acyclic graph of processors."""

import keras

from synths.processor import Processor

SEPARATOR = "/"


class ProcessorGroup(Processor):
    """Directed acyclic graph of processors and other Keras layers.

    Each module is an attribute by its name, as in `group.reverb`.

    Args:
      dag: List of nodes in order of execution: (processor, inputs) or (layer, inputs, outputs). A
        processor among `processors` may be given by name. Inputs are keys such as "f0_hz" (an
        input of the group), "harmonic/signal" or "harmonic/controls/f0_hz" (an output of a
        previous node). A layer that returns a tensor or a tuple needs names of its outputs.
      **processors: Processors by name.

    Raises:
      ValueError: for an invalid node, an unknown processor or a duplicate name.

    Example:
      >>> group = ProcessorGroup([
      ...     (Harmonic(), ["amplitudes", "harmonic_distribution", "f0_hz"]),
      ...     (Reverb(trainable=True), ["harmonic/signal"]),
      ... ])
      >>> controls = {
      ...     "amplitudes": tf.zeros([1, 250, 1]),
      ...     "harmonic_distribution": tf.zeros([1, 250, 20]),
      ...     "f0_hz": tf.fill([1, 250, 1], 440.0),
      ... }
      >>> group(controls).shape
      TensorShape([1, 64000])
    """

    def __init__(self, dag, name="processor_group", **processors):
        super().__init__(name=name, trainable=True)
        nodes, modules = [], dict(processors)
        for node in dag:
            module, inputs, outputs = _parts(node)
            key = module if isinstance(module, str) else module.name
            if key != module and modules.setdefault(key, module) is not module:
                raise ValueError(f"dag: got two processors named {key!r}.")
            if key not in modules:
                raise ValueError(
                    f"dag: there is no processor {key!r}; there are {', '.join(modules) or 'none'}."
                )
            nodes.append((key, inputs, outputs))
        if not nodes:
            raise ValueError("dag: expected one node or more, got none.")
        self.nodes = tuple(nodes)
        self._keys = tuple(modules)
        # Attributes, since tf.train.Checkpoint does not look into a dict of layers.
        for key, module in modules.items():
            if hasattr(self, key):
                raise ValueError(
                    f"dag: {key!r} is an attribute of ProcessorGroup; rename the processor."
                )
            setattr(self, key, module)
        self.built = True

    def get_config(self):
        """Serialized nodes and processors."""
        modules = {key: getattr(self, key) for key in self._keys}
        given = {"name": self.name, "dag": [list(map(_listed, node)) for node in self.nodes]}
        given |= modules
        return {name: keras.saving.serialize_keras_object(value) for name, value in given.items()}

    @property
    def module_names(self):
        """Names of the modules in order of execution."""
        return list(dict.fromkeys(key for key, *_ in self.nodes))

    @property
    def processors(self):
        """Modules in order of execution."""
        return [getattr(self, key) for key in self.module_names]

    def call(self, inputs, return_outputs_dict=False, **kwargs):
        """Run all nodes and return the signal of the last.

        Args:
          inputs: dict of tensors.
          return_outputs_dict: Whether to return {"signal": audio, "controls": dict} instead.
          **kwargs: Further arguments of every node.
        """
        controls = self.get_controls(inputs, **kwargs)
        signal = self.get_signal(controls)
        return {"signal": signal, "controls": controls} if return_outputs_dict else signal

    def get_controls(self, inputs, **kwargs):
        """Run all nodes.

        Args:
          inputs: dict of tensors.

        Returns:
          dict: the inputs, by name and under "inputs"; the outputs of each node (of a processor:
          signal and controls) under its name; those of the last also under "out".

        Raises:
          ValueError: for a missing input.
        """
        outputs = {"inputs": dict(inputs), **inputs}
        for key, wanted, names in self.nodes:
            arguments = [_find(outputs, path, key) for path in wanted]
            module = getattr(self, key)
            if hasattr(module, "get_signal"):
                made = module(*arguments, return_outputs_dict=True, **kwargs)
            else:
                made = module(*arguments, **kwargs)
            outputs[key] = made if isinstance(made, dict) else _named(made, names, key)
        outputs["out"] = outputs[key]
        return outputs

    def get_signal(self, outputs):
        """Signal of the last node, [batch, n_samples], of the output of `get_controls`."""
        return _find(outputs, f"out{SEPARATOR}signal", self.name)


def _listed(part):
    return part if isinstance(part, str) else list(part)


def _parts(node):
    """Split a node into (processor, inputs, outputs)."""
    processor, inputs, *outputs = node
    for keys in (inputs, *outputs):
        if isinstance(keys, str):
            raise ValueError(f"dag: got {keys!r}, expected a list of keys such as [{keys!r}].")
    return processor, tuple(inputs), tuple(outputs[0]) if outputs else ()


def _find(outputs, path, node):
    found = outputs
    for part in path.split(SEPARATOR):
        if not isinstance(found, dict) or part not in found:
            there = ", ".join(sorted(_paths(outputs)))
            raise ValueError(f"{node}: got input {path!r}, expected one of {there}.")
        found = found[part]
    return found


def _paths(tree, start=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{start}{key}{SEPARATOR}")
        else:
            yield start + key


def _named(made, names, node):
    made = made if isinstance(made, (tuple, list)) else [made]
    if len(made) != len(names):
        raise ValueError(
            f"{node}: got {len(made)} outputs and {len(names)} names; write the node as "
            "(layer, inputs, outputs)."
        )
    return dict(zip(names, made, strict=True))
