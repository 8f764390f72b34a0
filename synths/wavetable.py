"""Wavetable synthesizer: one period of any shape, read at a pitch."""

import tensorflow as tf

from synths.blocks import Blocks, frame_phases, neighbour
from synths.harmonic_bank import cycles_within, sum_of_harmonics
from synths.precision import as_float, check_floats
from synths.processor import Processor
from synths.resample import neighbour_shares, resample
from synths.shapes import ShapeError, broadcast, check_shape, length
from synths.units import exp_sigmoid

_FRAMES = "[batch, n_frames, 1]"
_TABLES = "[batch, n_wavetable]", "[batch, n_table_frames, n_wavetable]"

# Interpolation of amplitudes and tables, as of `Harmonic`.
_METHOD = "window"


class Wavetable(Processor):
    """Wavetable synthesizer, free of aliasing: see `wavetable_synthesis`.

    Args:
      n_samples: Length of the audio in samples.
      sample_rate: Hz.
      scale_fn: Maps raw network outputs to positive numbers; None: identity.
    """

    def __init__(self, n_samples=64000, sample_rate=16000, scale_fn=exp_sigmoid, name="wavetable"):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn

    def get_controls(self, amplitudes, wavetables, f0_hz):
        """Map raw network outputs to controls.

        Args:
          amplitudes: [batch, n_frames, 1], raw.
          wavetables: [batch, n_wavetable] or [batch, n_frames, n_wavetable], raw.
          f0_hz: [batch, n_frames, 1], Hz.

        Returns:
          amplitudes (linear), wavetables (linear, without their mean, which is inaudible), f0_hz
          (Hz), shapes as given.
        """
        amplitudes, wavetables, f0_hz = check_floats(
            amplitudes=(amplitudes, _FRAMES),
            wavetables=(wavetables, *_TABLES),
            f0_hz=(f0_hz, _FRAMES),
        )
        if self.scale_fn is not None:
            amplitudes = self.scale_fn(amplitudes)
            wavetables = self.scale_fn(wavetables)
        wavetables -= tf.reduce_mean(wavetables, axis=-1, keepdims=True)
        return {"amplitudes": amplitudes, "wavetables": wavetables, "f0_hz": f0_hz}

    def get_signal(self, amplitudes, wavetables, f0_hz):
        """Audio, [batch, n_samples], of the output of `get_controls`."""
        return wavetable_synthesis(f0_hz, amplitudes, wavetables, self.n_samples, self.sample_rate)


def wavetable_synthesis(
    frequencies, amplitudes, wavetables, n_samples=64000, sample_rate=16000, initial_phase=None
):
    """Play wavetables with time-varying pitch, amplitude and shape.

    A table is read as the exact sum of its harmonics, not by interpolation between its points. A
    harmonic at or above Nyquist at a frame is silent there, with gradient zero, so there is no
    aliasing; a table of `harmonic_distribution_to_wavetable` sounds as `harmonic_synthesis` does.
    The mean of a table is kept.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1], linear between frames.
      amplitudes: Linear, [batch, n_frames, 1].
      wavetables: [batch, n_wavetable] or [batch, n_frames, n_wavetable]; another number of frames
        is resampled to that of the frequencies. Amplitudes times tables are interpolated by raised
        cosines.
      n_samples: Length of the audio in samples, int or scalar int32.
      sample_rate: Hz.
      initial_phase: Phase at the first sample in cycles, float64 [batch]; None: 0, the first point
        of the table. No gradient.

    Returns:
      Audio, [batch, n_samples].
    """
    frequencies, amplitudes, tables = check_floats(
        frequencies=(frequencies, _FRAMES),
        amplitudes=(amplitudes, _FRAMES),
        wavetables=(wavetables, *_TABLES),
    )
    initial_phase = tf.zeros([1]) if initial_phase is None else initial_phase
    initial_phase = tf.cast(initial_phase, tf.float64)
    check_shape("initial_phase", initial_phase, "[batch]")
    frequencies, amplitudes = broadcast(2, frequencies=frequencies, amplitudes=amplitudes)
    frequencies, amplitudes, tables, initial_phase = broadcast(
        1,
        frequencies=frequencies,
        amplitudes=amplitudes,
        wavetables=tables,
        initial_phase=initial_phase,
    )
    if tables.shape.rank == 2:
        tables = tables[:, None]
    elif tables.shape[1] != 1 and (
        tables.shape[1] is None or tables.shape[1] != frequencies.shape[1]
    ):
        tables = resample(tables, length(frequencies, 1))
    mean, sines, cosines = _table_harmonics(tables)
    f0_hz = frequencies[:, :, 0]
    audio = _bank(
        f0_hz, amplitudes * sines, amplitudes * cosines, initial_phase, n_samples, sample_rate
    )
    audio += resample(amplitudes * mean, n_samples, _METHOD)[:, :, 0]
    audio.set_shape([frequencies.shape[0], tf.get_static_value(n_samples)])
    return audio


