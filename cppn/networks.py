"""Networks from a latent to curves over time.

They are called with `times` (seconds, [n_times] or [batch, n_times]), `note_off` (seconds,
[batch]), `latent` (z with encoded conditions, float32 [batch, n]) and `progress` (seconds as
`times`, but stopped while a note is held longer than the recordings are; None: `times`), and return
[batch, n_times, n_channels].
"""

import keras
import tensorflow as tf

from cppn.activations import Mixed


class CPPN(keras.layers.Layer):
    """Compositional pattern-producing network: a small network over time coordinates.

    The latent modulates each layer by a shift and a gain per unit. The output layer also has the
    coordinates as inputs, so that linear ramps are easy to learn.

    Args:
      n_channels: Number of curves.
      coordinates: List of `cppn.coordinates`, concatenated.
      units, n_layers: Size of the hidden layers.
      activations: Keys of `cppn.activations.PALETTE`; the units are divided among them.
      output_scale: Scale of the initial weights of the output layer; small: nearly flat curves.

    References:
      Stanley 2007, "Compositional pattern producing networks"; the gains are those of FiLM (Perez
      et al. 2018).
    """

    def __init__(
        self,
        n_channels,
        coordinates,
        units=128,
        n_layers=3,
        activations=("sin", "tanh", "gaussian", "leaky_relu"),
        output_scale=1.0,
        name="cppn",
    ):
        super().__init__(name=name)
        self.n_channels = n_channels
        self.coordinates = list(coordinates)
        self.activation = Mixed(activations)
        self.hidden = [keras.layers.Dense(units, name=f"hidden_{i}") for i in range(n_layers)]
        self.shifts = [keras.layers.Dense(units, name=f"shift_{i}") for i in range(n_layers)]
        self.gains = [keras.layers.Dense(units, name=f"gain_{i}") for i in range(n_layers)]
        initializer = keras.initializers.VarianceScaling(output_scale)
        self.outputs = keras.layers.Dense(
            n_channels, kernel_initializer=initializer, name="outputs"
        )

    def build(self, *shapes):
        """Do nothing: sublayers build themselves in the first call."""
        self.built = True

    def call(self, times, note_off, latent, progress=None):
        """float32 [batch, n_times, n_channels]."""
        progress = times if progress is None else progress
        place = tf.concat(
            [
                c(progress if c.stops_while_held else times, note_off, latent)
                for c in self.coordinates
            ],
            axis=2,
        )
        h = place
        for hidden, shift, gain in zip(self.hidden, self.shifts, self.gains, strict=True):
            h = hidden(h) * (1.0 + gain(latent)[:, None, :]) + shift(latent)[:, None, :]
            h = self.activation(h)
        return self.outputs(tf.concat([h, place], axis=2))


class Deconvolution(keras.layers.Layer):
    """Transposed convolutions over a fixed duration, for comparison with a CPPN.

    The curves have a grid of `n_seed * stride ** n_layers` points over `seconds`, linear between
    them; the last point is held. The note-off is ignored.

    Args:
      n_channels: Number of curves.
      seconds: Duration of the grid.
      n_seed: Number of points of the seed.
      n_layers, stride, kernel_size, units: Of the stack; units halve from layer to layer,
        down to 16.
    """

    def __init__(
        self,
        n_channels,
        seconds=4.0,
        n_seed=8,
        n_layers=5,
        stride=2,
        kernel_size=5,
        units=128,
        name="deconvolution",
    ):
        super().__init__(name=name)
        self.n_channels = n_channels
        self.seconds = seconds
        self.n_seed = n_seed
        self.units = units
        self.seed = keras.layers.Dense(n_seed * units, name="seed")
        widths = [max(units >> (i + 1), 16) for i in range(n_layers)]
        self.stack = [
            keras.layers.Conv1DTranspose(
                width, kernel_size, strides=stride, padding="same", name=f"up_{i}"
            )
            for i, width in enumerate(widths)
        ]
        self.outputs = keras.layers.Conv1D(n_channels, kernel_size, padding="same", name="outputs")

    def build(self, *shapes):
        """Do nothing: sublayers build themselves in the first call."""
        self.built = True

    def call(self, times, note_off, latent, progress=None):
        """float32 [batch, n_times, n_channels]."""
        h = tf.reshape(tf.nn.leaky_relu(self.seed(latent)), [-1, self.n_seed, self.units])
        for layer in self.stack:
            h = tf.nn.leaky_relu(layer(h))
        grid = self.outputs(h)
        last = grid.shape[1] - 1
        rows = (times if progress is None else progress) + tf.zeros_like(latent[:, :1])
        position = tf.clip_by_value(rows / self.seconds * (last + 1), 0.0, float(last))
        point = tf.minimum(tf.cast(position, tf.int32), last - 1)
        weight = (position - tf.cast(point, tf.float32))[:, :, None]
        here = tf.gather(grid, point, axis=1, batch_dims=1)
        return here + weight * (tf.gather(grid, point + 1, axis=1, batch_dims=1) - here)
