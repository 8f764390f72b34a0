"""Activation functions of CPPNs: symmetric, periodic, bounded and linear."""

import tensorflow as tf


def gaussian(x):
    """exp(-x^2)."""
    return tf.exp(-tf.square(x))


def linear(x):
    """x."""
    return x


def leaky_relu(x):
    """max(x, 0.2 x)."""
    return tf.nn.leaky_relu(x, 0.2)


PALETTE = {
    "sin": tf.sin,
    "cos": tf.cos,
    "gaussian": gaussian,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "abs": tf.abs,
    "leaky_relu": leaky_relu,
    "linear": linear,
}


class Mixed:
    """Activation that applies several functions, each to an equal share of the channels.

    Args:
      names: Keys of `PALETTE`.

    Raises:
      ValueError: for an unknown name.
    """

    def __init__(self, names):
        unknown = [name for name in names if name not in PALETTE]
        if unknown or not names:
            raise ValueError(
                f"activations: got {list(names)}, expected some of {', '.join(PALETTE)}."
            )
        self.names = tuple(names)
        self.functions = [PALETTE[name] for name in names]

    def __call__(self, x):
        """Apply the functions to parts of the last axis of x, [..., channels]."""
        n = len(self.functions)
        channels = x.shape[-1]
        sizes = [channels * (i + 1) // n - channels * i // n for i in range(n)]
        parts = tf.split(x, sizes, axis=-1)
        return tf.concat([f(p) for f, p in zip(self.functions, parts, strict=True)], axis=-1)
