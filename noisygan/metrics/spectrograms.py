"""Log-mel spectrograms in NumPy, the one implementation behind all metrics and pages.

`synths.spectral` is the differentiable TensorFlow counterpart.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy import fft, signal

N_FFT = 1024
HOP_LENGTH = 160
FLOOR_DB = -100.0


@functools.cache
def mel_filters(sample_rate, n_mels, n_fft=N_FFT):
    """Triangular mel filters with peak 1, [n_mels, n_fft // 2 + 1], and their centres in Hz."""
    edges_mel = np.linspace(_hz_to_mel(40.0), _hz_to_mel(sample_rate / 2.0), n_mels + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    frequencies = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    # A triangle narrower than a bin is widened to one bin so that no band is empty.
    spacing = sample_rate / n_fft
    low = np.minimum(edges[:-2], edges[1:-1] - spacing)[:, None]
    high = np.maximum(edges[2:], edges[1:-1] + spacing)[:, None]
    centre = edges[1:-1, None]
    rising = (frequencies - low) / (centre - low)
    falling = (high - frequencies) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling)), edges[1:-1]


def _hz_to_mel(hz):
    return 2595.0 * np.log10(1.0 + hz / 700.0)


def power_spectrogram(audio):
    """Squared magnitudes [n_frames, N_FFT // 2 + 1]; 1 for a sine of amplitude 1 at a bin."""
    audio = np.pad(np.asarray(audio, np.float32), (N_FFT // 2, N_FFT // 2))
    window = signal.windows.hann(N_FFT, sym=False).astype(np.float32)
    window *= 2.0 / window.sum()
    frames = np.lib.stride_tricks.sliding_window_view(audio, N_FFT)[::HOP_LENGTH]
    return np.abs(fft.rfft(frames * window, axis=-1)) ** 2


def log_mel_db(audio, sample_rate, n_mels=80):
    """Log-mel spectrogram [n_frames, n_mels], dB relative to a full-scale sine, at least -100."""
    return power_to_log_mel(power_spectrogram(audio), sample_rate, n_mels)


def power_to_log_mel(power, sample_rate, n_mels=80):
    """Log-mel spectrogram of a power spectrogram; see `log_mel_db`."""
    filters, _ = mel_filters(sample_rate, n_mels)
    mel = power @ filters.T.astype(np.float32)
    return 10.0 * np.log10(np.maximum(mel, 10.0 ** (FLOOR_DB / 10.0)))


def pooled_log_mel(log_mel, n_segments=16):
    """Means over equal time segments, [n_segments * n_mels]."""
    return np.concatenate([part.mean(0) for part in np.array_split(log_mel, n_segments)])
