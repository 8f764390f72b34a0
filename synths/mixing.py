"""Sum, crossfade and crop of audio."""

import math

import tensorflow as tf

from synths.precision import as_float, as_floats, check_floats
from synths.processor import Processor
from synths.resample import resample
from synths.shapes import length

CROP_LOCATIONS = ("front", "center", "back")

_AUDIO = "[batch, n_samples]", "[batch, n_samples, n_channels]"


class Add(Processor):
    """Sum of two signals."""

    def __init__(self, name="add"):
        super().__init__(name=name)

    def get_controls(self, signal_one, signal_two):
        """Return both signals, [batch, n_samples] or [batch, n_samples, n_channels], unchanged."""
        signal_one, signal_two = check_floats(
            signal_one=(signal_one, *_AUDIO), signal_two=(signal_two, *_AUDIO)
        )
        return {"signal_one": signal_one, "signal_two": signal_two}

    def get_signal(self, signal_one, signal_two):
        """Sum, in the shape of the signals."""
        return tf.add(*as_floats(signal_one, signal_two))


class Mix(Processor):
    """Equal-power crossfade between two signals."""

    def __init__(self, name="mix"):
        super().__init__(name=name)

    def get_controls(self, signal_one, signal_two, nn_out_mix_level):
        """Map a raw network output to the balance of two signals.

        Args:
          signal_one, signal_two: [batch, n_samples] or [batch, n_samples, n_channels].
          nn_out_mix_level: Raw network output, [batch, n_frames, 1].

        Returns:
          signal_one, signal_two, and mix_level: [batch, n_samples, 1], 0 (signal_two alone) to 1
          (signal_one alone).
        """
        signal_one, signal_two, level = check_floats(
            signal_one=(signal_one, *_AUDIO),
            signal_two=(signal_two, *_AUDIO),
            nn_out_mix_level=(nn_out_mix_level, "[batch, n_frames, 1]"),
        )
        level = resample(tf.sigmoid(level), length(signal_one, 1))
        return {"signal_one": signal_one, "signal_two": signal_two, "mix_level": level}

    def get_signal(self, signal_one, signal_two, mix_level):
        """Mix, in the shape of the signals."""
        signal_one, signal_two, mix_level = as_floats(signal_one, signal_two, mix_level)
        gain_one, gain_two = equal_power_gains(mix_level)
        if signal_one.shape.rank == 2:
            gain_one, gain_two = gain_one[:, :, 0], gain_two[:, :, 0]
        return gain_one * signal_one + gain_two * signal_two


def equal_power_gains(mix_level):
    """Gains of an equal-power crossfade: their squares sum to 1, their gradients are bounded.

    The mix of two uncorrelated signals of equal power has constant power.

    Args:
      mix_level: 0 (only the second) to 1 (only the first), any shape.

    Returns:
      (gain_one, gain_two), shapes of mix_level.
    """
    angle = 0.5 * math.pi * mix_level
    return tf.sin(angle), tf.cos(angle)


class Crop(Processor):
    """Crop the samples that a padding frame added.

    Args:
      frame_size: Total number of cropped samples, rounded down to an even number.
      crop_location: "front", "center" (half of it at each end) or "back".
    """

    def __init__(self, frame_size, crop_location="back", name="crop"):
        super().__init__(name=name)
        if crop_location not in CROP_LOCATIONS:
            raise ValueError(
                f"crop_location: got {crop_location!r}, expected one of "
                f"{', '.join(CROP_LOCATIONS)}."
            )
        self.frame_size = frame_size
        self.crop_location = crop_location

    def get_controls(self, audio):
        """Return the audio, [batch, n_samples] or [batch, n_samples, n_channels], unchanged."""
        return {"audio": as_float(audio)}

    def get_signal(self, audio):
        """Cropped audio, n_samples - frame_size // 2 * 2 samples, at least 0."""
        audio, half = as_float(audio), self.frame_size // 2
        front = {"front": 2 * half, "center": half, "back": 0}[self.crop_location]
        n_kept = length(audio, 1) - 2 * half
        n_kept = max(n_kept, 0) if isinstance(n_kept, int) else tf.maximum(n_kept, 0)
        return audio[:, front : front + n_kept]
