"""Filtered-noise synthesizer: white noise through a time-varying filter."""

import tensorflow as tf

from synths.filters import frequency_filter
from synths.impulse_responses import check_bands
from synths.noise import seed_of_layer, white_noise
from synths.precision import as_float
from synths.processor import Processor
from synths.units import exp_sigmoid


class FilteredNoise(Processor):
    """White noise through frames of magnitude responses (Engel et al. 2020).

    Args:
      n_samples: Length of the audio in samples.
      window_size: Length of the impulse responses in samples, at most 2 (n_bands - 1); 0: the
        maximum.
      scale_fn: Maps raw network outputs to positive gains; None: identity.
      initial_bias: Added to raw outputs, so that an untrained network makes little noise.
      seed: Default seed of the noise, int. None: a hash of the name. Two synths need two names or
        two seeds to have different noise.
    """

    def __init__(
        self,
        n_samples=64000,
        window_size=257,
        scale_fn=exp_sigmoid,
        initial_bias=-5.0,
        name="filtered_noise",
        seed=None,
    ):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.window_size = window_size
        self.scale_fn = scale_fn
        self.initial_bias = initial_bias
        self.seed = seed_of_layer(self.name) if seed is None else seed

    def get_controls(self, magnitudes, seed=None):
        """Map raw network outputs to controls.

        Args:
          magnitudes: At bands spaced evenly from 0 Hz to Nyquist, [batch, n_frames, n_bands] or
            [batch, n_bands], raw.
          seed: As in `get_signal`, passed on.

        Returns:
          magnitudes (linear gains, shape as given), and seed if given.
        """
        magnitudes = as_float(magnitudes)
        check_bands(magnitudes)
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes + self.initial_bias)
        controls = {"magnitudes": magnitudes}
        return controls if seed is None else controls | {"seed": seed}

    def get_signal(self, magnitudes, seed=None):
        """Audio, [batch, n_samples].

        Args:
          magnitudes: Linear gains, [batch, n_frames, n_bands] or [batch, n_bands].
          seed: int32 [batch] or scalar; equal seeds give equal noise. None: the synth's seed + i
            for row i.
        """
        magnitudes = as_float(magnitudes)
        noise = white_noise(self.row_seeds(tf.shape(magnitudes)[0], seed), self.n_samples)
        noise.set_shape([magnitudes.shape[0], None])
        return frequency_filter(noise, magnitudes, self.window_size)

    def row_seeds(self, n_rows, seed=None):
        """Seeds of the rows of a batch, int32 [n_rows]."""
        if seed is None:
            seed = self.seed + tf.range(n_rows)
        return tf.broadcast_to(tf.cast(seed, tf.int32), [n_rows])
