"""Sinusoidal synthesizer: partials with individual frequencies."""

import math

import tensorflow as tf

from synths.blocks import Blocks, frame_phases, neighbour
from synths.frequency_scales import frequencies_sigmoid
from synths.partials import (
    get_harmonic_frequencies,
    normalize_harmonics,
    remove_above_nyquist,
)
from synths.precision import as_floats, check_floats
from synths.processor import Processor
from synths.resample import check_method, neighbour_shares
from synths.shapes import broadcast, check_shape, length
from synths.units import exp_sigmoid

_AXES = "[batch, n_frames, n_sinusoids]"

# Bounds memory.
_SINES_AT_ONCE = 2**20


class Sinusoidal(Processor):
    """Additive synthesizer of sinusoids with individual frequencies, as of bells.

    Args:
      n_samples: Length of the audio in samples.
      sample_rate: Hz.
      amp_scale_fn: Maps raw network outputs to positive amplitudes; None: identity.
      amp_resample_method: Interpolation of amplitudes, a method of `resample`.
      freq_scale_fn: Maps raw network outputs to Hz; None: identity.
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        amp_scale_fn=exp_sigmoid,
        amp_resample_method="window",
        freq_scale_fn=frequencies_sigmoid,
        name="sinusoidal",
    ):
        super().__init__(name=name)
        check_method("amp_resample_method", amp_resample_method)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.amp_scale_fn = amp_scale_fn
        self.amp_resample_method = amp_resample_method
        self.freq_scale_fn = freq_scale_fn

    def get_controls(self, amplitudes, frequencies):
        """Map raw network outputs to controls.

        Args:
          amplitudes: [batch, n_frames, n_sinusoids], raw.
          frequencies: Input of freq_scale_fn; [batch, n_frames, n_sinusoids] in Hz without one.

        Returns:
          amplitudes (linear, 0 where the frequency is at or above Nyquist) and frequencies (Hz),
          [batch, n_frames, n_sinusoids].
        """
        amplitudes, frequencies = as_floats(amplitudes, frequencies)
        if self.amp_scale_fn is not None:
            amplitudes = self.amp_scale_fn(amplitudes)
        if self.freq_scale_fn is not None:
            frequencies = self.freq_scale_fn(frequencies)
        frequencies, amplitudes = _check_bank(frequencies, amplitudes)
        amplitudes = remove_above_nyquist(frequencies, amplitudes, self.sample_rate)
        return {"amplitudes": amplitudes, "frequencies": frequencies}

    def get_signal(self, amplitudes, frequencies):
        """Audio, [batch, n_samples], of the output of `get_controls`."""
        return sinusoidal_synthesis(
            frequencies, amplitudes, self.n_samples, self.sample_rate, self.amp_resample_method
        )


def sinusoidal_synthesis(
    frequencies,
    amplitudes,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="window",
    initial_phase=None,
):
    """Sum sinusoids with individual time-varying frequencies and amplitudes.

    A sinusoid that is at or above Nyquist at a frame is silent there, and the gradient with respect
    to its amplitude is zero.

    Args:
      frequencies: Hz, [batch, n_frames, n_sinusoids], linear between frames.
      amplitudes: Linear, [batch, n_frames, n_sinusoids].
      n_samples: Length of the audio in samples, int or scalar int32.
      sample_rate: Hz.
      amp_resample_method: Interpolation of amplitudes, a method of `resample`.
      initial_phase: Phase at the first sample in cycles, float64 [batch, n_sinusoids]; None:
        0. No gradient.

    Returns:
      Audio, [batch, n_samples]. No tensor of size
      [batch, n_samples, n_sinusoids] is created.
    """
    check_method("amp_resample_method", amp_resample_method)
    frequencies, amplitudes = _check_bank(frequencies, amplitudes)
    frequencies, amplitudes = broadcast(3, frequencies=frequencies, amplitudes=amplitudes)
    if initial_phase is None:
        initial_phase = tf.zeros([1, 1], tf.float64)
    initial_phase = tf.cast(initial_phase, tf.float64)
    check_shape("initial_phase", initial_phase, "[batch, n_sinusoids]")
    return sinusoidal_bank(
        frequencies, amplitudes, initial_phase, n_samples, sample_rate, amp_resample_method
    )


def sinusoidal_bank(frequencies, amplitudes, initial_phase, n_samples, sample_rate, method):
    """Compute `sinusoidal_synthesis` of checked tensors, block by block within a memory bound.

    A block is a part of a frame; the phase at its middle is known in float64. The audio has the
    type of the amplitudes. Frequencies may be float64 where amplitudes are float32: rounded to
    float32, 8 kHz is a whole cycle wrong after half an hour.
    """
    dtype = amplitudes.dtype
    rate = tf.cast(sample_rate, tf.float64)
    silent = tf.abs(tf.cast(frequencies, tf.float64)) >= 0.5 * rate
    amplitudes = tf.where(silent, tf.zeros([], dtype), amplitudes)
    n_frames = length(frequencies, 1)
    blocks = Blocks(n_frames, n_samples)

    # Everything about the middle of a block, float64 [n_frames, n_parts, 1].
    f = tf.cast(frequencies, tf.float64)[:, :, None]
    rise = neighbour(f, 1) - f
    fraction = blocks.fraction[..., None]
    samples_a_frame = tf.cast(tf.maximum(n_samples, 1), tf.float64) / tf.cast(n_frames, tf.float64)
    period = samples_a_frame / rate
    phase = frame_phases(frequencies, initial_phase, n_samples, sample_rate)[:, :, None]
    start = phase + period * fraction * (f + 0.5 * fraction * rise)
    start -= tf.stop_gradient(tf.round(start))
    step = (f + fraction * rise) / rate
    bend = 0.5 * rise / (samples_a_frame * rate) + tf.zeros_like(fraction)

    shares = neighbour_shares(tf.cast(blocks.weight, dtype), method)
    tables = [amplitudes] + [neighbour(amplitudes, offset) - amplitudes for offset, _ in shares]
    tables = tf.stack(tables, axis=2)[:, :, None] + tf.zeros_like(fraction[..., None], dtype)
    shares = tf.stack([tf.ones_like(blocks.weight, dtype)] + [s for _, s in shares], axis=-1)
    chirps = tf.cast(tf.stack([start, step, bend], axis=3), dtype)
    audio = blocks.joined(_blockwise(chirps, tables, shares))
    audio.set_shape([frequencies.shape[0], tf.get_static_value(n_samples)])
    return audio


def _check_bank(frequencies, amplitudes):
    return check_floats(frequencies=(frequencies, _AXES), amplitudes=(amplitudes, _AXES))


def _blockwise(chirps, tables, shares):
    """Sum chirps whose amplitudes are weighted sums of tables.

    Args:
      chirps: [batch, n_frames, n_parts, 3, n_sinusoids]: cycles at sample `size // 2` of a block,
        cycles per sample, and half of their change per sample.
      tables: [batch, n_frames, n_parts, n_tables, n_sinusoids].
      shares: Weights, [n_frames, n_parts, size, n_tables]. No gradient.

    Returns:
      [batch, n_frames, n_parts, size].
    """
    batch, n_sinusoids = length(chirps, 0), length(chirps, 4)
    n_frames, n_parts, size, n_tables = (length(shares, axis) for axis in range(4))
    n_blocks = n_frames * n_parts
    n_at_once = _SINES_AT_ONCE // _at_least_1(batch * size * n_sinusoids)
    n_chunks = -(-n_blocks // _at_least_1(n_at_once))
    n_at_once = -(-n_blocks // n_chunks)
    missing = n_chunks * n_at_once - n_blocks
    x = tf.cast(tf.range(size) - size // 2, chirps.dtype)[:, None]

    def in_chunks(blocks, rows, *axes):
        blocks = tf.reshape(blocks, [rows, n_blocks, *axes])
        blocks = tf.pad(blocks, [[0, 0], [0, missing]] + [[0, 0]] * len(axes))
        blocks = tf.reshape(blocks, [rows, n_chunks, n_at_once, *axes])
        return _swapped(blocks)

    def joined(chunks, *axes):
        blocks = tf.reshape(_swapped(chunks), [batch, n_chunks * n_at_once, *axes])
        return tf.reshape(blocks[:, :n_blocks], [batch, n_frames, n_parts, *axes])

    def over_chunks(function, inputs, like):
        return tf.map_fn(
            function, inputs, parallel_iterations=1, fn_output_signature=like, swap_memory=False
        )

    def angles(chirps):
        start, step, bend = tf.unstack(chirps[:, :, None], axis=3)
        cycles = start + x * (step + x * bend)
        return (2.0 * math.pi) * (cycles - tf.round(cycles))

    # Not a matrix product, which some devices round to 10 bits.
    def amplitudes(tables, shares):
        total = tables[:, :, 0, None]
        for i in range(1, shares.shape[3]):
            total += shares[..., i, None] * tables[:, :, i, None]
        return total

    def sound(inputs):
        chirps, tables, shares = inputs
        return tf.reduce_sum(amplitudes(tables, shares) * tf.sin(angles(chirps)), axis=-1)

    def slopes(inputs):
        upstream, chirps, tables, shares = inputs
        angle = angles(chirps)
        upstream = upstream[..., None]
        g_sin = upstream * tf.sin(angle)
        bends = (2.0 * math.pi) * upstream * amplitudes(tables, shares) * tf.cos(angle)
        to_tables = [
            tf.reduce_sum(g_sin * shares[..., i, None], axis=2) for i in range(shares.shape[3])
        ]
        to_chirps = [tf.reduce_sum(bends * p, axis=2) for p in (1.0, x, x * x)]
        return tf.stack(to_chirps, axis=2), tf.stack(to_tables, axis=2)

    shares = in_chunks(shares[None], 1, size, n_tables)

    @tf.custom_gradient
    def bank(chirps, tables):
        chirps = in_chunks(chirps, batch, 3, n_sinusoids)
        tables = in_chunks(tables, batch, n_tables, n_sinusoids)
        audio = over_chunks(sound, (chirps, tables, shares), chirps.dtype)

        def gradient(upstream):
            inputs = in_chunks(upstream, batch, size), chirps, tables, shares
            to_chirps, to_tables = over_chunks(slopes, inputs, (chirps.dtype, tables.dtype))
            return joined(to_chirps, 3, n_sinusoids), joined(to_tables, n_tables, n_sinusoids)

        return joined(audio, size), gradient

    return bank(chirps, tables)


def _swapped(tensor):
    """Swap the first two axes."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])


