"""Decoders: from raw curves to the features that the voices' heads read."""

import keras
import tensorflow as tf


class RecurrentDecoder(keras.layers.Layer):
    """A GRU between dense layers, after the decoder of Engel et al. 2020.

    Args:
      units: Of the dense layers and of the GRU.
      n_layers: Dense layers on either side.
    """

    def __init__(self, units=128, n_layers=1, name="decoder"):
        super().__init__(name=name)
        self.before = [keras.layers.Dense(units, name=f"before_{i}") for i in range(n_layers)]
        self.gru = keras.layers.GRU(units, return_sequences=True, name="gru")
        self.after = [keras.layers.Dense(units, name=f"after_{i}") for i in range(n_layers)]
        self._compiled = tf.function(self.gru, autograph=False)

    def call(self, curves):
        """float32 [batch, n_frames, units + n] from [batch, n_frames, n]."""
        h = curves
        for layer in self.before:
            h = tf.nn.leaky_relu(layer(h), 0.2)
        # Compiled, since an eager loop over the frames is slow.
        if tf.executing_eagerly():
            if not self.gru.built:
                self.gru.build(h.shape)
            h = self._compiled(h)
        else:
            h = self.gru(h)
        for layer in self.after:
            h = tf.nn.leaky_relu(layer(h), 0.2)
        return tf.concat([h, curves], axis=2)
