"""A network's layers as a table."""

import math

import tensorflow as tf


def layer_table(title, network, call):
    """Format the layers of a network, which `call` runs once, as text of several lines."""
    layers = [layer for layer in network._flatten_layers() if layer.weights]
    leaves = [x for x in layers if all(child is x for child in x._flatten_layers())]
    shapes = {}

    def watched(layer, original):
        def run(*args, **kwargs):
            result = original(*args, **kwargs)
            shapes[layer] = tuple(tf.nest.flatten(result)[0].shape)
            return result

        return run

    for layer in leaves:
        object.__setattr__(layer, "call", watched(layer, layer.call))
    try:
        call()
    finally:
        for layer in leaves:
            object.__delattr__(layer, "call")
    rows = [("layer", "output shape", "parameters")]
    for layer in leaves:
        path = layer.weights[0].path.rsplit("/", 1)[0]
        rows.append((path, str(shapes.get(layer, "")), f"{_n_parameters(layer.weights):,}"))
    in_leaves = {id(w) for layer in leaves for w in layer.weights}
    others = [w for w in network.weights if id(w) not in in_leaves]
    rows += [(w.path, "", f"{_n_parameters([w]):,}") for w in others]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    total, trainable = map(_n_parameters, (network.weights, network.trainable_weights))
    lines = [f"{title} ({type(network).__name__}): {total:,} parameters, {trainable:,} trainable"]
    lines += [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
    return "\n".join(lines)


def _n_parameters(weights):
    return sum(math.prod(w.shape) for w in weights)
