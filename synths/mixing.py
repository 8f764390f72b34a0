"""Sums, crossfades and cuts of sounds."""

import math

import tensorflow as tf

from synths.errors import ShapeError, check_rank
from synths.impulse_responses import length
from synths.precision import as_float, as_floats
from synths.processor import Processor
from synths.resample import resample

CROP_LOCATIONS = ("front", "center", "back")


class Add(Processor):
    """The sum of two sounds."""

    def __init__(self, name="add"):
        super().__init__(name=name)

    def get_controls(self, signal_one, signal_two):
        """Both sounds, [batch, n_samples] or [batch, n_samples, n_channels], as they are.

        Raises:
          ShapeError: if the sounds differ in length.
        """
        signal_one, signal_two = as_floats(signal_one, signal_two)
        _check_sounds(signal_one, signal_two)
        return {"signal_one": signal_one, "signal_two": signal_two}

    def get_signal(self, signal_one, signal_two):
        """signal_one + signal_two."""
        signal_one, signal_two = as_floats(signal_one, signal_two)
        return signal_one + signal_two


class Mix(Processor):
    """An equal-power crossfade from one sound to another."""

    def __init__(self, name="mix"):
        super().__init__(name=name)

    def get_controls(self, signal_one, signal_two, nn_out_mix_level):
        """Both sounds and their balance.

        Args:
          signal_one, signal_two: [batch, n_samples] or [batch, n_samples, n_channels].
          nn_out_mix_level: Raw network output, [batch, n_frames, 1].

        Returns:
          signal_one, signal_two, and mix_level: [batch, n_samples, 1], 0 (signal_two alone) to 1
          (signal_one alone).

        Raises:
          ShapeError: if the sounds differ in length, or the level is not rank 3.
        """
        signal_one, signal_two, level = as_floats(signal_one, signal_two, nn_out_mix_level)
        _check_sounds(signal_one, signal_two)
        check_rank("nn_out_mix_level", level, 3, "[batch, n_frames, 1]")
        level = resample(tf.sigmoid(level), length(signal_one, 1))
        return {"signal_one": signal_one, "signal_two": signal_two, "mix_level": level}

    def get_signal(self, signal_one, signal_two, mix_level):
        """The mix, in the shape of the sounds."""
        signal_one, signal_two, mix_level = as_floats(signal_one, signal_two, mix_level)
        gain_one, gain_two = equal_power_gains(mix_level)
        if signal_one.shape.rank == 2:
            gain_one, gain_two = gain_one[:, :, 0], gain_two[:, :, 0]
        return gain_one * signal_one + gain_two * signal_two


def equal_power_gains(mix_level):
    """Gains of an equal-power crossfade: their squares sum to 1, their gradients are bounded.

    Two sounds of equal power that have nothing to do with each other keep that power throughout.

    Args:
      mix_level: 0 (only the second) to 1 (only the first), any shape.

    Returns:
      (gain_one, gain_two), shapes of mix_level.
    """
    angle = 0.5 * math.pi * mix_level
    return tf.sin(angle), tf.cos(angle)


class Crop(Processor):
    """Cuts off what a padding frame added.

    Args:
      frame_size: Samples to cut off in all, rounded down to an even number.
      crop_location: "front", "center" (half of it at each end) or "back".

    Raises:
      ValueError: for another location, or fewer samples than 0.
    """

    def __init__(self, frame_size, crop_location="back", name="crop"):
        super().__init__(name=name)
        if crop_location not in CROP_LOCATIONS:
            raise ValueError(
                f"crop_location: got {crop_location!r}, expected one of "
                f"{', '.join(CROP_LOCATIONS)}."
            )
        if frame_size < 0:
            raise ValueError(f"frame_size: got {frame_size}, expected 0 samples or more.")
        self.frame_size = frame_size
        self.crop_location = crop_location

    def get_controls(self, audio):
        """The sound, [batch, n_samples] or [batch, n_samples, n_channels], as it is."""
        return {"audio": as_float(audio)}

    def get_signal(self, audio):
        """What is left, n_samples - frame_size // 2 * 2 samples; of shorter sounds nothing."""
        audio, half = as_float(audio), self.frame_size // 2
        front = {"front": 2 * half, "center": half, "back": 0}[self.crop_location]
        n_kept = length(audio, 1) - 2 * half
        n_kept = max(n_kept, 0) if isinstance(n_kept, int) else tf.maximum(n_kept, 0)
        return audio[:, front : front + n_kept]


def _check_sounds(one, two):
    for name, sound in (("signal_one", one), ("signal_two", two)):
        if sound.shape.rank not in (None, 2, 3):
            raise ShapeError(
                f"{name}: expected [batch, n_samples] or [batch, n_samples, n_channels], got shape "
                f"{tuple(sound.shape)}."
            )
    lengths = [x.shape[1] for x in (one, two)]
    if None not in lengths and lengths[0] != lengths[1]:
        raise ShapeError(
            f"signal_two: expected as many samples as signal_one ({lengths[0]}), got "
            f"{tuple(two.shape)}."
        )
