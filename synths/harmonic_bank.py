"""Sum of the partials of one F0 from frames, by a compiled CPU kernel or in TensorFlow.

Phase is kept in cycles. The phase of a frame is accumulated once, for the fundamental, in float64;
within a frame it is the exact integral of the piecewise linear frequency. A partial's phase is a
multiple of the fundamental's, so partials never drift apart, however long the sound.
"""

import math

import tensorflow as tf

from synths import portable
from synths.blocks import Blocks, frame_period, frame_phases, neighbour
from synths.native import call_kernel, native_kernels_used, with_all_gradients
from synths.partials import get_harmonic_frequencies
from synths.precision import matmul
from synths.resample import neighbour_shares
from synths.shapes import length
from synths.sinusoidal import sinusoidal_bank


def harmonic_bank(
    f0_hz, amplitudes, initial_phase, n_samples, sample_rate, method, inharmonicity=None
):
    """Sum sines at the multiples of an F0, or at the stretched partials of a stiff string.

    A partial that is at or above Nyquist at a frame is silent there, with gradient zero.

    Args:
      f0_hz: float32 or float64 [batch, n_frames], linear between frames.
      amplitudes: [batch, n_frames, n_harmonics], as f0_hz.
      initial_phase: Phase at the first sample in cycles, float64 [batch]. No gradient.
      n_samples: int or scalar int32.
      sample_rate: Hz.
      method: Interpolation of amplitudes, of `synths.resample.METHODS`.
      inharmonicity: B of a string, whose partial k has k sqrt(1 + B k**2) times the phase of the
        fundamental; [batch], as f0_hz, 0 or more. None: harmonics.

    Returns:
      [batch, n_samples], as f0_hz.
    """
    # The kernel interpolates between two frames; cubic takes four.
    native = f0_hz.dtype == tf.float32 and method != "cubic" and native_kernels_used()
    bank = _native_bank if native else _plain_bank
    tensors = [f0_hz, amplitudes] + ([] if inharmonicity is None else [inharmonicity])
    audio = bank(tensors, initial_phase, n_samples, sample_rate, method)
    audio.set_shape([f0_hz.shape[0], tf.get_static_value(n_samples)])
    return audio


def _native_bank(tensors, initial_phase, n_samples, sample_rate, method):
    """Bank by the compiled kernel."""
    from synths.kernels import harmonic_cpu
    from synths.kernels.frames import METHODS

    n_samples = tf.convert_to_tensor(n_samples, tf.int32)
    sample_rate = tf.convert_to_tensor(sample_rate, tf.float64)

    def forward(f0_hz, amplitudes, *stretch):
        settings = [initial_phase, n_samples, sample_rate, METHODS[method]]
        shape = [f0_hz.shape[0], tf.get_static_value(n_samples)]
        inputs = [f0_hz, amplitudes, *settings, *stretch]
        return call_kernel(harmonic_cpu.forward, inputs, shape)[0]

    def backward(f0_hz, amplitudes, *others):
        *stretch, upstream = others
        inputs = [f0_hz, amplitudes, initial_phase, sample_rate, METHODS[method], upstream]
        shapes = [t.shape for t in (f0_hz, amplitudes, *stretch)]
        return call_kernel(harmonic_cpu.backward, [*inputs, *stretch], *shapes)

    def plain(*tensors):
        return _plain_bank(tensors, initial_phase, n_samples, sample_rate, method)

    return with_all_gradients(forward, backward, plain)(*tensors)


