"""What keeps discriminator and generator level: one of these belongs into `Trainer.balance`.

All look at how unsure the discriminator is: its adversarial loss as a share of what guessing costs,
1 where it guesses, 0 where it has won.
"""

import math

import tensorflow as tf

from noisygan.errors import UsageError

# The factor of `AdaptPenalty` moves by no more than a hundred powers of ten a step.
_LEAST_TENFOLD_STEPS = 0.01


class Unbalanced:
    """Leaves everything as it is.

    Attributes:
      penalty: Factor of the weights of the discriminator's regularizers.
      learns: Whether the discriminator is updated.
    """

    penalty = 1.0
    learns = True

    def check(self, adversarial, regularizers):
        """Raises UsageError for a loss or regularizers that it can't work with."""

    def build(self):
        """Makes the variables of the state."""

    @property
    def state(self):
        """dict of variables that a checkpoint holds."""
        return {}

    def told(self, loss, n_scales):
        """What a discriminator's round tells.

        Args:
          loss: Adversarial loss, a scalar, summed over scales.
          n_scales: Logits that the discriminator gives of each sound.

        Returns:
          dict of scalars, for the metrics.
        """
        return {}

    def observe(self, metrics):
        """Takes a step's metrics into account; returns dict of numbers to be logged."""
        return {}


class _Balanced(Unbalanced):
    def check(self, adversarial, regularizers):
        """Raises UsageError for a loss without a value of guessing."""
        zero = tf.zeros([1])
        self.guess = float(adversarial.d_loss(zero, zero))
        if not self.guess > 0.0:
            raise UsageError(
                f"Trainer.balance: {type(adversarial).__name__} costs {self.guess:g} where the "
                "discriminator guesses, so nothing says how far it has won; expected BCE, "
                "LeastSquares, Hinge or Relativistic, or no balance"
            )

    def told(self, loss, n_scales):
        """How unsure the discriminator is."""
        return {"d_unsure": loss / (self.guess * n_scales)}


class AdaptPenalty(_Balanced):
    """Weighs the discriminator's regularizers more while it wins, and less while it guesses.

    All weights of `Trainer.regularizers` are multiplied by a factor that begins at 1 and moves at
    a constant rate, up while the discriminator is surer than the target and down otherwise: the
    rule by which StyleGAN2-ADA sets the strength of its augmentation (Karras et al. 2020).

    Args:
      target: How unsure the discriminator shall be: 0 (has won) to 1 (guesses).
      steps_per_decade: Steps in which the factor becomes tenfold or a tenth, 0.01 or more.
      smoothing: Share of the past in the running mean that is compared with the target.
      least, most: Bounds of the factor.

    Raises:
      UsageError: for numbers that make no sense, or no regularizers.
    """

    def __init__(self, target=0.5, steps_per_decade=20, smoothing=0.9, least=0.01, most=1e4):
        if not 0.0 < target < 1.0:
            raise UsageError(f"AdaptPenalty.target: got {target}, expected a number in (0, 1).")
        if not steps_per_decade >= _LEAST_TENFOLD_STEPS:
            raise UsageError(
                f"AdaptPenalty.steps_per_decade: got {steps_per_decade}, expected a number from "
                f"{_LEAST_TENFOLD_STEPS}; 20 is common."
            )
        if not 0.0 <= smoothing < 1.0:
            raise UsageError(f"AdaptPenalty.smoothing: got {smoothing}, expected 0 up to 1.")
        if not 0.0 < least <= 1.0 <= most:
            raise UsageError(
                f"AdaptPenalty.least, most: got {least}, {most}, expected 0 < least <= 1 <= most."
            )
        self.target = target
        self.steps_per_decade = steps_per_decade
        self.smoothing = smoothing
        self.least = least
        self.most = most

    def check(self, adversarial, regularizers):
        """Raises UsageError for a loss without a value of guessing, or no regularizers."""
        super().check(adversarial, regularizers)
        if not regularizers:
            raise UsageError(
                "Trainer.balance: AdaptPenalty changes the weights of Trainer.regularizers, which "
                "is empty; expected R1, or SkipUpdates() as the balance"
            )

    def build(self):
        """Makes the variables of the state."""
        self.penalty = tf.Variable(1.0, trainable=False)
        self.mean = tf.Variable(1.0, trainable=False)

    @property
    def state(self):
        """dict of variables that a checkpoint holds."""
        return {"balance_penalty": self.penalty, "balance_mean": self.mean}

    def observe(self, metrics):
        """Takes a step's metrics into account; returns dict of numbers to be logged."""
        mean, factor = float(self.mean.numpy()), float(self.penalty.numpy())
        unsure = float(metrics["d_unsure"])
        # A step without a finite number leaves everything as it is.
        if math.isfinite(unsure):
            self.mean.assign(self.smoothing * mean + (1.0 - self.smoothing) * unsure)
            way = 1.0 if float(self.mean.numpy()) < self.target else -1.0
            moved = factor * 10.0 ** (way / self.steps_per_decade)
            self.penalty.assign(min(max(moved, self.least), self.most))
        return {"d_unsure_mean": float(self.mean.numpy()), "d_penalty": float(self.penalty.numpy())}


class SkipUpdates(_Balanced):
    """Leaves the discriminator's updates out while it is too sure (as Wu et al. 2016 do).

    Args:
      least: The discriminator learns in a step only if it was at least so unsure in the one before:
        0 (has won) to 1 (guesses).

    Raises:
      UsageError: for a share of nothing, or all.
    """

    def __init__(self, least=0.3):
        if not 0.0 < least < 1.0:
            raise UsageError(f"SkipUpdates.least: got {least}, expected a number in (0, 1).")
        self.least = least

    def build(self):
        """Makes the variables of the state."""
        self.learns = tf.Variable(True, trainable=False)

    @property
    def state(self):
        """dict of variables that a checkpoint holds."""
        return {"balance_learns": self.learns}

    def observe(self, metrics):
        """Takes a step's metrics into account; returns dict of numbers to be logged."""
        learnt = float(bool(self.learns.numpy()))
        self.learns.assign(not float(metrics["d_unsure"]) < self.least)
        return {"d_learns": learnt}
