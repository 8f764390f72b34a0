"""Named scalar and spectral descriptors of held 4 s notes, for `note_quality.py`."""

from __future__ import annotations

import numpy as np
from scipy import fft, signal

from noisygan.metrics.note_analysis import (
    N_PARTIALS,
    SILENCE_DB,
    demodulate,
    level_curve,
    midi_to_hz,
    modulation,
    power_to_db,
)
from noisygan.metrics.spectrograms import mel_filters

NOISE_BANDS_HZ = ((60, 1000), (1000, 2000), (2000, 4000), (4000, 7600))
SEGMENTS_SECONDS = {
    "onset": (0.0, 0.06),
    "attack": (0.06, 0.25),
    "early": (0.25, 1.0),
    "middle": (1.0, 2.0),
    "late": (2.0, 2.95),
    "release": (2.97, 3.12),
    "decay": (3.12, 3.4),
    "tail": (3.4, 4.0),
}


def noise_levels(audio, sample_rate, f0_hz, bands_hz=NOISE_BANDS_HZ):
    """Level of the noise between the partials in each band.

    Args:
      audio: [n_samples], the sustain of a note.
      sample_rate: Hz.
      f0_hz: Its mean fundamental; bins closer than 30 Hz + 1.5 % to a multiple are left out.
      bands_hz: Pairs of band edges.

    Returns:
      [n_bands] dB in the whole band, from the median density between the partials; NaN where no
      bin lies between partials.
    """
    frequencies, density = signal.welch(
        audio,
        sample_rate,
        window="blackmanharris",
        nperseg=min(4096, len(audio)),
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


def mean_deviation_attack(log_mel, attack_seconds=0.25, seconds=4.0):
    """Mean, deviation and mean of the first `attack_seconds` of each band: [3 * n_mels]."""
    n_attack = max(1, int(len(log_mel) * attack_seconds / seconds))
    return np.concatenate([log_mel.mean(0), log_mel.std(0), log_mel[:n_attack].mean(0)])


def named_spectral_features(log_mel, sample_rate, seconds=4.0):
    """What a real-or-fake classifier looks at, each with a name.

    Args:
      log_mel: [n_frames, n_mels], n_mels a multiple of 2 (bands are merged in pairs).
      sample_rate: Hz.
      seconds: Duration of the note.

    Returns:
      dict name -> float: log-mel by segment, its fast and slow movement in the held part, and
      means, deviations and frame-to-frame changes of 20 MFCCs.
    """
    times = np.arange(len(log_mel)) * seconds / len(log_mel)
    bands = 0.5 * (log_mel[:, 0::2] + log_mel[:, 1::2])
    _, centres = mel_filters(sample_rate, log_mel.shape[1])
    centres = 0.5 * (centres[0::2] + centres[1::2])
    out = {}
    for name, (start, end) in SEGMENTS_SECONDS.items():
        part = bands[(times >= start) & (times < end)]
        for centre, value in zip(centres, part.mean(0), strict=True):
            out[f"mel/{name} {centre:.0f} Hz [dB]"] = float(value)
    held = bands[(times >= 0.5) & (times < 2.8)]
    for centre, spread, change in zip(
        centres, held.std(0), np.abs(np.diff(held, axis=0)).mean(0), strict=True
    ):
        out[f"movement/spread {centre:.0f} Hz [dB]"] = float(spread)
        out[f"movement/change a frame {centre:.0f} Hz [dB]"] = float(change)
    mfcc = fft.dct(log_mel, axis=-1, norm="ortho")[:, :20]
    deltas = np.diff(mfcc, axis=0)
    for k in range(20):
        out[f"mfcc/mean {k}"] = float(mfcc[:, k].mean())
        out[f"mfcc/deviation {k}"] = float(mfcc[:, k].std())
        out[f"mfcc/change {k}"] = float(deltas[:, k].std())
    return out
