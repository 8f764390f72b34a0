"""Small networks trained on the spot on pictures of sounds: a judge of classes, a two-sample test.

The pictures are log-mel spectrograms of one size. Sets of thousands take seconds on two cores.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from noisygan.evaluation.sounds import MIN_SOUNDS
from noisygan.metrics import bootstrap
from noisygan.metrics.bootstrap import Estimate

BATCH_SIZE = 32
N_STEPS = 300
LEARNING_RATE = 2e-3
N_FOLDS = 3
N_FILTERS = (16, 32, 48)
N_HIDDEN = 32
SEMITONES_A_CLASS = 4
MIN_A_CLASS = 4
TRUSTED_ACCURACY = 0.6


class PictureNetwork:
    """A CNN over pictures, trained anew by every `fit`: three convolutions, mean and maximum.

    Args:
      n_classes: int.
      seed: Of weights and batches.
    """

    def __init__(self, n_classes, seed=bootstrap.SEED):
        import keras
        import tensorflow as tf

        self.n_classes, self.seed = n_classes, seed

        def start(i):
            return keras.initializers.GlorotUniform(seed=1000 * seed + i)

        pictures = keras.Input([None, None, 1])
        x = pictures
        for i, n_filters in enumerate(N_FILTERS):
            x = keras.layers.Conv2D(
                n_filters, 3, 2, "same", activation="relu", kernel_initializer=start(i)
            )(x)
        mean, most = (
            keras.layers.GlobalAveragePooling2D()(x),
            keras.layers.GlobalMaxPooling2D()(x),
        )
        x = keras.layers.Concatenate()([mean, most])
        hidden = keras.layers.Dense(N_HIDDEN, "relu", kernel_initializer=start(10))(x)
        logits = keras.layers.Dense(n_classes, kernel_initializer=start(11))(hidden)
        self.model = keras.Model(pictures, [logits, hidden])
        self.first = self.model.get_weights()
        variables = [v.value for v in self.model.trainable_variables]
        moments = [tf.Variable(tf.zeros_like(v)) for v in variables]
        squares = [tf.Variable(tf.zeros_like(v)) for v in variables]
        self.state = moments + squares

        @tf.function(reduce_retracing=True)
        def step(x, y, weight, number, rate):
            with tf.GradientTape() as tape:
                logits, _ = self.model(x)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
                loss = tf.reduce_mean(losses * weight)
            # Adam with decoupled weight decay.
            for v, m, s, g in zip(
                variables, moments, squares, tape.gradient(loss, variables), strict=True
            ):
                m.assign(0.9 * m + 0.1 * g)
                s.assign(0.99 * s + 0.01 * g**2)
                m_hat = m / (1.0 - 0.9 ** (number + 1.0))
                s_hat = s / (1.0 - 0.99 ** (number + 1.0))
                v.assign_sub(rate * (m_hat / (tf.sqrt(s_hat) + 1e-7) + 1e-2 * v))

        self._step = step
        self._apply = tf.function(self.model, reduce_retracing=True)

    def fit(self, pictures, classes):
        """Trains from fresh weights; classes count alike, however often each is there.

        Args:
          pictures: float32 [n, 64, 40], dB.
          classes: int [n].
        """
        import tensorflow as tf

        self.model.set_weights(self.first)
        for variable in self.state:
            variable.assign(tf.zeros_like(variable))
        self.mean, self.deviation = pictures.mean(0), pictures.std() + 1e-6
        often = np.bincount(classes, minlength=self.n_classes)
        weight = (len(classes) / np.maximum(often, 1) / max((often > 0).sum(), 1))[classes]
        weight = weight.astype(np.float32)
        x, y = self._seen(pictures), classes.astype(np.int32)
        rng = np.random.default_rng(self.seed)
        queue = np.zeros(0, int)
        for number in range(N_STEPS):
            while len(queue) < BATCH_SIZE:
                queue = np.concatenate([queue, rng.permutation(len(x))])
            rows, queue = queue[:BATCH_SIZE], queue[BATCH_SIZE:]
            # Levels and moments differ a little, so that single pictures can't be learnt by heart.
            batch = x[rows] + rng.normal(0.0, 0.1, (len(rows), 1, 1, 1)).astype(np.float32)
            batch = np.roll(batch, rng.integers(-1, 2), axis=1)
            rate = 0.5 * LEARNING_RATE * (1.0 + np.cos(np.pi * number / N_STEPS))
            numbers = (tf.constant(x, tf.float32) for x in (number, rate))
            self._step(batch, y[rows], weight[rows], *numbers)
        return self

    def _seen(self, pictures):
        return ((pictures - self.mean) / self.deviation)[..., None].astype(np.float32)

    def __call__(self, pictures):
        """(probabilities [n, n_classes], features [n, 32]), both float64."""
        import tensorflow as tf

        x = self._seen(pictures)
        found = [self._apply(tf.constant(x[i : i + 256])) for i in range(0, len(x), 256)]
        logits, hidden = (np.concatenate([f[k].numpy() for f in found]) for k in (0, 1))
        logits = logits.astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        odds = np.exp(logits)
        return odds / odds.sum(1, keepdims=True), hidden.astype(np.float64)


# ------------------------------------------------------------------------------- judge of classes


def class_names(train):
    """What a judge can tell apart in recordings: (a function from Sounds to names, what it is).

    The labels where there are several, else pitches in steps of four semitones.

    Raises:
      ValueError: where there is neither.
    """
    if len(train.classes) > 1:
        return (lambda sounds: sounds.labels), "labels"
    if train.has_pitch and np.ptp(train.pitch) >= 2 * SEMITONES_A_CLASS:
        lowest = train.pitch.min()

        def steps(sounds):
            step = np.floor((sounds.pitch - lowest) / SEMITONES_A_CLASS)
            return np.array(["" if np.isnan(x) else f"pitch {x:03.0f}" for x in step])

        return steps, f"pitches in steps of {SEMITONES_A_CLASS} semitones"
    raise ValueError("the recordings have neither several labels nor several pitches")


@dataclasses.dataclass
class Judge:
    """A network trained on the recordings' own labels.

    Attributes:
      names: Classes, list of str.
      what: What the classes are.
      network: PictureNetwork.
      name_of: A function from Sounds to their classes' names.
    """

    names: list
    what: str
    network: PictureNetwork
    name_of: object

    def accuracy(self, sounds, pictures):
        """Share of sounds that are taken for what they are (or were asked to be), an Estimate."""
        asked = self.name_of(sounds)
        known = np.isin(asked, self.names)
        if not known.any():
            raise ValueError("no sound has a class that the recordings have")
        found = np.array(self.names)[self.network(pictures[known])[0].argmax(1)]
        return bootstrap.mean(100.0 * (found == asked[known]), 0.0, 100.0)


def train_judge(train, pictures):
    """A `Judge` of training recordings.

    Args:
      train: Sounds.
      pictures: Of them.

    Raises:
      ValueError: where there are no classes to learn.
    """
    name_of, what = class_names(train)
    asked = name_of(train)
    names, often = np.unique(asked, return_counts=True)
    names = [n for n, count in zip(names, often, strict=True) if count >= MIN_A_CLASS and n]
    if len(names) < 2:
        raise ValueError(
            f"fewer than two classes ({what}) have {MIN_A_CLASS} training recordings or more"
        )
    known = np.isin(asked, names)
    classes = np.searchsorted(names, asked[known])
    network = PictureNetwork(len(names)).fit(pictures[known], classes)
    return Judge([str(n) for n in names], what, network, name_of)


def inception_style(odds):
    """Score and entropies of a judge's probabilities [n, n_classes].

    score: exp of the mean divergence of a sound's classes from those of all, 1 to n_classes;
    entropy of classes: of the mean over sounds, 1 where all classes come equally often; entropy of
    a sound: mean over sounds, 0 where each is clearly one class. Entropies as shares of the
    largest possible.

    Returns:
      dict name -> Estimate.

    References:
      Salimans et al. 2016, equation of section 4.
    """
    n, n_classes = odds.shape
    odds = np.maximum(odds, 1e-12)
    each = -(odds * np.log(odds)).sum(1)
    weights = bootstrap.counts(n) / n
    most = np.log(n_classes)

    def parts(weights):
        marginal = weights @ odds
        of_all = -(marginal * np.log(marginal)).sum(-1)
        of_one = weights @ each
        return {
            "inception-style score": (np.exp(of_all - of_one), 1.0, n_classes),
            "entropy of classes": (of_all / most, 0.0, 1.0),
            "entropy of a sound": (of_one / most, 0.0, 1.0),
        }

    whole, resampled = parts(np.full(n, 1.0 / n)), parts(weights)
    found = {}
    for name, (value, low, high) in whole.items():
        around = bootstrap.interval(float(value), resampled[name][0], low, high)
        found[name] = Estimate(float(value), around)
    return found


# --------------------------------------------------------------------------------- two-sample test


@functools.cache
def _of_two_classes():
    """Every `fit` begins afresh, so one network, compiled once, serves all tests."""
    return PictureNetwork(2)


def two_sample_accuracy(reference, sounds, groups, sound_groups):
    """Cross-validated accuracy of a fresh network that tells sounds from recordings, in percent.

    As many of one as of the other. Sounds of one group (one pitch, one drum at several velocities)
    are in one fold, so that what was learnt by heart does not help.

    Args:
      reference, sounds: Pictures, [n, 64, 40] and [m, 64, 40].
      groups, sound_groups: Arrays of str, [n] and [m].

    Returns:
      Estimate; 50 is perfect.

    Raises:
      ValueError: for fewer than 8 of either, or too few groups for folds.

    References:
      Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(bootstrap.SEED)
    n = min(len(reference), len(sounds))
    if n < MIN_SOUNDS:
        raise ValueError(f"{n} sounds of either kind; {MIN_SOUNDS} are needed")
    rows = [np.sort(rng.permutation(len(x))[:n]) for x in (reference, sounds)]
    pictures = np.concatenate([reference[rows[0]], sounds[rows[1]]])
    group = np.concatenate([groups[rows[0]], sound_groups[rows[1]]])
    truth = np.repeat([0, 1], n)
    n_folds = min(N_FOLDS, len(set(groups[rows[0]])), len(set(sound_groups[rows[1]])))
    if n_folds < 2:
        raise ValueError("all sounds are of one pitch or kind; folds need at least two")
    network = _of_two_classes()
    right = np.zeros(2 * n)
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=bootstrap.SEED)
    for fit, held_out in folds.split(pictures, truth, group):
        network.fit(pictures[fit], truth[fit])
        right[held_out] = network(pictures[held_out])[0].argmax(1) == truth[held_out]
    shares = [right[truth == k] for k in (0, 1)]
    value = 50.0 * float(shares[0].mean() + shares[1].mean())
    resampled = 50.0 * sum(s[bootstrap.draws(n, seed=k)].mean(1) for k, s in enumerate(shares))
    return Estimate(value, bootstrap.interval(value, resampled, 0.0, 100.0), f"{n} of either")
