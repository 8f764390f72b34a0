"""Losses: adversarial pairs and regularizers, pure functions of tensors."""

from noisygan.losses.adversarial import BCE, Hinge, LeastSquares, Relativistic, Wasserstein
from noisygan.losses.regularizers import R1, R2, Drift, GradientPenalty

__all__ = [
    "BCE",
    "Drift",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "R1",
    "R2",
    "Relativistic",
    "Wasserstein",
]
