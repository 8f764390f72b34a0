"""Sounds by their definitions, in float64 and NumPy alone, to measure errors against.

Nothing here is shared with `synths` or with ddsp, and nothing is fast. Two definitions of phase
occur. In `synths` it is the integral of the piecewise linear frequency, from 0 at the first
sample; ddsp adds the frequency up sample by sample and counts the first one already. Each is
measured against its own definition, so that what is left is its rounding.
"""

import numpy as np


def at_samples(frames, n_samples, smooth=False):
    """Values of frames at samples; frame i stands at sample i * n_samples / n_frames.

    Args:
      frames: [batch, n_frames, ...].
      n_samples: int.
      smooth: Whether to go from frame to frame along a raised cosine instead of a line.

    Returns:
      float64 [batch, n_samples, ...]; behind the last frame its value is held.
    """
    frames = np.asarray(frames, np.float64)
    n_frames = frames.shape[1]
    frame, rest = np.divmod(np.arange(n_samples) * n_frames, n_samples)
    weight = rest / n_samples
    if smooth:
        weight = 0.5 - 0.5 * np.cos(np.pi * weight)
    weight = weight.reshape([1, -1] + [1] * (frames.ndim - 2))
    after = np.minimum(frame + 1, n_frames - 1)
    return (1.0 - weight) * frames[:, frame] + weight * frames[:, after]


def running_sum(steps):
    """The sum of the steps before each, along axis 1, but for whole numbers.

    Whole cycles are dropped after every thousand steps: sums that grow without end lose precision,
    1e-6 cycles within ten minutes of sound.
    """
    n_steps, size = steps.shape[1], 1000
    padding = [(0, 0), (0, -n_steps % size)] + [(0, 0)] * (steps.ndim - 2)
    chunks = np.pad(steps, padding).reshape(len(steps), -1, size, *steps.shape[2:])
    within = np.cumsum(chunks, axis=2)
    start = np.zeros_like(within[:, :, 0])
    for i in range(1, start.shape[1]):
        start[:, i] = (start[:, i - 1] + within[:, i - 1, -1]) % 1.0
    sums = (start[:, :, None] + within - chunks).reshape(len(steps), -1, *steps.shape[2:])
    return sums[:, :n_steps]


def integrated_phase(f_hz, n_samples, sample_rate):
    """Cycles at samples: the integral of the piecewise linear frequency, 0 at sample 0.

    Args:
      f_hz: [batch, n_frames, ...].

    Returns:
      float64 [batch, n_samples, ...], but for whole numbers.
    """
    f_hz = np.asarray(f_hz, np.float64)
    n_frames = f_hz.shape[1]
    period = n_samples / sample_rate / n_frames
    after = np.concatenate([f_hz[:, 1:], f_hz[:, -1:]], axis=1)
    start = running_sum(0.5 * (f_hz + after) * period)
    frame, rest = np.divmod(np.arange(n_samples) * n_frames, n_samples)
    share = (rest / n_samples).reshape([1, -1] + [1] * (f_hz.ndim - 2))
    within = share * period * f_hz[:, frame]
    bend = 0.5 * share**2 * period * (after - f_hz)[:, frame]
    return start[:, frame] + within + bend


def summed_phase(f_hz, n_samples, sample_rate):
    """Cycles at samples as ddsp defines them: the sum of f / sample_rate up to this sample."""
    steps = at_samples(f_hz, n_samples) / sample_rate
    return running_sum(steps) + steps


def sines(phase, amplitudes, orders=None):
    """The sum over the last axis of amplitude * sin(2 pi order * phase).

    Args:
      phase: Cycles, [batch, n_samples, 1 or n].
      amplitudes: Linear, at samples, [batch, n_samples, n].
      orders: What each partial multiplies the phase by, [n]; 1 where absent.

    Returns:
      float64 [batch, n_samples].
    """
    total = np.zeros(amplitudes.shape[:2])
    for k in range(amplitudes.shape[2]):
        cycles = phase[:, :, k if phase.shape[2] > 1 else 0] * (1 if orders is None else orders[k])
        total += amplitudes[:, :, k] * np.sin(2.0 * np.pi * (cycles - np.round(cycles)))
    return total


def harmonic(f0_hz, amplitudes, n_samples, sample_rate, samples=slice(None), smooth=False):
    """A bank of harmonics as `synths.harmonic_synthesis` defines it.

    Args:
      f0_hz: [batch, n_frames, 1].
      amplitudes: Linear, of each harmonic, [batch, n_frames, n_harmonics]. A harmonic at or above
        Nyquist at a frame is silent there.
      n_samples, sample_rate: Length in samples and Hz.
      samples: Which samples to compute, a slice.
      smooth: As in `at_samples`, for the amplitudes.

    Returns:
      float64 [batch, n_samples, or those of `samples`].
    """
    orders = np.arange(1, np.shape(amplitudes)[2] + 1)
    audible = np.abs(np.asarray(f0_hz, np.float64)) * orders < 0.5 * sample_rate
    amplitudes = at_samples(np.where(audible, amplitudes, 0.0), n_samples, smooth)[:, samples]
    phase = integrated_phase(f0_hz, n_samples, sample_rate)[:, samples]
    return sines(phase, amplitudes, orders)


