"""Progressive growing: which level of the networks is trained when, and at which blend.

Level and blend are functions of the step alone, so a run that is resumed in the middle of a fade
goes on in the middle of it.
"""

from typing import NamedTuple

import numpy as np
import scipy.signal
import tensorflow as tf

from noisygan.errors import UsageError

# Taps of the low-pass for each sample of the lower rate, and what it keeps of the lower band.
_TAPS_A_SAMPLE = 24
_KEPT = 0.9


class Stage(NamedTuple):
    """Where a training stands.

    Attributes:
      level: Of the networks, from 0, the shortest sounds.
      alpha: Share of the level's new layers, 0 to 1.
      batch_size: Sounds a batch.
      learning_rate: Of both optimizers, or None: their own.
      first_step: The step with which the level began.
      end: The step with which it ends, or None for the last one.
    """

    level: int
    alpha: float
    batch_size: int
    learning_rate: object
    first_step: int
    end: object


class Growth:
    """The schedule by which two growing networks grow.

    A level's new layers are faded in during its first `fade_sounds` sounds. Weights stay when a
    level begins, those of the roads to and from audio included; both optimizers begin afresh,
    because their moments are those of another network at another blend.

    Args:
      sounds: How many recordings are shown at each level (but the last one, which has no end): a
        number, or one for each level. Counted once a step, whatever `n_critic`.
      fade_sounds: In how many of them a level is faded in; no more than a level is shown.
      batch_sizes: A number, or one for each level; the trainer's where absent.
      learning_rates: Of both networks: a number, or one for each level; the optimizers' own where
        absent.

    Raises:
      UsageError: for numbers that are not above 0, or not whole where something is counted.
    """

    def __init__(self, sounds, fade_sounds, batch_sizes=None, learning_rates=None):
        counts = {"sounds": sounds, "fade_sounds": fade_sounds, "batch_sizes": batch_sizes}
        for name, value in (counts | {"learning_rates": learning_rates}).items():
            kinds, kind = (int, "whole numbers") if name in counts else ((int, float), "numbers")
            given = value if isinstance(value, (list, tuple)) else [value]
            if not all(x is None or (isinstance(x, kinds) and x > 0) for x in given):
                raise UsageError(f"Growth.{name}: got {value}, expected {kind} above 0.")
        self.sounds = sounds
        self.fade_sounds = fade_sounds
        self.batch_sizes = batch_sizes
        self.learning_rates = learning_rates

    def validate(self, optimizers, augmentation):
        """Makes sure that what else a trainer is told makes sense while networks grow.

        Args:
          optimizers: Settings of `noisygan.training.optimizers`.
          augmentation: Of `noisygan.training.augmentation`, or None.

        Raises:
          UsageError: if two things set the learning rate, or sounds are changed in time.
        """
        if self.learning_rates is not None and any(x.decay_steps for x in optimizers):
            raise UsageError(
                "Growth.learning_rates and Adam.decay_steps both set the learning rate; "
                "expected one of them, the other None"
            )
        parts = getattr(augmentation, "parts", ())
        timed = [type(part).__name__ for part in parts if hasattr(part, "n_max")]
        if timed:
            raise UsageError(
                f"Trainer.augmentation: got {' and '.join(timed)}, whose times are samples of "
                "the full rate, for networks that grow from lower ones; expected Polarity, "
                "Gain and Noise, or no Trainer.growth"
            )

    def plan(self, n_levels, batch_size):
        """The stages' bounds.

        Args:
          n_levels: Of the networks.
          batch_size: The trainer's.

        Returns:
          `Plan`.

        Raises:
          UsageError: if a setting is given for another number of levels, or a level would end
            before it is faded in.
        """
        sounds = _by_level("sounds", self.sounds, n_levels, n_levels - 1)
        # The lowest level is not faded in, and the highest one has no end.
        for level, n in list(enumerate(sounds))[1 : n_levels - 1]:
            if n < self.fade_sounds:
                raise UsageError(
                    f"Growth.fade_sounds: got {self.fade_sounds}, but level {level} is over after "
                    f"{n} sounds; expected {n} or fewer, or more Growth.sounds"
                )
        return Plan(
            self.fade_sounds,
            sounds,
            _by_level("batch_sizes", self.batch_sizes or batch_size, n_levels),
            _by_level("learning_rates", self.learning_rates, n_levels),
        )


def _by_level(name, value, n_levels, n_needed=None):
    """A list with a value for each level."""
    if not isinstance(value, (list, tuple)):
        return [value] * n_levels
    if len(value) not in (n_levels, n_needed or n_levels):
        raise UsageError(
            f"Growth.{name}: got {len(value)} values, expected one for each of the networks' "
            f"{n_levels} levels, or a single number"
        )
    return list(value)


