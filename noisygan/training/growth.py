"""Progressive growing: the level of both networks and its blend, as functions of the step.

A run that is resumed in the middle of a fade is in the middle of it. Networks that do not grow have
one level without end.
"""

from typing import NamedTuple

import numpy as np
import scipy.signal
import tensorflow as tf

from noisygan.errors import UsageError

# Taps of the low-pass for each sample of the lower rate, and its cutoff in the lower band.
_TAPS_PER_SAMPLE = 24
_CUTOFF = 0.9


class Stage(NamedTuple):
    """Level, blend and settings of one step.

    Attributes:
      level: Of the networks, from 0, the shortest sounds.
      alpha: Blend of the level's new layers, 0 to 1.
      batch_size: Rows of a batch.
      learning_rate: Of both optimizers, or None: their own.
      first_step: First step of the level.
      end: Step after its last one, or None for the last level.
    """

    level: int
    alpha: float
    batch_size: int
    learning_rate: float | None
    first_step: int
    end: int | None


class Growth:
    """Set how networks grow (Karras et al. 2018).

    A level's new layers fade in during its first `fade_sounds` examples. All weights are kept when
    a level begins; both optimizers are reset, because their moments are those of another network.

    Args:
      sounds: Real examples shown at each level but the last one, which has no end: a number, or one
        for each level. Counted once a step, whatever `n_critic`.
      fade_sounds: Examples of the fade, no more than a level is shown: a number, or one for each
        level from the second on.
      batch_sizes: A number, or one for each level; None: the trainer's.
      learning_rates: Of both networks: a number, or one for each level; None: the optimizers' own.
    """

    def __init__(self, sounds, fade_sounds, batch_sizes=None, learning_rates=None):
        self.sounds = sounds
        self.fade_sounds = fade_sounds
        self.batch_sizes = batch_sizes
        self.learning_rates = learning_rates

    def validate(self, optimizers, augmentation):
        """Raise UsageError for settings of a `Trainer` that contradict growing networks."""
        if self.learning_rates is not None and any(x.decay_steps for x in optimizers):
            raise UsageError(
                "Growth.learning_rates and Adam.decay_steps both set the learning rate; "
                "expected one of them, the other None"
            )
        timed = [type(x).__name__ for x in getattr(augmentation, "parts", ()) if x.changes_time]
        if timed:
            raise UsageError(
                f"Trainer.augmentation: got {' and '.join(timed)}, whose times are samples of "
                "the full rate, for growing networks; expected Polarity, Gain and Noise, or no "
                "Trainer.growth"
            )


