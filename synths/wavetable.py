"""The wavetable synthesizer: one period of any shape, read at a pitch."""

import math

import tensorflow as tf

from synths.blocks import Blocks, neighbour
from synths.errors import ShapeError, check_last, check_positive, check_rank, whole
from synths.harmonic_bank import frame_phases
from synths.impulse_responses import length
from synths.native import native_kernels_used, with_all_gradients
from synths.precision import as_float, as_floats
from synths.processor import Processor
from synths.products import matmul
from synths.resample import neighbour_shares, resample
from synths.shapes import broadcast, check_alike
from synths.units import exp_sigmoid

_FRAMES = "[batch, n_frames, 1]"
_TABLES = "[batch, n_wavetable] or [batch, n_frames, n_wavetable]"

# Between frames amplitudes and tables go along a raised cosine, as those of `Harmonic` do.
_METHOD = "window"


class Wavetable(Processor):
    """One period of a wave for every frame, read at a pitch.

    The sound is free of aliases: see `wavetable_synthesis`.

    Args:
      n_samples: Length of the sound in samples.
      sample_rate: Hz.
      scale_fn: From raw network outputs to positive numbers; None takes them as they are.
    """

    def __init__(self, n_samples=64000, sample_rate=16000, scale_fn=exp_sigmoid, name="wavetable"):
        super().__init__(name=name)
        check_positive("sample_rate", sample_rate)
        self.n_samples = whole("n_samples", n_samples)
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn

    def get_controls(self, amplitudes, wavetables, f0_hz):
        """Raw outputs to controls.

        Args:
          amplitudes: [batch, n_frames, 1], raw.
          wavetables: [batch, n_wavetable] or [batch, n_frames, n_wavetable], raw.
          f0_hz: [batch, n_frames, 1], Hz.

        Returns:
          amplitudes (linear), wavetables (linear, without their mean, which nobody hears), f0_hz
          (Hz), shapes as given.

        Raises:
          ShapeError: if a tensor's shape is not as above.
        """
        amplitudes, wavetables, f0_hz = as_floats(amplitudes, wavetables, f0_hz)
        _check(f0_hz, amplitudes, wavetables, "f0_hz")
        if self.scale_fn is not None:
            amplitudes = self.scale_fn(amplitudes)
            wavetables = self.scale_fn(wavetables)
        wavetables -= tf.reduce_mean(wavetables, axis=-1, keepdims=True)
        return {"amplitudes": amplitudes, "wavetables": wavetables, "f0_hz": f0_hz}

    def get_signal(self, amplitudes, wavetables, f0_hz):
        """Audio, [batch, n_samples], from what `get_controls` returns."""
        return wavetable_synthesis(f0_hz, amplitudes, wavetables, self.n_samples, self.sample_rate)


def wavetable_synthesis(
    frequencies, amplitudes, wavetables, n_samples=64000, sample_rate=16000, initial_phase=None
):
    """A wave whose period is a table, with time-varying pitch, amplitude and shape.

    A table is read as the sum of its harmonics, exactly, not by interpolation between its points.
    A harmonic at or above Nyquist at a frame is silent there, with gradient zero, so nothing is
    aliased; a table of the sines of a harmonic distribution (`harmonic_distribution_to_wavetable`)
    sounds as `harmonic_synthesis` does. What a table has of a mean is kept.

    Args:
      frequencies: F0 in Hz, [batch, n_frames, 1], linear between frames.
      amplitudes: Linear, [batch, n_frames, 1].
      wavetables: [batch, n_wavetable] or [batch, n_frames, n_wavetable]; frames of another number
        are interpolated to those of the frequencies. Amplitudes times tables go from frame to
        frame along a raised cosine.
      n_samples: Length of the sound in samples, any number.
      sample_rate: Hz.
      initial_phase: Phase at the first sample in cycles, float64 [batch]; 0, the first point of
        the table, where absent. It has no gradient.

    Returns:
      Audio, [batch, n_samples]; float64 where an input is, else float32.

    Raises:
      ShapeError: if a tensor's shape is not as above.
    """
    n_samples = whole("n_samples", n_samples)
    check_positive("sample_rate", sample_rate)
    frequencies, amplitudes, tables = as_floats(frequencies, amplitudes, wavetables)
    _check(frequencies, amplitudes, tables, "frequencies")
    if initial_phase is None:
        initial_phase = tf.zeros([1], tf.float64)
    initial_phase = tf.cast(initial_phase, tf.float64)
    check_rank("initial_phase", initial_phase, 1, "[batch]")
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
    native = f0_hz.dtype == tf.float32 and native_kernels_used()
    bank = _native_bank if native else _plain_bank
    audio = bank(
        f0_hz, amplitudes * sines, amplitudes * cosines, initial_phase, n_samples, sample_rate
    )
    audio += resample(amplitudes * mean, n_samples, _METHOD)[:, :, 0]
    audio.set_shape([frequencies.shape[0], tf.get_static_value(n_samples)])
    return audio


