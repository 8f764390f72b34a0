"""Weights that networks change while they are called, and how to take such a change back."""

import keras
import tensorflow as tf


class BatchStatistics:
    """The moving statistics of networks, as they are when this is made.

    Sounds that are not finite would spoil them for good, whether or not the optimizer leaves its
    update out.

    Args:
      networks: Keras layers that hold others.
    """

    KINDS = (keras.layers.BatchNormalization, keras.layers.SpectralNormalization)

    def __init__(self, networks):
        layers = [layer for network in networks for layer in network._flatten_layers()]
        layers = [layer for layer in layers if isinstance(layer, self.KINDS)]
        self.variables = [w.value for layer in layers for w in layer.non_trainable_weights]
        self.before = [tf.identity(v) for v in self.variables]

    def restore_unless(self, finite):
        """Gives the variables their former values, unless `finite`, a scalar, is above 0."""
        for variable, before in zip(self.variables, self.before, strict=True):
            variable.assign(tf.where(finite > 0.0, variable, before))
