"""Differentiable augmentation of real and fake examples before the discriminator.

Random changes keep a discriminator from overfitting to few recordings. They are applied to real and
fake examples alike and are differentiable, so that the generator does not learn them (Zhao et al.
2020, Karras et al. 2020).
"""

import tensorflow as tf

from noisygan.losses import global_batch


class Augmentation:
    """A sequence of transforms.

    Args:
      parts: List, of this module.
    """

    def __init__(self, parts):
        self.parts = list(parts)

    def __call__(self, audio, seed):
        """Transform audio, float32 [batch, n_samples], by a seed, int32 [2]."""
        for i, part in enumerate(self.parts):
            audio = part(audio, tf.random.experimental.stateless_fold_in(seed, i))
        return audio


class Transform:
    """Base class: a random change of audio, float32 [batch, n_samples], by a stateless seed.

    Attributes:
      changes_time: Whether its parameters are in samples of the full sample rate.
    """

    changes_time = False

    def __call__(self, audio, seed):
        """Transform each row by its own random numbers."""
        raise NotImplementedError


class Polarity(Transform):
    """Invert the waveform of random rows.

    Args:
      probability: Of an inversion.
    """

    def __init__(self, probability=0.5):
        self.probability = probability

    def __call__(self, audio, seed):
        inverted = _uniform(audio, seed)[:, 0] < self.probability
        return audio * tf.where(inverted, -1.0, 1.0)[:, None]


class Gain(Transform):
    """Change the level of each row, uniformly in decibels.

    Args:
      max_db: Largest change in either direction.
    """

    def __init__(self, max_db=3.0):
        self.max_db = max_db

    def __call__(self, audio, seed):
        db = self.max_db * (2.0 * _uniform(audio, seed) - 1.0)
        return audio * 10.0 ** (db / 20.0)


class Shift(Transform):
    """Shift each row by whole samples; silence is shifted in.

    Args:
      sample_rate: Hz.
      max_ms: Largest shift in either direction, milliseconds.
    """

    changes_time = True

    def __init__(self, sample_rate=16000, max_ms=5.0):
        self.n_max = round(max_ms * 1e-3 * sample_rate)

    def __call__(self, audio, seed):
        n = self.n_max
        later = global_batch.sample(
            lambda rows: tf.random.stateless_uniform([rows], seed, -n, n + 1, tf.int32),
            tf.shape(audio)[0],
        )
        padded = tf.pad(audio, [[0, 0], [n, n]])
        index = tf.range(audio.shape[1])[None, :] + (n - later)[:, None]
        return tf.gather(padded, index, batch_dims=1)


class Noise(Transform):
    """Add white noise.

    Args:
      max_db: Highest level of the noise, root mean square relative to 1, in decibels; linear levels
        are uniform from 0 to that.
    """

    def __init__(self, max_db=-50.0):
        self.max_level = 10.0 ** (max_db / 20.0)

    def __call__(self, audio, seed):
        noise_seed = tf.random.experimental.stateless_fold_in(seed, 0)
        noise = global_batch.sample(
            lambda rows: tf.random.stateless_normal([rows, audio.shape[1]], noise_seed),
            tf.shape(audio)[0],
        )
        return audio + self.max_level * _uniform(audio, seed) * noise


class TimeMask(Transform):
    """Silence one random segment of each row.

    Args:
      sample_rate: Hz.
      max_ms: Longest segment, milliseconds; lengths are uniform from 0 to that, and a segment lies
        anywhere within the row.
    """

    changes_time = True

    def __init__(self, sample_rate=16000, max_ms=10.0):
        self.n_max = max_ms * 1e-3 * sample_rate

    def __call__(self, audio, seed):
        n_samples = audio.shape[1]
        length, start = tf.split(_uniform(audio, seed, 2), 2, axis=1)
        length = tf.minimum(self.n_max, n_samples) * length
        start = (n_samples - length) * start
        place = tf.range(n_samples, dtype=tf.float32)[None, :] - start
        return tf.where((place >= 0.0) & (place < length), 0.0, audio)


def _uniform(audio, seed, n=1):
    """n numbers from 0 to 1 for each row, float32 [batch, n]."""
    return global_batch.sample(
        lambda rows: tf.random.stateless_uniform([rows, n], seed), tf.shape(audio)[0]
    )
