"""Optimizers: gin-configured settings, and updates that leave non-finite gradients out."""

import keras
import tensorflow as tf

from noisygan.losses import global_batch

# Low enough that few steps are lost at the start, where penalties are strong; it grows by itself.
FIRST_LOSS_SCALE = 2.0**8


class Adam:
    """Settings of Adam (Kingma and Ba 2015).

    Args:
      learning_rate: Step size.
      beta_1, beta_2: Decay of the moments; GANs want beta_1 at or near 0.
      epsilon: Added to the root of the second moment.
      decay_steps: Steps over which the learning rate falls to a tenth along a cosine, then stays;
        None keeps it.
    """

    def __init__(self, learning_rate=1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8, decay_steps=None):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.decay_steps = decay_steps

    def build(self, variables, loss_scale=False):
        """Build a Keras optimizer for Keras variables.

        Args:
          variables: List.
          loss_scale: Whether losses are scaled to keep float16 gradients within its range.
        """
        rate = self.learning_rate
        if self.decay_steps is not None:
            rate = keras.optimizers.schedules.CosineDecay(rate, self.decay_steps, alpha=0.1)
        optimizer = keras.optimizers.Adam(rate, self.beta_1, self.beta_2, self.epsilon)
        optimizer.build(variables)
        if loss_scale:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, FIRST_LOSS_SCALE)
            optimizer.build(variables)
        return optimizer


class Phase:
    """A network's variables and the optimizer that updates them.

    Args:
      name: "d" or "g".
      variables: Trainable Keras variables.
      optimizer: A built Keras optimizer.

    Attributes:
      values: TensorFlow variables, for a tape to watch.
    """

    def __init__(self, name, variables, optimizer):
        self.name = name
        self.variables = variables
        self.optimizer = optimizer
        self.values = [v.value for v in variables]

    def gradients(self, tape, loss):
        """Return gradients of a loss times the optimizer's loss scale, None where there is none."""
        scale = self.optimizer.scale_loss(tf.ones_like(loss))
        return tape.gradient(loss, self.values, output_gradients=scale)

    def update(self, loss, gradients):
        """Update the variables, unless the loss or a gradient is not finite.

        Args:
          loss: Scalar, the mean over this replica's rows.
          gradients: Of `gradients`; None counts as 0.

        Returns:
          dict of scalars: loss, norm of the gradients, `<name>_finite` (1 or 0).
        """
        gradients = [
            tf.zeros_like(v) if g is None else tf.convert_to_tensor(g)
            for g, v in zip(gradients, self.values, strict=True)
        ]
        loss, gradients = global_batch.mean((loss, gradients))
        norm = tf.linalg.global_norm(gradients)
        finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)
        scale, attempt = self._scale, finite
        if scale is not None:
            norm = norm / scale
            # It skips non-finite gradients itself, and must see them to adapt the scale.
            gradients = [g + tf.where(finite, 0.0, float("nan")) for g in gradients]
            attempt = tf.constant(True)

        def apply():
            global_batch.apply_gradients(self.optimizer, gradients, self.variables)
            return True

        tf.cond(attempt, apply, lambda: False)
        return {
            f"{self.name}_loss": loss,
            f"{self.name}_gradient": norm,
            f"{self.name}_finite": tf.cast(finite, tf.float32),
        }

    @property
    def _scale(self):
        scale = getattr(self.optimizer, "dynamic_scale", None)
        return None if scale is None else scale.value

    @property
    def is_scale_searching(self):
        """True if the loss scale is still large enough to be the cause of an overflow."""
        return self._scale is not None and float(self._scale) >= 1.0

    def reset(self):
        """Set the optimizer's moments and its count of steps to 0."""
        for variable in self.optimizer.variables:
            if variable is not self.optimizer.learning_rate:
                variable.assign(tf.zeros_like(variable.value))
