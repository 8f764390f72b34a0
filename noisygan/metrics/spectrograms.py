"""Feature vectors of one note for distances and classifiers: log-mel and MFCC, pooled over time."""

from __future__ import annotations

import functools

import numpy as np
from scipy import fft, signal

N_FFT = 1024
HOP_LENGTH = 160
FLOOR_DB = -100.0
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


@functools.cache
def mel_filters(sample_rate, n_mels):
    """Triangular mel filters with peak 1, [n_mels, N_FFT // 2 + 1], and their centres in Hz."""
    edges_mel = np.linspace(_hz_to_mel(40.0), _hz_to_mel(sample_rate / 2.0), n_mels + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    frequencies = np.arange(N_FFT // 2 + 1) * sample_rate / N_FFT
    # Where a triangle is narrower than a bin, widen it to one bin so that no band is empty.
    spacing = sample_rate / N_FFT
    low = np.minimum(edges[:-2], edges[1:-1] - spacing)[:, None]
    high = np.maximum(edges[2:], edges[1:-1] + spacing)[:, None]
    centre = edges[1:-1, None]
    rising = (frequencies - low) / (centre - low)
    falling = (high - frequencies) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling)), edges[1:-1]


def _hz_to_mel(hz):
    return 2595.0 * np.log10(1.0 + hz / 700.0)


def power_spectrogram(audio):
    """Squared magnitudes, 1 for a sine of amplitude 1 at a bin: [n_frames, N_FFT // 2 + 1]."""
    audio = np.pad(np.asarray(audio, np.float32), (N_FFT // 2, N_FFT // 2))
    window = signal.windows.hann(N_FFT, sym=False).astype(np.float32)
    window *= 2.0 / window.sum()
    frames = np.lib.stride_tricks.sliding_window_view(audio, N_FFT)[::HOP_LENGTH]
    return np.abs(fft.rfft(frames * window, axis=-1)) ** 2


def log_mel_db(audio, sample_rate, n_mels=80):
    """Log-mel spectrogram, [n_frames, n_mels], dB relative to a full-scale sine, -100 or more."""
    return power_to_log_mel(power_spectrogram(audio), sample_rate, n_mels)


def power_to_log_mel(power, sample_rate, n_mels=80):
    """`log_mel_db` of a power spectrogram."""
    filters, _ = mel_filters(sample_rate, n_mels)
    mel = power @ filters.T.astype(np.float32)
    return 10.0 * np.log10(np.maximum(mel, 10.0 ** (FLOOR_DB / 10.0)))


def pooled_log_mel(log_mel, n_segments=16):
    """Mean over equal time segments: [n_segments * n_mels]."""
    return np.concatenate([part.mean(0) for part in np.array_split(log_mel, n_segments)])


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
