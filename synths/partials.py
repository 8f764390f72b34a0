"""Frequencies and relative amplitudes of partials."""

import tensorflow as tf

from synths.precision import as_float, as_floats, check_floats


def get_harmonic_frequencies(frequencies, n_harmonics, inharmonicity=None):
    """Frequencies of partials 1 to n_harmonics.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1].
      n_harmonics: int or scalar int32.
      inharmonicity: B of a stiff string, whose partial k has the frequency
        k F0 sqrt(1 + B k**2); [batch, n_frames, 1] or [batch, 1, 1]; None: 0.

    Returns:
      Hz, [batch, n_frames, n_harmonics].
    """
    frequencies, inharmonicity = check_floats(
        frequencies=(frequencies, "[batch, n_frames, 1]"),
        inharmonicity=(inharmonicity, "[batch, n_frames, 1]"),
    )
    orders = tf.cast(tf.range(1, n_harmonics + 1), frequencies.dtype)
    partials = frequencies * orders
    if inharmonicity is not None:
        partials *= tf.sqrt(1.0 + inharmonicity * orders**2)
    return partials


def remove_above_nyquist(frequency_envelopes, amplitude_envelopes, sample_rate=16000):
    """Set amplitudes, and their gradients, to 0 where a frequency is at or above Nyquist.

    Args:
      frequency_envelopes: Hz, [batch, n, n_sinusoids].
      amplitude_envelopes: Linear, as frequency_envelopes.
      sample_rate: Hz.

    Returns:
      As amplitude_envelopes.
    """
    frequencies, amplitudes = as_floats(frequency_envelopes, amplitude_envelopes)
    audible = tf.abs(frequencies) < 0.5 * tf.cast(sample_rate, frequencies.dtype)
    return tf.where(audible, amplitudes, tf.zeros_like(amplitudes))


def normalize_distribution(harmonic_distribution, f0_hz, bandwidth_hz=None, inharmonicity=None):
    """Normalize a harmonic distribution to a sum of 1.

    Args:
      harmonic_distribution: Positive weights, [batch, n_frames, n_harmonics].
      f0_hz: [batch, n_frames, 1].
      bandwidth_hz: Partials at or above it get weight 0 and gradient 0; None keeps all.
      inharmonicity: As in `get_harmonic_frequencies`.

    Returns:
      [batch, n_frames, n_harmonics]; all 0 where no partial is below bandwidth_hz.
    """
    distribution = as_float(harmonic_distribution)
    if bandwidth_hz is not None:
        n_harmonics = tf.shape(distribution)[-1]
        partials = get_harmonic_frequencies(f0_hz, n_harmonics, inharmonicity)
        distribution = remove_above_nyquist(partials, distribution, 2.0 * bandwidth_hz)
    total = tf.reduce_sum(distribution, axis=-1, keepdims=True)
    return tf.math.divide_no_nan(distribution, total)


def normalize_harmonics(harmonic_distribution, f0_hz=None, sample_rate=None, inharmonicity=None):
    """`normalize_distribution` below Nyquist if F0 and rate are given, else of all harmonics."""
    bandwidth = None if f0_hz is None or sample_rate is None else 0.5 * sample_rate
    return normalize_distribution(harmonic_distribution, f0_hz, bandwidth, inharmonicity)
