"""Oscillators as pure functions: frames of frequency and amplitude in, audio out.

Phase is kept in cycles. The phase of a frame is accumulated once, for the fundamental, in float64,
and wrapped; within a frame it is the exact integral of the piecewise linear frequency. A harmonic's
phase is a multiple of the fundamental's, so harmonics never drift apart, however long the sound.
"""

import importlib.util

import tensorflow as tf

from synths.errors import check_last, check_rank

_native_kernels = None


def set_native_kernels(enabled):
    """Chooses how harmonic sounds are computed on a CPU.

    Args:
      enabled: True: the compiled kernel. False: plain TensorFlow, which also works on other
        devices, under XLA and in exported models. None (the default): the kernel where Numba is
        installed and TensorFlow sees no accelerator.
    """
    global _native_kernels
    _native_kernels = enabled


def native_kernels_used():
    """Whether `harmonic_synthesis` would use the compiled CPU kernel now."""
    if _native_kernels is not None:
        return _native_kernels
    if importlib.util.find_spec("numba") is None:
        return False
    return not (tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"))


def harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_distribution=None,
    n_samples=64000,
    sample_rate=16000,
    initial_phase=None,
):
    """A sum of harmonic sinusoids with time-varying pitch and amplitudes.

    Frequencies and amplitudes are linear between frames (see `synths.resample`). A harmonic that
    is at or above Nyquist at a frame is silent there, with gradient zero.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1].
      amplitudes: Linear amplitude of the sum, [batch, n_frames, 1].
      harmonic_distribution: Share of each harmonic, [batch, n_frames, n_harmonics]; one sine
        where absent.
      n_samples: Length of the sound in samples, any number.
      sample_rate: Hz.
      initial_phase: Phase at the first sample in cycles, float64 [batch]; 0 where absent. It has
        no gradient.

    Returns:
      Audio, float32 [batch, n_samples].

    Raises:
      ShapeError: if a tensor's rank or last axis is not as above.
    """
    frequencies = tf.cast(frequencies, tf.float32)
    amplitudes = tf.cast(amplitudes, tf.float32)
    check_rank("frequencies", frequencies, 3, "[batch, n_frames, 1]")
    check_last("frequencies", frequencies, 1, "[batch, n_frames, 1]")
    check_rank("amplitudes", amplitudes, 3, "[batch, n_frames, 1]")
    check_last("amplitudes", amplitudes, 1, "[batch, n_frames, 1]")
    if harmonic_distribution is not None:
        distribution = tf.cast(harmonic_distribution, tf.float32)
        check_rank("harmonic_distribution", distribution, 3, "[batch, n_frames, n_harmonics]")
        amplitudes = amplitudes * distribution
    f0_hz = frequencies[:, :, 0]
    if initial_phase is None:
        initial_phase = tf.zeros(tf.shape(f0_hz)[:1], tf.float64)
    bank = _native_bank if native_kernels_used() else _plain_bank
    return bank(f0_hz, amplitudes, tf.cast(initial_phase, tf.float64), n_samples, sample_rate)


def _native_bank(f0_hz, amplitudes, initial_phase, n_samples, sample_rate):
    from synths.kernels import harmonic_cpu

    n_samples = tf.convert_to_tensor(n_samples, tf.int32)
    sample_rate = tf.convert_to_tensor(sample_rate, tf.float64)

    @tf.custom_gradient
    def bank(f0_hz, amplitudes):
        inputs = [f0_hz, amplitudes, initial_phase, n_samples, sample_rate]
        audio = tf.numpy_function(harmonic_cpu.forward, inputs, tf.float32, stateful=False)
        audio.set_shape([amplitudes.shape[0], tf.get_static_value(n_samples)])

        def gradient(upstream):
            inputs = [f0_hz, amplitudes, initial_phase, sample_rate, upstream]
            types = [tf.float32, tf.float32]
            g_f0, g_amplitudes = tf.numpy_function(
                harmonic_cpu.backward, inputs, types, stateful=False
            )
            g_f0.set_shape(f0_hz.shape)
            g_amplitudes.set_shape(amplitudes.shape)
            return g_f0, g_amplitudes

        return audio, gradient

    return bank(f0_hz, amplitudes)