class Plan:
    """Schedule of two networks, which do not grow if `growth` is None.

    Attributes:
      batch_sizes: Of each level.
      first_steps: First step of each level.

    Raises:
      UsageError: for networks with different levels, or settings for another number of levels.
    """

    def __init__(self, generator, discriminator, growth, batch_size):
        self.networks = generator, discriminator
        self.n_levels = 1 if growth is None else _n_levels(generator, discriminator)
        growth = growth or Growth(sounds=1, fade_sounds=1)
        sounds = _by_level("sounds", growth.sounds, self.n_levels, self.n_levels - 1)
        fades = growth.fade_sounds
        fades = _by_level("fade_sounds", fades, self.n_levels - 1)
        self.fade_sounds = [0, *fades]
        # The lowest level has no fade, and the highest one no end.
        for level, n in list(enumerate(sounds))[1 : self.n_levels - 1]:
            fade = self.fade_sounds[level]
            if n < fade:
                raise UsageError(
                    f"Growth.fade_sounds: got {fade}, but level {level} ends after "
                    f"{n} sounds; expected {n} or fewer, or more Growth.sounds"
                )
        sizes = growth.batch_sizes or batch_size
        self.batch_sizes = _by_level("batch_sizes", sizes, self.n_levels)
        self.learning_rates = _by_level("learning_rates", growth.learning_rates, self.n_levels)
        steps = [-(-n // size) for n, size in zip(sounds, self.batch_sizes, strict=False)]
        self.first_steps = np.cumsum([0, *steps])[: self.n_levels].tolist()

    @property
    def grows(self):
        """True if the networks grow."""
        return self.n_levels > 1

    @property
    def lengths(self):
        """Samples of the generator's audio at each level."""
        return [self.networks[0].length_of(level) for level in range(self.n_levels)]

    def stage(self, step):
        """Return the `Stage` of a step."""
        level = int(np.searchsorted(self.first_steps, step, side="right")) - 1
        first, size = self.first_steps[level], self.batch_sizes[level]
        alpha = 1.0 if level == 0 else min(1.0, (step - first) * size / self.fade_sounds[level])
        end = None if level == self.n_levels - 1 else self.first_steps[level + 1]
        return Stage(level, alpha, size, self.learning_rates[level], first, end)

    def set_level(self, step):
        """Set level and blend of growing networks for a step; None: the highest level."""
        if self.grows:
            level, alpha = self.n_levels - 1, 1.0
            if step is not None:
                level, alpha, *_ = self.stage(step)
            # A discriminator's level follows from the length of its input.
            self.networks[0].level = level
            for network in self.networks:
                network.alpha.assign(alpha)

    def begin(self, step, phases):
        """Prepare networks and optimizers for a step; returns its level, a plain int."""
        stage = self.stage(step)
        self.set_level(step)
        for phase in phases if self.grows else ():
            if step == stage.first_step:
                phase.reset()
            if stage.learning_rate is not None:
                phase.optimizer.learning_rate.assign(stage.learning_rate)
        return stage.level

    def downsample(self, batch):
        """Return a batch with its audio at the present level and blend."""
        if not self.grows:
            return batch
        generator, _ = self.networks
        lower = generator.length_of(generator.level - 1) if generator.level else None
        length = generator.length_of(generator.level)
        audio = downsample_to_level(batch["audio"], length, lower, generator.alpha)
        return batch | {"audio": audio, "recorded": batch["audio"]}


def _by_level(name, value, n_levels, n_needed=None):
    """Return a list with a value for each level."""
    if not isinstance(value, (list, tuple)):
        return [value] * n_levels
    if len(value) not in (n_levels, n_needed or n_levels):
        raise UsageError(
            f"Growth.{name}: got {len(value)} values, expected {n_levels} for the networks' "
            "levels, or a single number"
        )
    return list(value)


def _n_levels(*networks):
    """Return the levels of two networks that grow together; a UsageError where they don't."""
    levels = [network.n_levels for network in networks]
    if levels[0] != levels[1] or levels[0] == 1:
        found = [f"{type(x).__name__} has n_levels {x.n_levels}" for x in networks]
        raise UsageError(
            f"Trainer.growth: {' and '.join(found)}; expected two growing networks with equally "
            "many levels, such as those of runs/growing_gan.gin, or no growth"
        )
    return levels[0]


def check_discriminator(discriminator, lengths, batch_sizes, condition_encoder):
    """Raise UsageError for lengths, batch sizes or conditions that a discriminator can't score."""
    name, group = type(discriminator).__name__, discriminator.group_size
    for length in lengths:
        try:
            discriminator.check_length(length)
        except ValueError as error:
            raise UsageError(str(error)) from None
    for size in batch_sizes:
        if group and size % group:
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
    """Downsample by an integer factor, without aliasing and without a delay.

    An output sample lies in the middle of the `factor` samples that it replaces.

    Args:
      audio: float32 [batch, n_samples].
      factor: 1 or even.

    Returns:
      float32 [batch, n_samples / factor].
    """
    if factor == 1:
        return audio
    n_taps = _TAPS_PER_SAMPLE * factor
    taps = scipy.signal.firwin(n_taps, _CUTOFF / factor, window=("kaiser", 8.0)).astype(np.float32)
    margin = (n_taps - factor) // 2
    padded = tf.pad(audio, [[0, 0], [margin, margin]])
    return tf.nn.conv1d(padded[:, :, None], taps[:, None, None], factor, "VALID")[:, :, 0]


def downsample_to_level(audio, length, lower_length, alpha):
    """Downsample real audio to a level, blended with the level below like generated audio.

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
