"""Formulas of the synths in operations that ONNX and LiteRT support.

Exported graphs can't contain Fourier transforms, complex numbers, float64 or unsigned arithmetic.
Inside `with portable_operations():` the synths trace their graphs without these, for static lengths
and rates. Noise is equal bit by bit, the rest within rounding.
"""

import contextlib
import contextvars

import numpy as np
import tensorflow as tf

_used = contextvars.ContextVar("portable", default=False)

# Units per Hz: a float32 of 16 Hz or more is a whole number of units.
_PARTS_OF_HZ = 2**19

# Bounds the memory of a string's partials.
_SINES_AT_ONCE = 2**21


@contextlib.contextmanager
def portable_operations():
    """Context in which the synths use exportable operations and no compiled kernels."""
    token = _used.set(True)
    try:
        yield
    finally:
        _used.reset(token)


@tf.autograph.experimental.do_not_convert
def portable_operations_used():
    """Return whether the synths use exportable operations."""
    return _used.get()


def white_noise(seed, sample):
    """`synths.white_noise` at given sample numbers.

    Args:
      seed: int32 [batch].
      sample: Sample numbers modulo 2**32, as int32 [n_samples] or [batch, n_samples].

    Returns:
      float32 [batch, n_samples], equal to `synths.white_noise` bit by bit.
    """
    start = _scramble(tf.cast(seed, tf.int32))
    step = 2 * _right(_scramble(start), 1) + 1
    sample = sample if sample.shape.rank == 2 else sample[None]
    bits = _scramble(start[:, None] + step[:, None] * sample)
    return tf.cast(_right(bits, 8), tf.float32) * 2.0**-23 - 1.0


def samples_from(first_sample, n_samples):
    """Sample numbers from an int on, modulo 2**32, as int32 [n_samples]."""
    return tf.constant(_word(first_sample + np.arange(n_samples)))


def _word(x):
    return np.asarray(np.mod(x, 2**32), np.uint32).view(np.int32)


def _right(x, bits):
    """Logical right shift of int32."""
    unsigned = tf.cast(x, tf.uint32)
    return tf.cast(tf.bitwise.right_shift(unsigned, tf.constant(bits, tf.uint32)), tf.int32)


def _scramble(x):
    """Hash of `synths.noise` on int32, whose products wrap like those of uint32."""

    def shift(x, bits):
        return tf.bitwise.bitwise_xor(x, _right(x, bits))

    x = shift(x + _word(0x9E3779B9), 16) * _word(0x7FEB352D)
    return shift(shift(x, 15) * _word(0x846CA68B), 16)


def turn_units(sample_rate):
    """Units per cycle of the phases of `turned`."""
    return 2 * _PARTS_OF_HZ * sample_rate


def turned(f0_before, f0_after, hop):
    """Phase advance over a hop in which the frequency is linear.

    Args:
      f0_before, f0_after: Hz at both ends, float32, any shape.
      hop: Samples.

    Returns:
      int64 units, `turn_units(sample_rate)` per cycle; sums are exact.
    """

    def units(f0_hz):
        return tf.cast(f0_hz * float(_PARTS_OF_HZ), tf.int64)

    return (units(f0_before) + units(f0_after)) * hop


def as_cycles(units, sample_rate):
    """Convert phases from int64 units to float32 cycles, 0 to 1."""
    turn = turn_units(sample_rate)
    return tf.cast(tf.math.floormod(units, turn), tf.float32) / float(turn)


def frame_cycles(f0_hz, hop, sample_rate):
    """Phase at frames, float32 cycles [batch, n_frames]; see `blocks.frame_phases`.

    Args:
      f0_hz: float32 [batch, n_frames].
      hop, sample_rate: ints: samples per frame, and Hz.
    """
    after = tf.concat([f0_hz[:, 1:], f0_hz[:, -1:]], axis=1)
    units = tf.cumsum(turned(f0_hz, after, hop), axis=1, exclusive=True)
    return as_cycles(units, sample_rate)


def stretch(inharmonicity, n_harmonics):
    """Ratios of a string's partials to F0 minus their orders, float32 [batch, n_harmonics].

    Args:
      inharmonicity: float32 [batch].
      n_harmonics: int.
    """
    orders = tf.range(1, n_harmonics + 1, dtype=tf.float32)
    square = inharmonicity[:, None] * orders**2
    return orders * square / (1.0 + tf.sqrt(1.0 + square))


def turned_partials(f0_before, f0_after, stretch, hop):
    """`turned` of a string's partials, int64 [..., n_harmonics]; F0 [..., 1].

    A float32 of the whole frequency would be too coarse.
    """
    orders = tf.range(1, stretch.shape[-1] + 1, dtype=tf.int64)
    more = turned(f0_before * stretch, f0_after * stretch, hop)
    return orders * turned(f0_before, f0_after, hop) + more


