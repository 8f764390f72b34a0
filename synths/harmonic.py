"""The harmonic synthesizer: one pitch, many partials."""

import tensorflow as tf

from synths import oscillators
from synths.errors import check_last, check_rank
from synths.processor import Processor
from synths.units import exp_sigmoid


class Harmonic(Processor):
    """A sum of harmonics of one F0 (the additive synthesizer of Engel et al. 2020).

    Args:
      n_samples: Length of the sound in samples.
      sample_rate: Hz.
      scale_fn: From raw network outputs to positive numbers; None takes them as they are.
      normalize_below_nyquist: Whether harmonics at or above Nyquist are left out before the
        distribution is normalised, so that the level does not sink as the pitch rises.
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        scale_fn=exp_sigmoid,
        normalize_below_nyquist=True,
        name="harmonic",
    ):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn
        self.normalize_below_nyquist = normalize_below_nyquist

    def get_controls(self, amplitudes, harmonic_distribution, f0_hz):
        """Raw outputs to controls.

        Args:
          amplitudes: [batch, n_frames, 1], raw.
          harmonic_distribution: [batch, n_frames, n_harmonics], raw.
          f0_hz: [batch, n_frames, 1], Hz.

        Returns:
          amplitudes (linear), harmonic_distribution (sums to 1), f0_hz (Hz), shapes as given.

        Raises:
          ShapeError: if a tensor's rank or last axis is not as above.
        """
        amplitudes = tf.cast(amplitudes, tf.float32)
        harmonic_distribution = tf.cast(harmonic_distribution, tf.float32)
        f0_hz = tf.cast(f0_hz, tf.float32)
        for name, tensor in (("amplitudes", amplitudes), ("f0_hz", f0_hz)):
            check_rank(name, tensor, 3, "[batch, n_frames, 1]")
            check_last(name, tensor, 1, "[batch, n_frames, 1]")
        check_rank(
            "harmonic_distribution", harmonic_distribution, 3, "[batch, n_frames, n_harmonics]"
        )
        if self.scale_fn is not None:
            amplitudes = self.scale_fn(amplitudes)
            harmonic_distribution = self.scale_fn(harmonic_distribution)
        bandwidth = 0.5 * self.sample_rate if self.normalize_below_nyquist else None
        return {
            "amplitudes": amplitudes,
            "harmonic_distribution": normalize_distribution(
                harmonic_distribution, f0_hz, bandwidth
            ),
            "f0_hz": f0_hz,
        }

    def get_signal(self, amplitudes, harmonic_distribution, f0_hz):
        """Audio, float32 [batch, n_samples], from what `get_controls` returns."""
        return oscillators.harmonic_synthesis(
            f0_hz, amplitudes, harmonic_distribution, self.n_samples, self.sample_rate
        )


def normalize_distribution(harmonic_distribution, f0_hz, bandwidth_hz=None):
    """Shares of the harmonics that sum to 1.

    Args:
      harmonic_distribution: Positive weights, [batch, n_frames, n_harmonics].
      f0_hz: [batch, n_frames, 1].
      bandwidth_hz: Harmonics at or above it get share 0 and gradient 0; None keeps all.

    Returns:
      [batch, n_frames, n_harmonics]; all 0 where no harmonic lies in the band.
    """
    if bandwidth_hz is not None:
        orders = tf.range(1, tf.shape(harmonic_distribution)[-1] + 1)
        audible = f0_hz * tf.cast(orders, f0_hz.dtype) < bandwidth_hz
        harmonic_distribution = tf.where(audible, harmonic_distribution, 0.0)
    total = tf.reduce_sum(harmonic_distribution, axis=-1, keepdims=True)
    return tf.math.divide_no_nan(harmonic_distribution, total)
