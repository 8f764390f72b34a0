"""Envelopes from the frame rate to the sample rate.

Frame i stands at sample `i * n_samples / n_frames`, for any ratio of the two; behind the last
frame its value is held.
"""

import tensorflow as tf

from synths.errors import check_rank


def frame_positions(n_frames, n_samples):
    """Where each sample lies between two frames.

    Args:
      n_frames, n_samples: int or scalar int32.

    Returns:
      (frame, weight): int32 [n_samples], the frame at or before each sample, and float64
      [n_samples] in [0, 1), how far the sample lies on the way to the next frame. Exact while
      n_frames * n_samples < 2**63.
    """
    n_frames = tf.cast(n_frames, tf.int64)
    n_samples = tf.cast(n_samples, tf.int64)
    position = tf.range(n_samples) * n_frames
    frame = position // n_samples
    weight = tf.cast(position - frame * n_samples, tf.float64) / tf.cast(n_samples, tf.float64)
    return tf.cast(frame, tf.int32), weight


def resample(frames, n_samples):
    """Linear interpolation of frames to samples.

    Args:
      frames: [batch, n_frames, channels], any float type.
      n_samples: int or scalar int32, any number.

    Returns:
      [batch, n_samples, channels].

    Raises:
      ShapeError: if frames is not rank 3.
    """
    frames = tf.convert_to_tensor(frames)
    check_rank("frames", frames, 3, "[batch, n_frames, channels]")
    n_frames = tf.shape(frames)[1]
    frame, weight = frame_positions(n_frames, n_samples)
    weight = tf.cast(weight, frames.dtype)[:, None]
    here = tf.gather(frames, frame, axis=1)
    after = tf.gather(frames, tf.minimum(frame + 1, n_frames - 1), axis=1)
    return here + weight * (after - here)
