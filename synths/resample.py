"""Interpolation of envelopes from the frame rate to the sample rate.

Frame i is at sample `i * n_samples / n_frames`, for any ratio. The last frame is held.
"""

import math

import tensorflow as tf

from synths.precision import as_float
from synths.shapes import check_shape

METHODS = ("nearest", "linear", "cubic", "window")


def check_method(name, method):
    """Raise ValueError for an unknown interpolation method."""
    if method not in METHODS:
        raise ValueError(f"{name}: got {method!r}, expected one of {', '.join(METHODS)}.")


def _positions(n_steps, sample, n_samples):
    position = sample * n_steps
    frame = position // n_samples
    weight = tf.cast(position - frame * n_samples, tf.float64) / tf.cast(n_samples, tf.float64)
    return tf.cast(frame, tf.int32), weight


def neighbour_shares(weight, method):
    """Interpolation weights of the frames other than the one before a sample.

    Args:
      weight: Position between the frame before (0) and the next frame (1), any shape.
      method: "nearest" (the frame before is held), "linear", "cubic" (through the frames, with
        the four around it), or "window" (a raised cosine from frame to frame).

    Returns:
      (offset, share) pairs: offset of a frame from the frame before, and its weight in the shape of
      `weight`. The frame before has the rest, so that the weights sum to 1.
    """
    if method == "nearest":
        return ()
    if method == "linear":
        return ((1, weight),)
    if method == "window":
        return ((1, tf.sin((0.5 * math.pi) * weight) ** 2),)
    left = 1.0 - weight
    return (
        (-1, -0.75 * weight * left**2),
        (1, 1.0 + left**2 * (1.25 * left - 2.25)),
        (2, -0.75 * left * weight**2),
    )


def resample(inputs, n_timesteps, method="linear", add_endpoint=True):
    """Interpolate frames to samples.

    Args:
      inputs: [n_frames], [batch, n_frames], [batch, n_frames, channels] or
        [batch, n_frames, n_freqs, channels], of any float type.
      n_timesteps: Number of samples, int or scalar int32.
      method: "nearest": hold each frame until the next. "linear". "cubic": smooth, through the
        frames; may overshoot. "window": raised cosines between frames, smooth, no overshoot.
      add_endpoint: Whether the last frame is held for one frame period. Otherwise it is reached at
        the last sample, or for "window" one sample later.

    Returns:
      As inputs, with n_timesteps in the place of n_frames.
    """
    inputs = as_float(inputs)
    check_method("method", method)
    check_shape(
        "inputs",
        inputs,
        "[n_frames]",
        "[batch, n_frames]",
        "[batch, n_frames, channels]",
        "[batch, n_frames, n_freqs, channels]",
    )
    rank = inputs.shape.rank
    axis = min(rank - 1, 1)
    n_frames = tf.shape(inputs)[axis]
    frame, weight, hop = _places(inputs.shape[axis], n_frames, n_timesteps, method, add_endpoint)
    weight = tf.reshape(tf.cast(weight, inputs.dtype), [-1] + [1] * (rank - 1 - axis))

    def at_samples(frames):
        if hop:
            return tf.expand_dims(frames, axis + 1)
        return tf.gather(frames, frame, axis=axis)

    # Differences to the frame before, so that a constant stays exactly constant.
    total = at_samples(inputs) + tf.zeros_like(weight)
    for offset, share in neighbour_shares(weight, method):
        other = tf.clip_by_value(tf.range(n_frames) + offset, 0, n_frames - 1)
        total += share * at_samples(tf.gather(inputs, other, axis=axis) - inputs)
    if hop:
        shape = tf.shape(inputs)
        total = tf.reshape(total, tf.concat([shape[:axis], [-1], shape[axis + 1 :]], axis=0))
    static = inputs.shape.as_list()
    static[axis] = tf.get_static_value(n_timesteps)
    total.set_shape(static)
    return total


def _places(known_frames, n_frames, n_timesteps, method, add_endpoint):
    """(frame, weight, 0) of every sample; for whole hops (None, weights of a hop, its length)."""
    known_samples = tf.get_static_value(n_timesteps)
    n = tf.cast(n_timesteps, tf.int64)
    if add_endpoint and known_frames and known_samples and known_samples % known_frames == 0:
        hop = int(known_samples) // known_frames
        return None, tf.range(hop, dtype=tf.float64) / hop, hop
    if add_endpoint:
        n_steps, n_intervals = n_frames, n
    else:
        n_steps, n_intervals = n_frames - 1, n if method == "window" else tf.maximum(n - 1, 1)
    frame, weight = _positions(tf.cast(n_steps, tf.int64), tf.range(n), n_intervals)
    if method == "nearest" and not add_endpoint:
        frame = tf.where(weight >= 0.5, frame + 1, frame)
    return frame, weight, 0


def upsample_with_windows(inputs, n_timesteps, add_endpoint=True):
    """`resample` with raised cosines that sum to 1.

    Args:
      inputs: [batch, n_frames, channels].
      n_timesteps: Number of samples.
      add_endpoint: As in `resample`.

    Returns:
      [batch, n_timesteps, channels].
    """
    inputs = as_float(inputs)
    check_shape("inputs", inputs, "[batch, n_frames, channels]")
    return resample(inputs, n_timesteps, "window", add_endpoint)
