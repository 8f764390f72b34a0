"""Unit conversions and scaling functions of raw network outputs."""

import math

import tensorflow as tf

from synths.precision import as_float, as_floats
from synths.saving import registered


def midi_to_hz(notes, midi_zero_silence=False):
    """MIDI note numbers (69 = A4, fractions allowed) to frequency in Hz, any shape.

    Args:
      notes: MIDI note numbers.
      midi_zero_silence: Whether note 0 means silence, 0 Hz, rather than 8.18 Hz.
    """
    notes = as_float(notes)
    hz = 440.0 * tf.exp((notes - 69.0) * (math.log(2.0) / 12.0))
    return tf.where(notes == 0.0, tf.zeros_like(hz), hz) if midi_zero_silence else hz


def hz_to_midi(frequencies):
    """Frequency in Hz to MIDI note numbers, any shape. 0 Hz and below give 0, gradient 0."""
    frequencies = as_float(frequencies)
    positive = frequencies > 0.0
    safe = tf.where(positive, frequencies, tf.ones_like(frequencies))
    notes = 12.0 / math.log(2.0) * (tf.math.log(safe) - math.log(440.0)) + 69.0
    return tf.where(positive, notes, tf.zeros_like(notes))


def unit_to_midi(unit, midi_min=20.0, midi_max=90.0, clip=False):
    """0 ... 1 to MIDI notes midi_min ... midi_max, any shape; clip: to these ends."""
    unit, midi_min, midi_max = as_floats(unit, midi_min, midi_max)
    unit = tf.clip_by_value(unit, 0.0, 1.0) if clip else unit
    return midi_min + (midi_max - midi_min) * unit


def midi_to_unit(midi, midi_min=20.0, midi_max=90.0, clip=False):
    """MIDI notes midi_min ... midi_max to 0 ... 1, any shape; clip: to these ends."""
    midi, midi_min, midi_max = as_floats(midi, midi_min, midi_max)
    unit = (midi - midi_min) / (midi_max - midi_min)
    return tf.clip_by_value(unit, 0.0, 1.0) if clip else unit


def unit_to_hz(unit, hz_min, hz_max, clip=False):
    """0 ... 1 to hz_min ... hz_max, linear in pitch, any shape; clip: to these ends.

    An end of 0 Hz is taken as MIDI note 0, 8.18 Hz.
    """
    unit, hz_min, hz_max = as_floats(unit, hz_min, hz_max)
    return midi_to_hz(unit_to_midi(unit, hz_to_midi(hz_min), hz_to_midi(hz_max), clip))


def hz_to_unit(hz, hz_min, hz_max, clip=False):
    """hz_min ... hz_max to 0 ... 1, linear in pitch, any shape; clip: to these ends.

    An end of 0 Hz is taken as MIDI note 0, 8.18 Hz.
    """
    hz, hz_min, hz_max = as_floats(hz, hz_min, hz_max)
    return midi_to_unit(hz_to_midi(hz), hz_to_midi(hz_min), hz_to_midi(hz_max), clip)


def hz_to_bark(hz):
    """Frequency in Hz to Bark (Traunmueller 1990), any shape. 0 Hz gives -0.53."""
    hz = as_float(hz)
    return 26.81 * hz / (hz + 1960.0) - 0.53


def bark_to_hz(bark):
    """Bark (Traunmueller 1990) to frequency in Hz, any shape, below 26.28 Bark."""
    bark = as_float(bark)
    return 1960.0 * (bark + 0.53) / (26.28 - bark)


def hz_to_mel(hz):
    """Frequency in Hz to mel (HTK), any shape."""
    return 2595.0 / math.log(10.0) * tf.math.log1p(as_float(hz) / 700.0)


def mel_to_hz(mel):
    """Mel (HTK) to frequency in Hz, any shape."""
    return 700.0 * tf.math.expm1(as_float(mel) * (math.log(10.0) / 2595.0))


def hz_to_erb(hz):
    """Equivalent rectangular bandwidth in Hz at a frequency in Hz, any shape.

    References:
      Moore and Glasberg, A Revision of Zwicker's Loudness Model, 1996.
    """
    return 0.108 * as_float(hz) + 24.7