class Plan:
    """A `Growth` for networks of so many levels; see there."""

    def __init__(self, fade_sounds, sounds, batch_sizes, learning_rates):
        self.fade_sounds = fade_sounds
        self.batch_sizes = batch_sizes
        self.learning_rates = learning_rates
        steps = [-(-n // size) for n, size in zip(sounds, batch_sizes, strict=False)]
        self.first_steps = np.cumsum([0, *steps])[: len(batch_sizes)].tolist()

    def stage(self, step):
        """The `Stage` of a step."""
        level = int(np.searchsorted(self.first_steps, step, side="right")) - 1
        first = self.first_steps[level]
        size = self.batch_sizes[level]
        alpha = 1.0 if level == 0 else min(1.0, (step - first) * size / self.fade_sounds)
        is_last = level == len(self.first_steps) - 1
        end = None if is_last else self.first_steps[level + 1]
        return Stage(level, alpha, size, self.learning_rates[level], first, end)


def n_levels(generator, discriminator):
    """Of two networks that grow together; a UsageError where they don't."""
    levels = [getattr(network, "n_levels", None) for network in (generator, discriminator)]
    if None in levels or levels[0] != levels[1]:
        told = [
            f"{type(network).__name__} has {n or 'no'} levels"
            for network, n in zip((generator, discriminator), levels, strict=True)
        ]
        raise UsageError(
            f"Trainer.growth: {' and '.join(told)}; expected two growing networks with as many "
            "levels, such as those of runs/growing_gan.gin, or no growth"
        )
    return levels[0]


def check_judge(discriminator, lengths, batch_sizes, condition_encoder):
    """Check that a discriminator supports the lengths, batch sizes and conditions of a training.

    Args:
      discriminator: A `Discriminator` or None.
      lengths: Samples of the audio at each level.
      batch_sizes: All that occur.
      condition_encoder: `ConditionEncoder` of the discriminator, or None.

    Raises:
      UsageError: for a length that it does not support, a batch that is not a multiple of its
        group_size, or a missing encoder.
    """
    if discriminator is None:
        return
    name, group = type(discriminator).__name__, discriminator.group_size
    for length in lengths:
        try:
            discriminator.check_length(length)
        except ValueError as error:
            raise UsageError(str(error)) from None
    for size in batch_sizes:
        if size % group:
            raise UsageError(
                f"Trainer.batch_size and Growth.batch_sizes: got {size}, expected multiples of "
                f"{name}.group_size, {group}: {group} or {2 * group} would work"
            )
    if discriminator.conditional and condition_encoder is None:
        raise UsageError(
            f"{name} is conditional and Trainer.condition_encoder is None; set "
            f"Trainer.condition_encoder = @ConditionEncoder() or {name}.conditional = False"
        )


def decimate(audio, factor):
    """Every factor-th sample of what is left below half of the lower rate.

    A sample stands in the middle of the `factor` samples that it replaces, so repeating samples
    brings a sound back without a delay.

    Args:
      audio: float32 [batch, n_samples].
      factor: 1 or even.

    Returns:
      float32 [batch, n_samples / factor].
    """
    if factor == 1:
        return audio
    taps = _low_pass(factor)
    margin = (len(taps) - factor) // 2
    padded = tf.pad(audio, [[0, 0], [margin, margin]])
    return tf.nn.conv1d(padded[:, :, None], taps[:, None, None], factor, "VALID")[:, :, 0]


def _low_pass(factor):
    """An even number of taps, float32, that sum to 1."""
    n_taps = _TAPS_A_SAMPLE * factor
    return scipy.signal.firwin(n_taps, _KEPT / factor, window=("kaiser", 8.0)).astype(np.float32)


def downsample_to_level(audio, length, lower_length, alpha):
    """Recordings as networks of one level see them, blended like generated sounds.

    Args:
      audio: float32 [batch, n_samples].
      length: Samples at the level; divides n_samples.
      lower_length: Samples at the level below, or None at the lowest.
      alpha: Scalar, share of the level's own band.

    Returns:
      float32 [batch, length].
    """
    n_samples = audio.shape[1]
    sound = decimate(audio, n_samples // length)
    if lower_length is None:
        return sound
    lower = decimate(audio, n_samples // lower_length)
    lower = tf.repeat(lower, length // lower_length, axis=1)
    return alpha * sound + (1.0 - alpha) * lower
