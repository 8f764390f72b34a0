"""Optimizers as gin composes them: settings first, one optimizer a network."""

import keras
import tensorflow as tf

from noisygan.errors import UsageError


class Adam:
    """Settings of Adam (Kingma and Ba 2015).

    Args:
      learning_rate: Step size.
      beta_1, beta_2: Decay of the moments; GANs want beta_1 at or near 0.
      epsilon: Added to the root of the second moment.
      decay_steps: Steps over which the learning rate falls to a tenth along a cosine, then stays;
        None keeps it.

    Raises:
      UsageError: for a learning rate or decay of nothing, or moments that don't decay.
    """

    def __init__(self, learning_rate=1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8, decay_steps=None):
        for name, value in (("learning_rate", learning_rate), ("decay_steps", decay_steps)):
            if value is not None and not value > 0:
                raise UsageError(f"Adam.{name}: got {value}, expected a number above 0.")
        for name, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0.0 <= value < 1.0:
                raise UsageError(f"Adam.{name}: got {value}, expected 0 up to 1.")
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.decay_steps = decay_steps

    def build(self, variables):
        """A Keras optimizer with its slots made for `variables`."""
        rate = self.learning_rate
        if self.decay_steps is not None:
            rate = keras.optimizers.schedules.CosineDecay(rate, self.decay_steps, alpha=0.1)
        optimizer = keras.optimizers.Adam(rate, self.beta_1, self.beta_2, self.epsilon)
        optimizer.build(variables)
        return optimizer


def forget(optimizer):
    """Sets an optimizer's moments, and the count of its steps, to 0."""
    for variable in optimizer.variables:
        if variable is not optimizer.learning_rate:
            variable.assign(tf.zeros_like(variable.value))
