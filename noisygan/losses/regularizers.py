"""Regularizers of the discriminator, as entries of `Trainer.regularizers`.

Each has a `weight`, an `interval` and a `first_level`, the level of growing networks from which on
it applies, usually 0. A lazy regularizer applies in every `interval`-th update, `interval` times as
strongly (Karras et al. 2020). It is called with a `DiscriminatorContext` and
returns an unweighted scalar. Gradients are those of the logits with respect to the front-end
features: the waveform for a waveform discriminator, the spectrogram for a spectral one.
"""

import dataclasses
import functools

import tensorflow as tf

from noisygan.losses import global_batch


class DiscriminatorContext:
    """Scores of a real and fake batch, and their gradients.

    Args:
      score: From (features, conditioning) to `DiscriminatorOutput`.
      real_features, fake_features: Lists of [batch, ...] tensors of equal shapes.
      conditioning: Second argument of `score`, in any structure: [batch, ...] tensors or None.
      seed: int32 [2], for regularizers that sample.
      one_pass: Whether both batches are scored as one, which is faster.

    Attributes:
      real_logits, fake_logits: Lists of [batch] tensors, one for each scale.
    """

    def __init__(
        self, score, real_features, fake_features, conditioning=None, seed=(0, 0), one_pass=True
    ):
        self.real_features, self.fake_features = real_features, fake_features
        self.score = lambda features: score(features, conditioning)
        self.seed = seed
        self._both = [tf.concat(x, axis=0) for x in zip(real_features, fake_features, strict=True)]
        twice = tf.nest.map_structure(
            lambda x: None if x is None else tf.concat([x, x], axis=0), conditioning
        )
        with tf.GradientTape(watch_accessed_variables=False) as self._tape:
            self._tape.watch(self._both)
            if one_pass:
                logits = score(self._both, twice).logits
            else:
                halves = zip(*(tf.split(x, 2) for x in self._both), strict=True)
                logits = [score(list(half), conditioning).logits for half in halves]
                logits = [tf.concat(x, axis=0) for x in zip(*logits, strict=True)]
            self._total = tf.add_n([tf.reduce_sum(x) for x in logits])
        self.real_logits, self.fake_logits = zip(*(tf.split(x, 2) for x in logits), strict=True)

    @functools.cached_property
    def feature_gradients(self):
        """Gradients of the summed logits: (list at real_features, list at fake_features)."""
        gradients = self._tape.gradient(self._total, self._both)
        return tuple(zip(*(tf.split(x, 2) for x in gradients), strict=True))


def _squared_norms(gradients):
    """Squared norm of each row's gradient, summed over features, [batch]."""
    return tf.add_n([tf.reduce_sum(g**2, axis=list(range(1, g.shape.rank))) for g in gradients])


@dataclasses.dataclass
class R1:
    """Half the squared gradient at real examples (Mescheder et al. 2018).

    Args:
      weight: Weight in the discriminator's loss.
      interval: Updates of the discriminator from one application to the next.

    Example:
      >>> Trainer(..., regularizers=[R1(weight=10.0, interval=16)])
    """

    weight: float = 1.0
    interval: int = 1
    first_level = 0

    def __call__(self, context):
        """Scalar: half the mean over the batch of the squared norm."""
        return 0.5 * tf.reduce_mean(_squared_norms(context.feature_gradients[0]))


@dataclasses.dataclass
class R2:
    """Half the squared gradient at fake examples (Mescheder et al. 2018); arguments as of `R1`."""

    weight: float = 1.0
    interval: int = 1
    first_level = 0

    def __call__(self, context):
        """Scalar: half the mean over the batch of the squared norm."""
        return 0.5 * tf.reduce_mean(_squared_norms(context.feature_gradients[1]))


@dataclasses.dataclass
class GradientPenalty:
    """(|gradient| - 1)^2 between real and fake examples (Gulrajani et al. 2017); as `R1`."""

    weight: float = 10.0
    interval: int = 1
    first_level = 0

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
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            total = tf.add_n([tf.reduce_sum(logits) for logits in context.score(between).logits])
        norms = tf.sqrt(_squared_norms(tape.gradient(total, between)) + 1e-12)
        return tf.reduce_mean((norms - 1.0) ** 2)


@dataclasses.dataclass
class Drift:
    """Squared logits of real examples: keeps a Wasserstein critic near 0 (Karras et al. 2018).

    Args:
      weight, interval: As of `R1`.
      first_level: Level of growing networks, from 0, from which on it applies.
    """

    weight: float = 1e-3
    interval: int = 1
    first_level: int = 0

    def __call__(self, context):
        """Scalar: the mean over the batch, summed over scales."""
        return tf.add_n([tf.reduce_mean(logits**2) for logits in context.real_logits])