def harmonic_distribution_to_wavetable(harmonic_distribution, n_wavetable=2048):
    """Tables of one period of a sum of sines.

    Args:
      harmonic_distribution: Amplitude of each harmonic, [batch, n_frames, n_harmonics].
      n_wavetable: Points of a table, more than twice the harmonics.

    Returns:
      [batch, n_frames, n_wavetable].

    Raises:
      ShapeError: if harmonic_distribution is not rank 3, or has too many harmonics.
    """
    n_wavetable = whole("n_wavetable", n_wavetable, 1)
    distribution = as_float(harmonic_distribution)
    check_rank("harmonic_distribution", distribution, 3, "[batch, n_frames, n_harmonics]")
    n_harmonics = distribution.shape[2]
    if n_harmonics is not None and 2 * n_harmonics >= n_wavetable:
        raise ShapeError(
            "harmonic_distribution: expected [batch, n_frames, n_harmonics] with less than "
            f"{n_wavetable / 2:g} harmonics for {n_wavetable} points, "
            f"got shape {tuple(distribution.shape)}."
        )
    n_above = n_wavetable // 2 - length(distribution, 2)
    spectrum = tf.pad(distribution, [[0, 0], [0, 0], [1, n_above]])
    spectrum = tf.complex(tf.zeros_like(spectrum), (-0.5 * n_wavetable) * spectrum)
    return tf.signal.irfft(spectrum, [n_wavetable])


def linear_lookup(phase, wavetables):
    """Tables read at phases, with linear interpolation between their points.

    `wavetable_synthesis` does not need it: lines between points add harmonics of their own.

    Args:
      phase: Cycles, [batch, n_samples, 1] or [batch, n_samples].
      wavetables: [batch, n_wavetable], or [batch, n_samples or 1, n_wavetable]: one a sample.

    Returns:
      [batch, n_samples].

    Raises:
      ShapeError: if a tensor's shape is not as above.
    """
    phase, tables = as_floats(phase, wavetables)
    if phase.shape.rank == 3:
        check_last("phase", phase, 1, "[batch, n_samples, 1]")
        phase = phase[:, :, 0]
    check_rank("phase", phase, 2, "[batch, n_samples, 1] or [batch, n_samples]")
    if tables.shape.rank == 3 and tables.shape[1] == 1:
        tables = tables[:, 0]
    if tables.shape.rank not in (2, 3) or tables.shape[-1] == 0:
        raise ShapeError(f"wavetables: expected {_TABLES}, got shape {tuple(tables.shape)}.")
    phase, tables = broadcast(1, phase=phase, wavetables=tables)
    if tables.shape.rank == 3:
        phase, tables = broadcast(2, ("batch", "n_samples"), phase=phase, wavetables=tables)
    n_points = tf.shape(tables)[-1]
    position = (phase - tf.floor(phase)) * tf.cast(n_points, phase.dtype)
    # Just below a whole cycle rounding may lead to the point behind the last one: the first.
    before = tf.floor(position)
    weight = position - before
    before = tf.cast(before, tf.int32) % n_points

    def points(place):
        if tables.shape.rank == 2:
            return tf.gather(tables, place, batch_dims=1)
        return tf.gather(tables, place[:, :, None], batch_dims=2)[:, :, 0]

    here = points(before)
    return here + weight * (points((before + 1) % n_points) - here)


def _check(frequencies, amplitudes, tables, name):
    """Raises ShapeError unless the shapes are those of `wavetable_synthesis`."""
    for label, tensor in ((name, frequencies), ("amplitudes", amplitudes)):
        check_rank(label, tensor, 3, _FRAMES)
        check_last(label, tensor, 1, _FRAMES)
        if tensor.shape[1] == 0:
            came = tuple(tensor.shape)
            raise ShapeError(f"{label}: expected {_FRAMES} with 1 frame or more, got shape {came}.")
    if tables.shape.rank not in (2, 3) or 0 in tables.shape[1:]:
        raise ShapeError(f"wavetables: expected {_TABLES}, got shape {tuple(tables.shape)}.")
    check_alike(2, **{name: frequencies, "amplitudes": amplitudes})
    check_alike(1, **{name: frequencies, "amplitudes": amplitudes, "wavetables": tables})