def sum_of_partials(start, within, stretch, amplitudes, others, shares):
    """Sum a string's partials, a few at once.

    Args:
      start: Cycles at frames, [batch, n_frames, n_harmonics].
      within: Cycles of the fundamental since the frame, [batch, n_frames, n_samples of a frame].
      stretch: Of `stretch`, [batch, n_harmonics].
      amplitudes: Of the frames, [batch, n_frames, n_harmonics].
      others: Amplitudes of the other frames of an interpolation, each like amplitudes.
      shares: Weight of each of them, each [n_samples].

    Returns:
      [batch, n_frames, n_samples].
    """
    n_harmonics = stretch.shape[-1]
    n_at_once = max(1, _SINES_AT_ONCE // (within.shape[1] * within.shape[2]))
    ratios = tf.range(1, n_harmonics + 1, dtype=tf.float32) + stretch
    total = 0.0
    for low in range(0, n_harmonics, n_at_once):
        part = slice(low, low + n_at_once)
        cycles = start[:, :, None, part] + within[..., None] * ratios[:, None, None, part]
        level = amplitudes[:, :, None, part]
        for other, share in zip(others, shares, strict=True):
            level += share[:, None] * (other - amplitudes)[:, :, None, part]
        waves = tf.sin((2.0 * np.pi) * (cycles - tf.round(cycles)))
        total += tf.reduce_sum(level * waves, axis=3)
    return total


def sample_cycles(frequencies, sample, sample_rate):
    """Phase of constant frequencies at samples, float32 cycles.

    Args:
      frequencies: Hz, float32 [batch, 1, n].
      sample: int64 [n_samples, 1].
      sample_rate: Hz, int.
    """
    units = 2 * tf.cast(frequencies * float(_PARTS_OF_HZ), tf.int64) * sample
    return as_cycles(units, sample_rate)


def crossfaded_hops(audio, magnitudes, to_taps):
    """Filter each hop with a crossfade between the filters at its beginning and its end.

    The Fourier transforms are matrix products.

    Args:
      audio: [batch, n_hops, hop].
      magnitudes: Gains at both ends of hops, [batch, n_hops + 1, n_bands].
      to_taps: Array [n_bands, margin + 1] from gains to the taps of a symmetric filter from the
        middle tap on.

    Returns:
      [batch, n_hops, hop + 2 margin]: each filtered hop, beginning margin samples before it.
    """
    hop, margin = audio.shape[2], to_taps.shape[1] - 1
    n_fft = 2 * (-(-(hop + 2 * margin) // 2))
    bins = np.arange(n_fft // 2 + 1)
    angle = 2.0 * np.pi / n_fft * np.outer(np.arange(n_fft), bins)
    cosine, sine = np.cos(angle), np.sin(angle)
    twice = np.where(np.arange(margin + 1) == 0, 1.0, 2.0)[:, None]
    spectra = _product(magnitudes, to_taps @ (twice * cosine[: margin + 1]))

    # The real parts beside the imaginary ones. A hop begins at 0 and its filters at -margin.
    forward = np.concatenate([cosine[:hop], -sine[:hop]], axis=1)
    share = np.where((bins == 0) | (bins == n_fft // 2), 1.0, 2.0)[:, None] / n_fft
    place = np.arange(hop + 2 * margin) - margin
    back = np.concatenate([share * cosine[place].T, -share * sine[place].T], axis=0)
    rising = np.arange(hop) / hop
    spectra = tf.concat([spectra, spectra], axis=2)
    falls = _product(audio, (1.0 - rising)[:, None] * forward) * spectra[:, :-1]
    rises = _product(audio, rising[:, None] * forward) * spectra[:, 1:]
    return _product(falls + rises, back)


def _product(rows, matrix):
    """Product of [batch, n, a] with a constant [a, b]."""
    return tf.matmul(rows, tf.constant(matrix, tf.float32))


def convolve(audio, response):
    """Full linear convolution of audio with one response of static length, in blocks.

    Args:
      audio: [batch, n_samples].
      response: [batch or 1, n_taps].

    Returns:
      [batch, n_samples + n_taps - 1].
    """
    n_samples, n_taps = audio.shape[1], response.shape[1]
    size = int(2 ** np.clip(np.round(np.log2(n_taps)), 4, 9))
    n_blocks, n_parts = -(-n_samples // size), -(-n_taps // size)
    angle = np.pi / size * np.outer(np.arange(size), np.arange(size + 1))
    forward = np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)
    angle = np.pi / size * np.outer(np.arange(2 * size), np.arange(size + 1))
    share = np.where(np.arange(size + 1) % size == 0, 0.5, 1.0) / size
    back = np.concatenate([(share * np.cos(angle)).T, (-share * np.sin(angle)).T], axis=0)

    def spectra(sound, n, before, behind):
        padded = tf.pad(sound, [[0, 0], [0, n * size - sound.shape[1]]])
        padded = tf.reshape(padded, [-1, n, size])
        return tf.pad(_product(padded, forward), [[0, 0], [before, behind], [0, 0]])

    sounds = spectra(audio, n_blocks, n_parts - 1, n_parts - 1)
    taps = spectra(response, n_parts, 0, 0)
    n_out = n_blocks + n_parts - 1
    total = 0.0
    for part in range(n_parts):
        begin = n_parts - 1 - part
        real, imaginary = tf.split(sounds[:, begin : begin + n_out], 2, axis=2)
        a, b = tf.split(taps[:, part : part + 1], 2, axis=2)
        product = [real * a - imaginary * b, real * b + imaginary * a]
        total += tf.concat(product, axis=2)
    pieces = _product(total, back)
    here = tf.pad(pieces[:, :, :size], [[0, 0], [0, 1], [0, 0]])
    after = tf.pad(pieces[:, :, size:], [[0, 0], [1, 0], [0, 0]])
    joined = tf.reshape(here + after, [-1, (n_out + 1) * size])
    return joined[:, : n_samples + n_taps - 1]
