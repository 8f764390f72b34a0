"""Memorisation: the nearest training example of each generated one.

Two distances, both invariant to gain and to small shifts:

- waveform: mean square error to the training example at the best shift and gain (of either sign),
  relative to the mean square of the generated one. 0: a copy; 1: nothing in common. Filtering or
  a change of phases hides a copy.
- log-mel: root mean square difference of two log-mel spectrograms in dB at the best shift, each
  relative to its peak and limited to 60 dB below. Insensitive to phase.

An example is suspicious if a distance is smaller than for 19 of 20 held-out recordings. A small
distance alone means nothing: short drums of one kind are all alike.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import fft

from noisygan.metrics import spectrograms
from noisygan.metrics.distances import pairwise_distances
from noisygan.metrics.features import in_threads

RANGE_DB = 60.0
MAX_SHIFT_SECONDS = 0.005
# Share of the held-out recordings below the threshold.
LEVEL = 0.05
# A smaller distance is a copy, also among recordings.
COPY = {"waveform": 1e-3, "log-mel": 0.5}


def waveform_distances(generated, training, max_shift, candidates=None):
    """Relative square errors at the best shift and gain, float32 [n, m], 0 to 1.

    At a shift s the minimum of |x - a y_s|^2 / |x|^2 over gains a is
    1 - (x y_s)^2 / (|x|^2 |y_s|^2), where y_s is the part of y inside the length. One Fourier
    transform gives all shifts. Silence and pairs that are not compared have distance 1.

    Args:
      generated: [n, n_samples].
      training: [m, n_samples].
      max_shift: Largest shift in samples, to either side.
      candidates: Rows of the training examples to compare with, int [n, k]; None: all.
    """
    generated, training = (np.asarray(x, np.float32) for x in (generated, training))
    n_samples = generated.shape[1]
    max_shift = min(max_shift, n_samples - 1)
    n_fft = fft.next_fast_len(n_samples + max_shift, real=True)
    shifts = np.arange(-max_shift, max_shift + 1)
    # Samples 0 .. n - s of y remain at a shift s >= 0, samples -s .. n at s < 0.
    sums = np.pad(np.cumsum(training.astype(np.float64) ** 2, axis=1), ((0, 0), (1, 0)))
    left = sums[:, np.minimum(n_samples - shifts, n_samples)] - sums[:, np.maximum(-shifts, 0)]
    whole = (generated.astype(np.float64) ** 2).sum(axis=1)
    spectra = np.conj(fft.rfft(training, n_fft, axis=1))
    distances = np.ones([len(generated), len(training)], np.float32)
    for i, audio in enumerate(generated):
        if whole[i] <= 0.0:
            continue
        rows = slice(None) if candidates is None else candidates[i]
        product = fft.irfft(fft.rfft(audio, n_fft) * spectra[rows], n_fft, axis=1, workers=-1)
        energy = np.maximum(left[rows], 1e-9 * sums[rows, -1:] + 1e-30) * whole[i]
        share = (product[:, shifts].astype(np.float64) ** 2 / energy).max(axis=1)
        distances[i, rows] = 1.0 - np.minimum(share, 1.0)
    return distances


def log_mel_distances(generated, training, sample_rate, max_shift):
    """Root mean square differences of log-mel spectrograms at the best shift, dB, float64 [n, m].

    Args:
      generated: [n, n_samples].
      training: [m, n_samples].
      sample_rate: Hz.
      max_shift: Largest shift in samples, to either side.
    """
    ours, theirs = (
        np.stack(in_threads(lambda audio: _relative_log_mel(audio, sample_rate), x))
        for x in (generated, training)
    )
    n_frames = ours.shape[1]
    most = min(round(max_shift / spectrograms.HOP_LENGTH), n_frames - 1)
    found = []
    for shift in range(-most, most + 1):
        kept = n_frames - abs(shift)
        a = ours[:, max(shift, 0) :][:, :kept].reshape(len(ours), -1)
        b = theirs[:, max(-shift, 0) :][:, :kept].reshape(len(theirs), -1)
        found.append(pairwise_distances(a, b) / np.sqrt(a.shape[1]))
    return np.min(found, axis=0)


def _relative_log_mel(audio, sample_rate):
    """Log-mel spectrogram in dB above the lowest level of the range, [n_frames, n_mels]."""
    peak = np.max(np.abs(audio))
    log_mel = spectrograms.log_mel_db(audio / peak if peak > 0.0 else audio, sample_rate)
    return np.maximum(log_mel - log_mel.max() + RANGE_DB, 0.0).astype(np.float64)


@dataclasses.dataclass(frozen=True)
class Nearest:
    """Nearest training example of each generated one, by one distance.

    Attributes:
      rows: Of the training examples, int [n].
      distances: float [n].
      own_distances: Distances of held-out recordings to the nearest training example, [k].
      threshold: 5 % of the recordings, copies excluded, lie below it.
    """

    rows: np.ndarray
    distances: np.ndarray
    own_distances: np.ndarray
    threshold: float

    @property
    def closer(self):
        """Mask of the generated examples below the threshold, bool [n]."""
        return self.distances <= self.threshold

    @property
    def own_closer(self):
        """Mask of the recordings below the threshold, bool [k]."""
        return self.own_distances <= self.threshold


def find_copies(generated, training, test, sample_rate, n_candidates=None):
    """Nearest training examples of generated ones: dict of `Nearest`, "waveform" and "log-mel".

    Args:
      generated: [n, n_samples].
      training: [m, n_samples].
      test: Held-out recordings, [k, n_samples].
      sample_rate: Hz.
      n_candidates: Number of training examples, the nearest by log-mel, whose waveform is compared;
        None: all.
    """
    max_shift = round(MAX_SHIFT_SECONDS * sample_rate)
    # Both sets at once, so that the training examples are prepared once.
    everything = np.concatenate([generated, test])
    spectral = log_mel_distances(everything, training, sample_rate, max_shift)
    candidates = None
    if n_candidates is not None and n_candidates < len(training):
        candidates = np.argpartition(spectral, n_candidates, axis=1)[:, : n_candidates + 1]
    waveform = waveform_distances(everything, training, max_shift, candidates)
    found = {}
    for kind, matrix in (("waveform", waveform), ("log-mel", spectral)):
        matrix, own = matrix[: len(generated)], matrix[len(generated) :].min(axis=1)
        different = own[own > COPY[kind]]
        threshold = float(np.quantile(different, LEVEL)) if len(different) else COPY[kind]
        found[kind] = Nearest(matrix.argmin(axis=1), matrix.min(axis=1), own, threshold)
    return found


def suspicious(found, own=False):
    """Mask of generated examples (`own`: held-out recordings) below a threshold, bool [n]."""
    return np.any([n.own_closer if own else n.closer for n in found.values()], axis=0)
