"""Samples grouped by frame, in short blocks."""

import tensorflow as tf

from synths.shapes import length

# Samples per block.
_LONGEST = 64


def neighbour(frames, offset):
    """Shift frames (axis 1) by an offset; the first or last frame is repeated at the ends."""
    if offset == 1:
        # The gradient of slices is faster than that of a gather.
        return tf.concat([frames[:, 1:], frames[:, -1:]], axis=1)
    n_frames = tf.shape(frames)[1]
    return tf.gather(frames, tf.clip_by_value(tf.range(n_frames) + offset, 0, n_frames - 1), axis=1)


def frame_phases(frequencies, initial_phase, n_samples, sample_rate):
    """Integrate frequencies that are linear between frames to the phase at each frame.

    Args:
      frequencies: Hz, [batch, n_frames] or [batch, n_frames, n_partials].
      initial_phase: Cycles at the first frame, float64, [batch] or [batch, n_partials].
      n_samples: Length of all frames together.
      sample_rate: Hz.

    Returns:
      float64 cycles, not wrapped, as frequencies.
    """
    frequencies = tf.cast(frequencies, tf.float64)
    period = frame_period(tf.shape(frequencies)[1], n_samples, sample_rate)
    steps = 0.5 * period * (frequencies + neighbour(frequencies, 1))
    return initial_phase[:, None] + tf.cumsum(steps, axis=1, exclusive=True)


def frame_period(n_frames, n_samples, sample_rate):
    """Seconds per frame, float64; not 0 where there are no samples."""
    n = tf.cast(tf.maximum(n_samples, 1), tf.float64)
    return n / (tf.cast(sample_rate, tf.float64) * tf.cast(n_frames, tf.float64))


class Blocks:
    """Layout of samples as [n_frames, n_parts, size], padded to blocks of equal size.

    Args:
      n_frames, n_samples: int or scalar int32.
      in_parts: Whether a frame of many samples is divided into several parts.

    Attributes:
      fraction: Position of the middle of a block between its frame (0) and the next (1), float64
        [n_frames, n_parts].
      weight: Position of each sample, float64 [n_frames, n_parts, size], at most 1.
    """

    def __init__(self, n_frames, n_samples, in_parts=True):
        n = tf.cast(n_samples, tf.int64)
        frames = tf.cast(n_frames, tf.int64)
        longest = tf.maximum(-(-n // frames), 1)
        known = tf.get_static_value(n_samples)
        if known is not None and isinstance(n_frames, int):
            longest = max(-(-int(known) // n_frames), 1)
        n_parts = -(-longest // _LONGEST) if in_parts else 1
        size = -(-longest // n_parts)
        frame = tf.range(frames)[:, None]
        first = -(-frame * n // frames)
        begin = first + tf.range(tf.cast(n_parts, tf.int64)) * tf.cast(size, tf.int64)

        def fractions(sample, frame):
            distance = tf.cast(sample * frames - frame * n, tf.float64)
            return distance / tf.cast(tf.maximum(n, 1), tf.float64)

        self.fraction = fractions(begin + size // 2, frame)
        within = tf.range(tf.cast(size, tf.int64))
        self.weight = tf.minimum(fractions(begin[..., None] + within, frame[..., None]), 1.0)
        self._position = None
        if known is not None and isinstance(n_frames, int) and known == n_frames * n_parts * size:
            return
        sample = tf.range(n)
        of_sample = sample * frames // tf.maximum(n, 1)
        padded = tf.cast(n_parts * size, tf.int64)
        self._position = of_sample * padded + sample - tf.gather(first[:, 0], of_sample)

    def joined(self, audio):
        """Join blocks [batch, n_frames, n_parts, size] to audio [batch, n_samples]."""
        n_filled = length(audio, 1) * length(audio, 2) * length(audio, 3)
        audio = tf.reshape(audio, [length(audio, 0), n_filled])
        return audio if self._position is None else tf.gather(audio, self._position, axis=1)
