"""Statistics that layers update while they are called, and how to undo such an update."""

import keras
import tensorflow as tf


class BatchStatistics:
    """Present values of the moving statistics of networks.

    Non-finite audio would spoil them for good, although the optimizers skip its update.

    Args:
      networks: Keras layers.

    Attributes:
      variables: Their non-trainable variables.
    """

    KINDS = (keras.layers.BatchNormalization, keras.layers.SpectralNormalization)

    def __init__(self, networks):
        layers = [layer for network in networks for layer in network._flatten_layers()]
        layers = [layer for layer in layers if isinstance(layer, self.KINDS)]
        self.variables = [w.value for layer in layers for w in layer.non_trainable_weights]
        self.before = [tf.identity(v) for v in self.variables]

    def restore_unless(self, finite):
        """Restore the values in this object unless `finite`, a scalar, is above 0."""
        for variable, before in zip(self.variables, self.before, strict=True):
            variable.assign(tf.where(finite > 0.0, variable, before))
