"""Onsets at any time, also between two samples."""

import tensorflow as tf

from synths.shapes import check_shape


def onset_sample(onset_seconds, sample_rate):
    """First sample at or after an onset.

    Args:
      onset_seconds: [batch, 1], before or after time 0.
      sample_rate: Hz.

    Returns:
      (sample, late): int64 [batch, 1], and the time from the onset to the sample in seconds,
      float64 [batch, 1], 0 to 1 / sample_rate, with a gradient of -1.
    """
    check_shape("onset_seconds", onset_seconds, "[batch, 1]")
    onset_seconds = tf.cast(onset_seconds, tf.float64)
    rate = tf.cast(sample_rate, tf.float64)
    sample = tf.stop_gradient(tf.math.ceil(onset_seconds * rate))
    return tf.cast(sample, tf.int64), sample / rate - onset_seconds


def placed(audio, first_sample, n_samples):
    """Place audio in silence; samples outside are cut off.

    Args:
      audio: [batch, n].
      first_sample: First sample of each row, int64 [batch, 1], may be negative.
      n_samples: Length of the result in samples, int or scalar int32.

    Returns:
      [batch, n_samples].
    """
    size = tf.cast(tf.shape(audio)[1], tf.int64)
    n_samples = tf.cast(n_samples, tf.int64)

    def cut(audio, begin, n, size):
        """Samples begin to begin + n of audio of this size that is surrounded by silence."""
        sample = begin + tf.range(n)
        inside = (sample >= 0) & (sample < size)
        # Audio may have no samples.
        audio = tf.pad(audio, [[0, 0], [0, 1]])
        audio = tf.gather(audio, tf.clip_by_value(sample, 0, size), batch_dims=1)
        return tf.where(inside, audio, tf.zeros([], audio.dtype))

    @tf.custom_gradient
    def place(audio):
        return cut(audio, -first_sample, n_samples, size), lambda g: cut(
            g, first_sample, size, n_samples
        )

    whole = place(audio)
    whole.set_shape([audio.shape[0], tf.get_static_value(n_samples)])
    return whole