def _plain_bank(tensors, initial_phase, n_samples, sample_rate, method):
    """Bank in TensorFlow operations.

    Harmonic k = i * n_fine + j: sin(k x) is made from the sines and cosines of i * n_fine * x
    and of j * x, so only about 2 sqrt(n_harmonics) of them are taken, and the sum over j is a
    small matrix product. Nothing of size [batch, n_samples, n_harmonics] is ever made.
    """
    f0_hz, amplitudes, *stretch = tensors
    if stretch:
        return _stretched_bank(*tensors, initial_phase, n_samples, sample_rate, method)
    # Phases are float64, or exact integers where float64 is not available.
    precise = tf.float32 if portable.portable_operations_used() else tf.float64
    f0 = tf.cast(f0_hz, precise)
    orders = tf.range(1, tf.shape(amplitudes)[2] + 1)
    nyquist = 0.5 * tf.cast(sample_rate, precise)
    audible = tf.abs(f0[:, :, None]) * tf.cast(orders, precise) < nyquist
    amplitudes = tf.where(audible, amplitudes, tf.zeros([], f0_hz.dtype))

    n_frames = length(amplitudes, 1)
    blocks = Blocks(n_frames, n_samples, in_parts=False)
    fraction = tf.cast(blocks.weight[:, 0], precise)
    if precise == tf.float32:
        phase = portable.frame_cycles(f0, n_samples // n_frames, sample_rate)
        period = n_samples / (sample_rate * n_frames)
    else:
        phase = frame_phases(f0, initial_phase, n_samples, sample_rate)
        period = frame_period(n_frames, n_samples, sample_rate)
    cycles = phase[:, :, None] + cycles_within(f0, neighbour(f0, 1), fraction, period)
    shares = neighbour_shares(tf.cast(fraction, f0_hz.dtype)[:, None], method)
    others = [[neighbour(amplitudes, offset)] for offset, _ in shares]
    audio = sum_of_harmonics(cycles, [amplitudes], others, [share for _, share in shares])
    return blocks.joined(audio[:, :, :, None])


def _stretched_bank(
    f0_hz, amplitudes, inharmonicity, initial_phase, n_samples, sample_rate, method
):
    """Partials of strings in TensorFlow operations, as sinusoids of individual frequencies."""
    if portable.portable_operations_used():
        return _portable_strings(f0_hz, amplitudes, inharmonicity, n_samples, sample_rate, method)
    # In float64: rounded frequencies would accumulate a phase error over long audio.
    f0_hz = tf.cast(f0_hz, tf.float64)[:, :, None]
    inharmonicity = tf.cast(inharmonicity, tf.float64)[:, None, None]
    one = tf.ones([1, 1, 1], tf.float64)
    ratios = get_harmonic_frequencies(one, tf.shape(amplitudes)[2], inharmonicity)
    begin = initial_phase[:, None] * ratios[:, 0]
    return sinusoidal_bank(f0_hz * ratios, amplitudes, begin, n_samples, sample_rate, method)


def _portable_strings(f0_hz, amplitudes, inharmonicity, n_samples, sample_rate, method):
    n_frames, n_harmonics = amplitudes.shape[1:]
    hop = n_samples // n_frames
    stretch = portable.stretch(inharmonicity, n_harmonics)
    f0 = f0_hz[:, :, None]
    orders = tf.range(1, n_harmonics + 1, dtype=tf.float32)
    audible = tf.abs(f0 * (orders + stretch[:, None])) < 0.5 * sample_rate
    amplitudes = tf.where(audible, amplitudes, 0.0)
    turned = portable.turned_partials(f0, neighbour(f0, 1), stretch[:, None], hop)
    start = portable.as_cycles(tf.cumsum(turned, axis=1, exclusive=True), sample_rate)
    fraction = tf.range(hop, dtype=tf.float32) / hop
    within = cycles_within(f0_hz, neighbour(f0_hz, 1), fraction, hop / sample_rate)
    shares = neighbour_shares(fraction, method)
    others = [neighbour(amplitudes, offset) for offset, _ in shares]
    shares = [share for _, share in shares]
    audio = portable.sum_of_partials(start, within, stretch, amplitudes, others, shares)
    return tf.reshape(audio, [-1, n_samples])


def cycles_within(f0_hz, f0_after, fraction, period):
    """Cycles since a frame, [batch, n_frames, n], at fractions [n_frames, n] of its period."""
    f0_hz, rise = f0_hz[:, :, None], (f0_after - f0_hz)[:, :, None]
    return period * (fraction * (f0_hz + 0.5 * fraction * rise))


def sum_of_harmonics(cycles, amplitudes, others, shares):
    """Sum harmonics from the phase of the fundamental.

    Args:
      cycles: [batch, n_frames, n_samples of a frame].
      amplitudes: Of the frames: a list of those of the sines, and of the cosines if there are any,
        each [batch, n_frames, n_harmonics].
      others: Amplitudes of the other frames of an interpolation, each like amplitudes.
      shares: Weight of each of them, each [n_frames or 1, 1, n_samples].

    Returns:
      [batch, n_frames, n_samples].
    """
    dtype = amplitudes[0].dtype
    cycles = (cycles - tf.round(cycles))[:, :, None]
    shape = [length(amplitudes[0], axis) for axis in range(3)]

    # Of the two sums over harmonics the coarse one costs more for each term.
    n_fine = max(1, round(1.7 * (amplitudes[0].shape[2] or 64) ** 0.5))
    n_coarse = shape[2] // n_fine + 1

    # Harmonic k sits at (i, j) with k = i * n_fine + j, j = 0 .. n_fine - 1; k = 0 is empty.
    def as_table(frames):
        padded = tf.pad(frames, [[0, 0], [0, 0], [1, n_coarse * n_fine - shape[2] - 1]])
        return tf.reshape(padded, [shape[0], shape[1], n_coarse, n_fine])

    # Rows are factors of the coarse sines and cosines, for the fine cosines and sines.
    def as_tables(sines, cosines=None):
        sines = as_table(sines)
        if cosines is None:
            return sines
        cosines = as_table(cosines)
        up = tf.concat([sines, -cosines], axis=3)
        return tf.concat([up, tf.concat([cosines, sines], axis=3)], axis=2)

    changes = [
        as_tables(*(o - a for o, a in zip(each, amplitudes, strict=True))) for each in others
    ]
    tables = tf.concat([as_tables(*amplitudes), *changes], axis=2)

    # Samples are the last axis throughout, as it is the longest.
    def sum_over_fine(waves):
        total, *parts = tf.split(matmul(tables, waves), 1 + len(shares), axis=2)
        for share, part in zip(shares, parts, strict=True):
            total += share * part
        return total

    if len(amplitudes) == 1:
        angle = tf.cast(2.0 * math.pi * cycles, dtype)
        fine = angle * tf.cast(tf.range(n_fine), dtype)[:, None]
        coarse = angle * tf.cast(tf.range(n_coarse) * n_fine, dtype)[:, None]
        audio = tf.sin(coarse) * sum_over_fine(tf.cos(fine))
        audio += tf.cos(coarse) * sum_over_fine(tf.sin(fine))
        return tf.reduce_sum(audio, axis=2)

    # For many harmonics: a part of few bits, whose multiples are exact, and a rest.
    rough = tf.stop_gradient(tf.round(cycles * 2.0**12) / 2.0**12)
    rough, rest = tf.cast(rough, dtype), tf.cast(cycles - rough, dtype)

    def waves(orders):
        orders = tf.cast(orders, dtype)[:, None]
        turns = rough * orders
        angle = (2.0 * math.pi) * ((turns - tf.round(turns)) + rest * orders)
        return tf.sin(angle), tf.cos(angle)

    sine, cosine = waves(tf.range(n_fine))
    fine = sum_over_fine(tf.concat([cosine, sine], axis=2))
    return tf.reduce_sum(fine * tf.concat(waves(tf.range(n_coarse) * n_fine), axis=2), axis=2)
