"""Regularizers of the discriminator.

Each has a `weight`, an `interval` (it is applied every so many steps, `interval` times as strongly)
and is called with a `DiscriminatorContext`; it returns an unweighted scalar. Gradients are taken
with respect to the front-end features: the waveform for a waveform discriminator, the spectral view
for a spectral one.
"""

from typing import NamedTuple

import tensorflow as tf

from noisygan.losses import global_batch


class DiscriminatorContext(NamedTuple):
    """What a discriminator phase has at hand.

    Attributes:
      score: From features to DiscriminatorOutput, with the conditioning filled in.
      real_features, fake_features: Lists of [batch, ...] tensors of equal shapes.
      real_logits: List of [batch] tensors: `score(real_features).logits`.
      seed: int32 [2].
      slopes: Gradients of the logits' sum with respect to real_features and fake_features, two
        lists, where they are known already; None: regularizers compute them.
    """

    score: object
    real_features: list
    fake_features: list
    real_logits: list
    seed: object
    slopes: tuple = None

    def real_slopes(self):
        """Gradients of the logits' sum with respect to each of real_features."""
        return self.slopes[0] if self.slopes else _gradients(self.score, self.real_features)

    def fake_slopes(self):
        """Gradients of the logits' sum with respect to each of fake_features."""
        return self.slopes[1] if self.slopes else _gradients(self.score, self.fake_features)


def _checked(name, weight, interval):
    """(weight, interval), or ValueError where they make no sense."""
    if not weight >= 0.0:
        raise ValueError(f"{name}.weight: got {weight}, expected a number from 0.")
    if not isinstance(interval, int) or interval < 1:
        raise ValueError(f"{name}.interval: got {interval}, expected a whole number from 1.")
    return weight, interval


def _gradients(score, features):
    """Gradients of the logits' sum with respect to each map."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(features)
        total = tf.add_n([tf.reduce_sum(logits) for logits in score(features).logits])
    return tape.gradient(total, features)


def _squared_norms(gradients):
    """Squared norm of each row's gradient, summed over features, [batch]."""
    return tf.add_n([tf.reduce_sum(g**2, axis=list(range(1, g.shape.rank))) for g in gradients])


class R1:
    """Half the squared gradient at recordings (Mescheder et al. 2018)."""

    slopes_at = "real"

    def __init__(self, weight=1.0, interval=1):
        self.weight, self.interval = _checked(type(self).__name__, weight, interval)

    def __call__(self, context):
        """Scalar: half the mean over the batch of the squared norm."""
        return 0.5 * tf.reduce_mean(_squared_norms(context.real_slopes()))


class R2:
    """Half the squared gradient at generated sounds."""

    slopes_at = "fake"

    def __init__(self, weight=1.0, interval=1):
        self.weight, self.interval = _checked(type(self).__name__, weight, interval)

    def __call__(self, context):
        """Scalar: half the mean over the batch of the squared norm."""
        return 0.5 * tf.reduce_mean(_squared_norms(context.fake_slopes()))


class GradientPenalty:
    """(|gradient| - 1)^2 between recordings and generated sounds (Gulrajani et al. 2017)."""

    def __init__(self, weight=10.0, interval=1):
        self.weight, self.interval = _checked(type(self).__name__, weight, interval)

    def __call__(self, context):
        """Scalar: the mean over the batch."""
        n = tf.shape(context.real_features[0])[0]
        dtype = context.real_features[0].dtype
        mix = global_batch.sample(
            lambda n: tf.random.stateless_uniform([n], seed=context.seed, dtype=dtype), n
        )
        between = []
        for real, fake in zip(context.real_features, context.fake_features, strict=True):
            share = tf.reshape(mix, [n] + [1] * (real.shape.rank - 1))
            between.append(real + share * (fake - real))
        norms = tf.sqrt(_squared_norms(_gradients(context.score, between)) + 1e-12)
        return tf.reduce_mean((norms - 1.0) ** 2)


class Drift:
    """Squared logits of recordings: keeps a Wasserstein critic near 0 (Karras et al. 2018)."""

    def __init__(self, weight=1e-3, interval=1):
        self.weight, self.interval = _checked(type(self).__name__, weight, interval)

    def __call__(self, context):
        """Scalar: the mean over the batch, summed over scales."""
        return tf.add_n([tf.reduce_mean(logits**2) for logits in context.real_logits])