def harmonic_as_ddsp(f0_hz, amplitudes, n_samples, sample_rate, samples=slice(None), smooth=False):
    """The same as ddsp defines it: summed phase, and Nyquist checked at samples."""
    orders = np.arange(1, np.shape(amplitudes)[2] + 1)
    f0 = at_samples(f0_hz, n_samples)[:, samples]
    amplitudes = at_samples(amplitudes, n_samples, smooth)[:, samples]
    amplitudes = np.where(np.abs(f0) * orders < 0.5 * sample_rate, amplitudes, 0.0)
    return sines(summed_phase(f0_hz, n_samples, sample_rate)[:, samples], amplitudes, orders)


def sinusoidal(f_hz, amplitudes, n_samples, sample_rate, smooth=False):
    """A bank of free sinusoids, each with its own frequency, as `synths` defines it.

    Args:
      f_hz, amplitudes: [batch, n_frames, n_sinusoids].
      n_samples, sample_rate, smooth: As in `harmonic`.

    Returns:
      float64 [batch, n_samples].
    """
    audible = np.abs(np.asarray(f_hz, np.float64)) < 0.5 * sample_rate
    envelopes = at_samples(np.where(audible, amplitudes, 0.0), n_samples, smooth)
    return sines(integrated_phase(f_hz, n_samples, sample_rate), envelopes)


def sinusoidal_as_ddsp(f_hz, amplitudes, n_samples, sample_rate, smooth=False):
    """The same as ddsp defines it."""
    envelopes = at_samples(amplitudes, n_samples, smooth)
    envelopes = np.where(np.abs(at_samples(f_hz, n_samples)) < 0.5 * sample_rate, envelopes, 0.0)
    return sines(summed_phase(f_hz, n_samples, sample_rate), envelopes)


def wavetable(f0_hz, amplitudes, tables, n_samples, sample_rate):
    """Tables read as the sum of their harmonics, as `synths.wavetable_synthesis` defines it.

    Amplitude times table is what goes from frame to frame.

    Args:
      f0_hz, amplitudes: [batch, n_frames, 1].
      tables: One period for every frame, without a mean, [batch, n_frames, n_wavetable].

    Returns:
      float64 [batch, n_samples].
    """
    n_points = np.shape(tables)[2]
    parts = np.fft.rfft(np.asarray(tables, np.float64))[:, :, 1 : (n_points + 1) // 2]
    orders = np.arange(1, parts.shape[2] + 1)
    audible = np.abs(np.asarray(f0_hz, np.float64)) * orders < 0.5 * sample_rate
    parts = np.where(audible, parts, 0.0) * (2.0 / n_points) * np.asarray(amplitudes, np.float64)
    phase = integrated_phase(f0_hz, n_samples, sample_rate)
    sound = np.zeros(phase.shape[:2])
    for k in np.flatnonzero(np.abs(parts).max((0, 1)) > 1e-9):
        turn = np.exp(2j * np.pi * ((k + 1) * phase[:, :, 0] % 1.0))
        real = at_samples(parts[:, :, k].real, n_samples, smooth=True)
        imaginary = at_samples(parts[:, :, k].imag, n_samples, smooth=True)
        sound += real * turn.real - imaginary * turn.imag
    return sound


def wavetable_as_ddsp(f0_hz, amplitudes, tables, n_samples, sample_rate):
    """The same as ddsp defines it: linear between points, and its phase begins at 0."""
    tables = np.asarray(tables, np.float64)
    n_frames, n_points = tables.shape[1:]
    phase = running_sum(at_samples(f0_hz, n_samples)[:, :, 0] / sample_rate) % 1.0
    point = np.floor(phase * n_points).astype(int)
    share = phase * n_points - point
    frame, rest = np.divmod(np.arange(n_samples) * n_frames, n_samples)
    weight = rest / n_samples
    row = np.arange(len(tables))[:, None]

    def read(frame):
        first = tables[row, frame, point % n_points]
        return first + share * (tables[row, frame, (point + 1) % n_points] - first)

    sound = (1.0 - weight) * read(frame) + weight * read(np.minimum(frame + 1, n_frames - 1))
    return at_samples(amplitudes, n_samples, smooth=True)[:, :, 0] * sound


def modal(f_hz, amplitudes, decay_seconds, n_samples, sample_rate, first_sample=0):
    """A sum of sines that fall by 60 dB in decay_seconds.

    Args:
      f_hz, amplitudes, decay_seconds: [batch, n_modes].
      first_sample: Which sample after the blow comes first.

    Returns:
      float64 [batch, n_samples].
    """
    times = (first_sample + np.arange(n_samples)) / sample_rate
    f_hz, amplitudes, decays = (
        np.asarray(each, np.float64)[:, None, :] for each in (f_hz, amplitudes, decay_seconds)
    )
    envelopes = amplitudes * 1000.0 ** (-times[None, :, None] / decays)
    return sines(f_hz * times[None, :, None], envelopes)


def signal_to_error_db(exact, got):
    """Energy of `exact` over the energy of the difference, in dB; infinite where there is none."""
    exact = np.asarray(exact, np.float64)
    error = np.sum((np.asarray(got, np.float64) - exact) ** 2)
    with np.errstate(divide="ignore"):
        return float(10.0 * np.log10(np.sum(exact**2) / error))
