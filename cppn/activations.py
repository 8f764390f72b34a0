"""The CPPN palette: functions that draw symmetric, repeating, bounded and straight patterns."""

import tensorflow as tf


def gaussian(x):
    """A bell: exp(-x^2)."""
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
    """Gives each part of the channels a function of its own.

    Args:
      names: Functions of the palette; the channels are divided evenly among them.

    Raises:
      ValueError: for a name that the palette lacks.
    """

    def __init__(self, names):
        unknown = [name for name in names if name not in PALETTE]
        if unknown or not names:
            raise ValueError(
                f"activations: got {list(names)}, expected some of {', '.join(PALETTE)}."
            )
        self.functions = [PALETTE[name] for name in names]

    def __call__(self, x):
        """x, [..., channels], with a function applied to each part of the last axis."""
        n = len(self.functions)
        channels = x.shape[-1]
        sizes = [channels * (i + 1) // n - channels * i // n for i in range(n)]
        parts = tf.split(x, sizes, axis=-1)
        return tf.concat([f(p) for f, p in zip(self.functions, parts, strict=True)], axis=-1)
