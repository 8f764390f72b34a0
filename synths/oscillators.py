"""Oscillators as pure functions: frequencies and amplitudes in, audio out.

Frequencies in frames are linear between frames (see `synths.resample`), and phase is their exact
integral in float64 (see `synths.harmonic_bank`). Frequencies per sample hold until the next sample.
Audio begins at phase 0.
"""

import math

import tensorflow as tf

from synths.blocks import frame_phases
from synths.harmonic_bank import harmonic_bank
from synths.partials import get_harmonic_frequencies, normalize_harmonics, remove_above_nyquist
from synths.precision import as_float, check_floats
from synths.resample import check_method
from synths.shapes import broadcast, check_shape
from synths.sinusoidal import sinusoidal_bank

_FRAMES = "[batch, n_frames, 1]"
_HARMONICS = "[batch, n_frames, n_harmonics]"


def harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_shifts=None,
    harmonic_distribution=None,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="window",
    use_angular_cumsum=False,
    initial_phase=None,
    inharmonicity=None,
):
    """Sum harmonic sinusoids with time-varying pitch and amplitudes.

    A harmonic that is at or above Nyquist at a frame is silent there, with gradient zero.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1], linear between frames.
      amplitudes: Linear amplitude of the sum, [batch, n_frames, 1].
      harmonic_shifts: Partial k has (1 + shift) times the frequency of harmonic k,
        [batch, n_frames, n_harmonics]; None: no shift.
      harmonic_distribution: Weight of each harmonic, [batch, n_frames, n_harmonics]; None: 1 for
        each of harmonic_shifts, or one sine.
      n_samples: Length of the audio in samples, int or scalar int32.
      sample_rate: Hz.
      amp_resample_method: Interpolation of amplitudes, a method of `resample`.
      use_angular_cumsum: No effect: phase is exact in any case.
      initial_phase: Phase of the fundamental at the first sample in cycles, float64 [batch], of a
        string not wrapped; None: 0. No gradient.
      inharmonicity: B of a stiff string, whose partial k has the frequency
        k F0 sqrt(1 + B k**2); 0 or more, [batch, 1, 1]; None: 0.

    Returns:
      Audio, [batch, n_samples].

    References:
      Fletcher, Normal Vibration Frequencies of a Stiff Piano String, 1964 (inharmonicity).
    """
    del use_angular_cumsum
    check_method("amp_resample_method", amp_resample_method)
    frames = {
        "frequencies": (frequencies, _FRAMES),
        "amplitudes": (amplitudes, _FRAMES),
        "harmonic_distribution": (harmonic_distribution, _HARMONICS),
        "harmonic_shifts": (harmonic_shifts, _HARMONICS),
    }
    *each, inharmonicity = check_floats(**frames, inharmonicity=(inharmonicity, "[batch, 1, 1]"))
    frames = dict(zip(frames, each, strict=True))
    initial_phase = tf.zeros([1]) if initial_phase is None else initial_phase
    initial_phase = tf.cast(initial_phase, tf.float64)
    check_shape("initial_phase", initial_phase, "[batch]")
    *each, inharmonicity, initial_phase = broadcast(
        1, **frames, inharmonicity=inharmonicity, initial_phase=initial_phase
    )
    frequencies, amplitudes, distribution, shifts = broadcast(
        2, **dict(zip(frames, each, strict=True))
    )
    if distribution is not None:
        amplitudes = amplitudes * distribution
    if shifts is None:
        return harmonic_bank(
            frequencies[:, :, 0],
            amplitudes,
            initial_phase,
            n_samples,
            sample_rate,
            amp_resample_method,
            None if inharmonicity is None else inharmonicity[:, 0, 0],
        )

    # A single amplitude serves all partials of harmonic_shifts.
    shape = tf.shape(amplitudes + shifts)
    # In float64: rounded frequencies would accumulate a phase error over long audio.
    partials = get_harmonic_frequencies(tf.cast(frequencies, tf.float64), shape[2], inharmonicity)
    partials *= 1.0 + tf.cast(shifts, tf.float64)
    orders = tf.cast(tf.range(1, shape[2] + 1), tf.float64)
    return sinusoidal_bank(
        partials,
        tf.broadcast_to(amplitudes, shape),
        initial_phase[:, None] * orders,
        n_samples,
        sample_rate,
        amp_resample_method,
    )


def streaming_harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_distribution=None,
    initial_phase=None,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="linear",
):
    """Synthesize a block as `harmonic_synthesis` and return the phase at its end.

    The last frame is held to the end of the block, so blocks of a changing sound differ slightly
    from the whole. `synths.HarmonicStream`, which looks one frame ahead, is exact.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1], linear between frames.
      amplitudes: Linear amplitude of the sum, [batch, n_frames, 1].
      harmonic_distribution: Weight of each harmonic, [batch, n_frames, n_harmonics], normalized
        below Nyquist; None: one sine.
      initial_phase: Radians at the first sample, [batch, 1, 1]; None: 0. No gradient.
      n_samples: Length of the block in samples.
      sample_rate: Hz.
      amp_resample_method: As in `harmonic_synthesis`.

    Returns:
      (audio, final_phase): [batch, n_samples], and radians in [0, 2 pi), [batch, 1, 1]. The phase
      is float64, exact over any number of blocks; if a float32 phase was given it is float32,
      rounded by up to 2.4e-7 radians per block, 100 times as much for harmonic 100.
    """
    if harmonic_distribution is not None:
        harmonic_distribution = normalize_harmonics(harmonic_distribution, frequencies, sample_rate)
    frequencies = as_float(frequencies)
    check_shape("frequencies", frequencies, _FRAMES)
    if initial_phase is None:
        initial_phase = tf.zeros(tf.shape(frequencies[:, :1]), tf.float64)
    initial_phase = as_float(initial_phase)
    check_shape("initial_phase", initial_phase, "[batch, 1, 1]")
    phase_dtype = initial_phase.dtype
    initial_phase = tf.cast(initial_phase, tf.float64)[:, 0, 0] / (2.0 * math.pi)
    audio = harmonic_synthesis(
        frequencies,
        amplitudes,
        None,
        harmonic_distribution,
        n_samples,
        sample_rate,
        amp_resample_method,
        initial_phase=initial_phase,
    )
    # The phase at one more frame, at the end of the block.
    frequencies, initial_phase = broadcast(1, frequencies=frequencies, initial_phase=initial_phase)
    held = tf.concat([frequencies, frequencies[:, -1:]], axis=1)[:, :, 0]
    n_frames = tf.cast(tf.shape(frequencies)[1], tf.float64)
    longer = tf.cast(n_samples, tf.float64) * (1.0 + 1.0 / n_frames)
    final = frame_phases(held, initial_phase, longer, sample_rate)[:, -1]
    final = tf.stop_gradient(2.0 * math.pi * (final - tf.floor(final)))[:, None, None]
    return audio, tf.cast(final, phase_dtype)