def _plain_bank(f0_hz, amplitudes, initial_phase, n_samples, sample_rate):
    """The same bank in TensorFlow's own operations.

    Harmonic k = i * n_fine + j: sin(k x) is made from the sines and cosines of i * n_fine * x
    and of j * x, so only about 2 sqrt(n_harmonics) of them are taken, and the sum over j is a
    small matrix product. Nothing of size [batch, n_samples, n_harmonics] is ever made.
    """
    shape = tf.shape(amplitudes)
    n_frames = shape[1]
    n_harmonics = amplitudes.shape[2]
    nyquist = 0.5 * tf.cast(sample_rate, tf.float64)
    f0 = tf.cast(f0_hz, tf.float64)
    orders = tf.range(1, shape[2] + 1)
    audible = f0[:, :, None] * tf.cast(orders, tf.float64) < nyquist
    amplitudes = tf.where(audible, amplitudes, 0.0)

    # Phase at frames in float64, then per sample relative to its frame.
    n = tf.cast(n_samples, tf.int64)
    rate = tf.cast(sample_rate, tf.float64)
    frames = tf.cast(n_frames, tf.int64)
    period = tf.cast(n, tf.float64) / rate / tf.cast(frames, tf.float64)
    f0_after = tf.concat([f0[:, 1:], f0[:, -1:]], axis=1)
    phase = initial_phase[:, None] + tf.cumsum(0.5 * (f0 + f0_after) * period, 1, exclusive=True)
    phase -= tf.floor(phase)

    # Samples of frame j: ceil(j n / frames) and on; shorter frames are padded, then cut out.
    size = -(-n // frames)
    first = -(-tf.range(frames) * n // frames)
    sample = first[:, None] + tf.range(size)
    tau = (
        tf.cast(sample, tf.float64) / rate - tf.cast(tf.range(frames), tf.float64)[:, None] * period
    )
    weight = tf.cast(tau / period, tf.float32)
    slope = (f0_after - f0) / (2.0 * period)
    cycles = phase[:, :, None] + tau * (f0[:, :, None] + slope[:, :, None] * tau)
    cycles = tf.cast(cycles - tf.round(cycles), tf.float32)

    n_fine = max(1, round((n_harmonics or 64) ** 0.5))
    n_coarse = -(-shape[2] // n_fine)
    # Harmonic k sits at (i, j) with k = i * n_fine + j, j = 0 .. n_fine - 1, k = 0 is empty.
    n_coarse = tf.where(shape[2] % n_fine == 0, n_coarse + 1, n_coarse)
    padding = n_coarse * n_fine - shape[2] - 1
    table = tf.pad(amplitudes, [[0, 0], [0, 0], [1, padding]])
    table = tf.reshape(table, [shape[0], n_frames, n_coarse, n_fine])
    after = tf.concat([table[:, 1:], table[:, -1:]], axis=1)

    def turns(orders, scale):
        angle = cycles[..., None] * tf.cast(orders * scale, tf.float32)
        angle = 2.0 * 3.141592653589793 * (angle - tf.round(angle))
        return tf.sin(angle), tf.cos(angle)

    sin_fine, cos_fine = turns(tf.range(n_fine), 1)
    sin_coarse, cos_coarse = turns(tf.range(n_coarse), n_fine)

    def bank(table):
        from_cos = tf.einsum("bfhj,bfij->bfhi", cos_fine, table)
        from_sin = tf.einsum("bfhj,bfij->bfhi", sin_fine, table)
        return tf.reduce_sum(sin_coarse * from_cos + cos_coarse * from_sin, axis=-1)

    audio = bank(table) + weight * bank(after - table)
    audio = tf.reshape(audio, [shape[0], -1])
    frame = tf.range(n) * frames // n
    position = frame * size + tf.range(n) - tf.gather(first, frame)
    return tf.gather(audio, position, axis=1)
