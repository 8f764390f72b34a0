"""Processors strung together: each takes what others have made."""

import keras

from synths.processor import Processor

SEPARATOR = "/"


class ProcessorGroup(Processor):
    """A directed acyclic graph of processors (and of any other Keras layers).

    Each part is an attribute under its name, as in `group.reverb`.

    Args:
      dag: A list of nodes in the order in which they run: (processor, inputs) or (layer, inputs,
        outputs). A processor may be given by its name where it is among `processors`. Inputs are
        keys such as "f0_hz" (of the group's own inputs), "harmonic/signal" or
        "harmonic/controls/f0_hz" (of nodes that ran before). A layer that returns a tensor or a
        tuple, not a dict, needs names for its outputs.
      **processors: By name.

    Raises:
      ValueError: for a node that is not as above, or two of one name.
    """

    def __init__(self, dag, name="processor_group", **processors):
        super().__init__(name=name, trainable=True)
        nodes, modules = [], dict(processors)
        for node in dag:
            module, inputs, outputs = _parts(node)
            key = module if isinstance(module, str) else module.name
            if key != module and modules.setdefault(key, module) is not module:
                raise ValueError(f"dag: two processors are named {key!r}; give each its own name.")
            if key not in modules:
                raise ValueError(
                    f"dag: there is no processor {key!r}; there are {', '.join(modules) or 'none'}."
                )
            nodes.append((key, inputs, outputs))
        if not nodes:
            raise ValueError("dag: expected one node or more, got none.")
        self.nodes = tuple(nodes)
        self._keys = tuple(modules)
        # Attributes, not one dict of them: tf.train.Checkpoint looks into no container of layers.
        for key, module in modules.items():
            if hasattr(self, key):
                raise ValueError(
                    f"dag: a ProcessorGroup has its own {key!r}; name the processor otherwise."
                )
            setattr(self, key, module)
        self.built = True

    def get_config(self):
        """Nodes and processors by name: a processor may serve several nodes."""
        modules = {key: getattr(self, key) for key in self._keys}
        given = {"name": self.name, "dag": [list(map(_listed, node)) for node in self.nodes]}
        given |= modules
        return {name: keras.saving.serialize_keras_object(value) for name, value in given.items()}

    @property
    def module_names(self):
        """Names of the processors and layers, in the order in which they run first."""
        return list(dict.fromkeys(key for key, *_ in self.nodes))

    @property
    def processors(self):
        """The processors and layers, in the order in which they run first."""
        return [getattr(self, key) for key in self.module_names]

    def call(self, inputs, return_outputs_dict=False, **kwargs):
        """The last node's signal.

        Args:
          inputs: dict of tensors.
          return_outputs_dict: Whether to return {"signal": audio, "controls": dict} instead.
          **kwargs: For every node, beside its inputs.
        """
        controls = self.get_controls(inputs, **kwargs)
        signal = self.get_signal(controls)
        return {"signal": signal, "controls": controls} if return_outputs_dict else signal

    def get_controls(self, inputs, **kwargs):
        """Runs every node.

        Args:
          inputs: dict of tensors.

        Returns:
          dict: the inputs, by name and again under "inputs"; of each node a dict under its name
          (of a processor: signal and controls); the last node's again under "out".

        Raises:
          ValueError: for an input that is not there.
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
        """The last node's signal, [batch, n_samples], of what `get_controls` returns."""
        return _find(outputs, f"out{SEPARATOR}signal", self.name)


def _listed(part):
    return part if isinstance(part, str) else list(part)


def _parts(node):
    """(processor, inputs, outputs) of a node, or ValueError."""
    if not 2 <= len(node) <= 3:
        raise ValueError(
            f"dag: got a node of {len(node)} parts, expected (processor, inputs) or "
            "(layer, inputs, outputs)."
        )
    for keys in node[1:]:
        if isinstance(keys, str):
            raise ValueError(f"dag: got {keys!r}, expected a list of keys such as [{keys!r}].")
    return node[0], tuple(node[1]), tuple(node[2]) if len(node) > 2 else ()


def _find(outputs, path, node):
    found = outputs
    for part in path.split(SEPARATOR):
        if not isinstance(found, dict) or part not in found:
            there = ", ".join(sorted(_paths(outputs)))
            raise ValueError(f"{node}: its input {path!r} is not there; there are {there}.")
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
            f"{node}: it returned {len(made)} outputs and has names for {len(names)}; write its "
            "node as (layer, inputs, outputs)."
        )
    return dict(zip(names, made, strict=True))