def oscillator_bank(
    frequency_envelopes,
    amplitude_envelopes,
    sample_rate=16000,
    sum_sinusoids=True,
    use_angular_cumsum=False,
):
    """Sum sines whose frequencies and amplitudes are given per sample.

    For frames use `harmonic_synthesis` or `sinusoidal_synthesis`, which need far less memory.

    Args:
      frequency_envelopes: Hz, [batch, n_samples, n_sinusoids].
      amplitude_envelopes: Linear, [batch, n_samples, n_sinusoids].
      sample_rate: Hz. A sine is silent at samples where it is at or above Nyquist.
      sum_sinusoids: Whether the sines are added.
      use_angular_cumsum: No effect: phase is exact in any case.

    Returns:
      Audio, [batch, n_samples], or [batch, n_samples, n_sinusoids].
    """
    del use_angular_cumsum
    frequencies, amplitudes = check_floats(
        frequency_envelopes=(frequency_envelopes, "[batch, n_samples, n_sinusoids]"),
        amplitude_envelopes=(amplitude_envelopes, "[batch, n_samples, n_sinusoids]"),
    )
    amplitudes = remove_above_nyquist(frequencies, amplitudes, sample_rate)
    cycles = tf.cumsum(tf.cast(frequencies, tf.float64) / sample_rate, axis=1, exclusive=True)
    audio = amplitudes * tf.sin(_radians(cycles, amplitudes.dtype))
    return tf.reduce_sum(audio, axis=-1) if sum_sinusoids else audio


def harmonic_oscillator_bank(
    frequency,
    amplitude_envelopes,
    initial_phase=None,
    sample_rate=16000,
    use_angular_cumsum=True,
):
    """Sum harmonics whose F0 and amplitudes are given per sample, block by block.

    Args:
      frequency: F0 in Hz, [batch, n_samples, 1].
      amplitude_envelopes: Linear, [batch, n_samples, n_harmonics].
      initial_phase: Radians at the first sample, [batch, 1, 1]; None: 0. No gradient.
      sample_rate: Hz. Harmonics above Nyquist are not removed.
      use_angular_cumsum: No effect: phase is exact in any case.

    Returns:
      (audio, final_phase): [batch, n_samples], and the initial phase of the next block: radians in
      [0, 2 pi), [batch, 1, 1], float64, or float32 if such a phase was given (see
      `streaming_harmonic_synthesis`).
    """
    del use_angular_cumsum
    frequency, amplitudes = check_floats(
        frequency=(frequency, "[batch, n_samples, 1]"),
        amplitude_envelopes=(amplitude_envelopes, "[batch, n_samples, n_harmonics]"),
    )
    steps = tf.cast(frequency, tf.float64) / sample_rate
    if initial_phase is None:
        initial_phase = tf.zeros(tf.stack([tf.shape(frequency)[0], 1, 1]), tf.float64)
    initial_phase = as_float(initial_phase)
    check_shape("initial_phase", initial_phase, "[batch, 1, 1]")
    begin = tf.cast(initial_phase, tf.float64) / (2.0 * math.pi)
    cycles = tf.concat([begin, steps], axis=1)
    cycles = tf.cumsum(cycles, axis=1)
    cycles -= tf.floor(cycles)
    orders = tf.cast(tf.range(1, tf.shape(amplitudes)[2] + 1), amplitudes.dtype)
    waves = tf.sin(_radians(cycles[:, :-1], amplitudes.dtype) * orders)
    audio = tf.reduce_sum(amplitudes * waves, axis=-1)
    final = tf.stop_gradient(2.0 * math.pi * cycles[:, -1:])
    return audio, tf.cast(final, initial_phase.dtype)


def angular_cumsum(angular_frequency, chunk_size=1000):
    """Cumulative sum of angular frequency, wrapped: the phase after each sample.

    Args:
      angular_frequency: Radians per sample, [batch, n_samples, ...].
      chunk_size: No effect: the sum is taken in float64.

    Returns:
      Radians in [0, 2 pi), as angular_frequency.
    """
    del chunk_size
    angular_frequency = as_float(angular_frequency)
    turns = tf.cumsum(tf.cast(angular_frequency, tf.float64) / (2.0 * math.pi), axis=1)
    return tf.cast(2.0 * math.pi * (turns - tf.floor(turns)), angular_frequency.dtype)


def _radians(cycles, dtype):
    """float64 cycles to radians in [-pi, pi] of a type that may be coarser."""
    return tf.cast(2.0 * math.pi * (cycles - tf.round(cycles)), dtype)
