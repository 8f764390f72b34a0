"""What one pitched note does, in numbers a musician would recognise.

A note is demodulated at the multiples of its own pitch: each partial becomes a slow complex
envelope, whose size gives the partial's level and tremolo and whose phase gives the pitch curve
and its vibrato. What is left between the partials is the noise. Levels are dB relative to a
full-scale sine (so a sine of amplitude 1 reads 0 dB).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import signal

SILENCE_DB = -110.0
"""Level that stands for silence; nothing is reported below it."""

N_PARTIALS = 12
NOISE_BANDS_HZ = ((60, 1000), (1000, 2000), (2000, 4000), (4000, 7600))
SPECTRUM_LIMIT = 0.45
"""Partials above this fraction of the sample rate are left out (NaN)."""


def power_to_db(power, floor_db=SILENCE_DB):
    """Power (mean square) to dB relative to a full-scale sine, floored.

    Args:
      power: Mean square of the signal, any shape; a sine of amplitude 1 has 0.5.
      floor_db: Smallest value returned.

    Returns:
      dB, same shape.
    """
    return 10.0 * np.log10(np.maximum(2.0 * np.asarray(power), 10.0 ** (floor_db / 10.0)))


def midi_to_hz(midi):
    """MIDI note number to Hz (A4 = 69 = 440 Hz)."""
    return 440.0 * 2.0 ** ((np.asarray(midi, dtype=np.float64) - 69.0) / 12.0)


@dataclasses.dataclass(frozen=True)
class Demodulated:
    """The partials of a note as slow curves.

    Attributes:
      times: Frame centres in seconds, [n_frames].
      frame_rate: Frames a second.
      level_db: Level of each partial, [n_frames, n_partials]; NaN above the spectrum limit.
      cents: Deviation of the fundamental from the nominal pitch, [n_frames], averaged over the
        partials with the weight that each deserves; meaningless where the note is silent.
      mean_hz: Mean fundamental in the held part.
    """

    times: np.ndarray
    frame_rate: float
    level_db: np.ndarray
    cents: np.ndarray
    mean_hz: float


def demodulate(audio, sample_rate, f0_hz, held=(0.5, 2.8), n_partials=N_PARTIALS, hop_length=64):
    """Heterodynes the partials of a note down to slow envelopes.

    The carrier is the strongest component within 120 cents of `f0_hz` in the held part, so a
    detuned note is still measured where it sounds.

    Args:
      audio: [n_samples], a monophonic note.
      sample_rate: Hz.
      f0_hz: Asked fundamental.
      held: Start and end in seconds of the part that sounds steadily.
      n_partials: How many multiples of the fundamental to follow.
      hop_length: Samples between frames.

    Returns:
      Demodulated.
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
    # Frequency from the phase step; the k-th partial tells f0 with k^2 times the precision.
    step = np.angle(slow[1:] * np.conj(slow[:-1])) * sample_rate / (2 * np.pi * hop_length)
    step = np.concatenate([step, step[-1:]])
    n_used = min(5, int(inside.sum()))
    weight = (numbers[:n_used] * np.abs(slow[:, :n_used])) ** 2 + 1e-20
    deviation_hz = (step[:, :n_used] / numbers[:n_used] * weight).sum(1) / weight.sum(1)
    f0 = np.maximum(carrier + deviation_hz, 1.0)
    times = starts / sample_rate
    in_held = (times >= held[0]) & (times < held[1])
    return Demodulated(
        times=times,
        frame_rate=sample_rate / hop_length,
        level_db=np.where(np.isnan(power), np.nan, power_to_db(np.nan_to_num(power))),
        cents=1200.0 * np.log2(f0 / f0_hz),
        mean_hz=float(np.mean(f0[in_held])),
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
    # The middle of the (vibrato-broadened) peak rather than its highest point.
    power = spectrum[near] ** 2
    power = np.where(power > 0.01 * power.max(), power, 0.0)
    return float((frequencies[near] * power).sum() / power.sum())


def modulation(curve, frame_rate, rate_range_hz=(2.5, 9.0), total_range_hz=(1.0, 20.0)):
    """Strongest regular modulation of a curve: vibrato of a pitch curve, tremolo of a level.

    Args:
      curve: [n_frames], in any unit (cents, dB).
      frame_rate: Frames a second.
      rate_range_hz: Where to look for the peak.
      total_range_hz: Range of all modulation, to which the peak is compared.

    Returns:
      (rate_hz, depth, regularity): depth is the amplitude of the sinusoid in the curve's unit;
      regularity is the share of the modulation power within 0.8 Hz of the peak, 0 to 1.
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
    power = amplitude**2
    total = power[(rates >= total_range_hz[0]) & (rates <= total_range_hz[1])].sum()
    close = power[np.abs(rates - rates[peak]) <= 0.8].sum()
    regularity = min(1.0, close / total) if total > 0 else 0.0
    return float(rates[peak]), float(amplitude[peak]), float(regularity)


def modulation_onset(curve, times, frame_rate, rate_hz, held=(0.5, 2.8)):
    """Time in seconds from which the modulation at `rate_hz` keeps half its held depth.

    Found going back from the middle of the held part, so that a glide in the attack does not
    count as modulation unless it runs into it.
    """
    curve = np.asarray(curve) - np.median(curve)
    length = max(3, int(round(frame_rate / max(rate_hz, 1.0))) | 1)
    window = np.hanning(length + 2)[1:-1]
    slow = np.convolve(curve * np.exp(-2j * np.pi * rate_hz * times), window / window.sum(), "same")
    depth = np.abs(slow)
    reference = np.median(depth[(times >= held[0]) & (times < held[1])])
    before = np.flatnonzero((depth < 0.5 * reference) & (times < 0.5 * sum(held)))
    return float(times[before[-1]]) if len(before) else 0.0


def repetition(curve, frame_rate, rate_hz):
    """How exactly a curve repeats itself at `rate_hz`: its correlation with itself, -1 to 1.

    The lag is the one near a period (within 10 %) that correlates best; trends are taken out.
    """
    n_frames = len(curve)
    steps = np.linspace(-1.0, 1.0, n_frames)
    curve = curve - np.polyval(np.polyfit(steps, curve, 2), steps)
    period = frame_rate / max(rate_hz, 0.5)
    lags = np.arange(max(1, int(0.9 * period)), min(int(1.1 * period) + 2, n_frames // 2))
    best = -1.0
    for lag in lags:
        early, late = curve[:-lag], curve[lag:]
        size = np.sqrt((early @ early) * (late @ late))
        best = max(best, float(early @ late / size) if size > 0 else 0.0)
    return best


def level_curve(audio, sample_rate, window_seconds=0.016, hop_length=32):
    """Level over time.

    Args:
      audio: [n_samples].
      sample_rate: Hz.
      window_seconds: Length of the Hann window that smooths the squared signal.
      hop_length: Samples between frames.

    Returns:
      (times [n_frames] in seconds, level_db [n_frames]).
    """
    length = int(window_seconds * sample_rate) | 1
    window = signal.windows.hann(length + 2)[1:-1]
    power = signal.fftconvolve(np.asarray(audio, np.float64) ** 2, window / window.sum(), "same")
    power = np.maximum(power[::hop_length], 0.0)
    return np.arange(len(power)) * hop_length / sample_rate, power_to_db(power)


def noise_levels(audio, sample_rate, f0_hz, bands_hz=NOISE_BANDS_HZ):
    """Level of what sounds between the partials, for each band.

    Args:
      audio: [n_samples], a steady part of a note.
      sample_rate: Hz.
      f0_hz: Its mean fundamental; bins nearer than 30 Hz + 1.5 % to a multiple are left out.
      bands_hz: Pairs of band edges.

    Returns:
      [n_bands] dB of the noise in the whole band, estimated from the median density between
      the partials; NaN where no bin lies between partials.
    """
    n_fft = 4096
    frequencies, density = signal.welch(
        audio,
        sample_rate,
        window="blackmanharris",
        nperseg=min(n_fft, len(audio)),
        detrend=False,
        average="mean",
    )
    nearest = np.maximum(1.0, np.round(frequencies / f0_hz)) * f0_hz
    between = np.abs(frequencies - nearest) > 30.0 + 0.015 * nearest
    levels = []
    for low, high in bands_hz:
        chosen = between & (frequencies >= low) & (frequencies < high)
        levels.append(
            power_to_db(np.median(density[chosen]) * (high - low)) if chosen.sum() >= 4 else np.nan
        )
    return np.array(levels)


def _click(high_level_db, times, event, before, after):
    """Largest high-frequency level near an event over the louder of its two surroundings."""
    near = (times >= event[0]) & (times < event[1])
    sides = [
        np.median(high_level_db[(times >= low) & (times < high)]) for low, high in (before, after)
    ]
    return float(high_level_db[near].max() - max(sides))


def describe_note(audio, sample_rate, pitch, release_seconds=3.0):
    """All scalar descriptors of one note.

    Args:
      audio: [n_samples], a note that starts at 0 and is let go at `release_seconds`.
      sample_rate: Hz.
      pitch: Asked MIDI pitch.
      release_seconds: When the key goes up.

    Returns:
      dict of floats, named `<family>/<what> [unit]`; NaN where the note can't have the feature
      (a partial above the spectrum limit).
    """
    audio = np.asarray(audio, dtype=np.float64)
    held = (0.5, release_seconds - 0.2)
    f0_hz = float(midi_to_hz(pitch))
    partials = demodulate(audio, sample_rate, f0_hz, held)
    in_held = (partials.times >= held[0]) & (partials.times < held[1])
    out = _describe_envelope(audio, sample_rate, held, release_seconds)
    out |= _describe_pitch(partials, in_held)
    out |= _describe_partials(partials, in_held, out["vibrato/rate [Hz]"])
    steady = audio[int(held[0] * sample_rate) : int(held[1] * sample_rate)]
    for (low, high), level in zip(
        NOISE_BANDS_HZ, noise_levels(steady, sample_rate, partials.mean_hz), strict=True
    ):
        name = f"{round(low / 1000)}-{round(high / 1000)}k"
        out[f"noise/between partials {name} [dB]"] = float(level)
        out[f"noise/to note {name} [dB]"] = float(level) - out["envelope/held level [dB]"]
    out["noise/first 20 ms [dB]"] = float(power_to_db(np.mean(audio[: sample_rate // 50] ** 2)))
    out["noise/last 0.5 s [dB]"] = float(power_to_db(np.mean(audio[-sample_rate // 2 :] ** 2)))
    return out


def _describe_envelope(audio, sample_rate, held, release):
    times, level = level_curve(audio, sample_rate)
    in_held = (times >= held[0]) & (times < held[1])
    held_db = float(power_to_db(np.mean(10.0 ** (level[in_held] / 10.0)) / 2.0))
    slope = np.polyfit(times[in_held], level[in_held], 1)[0]

    def first_above(threshold_db):
        above = np.flatnonzero(level >= held_db + threshold_db)
        return float(times[above[0]]) if len(above) else held[1]

    def first_below(threshold_db):
        after = times >= release - 0.1
        below = np.flatnonzero(after & (level <= max(held_db + threshold_db, SILENCE_DB + 1)))
        return float(times[below[0]]) - release if len(below) else float(times[-1]) - release

    t10, t90 = first_above(-20.0), first_above(20 * np.log10(0.9))
    early = (times >= t90) & (times < t90 + 0.25)
    falling = (times >= release) & (level < held_db - 3) & (level > max(held_db - 40, -85))
    release_slope = np.polyfit(times[falling], level[falling], 1)[0] if falling.sum() > 8 else 0.0
    high = signal.sosfilt(
        signal.butter(4, 4000, "highpass", fs=sample_rate, output="sos"), audio, axis=0
    )
    high_times, high_db = level_curve(high, sample_rate, window_seconds=0.004)
    high_db = np.maximum(high_db, -100.0)
    return {
        "envelope/held level [dB]": held_db,
        "envelope/onset 10 % [s]": t10,
        "envelope/attack 10-90 % [s]": t90 - t10,
        "envelope/overshoot after attack [dB]": float(level[early].max() - held_db),
        "envelope/held slope [dB per s]": float(slope),
        "envelope/held spread [dB]": float(np.std(level[in_held])),
        "envelope/release slope [dB per s]": float(release_slope),
        "envelope/-20 dB after release [s]": first_below(-20.0),
        "envelope/-60 dB after release [s]": first_below(-60.0),
        "clicks/onset [dB]": _click(high_db, high_times, (0, 0.12), (0.12, 0.2), (0.2, 0.4)),
        "clicks/release [dB]": _click(
            high_db,
            high_times,
            (release - 0.03, release + 0.08),
            (release - 0.2, release - 0.05),
            (release + 0.1, release + 0.2),
        ),
    }


def _describe_pitch(partials, in_held):
    cents, rate = partials.cents, partials.frame_rate
    vibrato_hz, depth, regularity = modulation(cents[in_held], rate)
    smooth = signal.sosfiltfilt(signal.butter(2, 2.5, "lowpass", fs=rate, output="sos"), cents)
    rough = cents - signal.sosfiltfilt(
        signal.butter(2, 12.0, "lowpass", fs=rate, output="sos"), cents
    )
    attack = (partials.times >= 0.06) & (partials.times < 0.2)
    median = float(np.median(cents[in_held]))
    return {
        "pitch/held [cents]": median,
        "pitch/attack glide [cents]": float(np.median(cents[attack]) - median),
        "pitch/slow drift [cents]": float(np.std(smooth[in_held])),
        "pitch/jitter above 12 Hz [cents]": float(np.std(rough[in_held])),
        "vibrato/rate [Hz]": vibrato_hz,
        "vibrato/depth [cents]": depth,
        "vibrato/regularity": regularity,
        "vibrato/onset [s]": modulation_onset(cents, partials.times, rate, vibrato_hz),
        "vibrato/repetition": repetition(cents[in_held], rate, vibrato_hz),
    }


def _describe_partials(partials, in_held, vibrato_hz):
    power = 10.0 ** (partials.level_db[in_held] / 10.0)
    mean_db = 10.0 * np.log10(np.mean(power, axis=0))
    total_db = 10.0 * np.log10(np.nansum(np.mean(power, axis=0)))
    out = {
        f"partials/{k + 1} [dB]": float(max(mean_db[k] - total_db, -80.0))
        for k in range(N_PARTIALS)
    }
    total_curve = 10.0 * np.log10(np.nansum(power, axis=1))
    curves = {"all": total_curve}
    curves |= {str(k + 1): partials.level_db[in_held, k] for k in range(5)}
    for name, curve in curves.items():
        usable = np.all(np.isfinite(curve))
        values = modulation(curve, partials.frame_rate) if usable else (np.nan,) * 3
        out |= dict(
            zip(
                (
                    f"tremolo/rate partial {name} [Hz]",
                    f"tremolo/depth partial {name} [dB]",
                    f"tremolo/regularity partial {name}",
                ),
                values,
                strict=True,
            )
        )
        out[f"tremolo/spread partial {name} [dB]"] = float(np.std(curve)) if usable else np.nan
        out[f"tremolo/repetition partial {name}"] = (
            repetition(curve, partials.frame_rate, vibrato_hz) if usable else np.nan
        )
    return out
