"""How a discriminator's last map, [batch, n_steps, n_bands, n_filters], becomes one vector."""

import tensorflow as tf


class Flatten:
    """Every number of the map."""

    def __call__(self, h, step_rate):
        """float32 [batch, n_steps n_bands n_filters]."""
        return tf.reshape(h, [-1, h.shape[1] * h.shape[2] * h.shape[3]])


class Statistics:
    """What the whole sound is like, and what happens when.

    Mean and deviation over time by band, means over parts of the sound, and the frames at moments
    that matter, such as the onset and the release.

    Args:
      n_parts: Into how many equal parts the sound is cut.
      moments_seconds: Moments whose frames are read out by themselves.
    """

    def __init__(self, n_parts=8, moments_seconds=(0.0,)):
        self.n_parts = n_parts
        self.moments_seconds = tuple(moments_seconds)

    def __call__(self, h, step_rate):
        """float32 [batch, n]; step_rate is the map's steps a second."""
        n_steps = h.shape[1]
        flat = tf.reshape(h, [-1, n_steps, h.shape[2] * h.shape[3]])
        mean, variance = tf.nn.moments(flat, [1])
        parts = [mean, tf.sqrt(variance + 1e-6)]
        edges = [n_steps * i // self.n_parts for i in range(self.n_parts + 1)]
        by_band = tf.reduce_mean(h, axis=2)
        for low, high in zip(edges, edges[1:], strict=False):
            low = min(low, n_steps - 1)
            parts.append(tf.reduce_mean(by_band[:, low : max(high, low + 1)], axis=1))
        for moment in self.moments_seconds:
            parts.append(flat[:, min(round(moment * step_rate), n_steps - 1)])
        return tf.concat(parts, axis=1)
