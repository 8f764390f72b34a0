"""Conversions between units, and scalings of raw network outputs into them."""

import math

import tensorflow as tf


def _as_float(x):
    """x as a tensor of its own float type; whole numbers become float32."""
    x = tf.convert_to_tensor(x)
    return x if x.dtype.is_floating else tf.cast(x, tf.float32)


def midi_to_hz(notes):
    """MIDI note numbers (69 = A4, fractions allowed) to frequency in Hz, any shape."""
    notes = _as_float(notes)
    return 440.0 * tf.exp((notes - 69.0) * (math.log(2.0) / 12.0))


def hz_to_midi(frequencies):
    """Frequency in Hz to MIDI note numbers, any shape. 0 Hz and below give 0, gradient 0."""
    frequencies = _as_float(frequencies)
    positive = frequencies > 0.0
    safe = tf.where(positive, frequencies, tf.ones_like(frequencies))
    notes = 12.0 / math.log(2.0) * (tf.math.log(safe) - math.log(440.0)) + 69.0
    return tf.where(positive, notes, tf.zeros_like(notes))


def db_to_amplitude(db):
    """Decibels to a linear amplitude, 0 dB = 1, any shape."""
    return tf.exp(_as_float(db) * (math.log(10.0) / 20.0))


def amplitude_to_db(amplitude, floor=1e-7):
    """A linear amplitude to decibels, any shape.

    Monotonic everywhere and with a gradient bounded by 8.69 / floor: the floor is added, not
    clipped at, so silence is `20 * log10(floor)` dB and still has a gradient.
    """
    return (20.0 / math.log(10.0)) * tf.math.log(_as_float(amplitude) + floor)


def exp_sigmoid(x, exponent=10.0, max_value=2.0, threshold=1e-7):
    """A sigmoid whose output is spread evenly over decibels rather than over amplitude.

    `max_value * sigmoid(x) ** log(exponent) + threshold`, as in Engel et al. 2020 (DDSP).

    Args:
      x: Raw network output, any shape.
      exponent: Steepness in the logarithmic domain.
      max_value: The output for large x.
      threshold: The output for very negative x.

    Returns:
      Linear amplitudes in [threshold, max_value + threshold], shape of x.
    """
    x = _as_float(x)
    return max_value * tf.exp(math.log(exponent) * tf.math.log_sigmoid(x)) + threshold


def soft_ceiling_db(db, ceiling_db):
    """`db` bent smoothly so that it stays under `ceiling_db`; far below it nothing changes."""
    return ceiling_db - tf.nn.softplus(ceiling_db - _as_float(db))
