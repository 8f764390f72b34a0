"""Gradients against finite differences, in float64."""

import numpy as np
import tensorflow as tf


def assert_gradients(function, inputs, tolerance=1e-6, step=1e-6, entries=8, skip=()):
    """The gradients of a function are what finite differences say.

    Args:
      function: Takes the inputs by name, returns one float64 tensor.
      inputs: Arrays by name; they are given to it as float64.
      tolerance: Largest error, relative to a gradient's largest entry.
      step: Size of the steps, relative to an input's largest number.
      entries: How many entries of each input are looked at, chosen at random.
      skip: Names of inputs that are not looked at.
    """
    rng = np.random.default_rng(0)
    inputs = {name: np.asarray(value, np.float64) for name, value in inputs.items()}
    out = function(**{name: tf.constant(value) for name, value in inputs.items()})
    assert out.dtype == tf.float64
    weights = rng.normal(size=out.shape)

    def loss(values):
        return tf.reduce_sum(weights * function(**values))

    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        total = loss(tensors)
    slopes = tape.gradient(total, tensors)
    for name, value in inputs.items():
        if name in skip:
            continue
        slope = slopes[name].numpy()
        size = step * max(np.abs(value).max(), 1e-3)
        places = rng.permutation(value.size)[:entries]
        for place in places:
            ends = []
            for sign in (1.0, -1.0):
                moved = value.copy()
                moved.flat[place] += sign * size
                ends.append(float(loss({**tensors, name: tf.constant(moved)})))
            expected = (ends[0] - ends[1]) / (2.0 * size)
            error = abs(slope.flat[place] - expected)
            largest = np.abs(slope).max()
            assert error <= tolerance * max(largest, 1e-9), (
                name,
                place,
                slope.flat[place],
                expected,
            )
