"""Features of sets of examples: pooled log-mel, MFCC, log-mel by phase of the sound, pictures."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os

import numpy as np
from scipy import fft
from threadpoolctl import threadpool_limits

from noisygan.metrics import descriptors, spectrograms

N_MELS = 80
N_MFCC = 20
N_PARTS = 16
N_COMPONENTS = 32
# Levels below count as silence: they are masked by the sound itself.
LOWEST_DB = -80.0
PICTURE = (64, 40)
# Attack and release as shares of the length.
ATTACK, RELEASE = 0.1, 0.25
MAX_ATTACK_SECONDS = 0.25
_KICKS = ("kick", "bass drum", "bassdrum", "bass_drum")


@dataclasses.dataclass(frozen=True)
class Features:
    """Features of n examples.

    Attributes:
      vectors: dict space -> float64 [n, d]: "mfcc" [n, 40]; "log-mel" and "temporal log-mel"
        divided by sqrt(d), so that a distance is a root mean square difference in dB.
      pictures: Log-mel spectrograms of one size, float32 [n, 64, 40], dB.
      described: dict descriptor -> float [n].
      checkerboard: Checkerboard energy, dB, [n].
    """

    vectors: dict
    pictures: np.ndarray
    described: dict
    checkerboard: np.ndarray

    def take(self, rows):
        """Features of some rows."""
        return Features(
            {name: values[rows] for name, values in self.vectors.items()},
            self.pictures[rows],
            {name: values[rows] for name, values in self.described.items()},
            self.checkerboard[rows],
        )


def extract(audio, sample_rate, pitch, labels):
    """`Features` of examples.

    Args:
      audio: float32 [n, n_samples].
      sample_rate: Hz.
      pitch: MIDI, NaN where unknown, [n].
      labels: str [n].
    """

    def features_of(audio, pitch, label):
        is_kick = any(word in label.lower() for word in _KICKS)
        power = spectrograms.power_spectrogram(audio)
        log_mel = spectrograms.power_to_log_mel(power, sample_rate, N_MELS)
        log_mel = np.maximum(log_mel, LOWEST_DB)
        return (
            mfcc_statistics(log_mel),
            spectrograms.pooled_log_mel(log_mel, min(N_PARTS, len(log_mel))),
            temporal_log_mel(log_mel, len(audio) / sample_rate),
            picture(log_mel),
            descriptors.describe(audio, sample_rate, power, pitch, is_kick),
            descriptors.checkerboard_energy_db(audio, sample_rate, pitch),
        )

    rows = in_threads(features_of, audio, pitch, map(str, labels))
    mfcc, pooled, temporal, pictures, described, checkerboard = zip(*rows, strict=True)
    spaces = {"log-mel": pooled, "temporal log-mel": temporal}
    spaces = {name: np.stack(values) / len(values[0]) ** 0.5 for name, values in spaces.items()}
    spaces["mfcc"] = np.stack(mfcc)
    return Features(
        {name: values.astype(np.float64) for name, values in spaces.items()},
        np.stack(pictures),
        {name: np.array([d[name] for d in described]) for name in described[0]},
        np.array(checkerboard),
    )


def in_threads(function, *arguments):
    """Map a function over arguments in threads, one per core; a list in order.

    Matrix products inside use one core each.
    """
    with threadpool_limits(1), concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(function, *arguments))


def mfcc_statistics(log_mel):
    """Means and deviations over time of 20 MFCCs of a log-mel spectrogram, [40]."""
    mfcc = fft.dct(log_mel, axis=-1, norm="ortho")[:, :N_MFCC]
    return np.concatenate([mfcc.mean(0), mfcc.std(0)])


def temporal_log_mel(log_mel, seconds):
    """Log-mel levels of attack, sustain and release, [10 * n_mels].

    Attack: four parts of the first tenth (at most 0.25 s). Release: four parts of the last quarter.
    Sustain: mean and deviation of the rest.
    """
    n = len(log_mel)
    n_attack = max(1, round(n * min(ATTACK, MAX_ATTACK_SECONDS / seconds)))
    n_release = max(1, round(n * RELEASE))
    sustain = log_mel[n_attack : max(n - n_release, n_attack + 1)]
    if not len(sustain):
        sustain = log_mel
    attack, release = (_averaged(part, 4) for part in (log_mel[:n_attack], log_mel[-n_release:]))
    return np.concatenate([attack.ravel(), sustain.mean(0), sustain.std(0), release.ravel()])


def picture(log_mel):
    """A log-mel spectrogram [n_frames, n_mels] resized to PICTURE by averaging, float32."""
    return _averaged(_averaged(log_mel, PICTURE[0]).T, PICTURE[1]).T.astype(np.float32)


def _averaged(rows, n):
    """Means of n equal parts of rows [m, d], each of at least one row: [n, d]."""
    edges = np.linspace(0, len(rows), n + 1)
    low = np.minimum(np.floor(edges[:-1]).astype(int), len(rows) - 1)
    high = np.maximum(np.ceil(edges[1:]).astype(int), low + 1)
    sums = np.pad(np.cumsum(rows, axis=0, dtype=np.float64), ((1, 0), (0, 0)))
    return (sums[high] - sums[low]) / (high - low)[:, None]


class Projection:
    """Principal components of training recordings, and the distance from their subspace.

    The last coordinate is the norm of the residual: without it an example unlike any recording
    would be projected into the middle of them.

    Args:
      train: [n, d]; at most 32 components, and n // 4.
    """

    def __init__(self, train):
        self.mean = train.mean(0)
        _, _, axes = np.linalg.svd(train - self.mean, full_matrices=False)
        self.axes = axes[: max(2, min(N_COMPONENTS, len(train) // 4))].T

    def __call__(self, values):
        """[n, d] -> [n, n_components + 1]."""
        centred = values - self.mean
        inside = centred @ self.axes
        left = np.maximum((centred**2).sum(1) - (inside**2).sum(1), 0.0)
        return np.concatenate([inside, np.sqrt(left)[:, None]], axis=1)