def db_to_amplitude(db):
    """Decibels to linear amplitude, 0 dB = 1, any shape."""
    return tf.exp(as_float(db) * (math.log(10.0) / 20.0))


def db_to_power(db):
    """Decibels to power, 0 dB = 1, any shape."""
    return tf.exp(as_float(db) * (math.log(10.0) / 10.0))


def amplitude_to_db(amplitude, ref_db=0.0, range_db=80.0, use_tf=True):
    """Linear amplitude to decibels, any shape; see `power_to_db`."""
    return power_to_db(as_float(amplitude) ** 2, ref_db, range_db, use_tf)


def power_to_db(power, ref_db=0.0, range_db=80.0, use_tf=True):
    """Power to decibels, any shape.

    The floor is added rather than clipped, so the result is strictly monotonic with a bounded
    gradient. Silence is -range_db for any ref_db.

    Args:
      power: Negative values are taken as 0.
      ref_db: Level of 0 dB in decibels relative to power 1.
      range_db: Distance of silence below 0 dB.
      use_tf: Whether to return a tensor; else a NumPy array.
    """
    power = tf.nn.relu(as_float(power)) + 10.0 ** ((ref_db - range_db) / 10.0)
    db = (10.0 / math.log(10.0)) * tf.math.log(power) - ref_db
    return db if use_tf else db.numpy()


def safe_log(x, eps=1e-5):
    """log(max(x, 0) + eps), any shape; the gradient is at most 1 / eps."""
    return tf.math.log(tf.nn.relu(as_float(x)) + eps)


def logb(x, base=2.0, eps=1e-5):
    """Logarithm to a base, with the floor of `safe_log`."""
    return safe_log(x, eps) / math.log(base)


def log10(x, eps=1e-5):
    """Logarithm to base 10, with the floor of `safe_log`."""
    return logb(x, 10.0, eps)


def safe_divide(numerator, denominator, eps=1e-7):
    """Divide with a denominator of magnitude eps or more, any shapes that broadcast."""
    numerator, denominator = as_floats(numerator, denominator)
    least = tf.where(denominator < 0.0, -eps, tf.cast(eps, denominator.dtype))
    return numerator / tf.where(tf.abs(denominator) < eps, least, denominator)


def log_scale(x, min_x, max_x):
    """-1 ... 1 to min_x ... max_x on a logarithmic scale, any shape."""
    x = 0.5 * (as_float(x) + 1.0)
    return tf.exp((1.0 - x) * math.log(min_x) + x * math.log(max_x))


@registered
def exp_sigmoid(x, exponent=10.0, max_value=2.0, threshold=1e-7):
    """Exponentiated sigmoid, `max_value * sigmoid(x) ** log(exponent) + threshold`.

    Maps raw network outputs to amplitudes (Engel et al. 2020, DDSP).

    Args:
      x: Raw network output, any shape.
      exponent: Steepness in the logarithmic domain.
      max_value: Output for large x.
      threshold: Output for very negative x.

    Returns:
      Linear amplitudes in [threshold, max_value + threshold], shape of x.
    """
    x = as_float(x)
    return max_value * tf.exp(math.log(exponent) * tf.math.log_sigmoid(x)) + threshold


@registered
def sym_exp_sigmoid(x, width=8.0):
    """Symmetric `exp_sigmoid`: minimal at 0, rising to both sides.

    Args:
      x: Raw network output, any shape.
      width: Steepness.
    """
    return exp_sigmoid(width * (tf.abs(as_float(x)) / 2.0 - 1.0))


def soft_limit(x, x_min=0.0, x_max=1.0):
    """Soft clipping to x_min ... x_max, any shape.

    `softplus(x) + x_min - softplus(x - (x_max - x_min))`
    """
    x = as_float(x)
    return tf.nn.softplus(x) + x_min - tf.nn.softplus(x - (x_max - x_min))


def soft_ceiling_db(db, ceiling_db):
    """Soft limit from above: the identity far below `ceiling_db`, any shape."""
    return ceiling_db - tf.nn.softplus(ceiling_db - as_float(db))
