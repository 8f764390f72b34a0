"""Scalar descriptors of a sound of any kind, length and sample rate.

Levels are dB relative to full scale. A descriptor that does not apply (vibrato without a pitch,
anything of silence) is NaN.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, signal

from noisygan.metrics import note_analysis, spectrograms
from noisygan.metrics.spectrograms import FLOOR_DB

# A sound with a lower peak is silent.
SILENT_PEAK = 1e-4
# Of full scale; 16-bit files reach 32767 / 32768.
CLIPPED = 0.9999
# Sustain of a pitched sound, as shares of its length.
HELD = (0.125, 0.7)
MIN_HELD_SECONDS = 0.8

GENERAL = {
    "log attack time": "log10 s",
    "decay": "s",
    "temporal centroid": "s",
    "spectral centroid": "octaves",
    "rolloff": "octaves",
    "flatness": "dB",
    "crest": "dB",
    "RMS": "dB",
    "tail floor": "dB",
}
PITCHED = {"vibrato rate": "Hz", "vibrato depth": "cents", "harmonic-to-noise ratio": "dB"}
DRUMS = {"onset": "ms", "time to -40 dB": "ms", "kick sweep": "octaves"}
# Recordings seldom clip: this is not measured in deviations of theirs.
CLIPPING = "clipping rate"
UNITS = {**GENERAL, **PITCHED, **DRUMS, CLIPPING: "%"}

UPSAMPLING_PARTS = 16
_N_SPECTRUM = 2048


def describe(audio, sample_rate, power, pitch=np.nan, is_kick=False):
    """Compute all descriptors of one sound.

    - log attack time: from 10 % to 90 % of the maximum amplitude;
    - decay: from the maximum to the last time above -20 dB of it;
    - temporal centroid: centre of the energy over time; spectral centroid and rolloff (85 % of the
      energy) in octaves above 100 Hz; flatness: geometric over arithmetic mean of the mean
      spectrum; crest: peak over RMS; tail floor: level of the last twentieth; clipping rate: share
      of samples at full scale that equal the one before, as the peak of a scaled sound does not;
    - vibrato rate and depth, harmonic-to-noise ratio: at the target pitch, in the sustain;
    - onset: first time above -20 dB of the peak; time to -40 dB: from the maximum; kick sweep:
      fall of the pitch from the first 10 ms to 80 ms later, kicks only.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      power: Its `spectrograms.power_spectrogram`.
      pitch: Target MIDI pitch, or NaN.
      is_kick: Whether the label is a kick.

    Returns:
      dict name -> float, with the keys of UNITS.

    References:
      Peeters 2004, A large set of audio features; Boersma 1993 (harmonic-to-noise ratio).
    """
    audio = np.asarray(audio, np.float64)
    out = dict.fromkeys(UNITS, np.nan)
    clipped = (np.abs(audio[1:]) >= CLIPPED) & (audio[1:] == audio[:-1])
    out[CLIPPING] = 100.0 * float(clipped.mean())
    n_tail = max(1, len(audio) // 20)
    out["tail floor"] = _db(np.mean(audio[-n_tail:] ** 2))
    out["RMS"] = _db(np.mean(audio**2))
    peak = np.abs(audio).max()
    if peak < SILENT_PEAK:
        return out
    out["crest"] = 20.0 * float(np.log10(peak)) - out["RMS"]
    out |= _envelope(audio, sample_rate)
    out |= _spectrum(power, sample_rate)
    if np.isfinite(pitch):
        out |= _pitched(audio, sample_rate, pitch)
    if is_kick:
        out["kick sweep"] = sweep_octaves(audio, sample_rate)
    return out


def _db(power):
    return float(10.0 * np.log10(max(power, 10.0 ** (FLOOR_DB / 10.0))))


def smoothed_power(audio, sample_rate, window_seconds=0.004, hop_seconds=0.0005):
    """Mean square in short windows: (times [n_frames] in s, power [n_frames])."""
    length = max(1, round(window_seconds * sample_rate))
    hop = max(1, round(hop_seconds * sample_rate))
    sums = np.pad(np.cumsum(np.asarray(audio, np.float64) ** 2), (1, 0))
    centres = np.arange(0, len(audio), hop)
    low = np.maximum(centres - length // 2, 0)
    high = np.minimum(centres - length // 2 + length, len(audio))
    return centres / sample_rate, np.maximum(sums[high] - sums[low], 0.0) / length


def _envelope(audio, sample_rate):
    times, power = smoothed_power(audio, sample_rate)
    level = np.sqrt(power / power.max())
    top = int(np.argmax(level))
    rising = level[: top + 1]
    t90 = times[np.argmax(rising >= 0.9)]
    below = np.flatnonzero(rising < 0.1)
    # From the last time below 10 %, so that noise before the sound is not part of the attack.
    t10 = times[below[-1]] if len(below) else 0.0
    return {
        "log attack time": float(np.log10(max(t90 - t10, 1e-3))),
        "decay": float(times[np.flatnonzero(level >= 0.1)[-1]] - times[top]),
        "temporal centroid": float((times * power).sum() / power.sum()),
        "onset": 1e3 * float(times[np.argmax(level >= 0.1)]),
        "time to -40 dB": 1e3 * float(times[np.flatnonzero(level >= 0.01)[-1]] - times[top]),
    }


def _spectrum(power, sample_rate):
    mean = power.mean(0)[1:].astype(np.float64)
    frequencies = np.arange(1, len(mean) + 1) * sample_rate / spectrograms.N_FFT
    total = mean.sum()
    if total <= 0.0:
        return {}
    centroid = (frequencies * mean).sum() / total
    rolloff = frequencies[np.searchsorted(np.cumsum(mean), 0.85 * total)]
    floor = 1e-10 * mean.max()
    flatness = np.mean(np.log10(mean + floor)) - np.log10(np.mean(mean + floor))
    return {
        "spectral centroid": float(np.log2(centroid / 100.0)),
        "rolloff": float(np.log2(rolloff / 100.0)),
        "flatness": 10.0 * float(flatness),
    }


def _pitched(audio, sample_rate, pitch):
    f0_hz = float(note_analysis.midi_to_hz(pitch))
    seconds = len(audio) / sample_rate
    held = (HELD[0] * seconds, HELD[1] * seconds)
    out = {}
    if f0_hz < note_analysis.SPECTRUM_LIMIT * sample_rate:
        out["harmonic-to-noise ratio"] = harmonic_to_noise_db(audio, sample_rate, f0_hz, held)
        if held[1] - held[0] >= MIN_HELD_SECONDS:
            partials = note_analysis.demodulate(audio, sample_rate, f0_hz, held, 3, 128)
            inside = (partials.times >= held[0]) & (partials.times < held[1])
            rate, depth = note_analysis.modulation(partials.cents[inside], partials.frame_rate)
            out |= {"vibrato rate": rate, "vibrato depth": min(depth, 200.0)}
    return out


def harmonic_to_noise_db(audio, sample_rate, f0_hz, held, n_windows=5):
    """Harmonic-to-noise ratio in dB, -20 to 60.

    Median over windows of eight periods, at least 40 ms. The autocorrelation near the target period
    (within 6 %) is divided by that of the window.

    References:
      Boersma 1993, Accurate short-term analysis of the fundamental frequency.
    """
    length = int(max(0.04, 8.0 / f0_hz) * sample_rate)
    starts = np.linspace(held[0] * sample_rate, held[1] * sample_rate - length, n_windows)
    window = np.hanning(length)
    fine = 8  # Interpolation: the period is not a whole number of samples.
    n_fft = fft.next_fast_len(2 * length, real=True)

    def autocorrelation(x):
        return fft.irfft(np.abs(fft.rfft(x, n_fft)) ** 2, fine * n_fft)

    own = autocorrelation(window)
    period = fine * sample_rate / f0_hz
    lags = np.arange(int(period / 1.06), int(period * 1.06) + 2)
    values = []
    for start in starts.astype(int):
        part = audio[max(start, 0) :][:length]
        if len(part) < length:
            continue
        found = autocorrelation((part - part.mean()) * window)
        if found[0] <= 1e-12:
            continue
        share = np.max((found[lags] / found[0]) / (own[lags] / own[0]))
        share = np.clip(share, 1e-6, 1.0 - 1e-6)
        values.append(np.clip(10.0 * np.log10(share / (1.0 - share)), -20.0, 60.0))
    return float(np.median(values)) if values else float("nan")


def sweep_octaves(audio, sample_rate, low_hz=30.0, high_hz=1000.0):
    """Fall of the pitch of a drum between its first 10 ms and 80 to 120 ms, in octaves.

    The pitch is the energy-weighted mean frequency of the band, from the phase steps of its
    analytic signal.
    """
    _, power = smoothed_power(audio, sample_rate, hop_seconds=1.0 / sample_rate)
    begin = int(np.argmax(power >= 0.01 * power.max()))
    part = audio[begin : begin + int(0.15 * sample_rate)]
    if len(part) < int(0.1 * sample_rate):
        return float("nan")
    band = signal.butter(2, [low_hz, high_hz], "bandpass", fs=sample_rate, output="sos")
    analytic = signal.hilbert(signal.sosfiltfilt(band, np.pad(part, (len(part), 0))))[len(part) :]

    def pitch(start, end):
        a = analytic[int(start * sample_rate) : int(end * sample_rate)]
        return np.angle((a[1:] * np.conj(a[:-1])).sum()) * sample_rate / (2.0 * np.pi)

    early, late = pitch(0.0, 0.01), pitch(0.08, 0.12)
    if min(early, late) <= 0.0:
        return float("nan")
    return float(np.log2(early / late))


def checkerboard_energy_db(audio, sample_rate, pitch=np.nan):
    """Checkerboard energy: level of tones at the upsampling frequencies over their neighbours, dB.

    Networks that upsample by 2 or 4 leave tones at multiples of the sample rate over powers of two.
    At each multiple of a 16th of the rate the level in the mean spectrum is compared with the
    median of its neighbours; the excess over 6 dB is averaged. Frequencies of partials of a note at
    the target pitch are left out.

    References:
      Odena et al. 2016; Pons et al. 2021, Upsampling artifacts in neural audio synthesis.
    """
    audio = np.asarray(audio, np.float64)
    if np.abs(audio).max(initial=0.0) < SILENT_PEAK or len(audio) < 512:
        return float("nan")
    n = min(_N_SPECTRUM, 1 << int(np.log2(len(audio))))
    frames = np.lib.stride_tricks.sliding_window_view(audio, n)[:: n // 2]
    window = signal.windows.hann(n, sym=False) / n
    db = 10.0 * np.log10((np.abs(fft.rfft(frames * window, axis=1)) ** 2).mean(0) + 1e-20)
    lines = n // UPSAMPLING_PARTS * np.arange(1, UPSAMPLING_PARTS // 2)
    if np.isfinite(pitch):
        numbers = lines * sample_rate / n / note_analysis.midi_to_hz(pitch)
        width = 10.0 * sample_rate / n / note_analysis.midi_to_hz(pitch)
        lines = lines[np.abs(numbers - np.round(numbers)) > width]
        if not len(lines):
            return float("nan")
    around = np.concatenate([np.arange(-10, -2), np.arange(3, 11)])
    excess = db[lines] - np.median(db[lines[:, None] + around[None, :]], axis=1)
    # A bin of noise exceeds the median by up to 6 dB.
    return float(np.maximum(excess - 6.0, 0.0).mean())
