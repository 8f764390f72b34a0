"""Analysis of a pitched note: partials, pitch curve, vibrato and level.

A note is demodulated at the multiples of its pitch: each partial becomes a slow complex envelope.
Its magnitude gives the level of the partial, its phase the pitch curve. Levels are dB relative to
a full-scale sine (amplitude 1 reads 0 dB).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import signal

SILENCE_DB = -110.0
N_PARTIALS = 12
# Partials above this fraction of the sample rate are NaN.
SPECTRUM_LIMIT = 0.45


def power_to_db(power, floor_db=SILENCE_DB):
    """Mean square to dB relative to a full-scale sine, floored; any shape."""
    return 10.0 * np.log10(np.maximum(2.0 * np.asarray(power), 10.0 ** (floor_db / 10.0)))


def midi_to_hz(midi):
    """MIDI note number to Hz (A4 = 69 = 440 Hz)."""
    return 440.0 * 2.0 ** ((np.asarray(midi, dtype=np.float64) - 69.0) / 12.0)


def hz_to_midi(hz):
    """Hz to MIDI note number, fractions included."""
    return 69.0 + 12.0 * np.log2(np.asarray(hz, dtype=np.float64) / 440.0)


@dataclasses.dataclass(frozen=True)
class Demodulated:
    """Partials of a note as slow curves.

    Attributes:
      times: Frame centres in seconds, [n_frames].
      frame_rate: Hz.
      level_db: Level of each partial, [n_frames, n_partials]; NaN above the spectrum limit.
      cents: Deviation of the fundamental from the nominal pitch, [n_frames], weighted over the
        partials; undefined where the note is silent.
    """

    times: np.ndarray
    frame_rate: float
    level_db: np.ndarray
    cents: np.ndarray


def demodulate(audio, sample_rate, f0_hz, held=(0.5, 2.8), n_partials=N_PARTIALS, hop_length=64):
    """Heterodyne the partials of a monophonic note down to slow envelopes: `Demodulated`.

    The carrier is the strongest component within 120 cents of `f0_hz` in the sustain, so that a
    detuned note is measured at its actual pitch.

    Args:
      audio: [n_samples].
      sample_rate: Hz.
      f0_hz: Nominal fundamental.
      held: Start and end of the sustain in seconds.
      n_partials: Number of partials.
      hop_length: Samples between frames.
    """
    audio = np.asarray(audio, dtype=np.float64)
    carrier = _strongest_near(audio, sample_rate, f0_hz, held)
    # A Hann window of 4 periods, but at least 20 ms, rejects the neighbouring partials.
    length = int(round(max(0.02, 4.0 / carrier) * sample_rate)) | 1
    window = signal.windows.hann(length, sym=True)
    window /= window.sum()
    padded = np.pad(audio, (length // 2, length // 2 + hop_length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop_length]
    frames = frames[: len(audio) // hop_length]
    starts = np.arange(len(frames)) * hop_length
    numbers = np.arange(1, n_partials + 1)
    inside = numbers * carrier < SPECTRUM_LIMIT * sample_rate
    radians = -2j * np.pi * numbers[inside] * carrier / sample_rate
    kernel = window[:, None] * np.exp(radians[None, :] * (np.arange(length)[:, None] - length // 2))
    slow = (frames @ kernel) * np.exp(radians[None, :] * starts[:, None])
    power = np.full((len(frames), n_partials), np.nan)
    power[:, inside] = 2.0 * np.abs(slow) ** 2  # amplitude a -> |slow| = a / 2 -> power a^2 / 2
    # Frequency from the phase step; the k-th partial estimates f0 with k^2 times the precision.
    step = np.angle(slow[1:] * np.conj(slow[:-1])) * sample_rate / (2 * np.pi * hop_length)
    step = np.concatenate([step, step[-1:]])
    n_used = min(5, int(inside.sum()))
    weight = (numbers[:n_used] * np.abs(slow[:, :n_used])) ** 2 + 1e-20
    deviation_hz = (step[:, :n_used] / numbers[:n_used] * weight).sum(1) / weight.sum(1)
    f0 = np.maximum(carrier + deviation_hz, 1.0)
    return Demodulated(
        times=starts / sample_rate,
        frame_rate=sample_rate / hop_length,
        level_db=np.where(np.isnan(power), np.nan, power_to_db(np.nan_to_num(power))),
        cents=1200.0 * np.log2(f0 / f0_hz),
    )


def _strongest_near(audio, sample_rate, f0_hz, held):
    part = audio[int(held[0] * sample_rate) : int(held[1] * sample_rate)]
    n_fft = 1 << 17
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), n_fft))
    frequencies = np.arange(len(spectrum)) * sample_rate / n_fft
    ratio = 2.0 ** (120 / 1200)
    near = np.flatnonzero((frequencies > f0_hz / ratio) & (frequencies < f0_hz * ratio))
    if not len(near) or spectrum[near].max() <= 0.0:
        return float(f0_hz)
    # The centroid of the peak, which vibrato broadens, rather than its maximum.
    power = spectrum[near] ** 2
    power = np.where(power > 0.01 * power.max(), power, 0.0)
    return float((frequencies[near] * power).sum() / power.sum())


def modulation(curve, frame_rate, rate_range_hz=(2.5, 9.0)):
    """Strongest periodic modulation of a curve [n_frames]: vibrato of pitch, tremolo of level.

    Args:
      curve: In any unit (cents, dB).
      frame_rate: Hz.
      rate_range_hz: Range of the rate.

    Returns:
      (rate_hz, depth): depth is the amplitude of the sinusoid in the curve's unit.
    """
    n_frames = len(curve)
    steps = np.linspace(-1.0, 1.0, n_frames)
    curve = curve - np.polyval(np.polyfit(steps, curve, 2), steps)
    window = np.hanning(n_frames)
    n_fft = 1 << int(np.ceil(np.log2(8 * n_frames)))
    amplitude = np.abs(np.fft.rfft(curve * window, n_fft)) * 2.0 / window.sum()
    rates = np.arange(len(amplitude)) * frame_rate / n_fft
    candidates = np.flatnonzero((rates >= rate_range_hz[0]) & (rates <= rate_range_hz[1]))
    peak = candidates[np.argmax(amplitude[candidates])]
    return float(rates[peak]), float(amplitude[peak])


def level_curve(audio, sample_rate, window_seconds=0.016, hop_length=32):
    """Level over time: (times [n_frames] in seconds, level_db [n_frames]).

    Args:
      audio: [n_samples].
      sample_rate: Hz.
      window_seconds: Length of the Hann window that smooths the squared signal.
      hop_length: Samples between frames.
    """
    length = int(window_seconds * sample_rate) | 1
    window = signal.windows.hann(length + 2)[1:-1]
    power = signal.fftconvolve(np.asarray(audio, np.float64) ** 2, window / window.sum(), "same")
    power = np.maximum(power[::hop_length], 0.0)
    return np.arange(len(power)) * hop_length / sample_rate, power_to_db(power)