@tf.custom_gradient
def _table_harmonics(tables):
    """Harmonics of periods.

    Args:
      tables: [batch, n_frames, n_wavetable].

    Returns:
      (mean, sines, cosines): [batch, n_frames, 1], and twice [batch, n_frames,
      n_wavetable // 2]: the tables' points are mean + the sum of their harmonics there. The
      harmonic of two points a period, where there is one, is a cosine.
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
        # The transposed of this transform is the other one.
        real = tf.concat([to_mean, to_cosines], axis=2)
        imaginary = tf.pad(-to_sines * (1.0 - is_half), [[0, 0], [0, 0], [1, 0]])
        return tf.signal.irfft(tf.complex(real, imaginary), [n_points])

    return (mean, sines, cosines), gradient


def _native_bank(f0_hz, sines, cosines, initial_phase, n_samples, sample_rate):
    from synths.kernels import wavetable_cpu

    n_samples = tf.convert_to_tensor(n_samples, tf.int32)
    sample_rate = tf.convert_to_tensor(sample_rate, tf.float64)
    method = wavetable_cpu.METHODS[_METHOD]

    def forward(*tensors):
        inputs = [*tensors, initial_phase, n_samples, sample_rate, method]
        audio = tf.numpy_function(wavetable_cpu.forward, inputs, tf.float32, stateful=False)
        audio.set_shape([f0_hz.shape[0], tf.get_static_value(n_samples)])
        return audio

    def backward(*tensors):
        *tensors, upstream = tensors
        inputs = [*tensors, initial_phase, sample_rate, method, upstream]
        types = [tf.float32] * 3
        slopes = tf.numpy_function(wavetable_cpu.backward, inputs, types, stateful=False)
        for slope, tensor in zip(slopes, tensors, strict=True):
            slope.set_shape(tensor.shape)
        return slopes

    def plain(*tensors):
        return _plain_bank(*tensors, initial_phase, n_samples, sample_rate)

    return with_all_gradients(forward, backward, plain)(f0_hz, sines, cosines)


def _plain_bank(f0_hz, sines, cosines, initial_phase, n_samples, sample_rate):
    """The same bank in TensorFlow's own operations.

    Harmonic k = i * n_fine + j: its sine and cosine are made from those of i * n_fine * x and of
    j * x, so only about 2 sqrt(n_harmonics) of them are taken, and the sum over j is a small
    matrix product. Nothing of size [batch, n_samples, n_harmonics] is ever made.
    """
    dtype = f0_hz.dtype
    n_harmonics, n_frames = length(sines, 2), length(sines, 1)
    rate = tf.cast(sample_rate, tf.float64)
    orders = tf.cast(tf.range(1, n_harmonics + 1), tf.float64)
    silent = tf.abs(tf.cast(f0_hz, tf.float64))[:, :, None] * orders >= 0.5 * rate
    sines, cosines = (tf.where(silent, tf.zeros([], dtype), x) for x in (sines, cosines))

    # Phase of every sample, [batch, n_frames, n_parts, size].
    blocks = Blocks(n_frames, n_samples)
    f = tf.cast(f0_hz, tf.float64)
    rise = (neighbour(f, 1) - f)[:, :, None, None]
    samples_a_frame = tf.cast(tf.maximum(n_samples, 1), tf.float64) / tf.cast(n_frames, tf.float64)
    within = blocks.weight * (f[:, :, None, None] + 0.5 * blocks.weight * rise)
    phase = frame_phases(f, initial_phase, n_samples, sample_rate)[:, :, None, None]
    cycles = phase + (samples_a_frame / rate) * within
    cycles -= tf.stop_gradient(tf.round(cycles))
    # A coarse part of few bits, whose multiples are exact, and the rest.
    coarse_cycles = tf.stop_gradient(tf.round(cycles * 2.0**12) / 2.0**12)
    rest = tf.cast(cycles - coarse_cycles, dtype)[..., None]
    coarse_cycles = tf.cast(coarse_cycles, dtype)[..., None]

    def waves(orders):
        """(sine, cosine) of multiples of the phase."""
        orders = tf.cast(orders, dtype)
        turns = coarse_cycles * orders
        turns = (turns - tf.round(turns)) + rest * orders
        return tf.sin((2.0 * math.pi) * turns), tf.cos((2.0 * math.pi) * turns)

    n_fine = max(1, round(1.4 * (sines.shape[2] or 128) ** 0.5))
    n_coarse = n_harmonics // n_fine + 1
    n_all = n_coarse * n_fine

    def table(parts):
        """Harmonic k at (i, j) with k = i * n_fine + j; k = 0 is empty."""
        parts = tf.pad(parts, [[0, 0], [0, 0], [1, n_all - n_harmonics - 1]])
        return tf.reshape(parts, [length(parts, 0), n_frames, n_coarse, n_fine])

    sines, cosines = table(sines), table(cosines)
    # Times [cos, sin] of the fine multiples they give the parts of the coarse ones' [sin, cos].
    tables = tf.concat(
        [tf.concat([sines, -cosines], axis=3), tf.concat([cosines, sines], axis=3)], axis=2
    )
    shares = neighbour_shares(tf.cast(blocks.weight, dtype)[..., None], _METHOD)
    others = [neighbour(tables, offset) - tables for offset, _ in shares]
    tables = tf.concat([tables, *others], axis=2)[:, :, None]
    sine, cosine = waves(tf.range(n_fine))
    fine = tf.concat([cosine, sine], axis=-1)
    tables += tf.zeros_like(blocks.way, dtype)[:, :, None, None]
    total, *parts = tf.split(matmul(fine, tables, transpose_b=True), 1 + len(shares), axis=-1)
    for (_, share), part in zip(shares, parts, strict=True):
        total += share * part
    coarse = tf.concat(waves(tf.range(n_coarse) * n_fine), axis=-1)
    return blocks.joined(tf.reduce_sum(total * coarse, axis=-1))