def _at_least_1(n):
    return max(n, 1) if isinstance(n, int) else tf.maximum(n, 1)


def sinusoidal_to_harmonic(
    sin_amps,
    sin_freqs,
    f0_hz,
    harmonic_width=0.1,
    n_harmonics=100,
    sample_rate=16000,
    normalize=False,
):
    """Approximate sinusoids by the harmonics of an F0.

    A sinusoid contributes to harmonic k by a Gaussian of its distance:
    `exp(-((f_hz / f0_hz - k) / harmonic_width) ** 2)`.

    Args:
      sin_amps: Linear amplitudes, [batch, n_frames, n_sinusoids].
      sin_freqs: Hz, [batch, n_frames, n_sinusoids].
      f0_hz: [batch, n_frames, 1]. 0 Hz gives silence.
      harmonic_width: Distance in multiples of F0 at which the weight is 1 / e.
      n_harmonics: int.
      sample_rate: Hz. Harmonics at or above Nyquist are silent.
      normalize: Whether a harmonic near several sinusoids gets their weighted mean, not their sum.

    Returns:
      (amplitude of the sum, distribution): [batch, n_frames, 1] and
      [batch, n_frames, n_harmonics], with a sum of 1, or 0 in silence.
    """
    amplitudes, frequencies, f0_hz = check_floats(
        sin_amps=(sin_amps, _AXES),
        sin_freqs=(sin_freqs, _AXES),
        f0_hz=(f0_hz, "[batch, n_frames, 1]"),
    )
    orders = tf.cast(tf.range(1, n_harmonics + 1), f0_hz.dtype)[:, None]
    pitched = f0_hz > 0.0
    ratio = frequencies / tf.where(pitched, f0_hz, tf.ones_like(f0_hz))
    distance = (ratio[:, :, None] - orders) / harmonic_width
    weights = tf.where(pitched[:, :, None], tf.exp(-(distance**2)), tf.zeros_like(distance))
    if normalize:
        total = tf.reduce_sum(weights, axis=-1, keepdims=True)
        weights /= tf.maximum(total, 1.0)
    harmonics = tf.linalg.matvec(weights, amplitudes)
    partials = get_harmonic_frequencies(f0_hz, n_harmonics)
    harmonics = remove_above_nyquist(partials, harmonics, sample_rate)
    total = tf.reduce_sum(harmonics, axis=-1, keepdims=True)
    return total, tf.math.divide_no_nan(harmonics, total)


def harmonic_to_sinusoidal(harm_amp, harm_dist, f0_hz, sample_rate=16000):
    """Convert controls of `Harmonic` to controls of `Sinusoidal`.

    Args:
      harm_amp: Linear amplitude of the sum, [batch, n_frames, 1].
      harm_dist: Weight of each harmonic, [batch, n_frames, n_harmonics]; normalised below Nyquist.
      f0_hz: [batch, n_frames, 1].
      sample_rate: Hz. Harmonics at or above Nyquist get amplitude 0.

    Returns:
      (amplitudes, frequencies): linear and Hz, [batch, n_frames, n_harmonics].
    """
    harm_amp, harm_dist, f0_hz = check_floats(
        harm_amp=(harm_amp, "[batch, n_frames, 1]"),
        harm_dist=(harm_dist, "[batch, n_frames, n_harmonics]"),
        f0_hz=(f0_hz, "[batch, n_frames, 1]"),
    )
    shares = normalize_harmonics(harm_dist, f0_hz, sample_rate)
    return harm_amp * shares, get_harmonic_frequencies(f0_hz, tf.shape(harm_dist)[2])
