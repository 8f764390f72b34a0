"""Augmentation: small changes to what a discriminator hears, of recordings and fakes alike.

A discriminator learns few recordings by heart. Changes that its gradient passes through, drawn the
same for recordings and generated sounds, keep it from that without teaching them to the generator
(Zhao et al. 2020, Karras et al. 2020).

Each part is called with audio, float32 [batch, n_samples], and a stateless seed, int32 [2]; it
draws for each sound of the batch and returns float32 [batch, n_samples].
"""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.losses import global_batch as global_batch


class Augmentation:
    """Several changes, one after another.

    Args:
      parts: Of this module.
    """

    def __init__(self, parts):
        self.parts = list(parts)

    def __call__(self, audio, seed):
        """Changed audio, float32 [batch, n_samples]; the same changes for the same seed."""
        for i, part in enumerate(self.parts):
            audio = part(audio, tf.random.experimental.stateless_fold_in(seed, i))
        return audio


class Polarity:
    """Turns a waveform upside down.

    Args:
      probability: With which a sound is turned.
    """

    def __init__(self, probability=0.5):
        self.probability = _checked(self, "probability", probability, 1.0)

    def __call__(self, audio, seed):
        """audio or -audio, by row."""
        turned = _uniform(audio, seed) < self.probability
        return audio * tf.where(turned, -1.0, 1.0)[:, None]


class Gain:
    """Makes a sound louder or softer.

    Args:
      max_db: Largest change either way; changes are uniform in decibels.
    """

    def __init__(self, max_db=3.0):
        self.max_db = _checked(self, "max_db", max_db)

    def __call__(self, audio, seed):
        """audio times a gain by row."""
        db = self.max_db * (2.0 * _uniform(audio, seed) - 1.0)
        return audio * (10.0 ** (db / 20.0))[:, None]


class Shift:
    """Moves a sound in time by whole samples; what comes in is silence, what leaves is lost.

    Args:
      sample_rate: Hz.
      max_ms: Farthest either way, in milliseconds.
    """

    def __init__(self, sample_rate=16000, max_ms=5.0):
        self.n_max = round(_checked(self, "max_ms", max_ms) * 1e-3 * sample_rate)

    def __call__(self, audio, seed):
        """audio later by -n_max .. n_max samples, by row."""
        n = self.n_max
        later = global_batch.sample(
            lambda rows: tf.random.stateless_uniform([rows], seed, -n, n + 1, tf.int32),
            tf.shape(audio)[0],
        )
        padded = tf.pad(audio, [[0, 0], [n, n]])
        index = tf.range(audio.shape[1])[None, :] + (n - later)[:, None]
        return tf.gather(padded, index, batch_dims=1)


class Noise:
    """Adds white noise.

    Args:
      max_db: Highest level of the noise, its root mean square relative to 1, in decibels; levels
        are uniform from 0 to that.
    """

    def __init__(self, max_db=-50.0):
        self.max_level = 10.0 ** (max_db / 20.0)

    def __call__(self, audio, seed):
        """audio and noise of a level by row."""
        level = self.max_level * _uniform(audio, seed)
        noise_seed = tf.random.experimental.stateless_fold_in(seed, 0)
        noise = global_batch.sample(
            lambda rows: tf.random.stateless_normal([rows, audio.shape[1]], noise_seed),
            tf.shape(audio)[0],
        )
        return audio + level[:, None] * noise


class TimeMask:
    """Silences a short stretch of a sound.

    Args:
      sample_rate: Hz.
      max_ms: Longest stretch in milliseconds; lengths are uniform from 0 to that, and a stretch
        may begin anywhere where it ends within the sound.
    """

    def __init__(self, sample_rate=16000, max_ms=10.0):
        self.n_max = _checked(self, "max_ms", max_ms) * 1e-3 * sample_rate

    def __call__(self, audio, seed):
        """audio with 0 in one stretch a row."""
        n_samples = audio.shape[1]
        draw = global_batch.sample(
            lambda rows: tf.random.stateless_uniform([rows, 2], seed), tf.shape(audio)[0]
        )
        length = tf.minimum(self.n_max, n_samples) * draw[:, 0]
        start = (n_samples - length) * draw[:, 1]
        place = tf.range(n_samples, dtype=tf.float32)[None, :] - start[:, None]
        return tf.where((place >= 0.0) & (place < length[:, None]), 0.0, audio)


def _uniform(audio, seed):
    """A number 0 .. 1 for each row, float32 [batch]."""
    return global_batch.sample(
        lambda rows: tf.random.stateless_uniform([rows], seed), tf.shape(audio)[0]
    )


def _checked(part, name, value, high=float("inf")):
    """The value, or UsageError where it is out of bounds."""
    if not 0.0 <= value <= high:
        bounds = "a number from 0" if high == float("inf") else f"a number 0 to {high:g}"
        raise UsageError(f"{type(part).__name__}.{name}: got {value}, expected {bounds}.")
    return value
