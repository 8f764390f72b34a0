"""Spectral loss."""

import keras
import tensorflow as tf

from synths.loudness import compute_loudness
from synths.precision import as_floats, check_floats
from synths.spectral import compute_mag
from synths.units import safe_log

LOSS_TYPES = ("L1", "L2", "COSINE")


class SpectralLoss(keras.layers.Layer):
    """Multi-scale spectral loss (Engel et al. 2020, equation 4).

    Args:
      fft_sizes: Frame lengths in samples, 4 or more; the hop is a quarter.
      loss_type: "L1", "L2" or "COSINE" (1 - cosine of the angle between spectra).
      mag_weight: Weight of the magnitudes.
      delta_time_weight: Weight of their differences between frames.
      delta_freq_weight: Weight of their differences between bins.
      cumsum_freq_weight: Weight of their cumulative sums over bins.
      logmag_weight: Weight of their logarithms (`safe_log`).
      loudness_weight: Weight of the A-weighted loudness in dB.
      sample_rate: Hz, of the loudness.
    """

    def __init__(
        self,
        fft_sizes=(2048, 1024, 512, 256, 128, 64),
        loss_type="L1",
        mag_weight=1.0,
        delta_time_weight=0.0,
        delta_freq_weight=0.0,
        cumsum_freq_weight=0.0,
        logmag_weight=0.0,
        loudness_weight=0.0,
        name="spectral_loss",
        sample_rate=16000,
    ):
        super().__init__(name=name, autocast=False)
        if loss_type.upper() not in LOSS_TYPES:
            raise ValueError(
                f"loss_type: got {loss_type!r}, expected one of {', '.join(LOSS_TYPES)}."
            )
        self.fft_sizes = tuple(fft_sizes)
        self.loss_type = loss_type
        self.mag_weight = mag_weight
        self.delta_time_weight = delta_time_weight
        self.delta_freq_weight = delta_freq_weight
        self.cumsum_freq_weight = cumsum_freq_weight
        self.logmag_weight = logmag_weight
        self.loudness_weight = loudness_weight
        self.sample_rate = sample_rate
        self.built = True

    def call(self, target_audio, audio, weights=None):
        """Loss, a scalar.

        Args:
          target_audio, audio: [batch, n_samples], or both [n_samples].
          weights: Factors that broadcast to the differences of each term; [batch, 1, 1] without
            loudness.
        """
        shapes = "[batch, n_samples]", "[n_samples]"
        target_audio, audio = (
            x[None] if x.shape.rank == 1 else x
            for x in check_floats(target_audio=(target_audio, *shapes), audio=(audio, *shapes))
        )
        terms = (
            (self.mag_weight, lambda mag: mag),
            (self.delta_time_weight, lambda mag: mag[:, 1:] - mag[:, :-1]),
            (self.delta_freq_weight, lambda mag: mag[:, :, 1:] - mag[:, :, :-1]),
            (self.cumsum_freq_weight, lambda mag: tf.cumsum(mag, axis=2)),
            (self.logmag_weight, safe_log),
        )
        terms = [(weight, view) for weight, view in terms if weight > 0.0]
        loss = tf.zeros([], audio.dtype)
        for size in self.fft_sizes if terms else ():
            target, value = (compute_mag(x, size) for x in (target_audio, audio))
            for weight, view in terms:
                difference = mean_difference(view(target), view(value), self.loss_type, weights)
                loss += weight * difference
        if self.loudness_weight > 0.0:
            target, value = (
                compute_loudness(x, self.sample_rate, n_fft=2048) for x in (target_audio, audio)
            )
            difference = mean_difference(target, value, self.loss_type, weights)
            loss += self.loudness_weight * difference
        return loss

    def get_losses_dict(self, *args, **kwargs):
        """Loss by name; arguments as of a call."""
        return {self.name: self(*args, **kwargs)}


def mean_difference(target, value, loss_type="L1", weights=None):
    """Mean difference between two tensors, a scalar.

    Args:
      target, value: Tensors of equal shape.
      loss_type: "L1", "L2" or "COSINE", which is 1 - cos of the angle along the last axis.
      weights: Factors of the differences; None: 1.
    """
    target, value = as_floats(target, value)
    weights = 1.0 if weights is None else tf.cast(weights, value.dtype)
    kind = loss_type.upper()
    if kind == "L1":
        return tf.reduce_mean(tf.abs((target - value) * weights))
    if kind == "L2":
        return tf.reduce_mean((target - value) ** 2 * weights)
    if kind == "COSINE":
        product = tf.reduce_sum(target * value, axis=-1, keepdims=True)
        sizes = [tf.reduce_sum(x**2, axis=-1, keepdims=True) for x in (target, value)]
        # The cosine with silence is 0, and so is its gradient.
        scale = tf.math.rsqrt(tf.maximum(sizes[0] * sizes[1], 1e-20))
        return tf.reduce_mean((1.0 - product * scale) * weights)
    raise ValueError(f"loss_type: got {loss_type!r}, expected one of {', '.join(LOSS_TYPES)}.")