def harmonic_distribution_to_wavetable(harmonic_distribution, n_wavetable=2048):
    """Render one period of a sum of sines to wavetables.

    Args:
      harmonic_distribution: Amplitude of each harmonic, [batch, n_frames, n_harmonics].
      n_wavetable: Points of a table, more than twice the harmonics.

    Returns:
      [batch, n_frames, n_wavetable].
    """
    distribution = as_float(harmonic_distribution)
    check_shape("harmonic_distribution", distribution, "[batch, n_frames, n_harmonics]")
    n_harmonics = distribution.shape[2]
    if n_harmonics is not None and 2 * n_harmonics >= n_wavetable:
        raise ShapeError(
            "harmonic_distribution: expected [batch, n_frames, n_harmonics] with fewer than "
            f"{n_wavetable / 2:g} harmonics, got shape {tuple(distribution.shape)}."
        )
    n_above = n_wavetable // 2 - length(distribution, 2)
    spectrum = tf.pad(distribution, [[0, 0], [0, 0], [1, n_above]])
    spectrum = tf.complex(tf.zeros_like(spectrum), (-0.5 * n_wavetable) * spectrum)
    return tf.signal.irfft(spectrum, [n_wavetable])


def linear_lookup(phase, wavetables):
    """Read tables at phases with linear interpolation between their points.

    `wavetable_synthesis` does not use it: linear interpolation adds harmonics.

    Args:
      phase: Cycles, [batch, n_samples, 1] or [batch, n_samples].
      wavetables: [batch, n_wavetable], or [batch, n_samples or 1, n_wavetable]: one per sample.

    Returns:
      [batch, n_samples].
    """
    phase, tables = check_floats(
        phase=(phase, "[batch, n_samples, 1]", "[batch, n_samples]"),
        wavetables=(wavetables, "[batch, n_wavetable]", "[batch, n_samples, n_wavetable]"),
    )
    phase = phase[:, :, 0] if phase.shape.rank == 3 else phase
    if tables.shape.rank == 3 and tables.shape[1] == 1:
        tables = tables[:, 0]
    phase, tables = broadcast(1, phase=phase, wavetables=tables)
    if tables.shape.rank == 3:
        phase, tables = broadcast(2, ("batch", "n_samples"), phase=phase, wavetables=tables)
    n_points = tf.shape(tables)[-1]
    position = (phase - tf.floor(phase)) * tf.cast(n_points, phase.dtype)
    # Rounding just below a whole cycle may give n_points, which is the first point.
    before = tf.floor(position)
    weight = position - before
    before = tf.cast(before, tf.int32) % n_points

    def points(place):
        if tables.shape.rank == 2:
            return tf.gather(tables, place, batch_dims=1)
        return tf.gather(tables, place[:, :, None], batch_dims=2)[:, :, 0]

    here = points(before)
    return here + weight * (points((before + 1) % n_points) - here)


@tf.custom_gradient
def _table_harmonics(tables):
    """Fourier series of periods.

    Args:
      tables: [batch, n_frames, n_wavetable].

    Returns:
      (mean, sines, cosines): [batch, n_frames, 1], and twice [batch, n_frames, n_wavetable // 2].
      The harmonic of two points per period, if there is one, is a cosine.
    """
    n_points = length(tables, 2)
    n_harmonics = n_points // 2
    order = tf.range(1, n_harmonics + 1)
    is_half = tf.cast(2 * order == n_points, tables.dtype)
    scale = (2.0 - is_half) / tf.cast(n_points, tables.dtype)
    spectrum = tf.signal.rfft(tables)
    mean = tf.reduce_mean(tables, axis=2, keepdims=True)
    sines = -scale * (1.0 - is_half) * tf.math.imag(spectrum)[:, :, 1:]
    cosines = scale * tf.math.real(spectrum)[:, :, 1:]

    def gradient(to_mean, to_sines, to_cosines):
        # The transpose of the real transform is the inverse one.
        real = tf.concat([to_mean, to_cosines], axis=2)
        imaginary = tf.pad(-to_sines * (1.0 - is_half), [[0, 0], [0, 0], [1, 0]])
        return tf.signal.irfft(tf.complex(real, imaginary), [n_points])

    return (mean, sines, cosines), gradient


def _bank(f0_hz, sines, cosines, initial_phase, n_samples, sample_rate):
    """Sum harmonics with sine and cosine amplitudes."""
    dtype = f0_hz.dtype
    n_frames = length(sines, 1)
    rate = tf.cast(sample_rate, tf.float64)
    f = tf.cast(f0_hz, tf.float64)
    orders = tf.range(1, length(sines, 2) + 1)
    silent = tf.abs(f)[:, :, None] * tf.cast(orders, tf.float64) >= 0.5 * rate
    tables = [tf.where(silent, tf.zeros([], dtype), x) for x in (sines, cosines)]

    blocks = Blocks(n_frames, n_samples, in_parts=False)
    period = tf.cast(tf.maximum(n_samples, 1), tf.float64) / tf.cast(n_frames, tf.float64) / rate
    fraction = blocks.weight[:, 0]
    phase = frame_phases(f, initial_phase, n_samples, sample_rate)
    cycles = phase[:, :, None] + cycles_within(f, neighbour(f, 1), fraction, period)
    shares = neighbour_shares(tf.cast(fraction, dtype)[:, None], _METHOD)
    others = [[neighbour(x, offset) for x in tables] for offset, _ in shares]
    audio = sum_of_harmonics(cycles, tables, others, [share for _, share in shares])
    return blocks.joined(audio[:, :, :, None])
