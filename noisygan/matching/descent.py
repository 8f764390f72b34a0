"""Gradient descent on parameters of different scales."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf


class Parameter(NamedTuple):
    """Array `start + stride * u` of any shape; u starts at 0 and moves by about 1 a step."""

    start: np.ndarray
    stride: float


def minimize(parameters, loss, n_steps, progress=None):
    """Minimize a loss with Adam and a cosine decay to a twentieth.

    Args:
      parameters: dict of Parameter.
      loss: Function from a dict of float32 tensors of the parameters' names and shapes to a scalar.
      n_steps: Steps, 1 or more.
      progress: None, or a function that is called with the number of steps done.

    Returns:
      (dict of float32 arrays, list of the losses before each step).
    """
    moves = {
        name: tf.Variable(np.zeros(np.shape(x.start), np.float32)) for name, x in parameters.items()
    }
    schedule = keras.optimizers.schedules.CosineDecay(1.0, n_steps, alpha=0.05)
    optimizer = keras.optimizers.Adam(schedule, beta_2=0.95, epsilon=1e-12)
    optimizer.build(list(moves.values()))

    def values():
        return {name: x.start + x.stride * moves[name] for name, x in parameters.items()}

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value = loss(values())
        gradients = tape.gradient(value, list(moves.values()), unconnected_gradients="zero")
        optimizer.apply_gradients(zip(gradients, moves.values(), strict=True))
        return value

    losses = []
    for i in range(n_steps):
        losses.append(float(step()))
        if progress:
            progress(i + 1)
    return {name: value.numpy() for name, value in values().items()}, losses
