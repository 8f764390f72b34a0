"""A network's layers as a table."""

import math

import tensorflow as tf


def layer_table(title, network, call):
    """Layers of a network with weights, their output shapes and numbers of parameters.

    Args:
      title: Heading.
      network: A Keras layer that holds others.
      call: Runs the network once.

    Returns:
      Text of several lines.
    """
    leaves = [
        layer
        for layer in network._flatten_layers()
        if layer.weights and not any(child is not layer for child in layer._flatten_layers())
    ]
    shapes = {}

    def watched(layer, original):
        def run(*args, **kwargs):
            result = original(*args, **kwargs)
            first = tf.nest.flatten(result)[0]
            shapes[id(layer)] = tuple(first.shape)
            return result

        return run

    for layer in leaves:
        object.__setattr__(layer, "call", watched(layer, layer.call))
    try:
        call()
    finally:
        for layer in leaves:
            object.__delattr__(layer, "call")
    rows = []
    in_leaves = set()
    for layer in leaves:
        n = sum(math.prod(w.shape) for w in layer.weights)
        in_leaves |= {id(w) for w in layer.weights}
        path = layer.weights[0].path.rsplit("/", 1)[0]
        rows.append((path, str(shapes.get(id(layer), "")), f"{n:,}"))
    for weight in network.weights:
        if id(weight) not in in_leaves:
            rows.append((weight.path, "", f"{math.prod(weight.shape):,}"))
    trainable = sum(math.prod(w.shape) for w in network.trainable_weights)
    total = sum(math.prod(w.shape) for w in network.weights)
    head = ("layer", "output shape", "parameters")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(3)]
    lines = [f"{title} ({type(network).__name__}): {total:,} parameters, {trainable:,} trainable"]
    lines += [
        f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in [head, *rows]
    ]
    return "\n".join(lines)
