"""Frequencies and shares of the partials of a sound."""

import tensorflow as tf

from synths.errors import check_last, check_positive, check_rank
from synths.precision import as_float, as_floats
from synths.shapes import check_alike


def get_harmonic_frequencies(frequencies, n_harmonics, inharmonicity=None):
    """Frequencies of the partials 1 to n_harmonics.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1].
      n_harmonics: int or scalar int32.
      inharmonicity: B of a stiff string, whose partial k has the frequency
        k F0 sqrt(1 + B k**2); [batch, n_frames, 1] or [batch, 1, 1]; 0 where absent.

    Returns:
      Hz, [batch, n_frames, n_harmonics].

    Raises:
      ShapeError: if frequencies or inharmonicity is not as above.
    """
    frequencies, inharmonicity = as_floats(frequencies, inharmonicity)
    check_rank("frequencies", frequencies, 3, "[batch, n_frames, 1]")
    check_last("frequencies", frequencies, 1, "[batch, n_frames, 1]")
    orders = tf.cast(tf.range(1, n_harmonics + 1), frequencies.dtype)
    partials = frequencies * orders
    if inharmonicity is not None:
        check_rank("inharmonicity", inharmonicity, 3, "[batch, n_frames, 1]")
        check_last("inharmonicity", inharmonicity, 1, "[batch, n_frames, 1]")
        partials *= tf.sqrt(1.0 + inharmonicity * orders**2)
    return partials


def remove_above_nyquist(frequency_envelopes, amplitude_envelopes, sample_rate=16000):
    """Amplitudes with 0, and gradient 0, wherever a frequency lies at or above Nyquist.

    Args:
      frequency_envelopes: Hz, [batch, n, n_sinusoids].
      amplitude_envelopes: Linear, as frequency_envelopes.
      sample_rate: Hz.

    Returns:
      As amplitude_envelopes.
    """
    check_positive("sample_rate", sample_rate)
    frequencies, amplitudes = as_floats(frequency_envelopes, amplitude_envelopes)
    envelopes = {"frequency_envelopes": frequencies, "amplitude_envelopes": amplitudes}
    if frequencies.shape.rank == amplitudes.shape.rank == 3:
        check_alike(3, **envelopes)
    audible = tf.abs(frequencies) < 0.5 * tf.cast(sample_rate, frequencies.dtype)
    return tf.where(audible, amplitudes, tf.zeros_like(amplitudes))


def normalize_distribution(harmonic_distribution, f0_hz, bandwidth_hz=None, inharmonicity=None):
    """Shares of the harmonics that sum to 1.

    Args:
      harmonic_distribution: Positive weights, [batch, n_frames, n_harmonics].
      f0_hz: [batch, n_frames, 1].
      bandwidth_hz: Partials at or above it get share 0 and gradient 0; None keeps all.
      inharmonicity: As in `get_harmonic_frequencies`.

    Returns:
      [batch, n_frames, n_harmonics]; all 0 where no partial lies in the band.
    """
    distribution = as_float(harmonic_distribution)
    if bandwidth_hz is not None:
        n_harmonics = tf.shape(distribution)[-1]
        partials = get_harmonic_frequencies(f0_hz, n_harmonics, inharmonicity)
        distribution = remove_above_nyquist(partials, distribution, 2.0 * bandwidth_hz)
    total = tf.reduce_sum(distribution, axis=-1, keepdims=True)
    return tf.math.divide_no_nan(distribution, total)


def normalize_harmonics(harmonic_distribution, f0_hz=None, sample_rate=None, inharmonicity=None):
    """`normalize_distribution` below Nyquist where F0 and rate are given, else of all harmonics."""
    check_positive("sample_rate", sample_rate)
    bandwidth = None if f0_hz is None or sample_rate is None else 0.5 * sample_rate
    return normalize_distribution(harmonic_distribution, f0_hz, bandwidth, inharmonicity)
