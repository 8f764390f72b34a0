"""The sum of the harmonics of one F0, from frames: on a CPU by a compiled kernel, or in TensorFlow.

Phase is kept in cycles. The phase of a frame is accumulated once, for the fundamental, in float64,
and wrapped; within a frame it is the exact integral of the piecewise linear frequency. A harmonic's
phase is a multiple of the fundamental's, so harmonics never drift apart, however long the sound.
"""

import math

import tensorflow as tf

from synths.native import native_kernels_used
from synths.resample import neighbour_shares


def harmonic_bank(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method):
    """A sum of sines of the multiples of an F0.

    A harmonic that is at or above Nyquist at a frame is silent there, with gradient zero.

    Args:
      f0_hz: float32 or float64 [batch, n_frames], linear between frames.
      amplitudes: [batch, n_frames, n_harmonics], as f0_hz.
      initial_phase: Phase at the first sample in cycles, float64 [batch]. No gradient.
      n_samples: int or scalar int32.
      sample_rate: Hz.
      method: How amplitudes go from frame to frame, of `synths.resample.METHODS`.

    Returns:
      [batch, n_samples], as f0_hz.
    """
    # The kernel knows two frames, not the four that a cubic takes.
    native = f0_hz.dtype == tf.float32 and method != "cubic" and native_kernels_used()
    bank = _native_bank if native else _plain_bank
    audio = bank(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method)
    audio.set_shape([f0_hz.shape[0], tf.get_static_value(n_samples)])
    return audio


def frame_phases(frequencies, initial_phase, n_samples, sample_rate):
    """Phase at frames: the integral of frequencies that are linear between frames.

    Args:
      frequencies: Hz, [batch, n_frames] or [batch, n_frames, n_partials].
      initial_phase: Cycles at the first frame, float64, [batch] or [batch, n_partials].
      n_samples: Of all frames.
      sample_rate: Hz.

    Returns:
      float64 cycles in [0, 1), as frequencies.
    """
    frequencies = tf.cast(frequencies, tf.float64)
    period = _period(tf.shape(frequencies)[1], n_samples, sample_rate)
    steps = 0.5 * period * (frequencies + _after(frequencies))
    phase = initial_phase[:, None] + tf.cumsum(steps, axis=1, exclusive=True)
    return phase - tf.floor(phase)


def _after(frames):
    """At each frame the one behind it; the last one is held."""
    return tf.concat([frames[:, 1:], frames[:, -1:]], axis=1)


def _neighbour(frames, offset):
    """At each frame the one at this offset from it; beyond the ends, the last one there is."""
    if offset == 1:
        return _after(frames)
    n_frames = tf.shape(frames)[1]
    return tf.gather(frames, tf.clip_by_value(tf.range(n_frames) + offset, 0, n_frames - 1), axis=1)


def _period(n_frames, n_samples, sample_rate):
    """Seconds from frame to frame, float64; not 0 where there are no samples."""
    n = tf.cast(tf.maximum(n_samples, 1), tf.float64)
    return n / (tf.cast(sample_rate, tf.float64) * tf.cast(n_frames, tf.float64))


def _native_bank(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method):
    from synths.kernels import harmonic_cpu

    n_samples = tf.convert_to_tensor(n_samples, tf.int32)
    sample_rate = tf.convert_to_tensor(sample_rate, tf.float64)
    method = harmonic_cpu.METHODS[method]

    @tf.custom_gradient
    def bank(f0_hz, amplitudes):
        inputs = [f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method]
        audio = tf.numpy_function(harmonic_cpu.forward, inputs, tf.float32, stateful=False)
        audio.set_shape([f0_hz.shape[0], tf.get_static_value(n_samples)])

        def gradient(upstream):
            inputs = [f0_hz, amplitudes, initial_phase, sample_rate, method, upstream]
            types = [tf.float32, tf.float32]
            g_f0, g_amplitudes = tf.numpy_function(
                harmonic_cpu.backward, inputs, types, stateful=False
            )
            g_f0.set_shape(f0_hz.shape)
            g_amplitudes.set_shape(amplitudes.shape)
            return g_f0, g_amplitudes

        return audio, gradient

    return bank(f0_hz, amplitudes)


