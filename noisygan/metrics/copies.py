"""Memorisation: the nearest training sound of each generated one, and how near others lie.

Two distances, by which a copy is 0 however loud it is and whether or not it begins a little later:

- waveform: the mean square error to the training sound, at the best shift and gain (of either
  sign), relative to the mean square of the generated sound. 0: a copy; 1: nothing in common. A
  copy through a filter or with other phases escapes it.
- log-mel: the root mean square difference of two log-mel spectrograms in dB, at the best shift,
  each relative to its own peak and down to 60 dB below. It hears no phases.

A sound is suspicious where a distance is smaller than it hardly ever is for recordings that were
not trained on: a small distance alone tells nothing of a short drum, whose kind are all alike.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import fft

from noisygan.metrics import spectrograms
from noisygan.metrics.distances import pairwise_distances
from noisygan.metrics.threads import in_threads

RANGE_DB = 60.0
# Nearer than this is a copy, of a recording among recordings too.
COPY = {"waveform": 1e-3, "log-mel": 0.5}


def waveform_distances(sounds, training, max_shift, candidates=None):
    """Relative square errors at the best shift and gain.

    At a shift s the smallest |x - a y_s|^2 / |x|^2 over gains a is 1 - (x y_s)^2 / (|x|^2 |y_s|^2),
    where y_s is what is left of y within the length. All shifts come from one Fourier transform.

    Args:
      sounds: [n, n_samples].
      training: [m, n_samples].
      max_shift: Largest shift in samples, to either side.
      candidates: Rows of the training sounds that each sound is compared with, int [n, k]; None:
        all of them. Each pair takes a Fourier transform of the whole length.

    Returns:
      float32 [n, m], 0 to 1; 1 for silence and for pairs that were not compared.
    """
    sounds, training = (np.asarray(x, np.float32) for x in (sounds, training))
    n_samples = sounds.shape[1]
    max_shift = min(max_shift, n_samples - 1)
    n_fft = fft.next_fast_len(n_samples + max_shift, real=True)
    shifts = np.arange(-max_shift, max_shift + 1)
    # Samples 0 .. n - s of y are left at a shift s >= 0, samples -s .. n at s < 0.
    sums = np.pad(np.cumsum(training.astype(np.float64) ** 2, axis=1), ((0, 0), (1, 0)))
    left = sums[:, np.minimum(n_samples - shifts, n_samples)] - sums[:, np.maximum(-shifts, 0)]
    whole = (sounds.astype(np.float64) ** 2).sum(axis=1)
    spectra = np.conj(fft.rfft(training, n_fft, axis=1))
    distances = np.ones([len(sounds), len(training)], np.float32)
    for i, sound in enumerate(sounds):
        if whole[i] <= 0.0:
            continue
        rows = slice(None) if candidates is None else candidates[i]
        product = fft.irfft(fft.rfft(sound, n_fft) * spectra[rows], n_fft, axis=1, workers=-1)
        energy = np.maximum(left[rows], 1e-9 * sums[rows, -1:] + 1e-30) * whole[i]
        share = (product[:, shifts].astype(np.float64) ** 2 / energy).max(axis=1)
        distances[i, rows] = 1.0 - np.minimum(share, 1.0)
    return distances


def log_mel_distances(sounds, training, sample_rate, max_shift):
    """Root mean square differences of log-mel spectrograms at the best shift.

    Args:
      sounds: [n, n_samples].
      training: [m, n_samples].
      sample_rate: Hz.
      max_shift: Largest shift in samples, to either side.

    Returns:
      float64 [n, m], dB.
    """
    ours, theirs = (
        np.stack(in_threads(lambda sound: _relative_log_mel(sound, sample_rate), x))
        for x in (sounds, training)
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


def _relative_log_mel(sound, sample_rate):
    """Log-mel spectrogram in dB above the lowest level that counts, [n_frames, n_mels]."""
    peak = np.max(np.abs(sound))
    log_mel = spectrograms.log_mel_db(sound / peak if peak > 0.0 else sound, sample_rate)
    return np.maximum(log_mel - log_mel.max() + RANGE_DB, 0.0).astype(np.float64)


@dataclasses.dataclass(frozen=True)
class Nearest:
    """By one distance, the nearest training sound of each generated one.

    Attributes:
      names: Of these, list of n.
      distances: To these, [n].
      own_distances: Of recordings to the nearest training sound that they are not, [k].
      threshold: Below it only the share `level` of the recordings lies that are no copies.
      closer: Whether a generated sound lies below it, bool [n].
    """

    names: list
    distances: np.ndarray
    own_distances: np.ndarray
    threshold: float
    closer: np.ndarray

    @property
    def share_closer(self):
        """Share of the generated sounds that lie closer than recordings do."""
        return float(self.closer.mean())

    @property
    def own_share_closer(self):
        """The same share of the recordings themselves."""
        return float((self.own_distances <= self.threshold).mean())


def find_copies(
    generated,
    training,
    names,
    sample_rate,
    test=None,
    max_shift_seconds=0.005,
    level=0.05,
    n_own=64,
    n_candidates=None,
):
    """Nearest training sounds of generated ones, by each distance.

    Args:
      generated: [n, n_samples].
      training: [m, n_samples], m >= 2, what was trained on.
      names: Of the training sounds, m of them.
      sample_rate: Hz.
      test: [k, n_samples], recordings that were not trained on; None: each of up to `n_own`
        training sounds is compared with the others.
      max_shift_seconds: Largest shift, to either side.
      level: Share of the recordings that may lie below the threshold.
      n_own: See `test`.
      n_candidates: The waveform is compared with so many training sounds alone, the nearest ones
        by log-mel; None: with all. For large sets.

    Returns:
      dict of `Nearest` by the distance's name: "waveform" and "log-mel".
    """
    generated, training = np.asarray(generated), np.asarray(training)
    max_shift = round(max_shift_seconds * sample_rate)
    chosen = None
    if test is None:
        chosen = np.unique(np.linspace(0, len(training) - 1, n_own).round().astype(int))
        test = training[chosen]
    # Both at once: the training sounds are then prepared once.
    everything = np.concatenate([generated, np.asarray(test)])
    spectral = log_mel_distances(everything, training, sample_rate, max_shift)
    candidates = None
    if n_candidates is not None and n_candidates < len(training):
        # One more: a recording that is compared with the others is its own nearest.
        candidates = np.argpartition(spectral, n_candidates, axis=1)[:, : n_candidates + 1]
    waveform = waveform_distances(everything, training, max_shift, candidates)
    found = {}
    for kind, matrix in (("waveform", waveform), ("log-mel", spectral)):
        matrix, own = matrix[: len(generated)], matrix[len(generated) :].copy()
        if chosen is not None:
            own[np.arange(len(chosen)), chosen] = np.inf
        own = own.min(axis=1)
        nearest = matrix.argmin(axis=1)
        distances = matrix.min(axis=1)
        # Recordings that are copies of each other do not tell how near different ones lie.
        different = own[own > COPY[kind]]
        threshold = float(np.quantile(different, level)) if len(different) else COPY[kind]
        found[kind] = Nearest(
            [names[i] for i in nearest], distances, own, threshold, distances <= threshold
        )
    return found


def suspicious(found):
    """Which generated sounds are closer by any distance than recordings are, bool [n]."""
    return np.any([nearest.closer for nearest in found.values()], axis=0)
