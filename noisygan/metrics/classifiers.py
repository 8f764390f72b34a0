"""Small CNNs trained on pictures of sounds: two-sample accuracy and inception-style score.

The pictures are log-mel spectrograms of one size. Thousands of them take seconds on two cores.
"""

from __future__ import annotations

import functools

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.bootstrap import Estimate

BATCH_SIZE = 32
N_STEPS = 300
LEARNING_RATE = 2e-3
N_FOLDS = 3
N_FILTERS = (16, 32, 48)
N_HIDDEN = 32
# With fewer in each set a constant answer of the classifier looks perfect.
MIN_EXAMPLES = 25


class PictureClassifier:
    """A CNN over pictures: three convolutions, global mean and maximum, one hidden layer.

    Args:
      n_classes: int.
      seed: Of the weights and batches.
    """

    def __init__(self, n_classes, seed=bootstrap.SEED):
        import keras
        import tensorflow as tf

        self.seed = seed

        def initializer(i):
            return keras.initializers.GlorotUniform(seed=1000 * seed + i)

        layers = keras.layers
        pictures = keras.Input([None, None, 1])
        x = pictures
        for i, n_filters in enumerate(N_FILTERS):
            x = layers.Conv2D(
                n_filters, 3, 2, "same", activation="relu", kernel_initializer=initializer(i)
            )(x)
        x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPool2D()(x)])
        hidden = layers.Dense(N_HIDDEN, "relu", kernel_initializer=initializer(10))(x)
        logits = layers.Dense(n_classes, kernel_initializer=initializer(11))(hidden)
        self.model = keras.Model(pictures, [logits, hidden])
        self.optimizer = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=1e-2, beta_2=0.99)
        variables = self.model.trainable_variables
        self.optimizer.build(variables)
        self.state = [*self.model.variables, *self.optimizer.variables]
        self.first = [v.numpy() for v in self.state]

        @tf.function(reduce_retracing=True, autograph=False)
        def step(x, y, weight):
            with tf.GradientTape() as tape:
                logits, _ = self.model(x)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
                loss = tf.reduce_mean(losses * weight)
            self.optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)

        self._step = step
        self._apply = tf.function(self.model, reduce_retracing=True, autograph=False)

    def fit(self, pictures, classes):
        """Train from the initial weights, with the classes weighted equally.

        Args:
          pictures: float32 [n, 64, 40], dB.
          classes: int [n].
        """
        for variable, value in zip(self.state, self.first, strict=True):
            variable.assign(value)
        self.mean, self.deviation = pictures.mean(0), pictures.std() + 1e-6
        counts = np.bincount(classes)
        weight = (len(classes) / np.maximum(counts, 1) / (counts > 0).sum())[classes]
        weight = weight.astype(np.float32)
        x, y = self._normalized(pictures), classes.astype(np.int32)
        rng = np.random.default_rng(self.seed)
        queue = np.zeros(0, int)
        for number in range(N_STEPS):
            while len(queue) < BATCH_SIZE:
                queue = np.concatenate([queue, rng.permutation(len(x))])
            rows, queue = queue[:BATCH_SIZE], queue[BATCH_SIZE:]
            # Augmentation by level and shift against overfitting.
            batch = x[rows] + rng.normal(0.0, 0.1, (len(rows), 1, 1, 1)).astype(np.float32)
            batch = np.roll(batch, rng.integers(-1, 2), axis=1)
            rate = 0.5 * LEARNING_RATE * (1.0 + np.cos(np.pi * number / N_STEPS))
            self.optimizer.learning_rate.assign(rate)
            self._step(batch, y[rows], weight[rows])
        return self

    def _normalized(self, pictures):
        return ((pictures - self.mean) / self.deviation)[..., None].astype(np.float32)

    def __call__(self, pictures):
        """(probabilities [n, n_classes], features [n, 32]), both float64."""
        import tensorflow as tf

        x = self._normalized(pictures)
        outputs = [self._apply(tf.constant(x[i : i + 256])) for i in range(0, len(x), 256)]
        logits, hidden = (np.concatenate([o[k].numpy() for o in outputs]) for k in (0, 1))
        logits = logits.astype(np.float64)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True), hidden.astype(np.float64)


def inception_style(probabilities):
    """Inception-style score and entropies of class probabilities [n, n_classes]: dict -> Estimate.

    score: exp of the mean divergence of an example's classes from the marginal, 1 to n_classes.
    entropy of classes: of the marginal, 1 if all classes are equally frequent. entropy of an
    example: mean over examples, 0 if each is clearly one class. Both relative to the largest
    possible.

    References:
      Salimans et al. 2016, equation of section 4.
    """
    n, n_classes = probabilities.shape
    probabilities = np.maximum(probabilities, 1e-12)
    each = -(probabilities * np.log(probabilities)).sum(1)
    most = np.log(n_classes)

    def parts(weights):
        marginal = weights @ probabilities
        of_all = -(marginal * np.log(marginal)).sum(-1)
        of_one = weights @ each
        return {
            "inception-style score": (np.exp(of_all - of_one), 1.0, n_classes),
            "entropy of classes": (of_all / most, 0.0, 1.0),
            "entropy of an example": (of_one / most, 0.0, 1.0),
        }

    whole, resampled = parts(np.full(n, 1.0 / n)), parts(bootstrap.counts(n) / n)
    return {
        name: Estimate(
            float(value), bootstrap.interval(float(value), resampled[name][0], low, high)
        )
        for name, (value, low, high) in whole.items()
    }


@functools.cache
def _binary_classifier():
    # `fit` starts from the initial weights, so one compiled network serves all tests.
    return PictureClassifier(2)


def two_sample_accuracy(reference, generated, groups, generated_groups):
    """Cross-validated accuracy of a CNN that separates generated from real: percent, an Estimate.

    50 is perfect. The two sets are balanced. Examples of one group (one pitch, one drum at several
    velocities) are in one fold, so that memorised ones do not raise the accuracy.

    Args:
      reference, generated: Pictures, [n, 64, 40] and [m, 64, 40].
      groups, generated_groups: Arrays of str, [n] and [m].

    Raises:
      ValueError: for fewer than 25 in either set, or too few groups for folds.

    References:
      Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(bootstrap.SEED)
    n = min(len(reference), len(generated))
    if n < MIN_EXAMPLES:
        raise ValueError(
            f"{n} examples in a set are too few for a classifier; expected {MIN_EXAMPLES}"
        )
    rows = [np.sort(rng.permutation(len(x))[:n]) for x in (reference, generated)]
    pictures = np.concatenate([reference[rows[0]], generated[rows[1]]])
    group = np.concatenate([groups[rows[0]], generated_groups[rows[1]]])
    truth = np.repeat([0, 1], n)
    n_folds = min(N_FOLDS, len(set(groups[rows[0]])), len(set(generated_groups[rows[1]])))
    if n_folds < 2:
        raise ValueError("all examples are of one pitch or kind; folds need at least two")
    network = _binary_classifier()
    right = np.zeros(2 * n)
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=bootstrap.SEED)
    for fit, held_out in folds.split(pictures, truth, group):
        network.fit(pictures[fit], truth[fit])
        right[held_out] = network(pictures[held_out])[0].argmax(1) == truth[held_out]
    shares = [right[truth == k] for k in (0, 1)]
    value = 50.0 * float(shares[0].mean() + shares[1].mean())
    resampled = 50.0 * sum(s[bootstrap.draws(n, seed=k)].mean(1) for k, s in enumerate(shares))
    return Estimate(value, bootstrap.interval(value, resampled, 0.0, 100.0), f"{n} in each set")