def _plain_bank(f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method):
    """The same bank in TensorFlow's own operations.

    Harmonic k = i * n_fine + j: sin(k x) is made from the sines and cosines of i * n_fine * x
    and of j * x, so only about 2 sqrt(n_harmonics) of them are taken, and the sum over j is a
    small matrix product. Nothing of size [batch, n_samples, n_harmonics] is ever made.
    """
    dtype = f0_hz.dtype
    shape = tf.shape(amplitudes)
    n_harmonics = amplitudes.shape[2]
    f0 = tf.cast(f0_hz, tf.float64)
    orders = tf.range(1, shape[2] + 1)
    nyquist = 0.5 * tf.cast(sample_rate, tf.float64)
    audible = f0[:, :, None] * tf.cast(orders, tf.float64) < nyquist
    amplitudes = tf.where(audible, amplitudes, tf.zeros([], dtype))

    grid = _Grid(f0_hz.shape[1], shape[1], n_samples, sample_rate)
    phase = frame_phases(f0, initial_phase, n_samples, sample_rate)
    slope = (_after(f0) - f0) / (2.0 * grid.period)
    cycles = phase[:, :, None] + grid.tau * (f0[:, :, None] + slope[:, :, None] * grid.tau)
    angle = tf.cast(2.0 * math.pi * (cycles - tf.round(cycles)), dtype)[:, :, None]

    # Of the two sums over harmonics the coarse one costs more for each term.
    n_fine = max(1, round(1.7 * (n_harmonics or 64) ** 0.5))
    n_coarse = shape[2] // n_fine + 1
    # Harmonic k sits at (i, j) with k = i * n_fine + j, j = 0 .. n_fine - 1; k = 0 is empty.
    table = tf.pad(amplitudes, [[0, 0], [0, 0], [1, n_coarse * n_fine - shape[2] - 1]])
    table = tf.reshape(table, [shape[0], shape[1], n_coarse, n_fine])
    shares = neighbour_shares(tf.cast(grid.weight, dtype)[:, None], method)
    others = [_neighbour(table, offset) - table for offset, _ in shares]
    tables = tf.concat([table, *others], axis=2)

    # Samples are the last axis throughout, as it is the longest.
    def sum_over_fine(waves):
        total, *parts = tf.split(tf.matmul(tables, waves), 1 + len(shares), axis=2)
        for (_, share), part in zip(shares, parts, strict=True):
            total += share * part
        return total

    fine = angle * tf.cast(tf.range(n_fine), dtype)[:, None]
    coarse = angle * tf.cast(tf.range(n_coarse) * n_fine, dtype)[:, None]
    audio = tf.sin(coarse) * sum_over_fine(tf.cos(fine))
    audio += tf.cos(coarse) * sum_over_fine(tf.sin(fine))
    return grid.joined(tf.reduce_sum(audio, axis=2))


class _Grid:
    """Samples as [n_frames, samples of a frame]; short frames are filled up, then cut out.

    Attributes:
      period: Seconds from frame to frame.
      tau: Seconds since the frame, float64 [n_frames or 1, size].
      weight: How far on the way to the next frame, 0 to 1, float64, as tau.
    """

    def __init__(self, known_frames, n_frames, n_samples, sample_rate):
        known = tf.get_static_value(n_samples)
        self.period = _period(n_frames, n_samples, sample_rate)
        self._position = None
        if known and known_frames and known % known_frames == 0:
            tau = tf.range(known // known_frames, dtype=tf.float64)[None]
            self.tau = tau / tf.cast(sample_rate, tf.float64)
        else:
            # Samples of frame j: ceil(j n / n_frames) and on.
            n = tf.cast(n_samples, tf.int64)
            frames = tf.cast(n_frames, tf.int64)
            size = -(-n // frames)
            first = -(-tf.range(frames) * n // frames)
            sample = tf.cast(first[:, None] + tf.range(size), tf.float64)
            start = tf.cast(tf.range(frames), tf.float64)[:, None] * self.period
            self.tau = sample / tf.cast(sample_rate, tf.float64) - start
            frame = tf.range(n) * frames // tf.maximum(n, 1)
            self._position = frame * size + tf.range(n) - tf.gather(first, frame)
        self.weight = self.tau / self.period

    def joined(self, audio):
        """[batch, n_frames, size] to [batch, n_samples]."""
        shape = tf.shape(audio)
        audio = tf.reshape(audio, [shape[0], shape[1] * shape[2]])
        return audio if self._position is None else tf.gather(audio, self._position, axis=1)
