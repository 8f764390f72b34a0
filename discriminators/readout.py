"""Pooling of a discriminator's last map, [batch, n_steps, n_bands, n_filters], to one vector."""

import numpy as np
import tensorflow as tf

from discriminators.equalized import to_float32


class Flatten:
    """Concatenation of all values of the map."""

    def __call__(self, h, step_rate, held_seconds=None):
        """float32 [batch, n_steps n_bands n_filters]."""
        return tf.reshape(h, [-1, h.shape[1] * h.shape[2] * h.shape[3]])


class Statistics:
    """Mean and deviation over time by band, means over segments, and the frames at given moments.

    Args:
      n_parts: Number of equal segments.
      moments_seconds: Moments, such as the onset, whose frames are included.
      note_off_edges_seconds: Edges of segments around each row's note-off, such as (-0.3, 0.0, 0.2,
        0.6): their means by band are included, 0 where a segment is outside the sound.
    """

    def __init__(self, n_parts=8, moments_seconds=(0.0,), note_off_edges_seconds=()):
        self.n_parts = n_parts
        self.moments_seconds = tuple(moments_seconds)
        self.note_off_edges_seconds = tuple(note_off_edges_seconds)

    def __call__(self, h, step_rate, held_seconds=None):
        """Pool a map.

        Args:
          h: [batch, n_steps, n_bands, n_filters].
          step_rate: Steps per second.
          held_seconds: Time of each row's note-off, float32 [batch], infinite for never; None:
            nowhere.

        Returns:
          float32 [batch, n].
        """
        n_steps, h = h.shape[1], to_float32(h)
        flat = tf.reshape(h, [-1, n_steps, h.shape[2] * h.shape[3]])
        mean, variance = tf.nn.moments(flat, [1])
        parts = [mean, tf.sqrt(variance + 1e-6)]
        # Products with constants, since the gradient of many slices is slow.
        by_part = tf.constant(self._parts(n_steps)) @ tf.reduce_mean(h, axis=2)
        at_moments = tf.constant(self._moments(n_steps, step_rate)) @ flat
        parts += tf.unstack(by_part, axis=1) + tf.unstack(at_moments, axis=1)
        if self.note_off_edges_seconds:
            if held_seconds is None:
                held_seconds = tf.fill([tf.shape(h)[0]], np.inf)
            weights = self._around_note_off(n_steps, step_rate, held_seconds)
            parts += tf.unstack(weights @ flat, axis=1)
        return tf.concat(parts, axis=1)

    def _parts(self, n_steps):
        """Matrix of the segment means, float32 [n_parts, n_steps]."""
        edges = [n_steps * i // self.n_parts for i in range(self.n_parts + 1)]
        means = np.zeros((self.n_parts, n_steps), np.float32)
        for row, low, high in zip(means, edges, edges[1:], strict=False):
            low = min(low, n_steps - 1)
            high = max(high, low + 1)
            row[low:high] = 1.0 / (high - low)
        return means

    def _moments(self, n_steps, step_rate):
        """Matrix that selects the steps of the moments, float32 [n_moments, n_steps]."""
        steps = [min(round(m * step_rate), n_steps - 1) for m in self.moments_seconds]
        return np.eye(n_steps, dtype=np.float32)[steps]

    def _around_note_off(self, n_steps, step_rate, held_seconds):
        """Weights of the means around each row's note-off, float32 [batch, n_segments, n_steps]."""
        edges = tf.constant(self.note_off_edges_seconds, tf.float32) + held_seconds[:, None]
        edges = edges[:, :, None] * step_rate
        # Step i lasts from i - 0.5 to i + 0.5.
        begins = tf.range(n_steps, dtype=tf.float32) - 0.5
        overlap = tf.minimum(edges[:, 1:], begins + 1.0) - tf.maximum(edges[:, :-1], begins)
        overlap = tf.nn.relu(overlap)
        return tf.math.divide_no_nan(overlap, tf.reduce_sum(overlap, axis=2, keepdims=True))
