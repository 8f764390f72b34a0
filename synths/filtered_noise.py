"""The subtractive synthesizer: white noise through a filter that changes with time."""

import tensorflow as tf

from synths.errors import check_rank
from synths.filters import frequency_filter
from synths.noise import white_noise
from synths.precision import as_float
from synths.processor import Processor
from synths.units import exp_sigmoid


class FilteredNoise(Processor):
    """Uniform white noise through frames of magnitude responses (Engel et al. 2020).

    Args:
      n_samples: Length of the sound in samples.
      window_size: Length of the filters' impulse responses in samples, at most 2 (n_bands - 1);
        0: as long.
      scale_fn: From raw network outputs to positive gains; None takes them as they are.
      initial_bias: Added to raw outputs, so that an untrained network makes little noise.
      seed: The noise's seed where `get_signal` is given none.
    """

    def __init__(
        self,
        n_samples=64000,
        window_size=257,
        scale_fn=exp_sigmoid,
        initial_bias=-5.0,
        name="filtered_noise",
        seed=0,
    ):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.window_size = window_size
        self.scale_fn = scale_fn
        self.initial_bias = initial_bias
        self.seed = seed

    def get_controls(self, magnitudes):
        """Raw outputs, [batch, n_frames, n_bands], to linear gains of the same shape.

        Bands are spaced evenly from 0 Hz to Nyquist.

        Raises:
          ShapeError: if magnitudes is not rank 3.
        """
        magnitudes = as_float(magnitudes)
        check_rank("magnitudes", magnitudes, 3, "[batch, n_frames, n_bands]")
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes + self.initial_bias)
        return {"magnitudes": magnitudes}

    def get_signal(self, magnitudes, seed=None):
        """Audio, [batch, n_samples].

        Args:
          magnitudes: Linear gains, [batch, n_frames, n_bands].
          seed: int32 [batch] or scalar; rows with one seed are made from the same noise. By
            default row i of a batch takes the synth's seed + i.
        """
        magnitudes = as_float(magnitudes)
        noise = white_noise(self.row_seeds(tf.shape(magnitudes)[0], seed), self.n_samples)
        noise.set_shape([magnitudes.shape[0], None])
        return frequency_filter(noise, magnitudes, self.window_size)

    def row_seeds(self, n_rows, seed=None):
        """Seeds of the rows of a batch, int32 [n_rows], of what `get_signal` takes."""
        if seed is None:
            seed = self.seed + tf.range(n_rows)
        return tf.broadcast_to(tf.cast(seed, tf.int32), [n_rows])
