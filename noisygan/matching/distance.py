"""Spectral distances of two sounds: the one that is minimized and the one that is reported."""

import math

import numpy as np
import tensorflow as tf

from synths import spectral
from synths.losses import SpectralLoss

RANGE_DB = 80.0
"""Levels count down to this range below the target's loudest bin."""

_SIZES = (2048, 1024, 512, 256, 128, 64)  # at up to 24 kHz; as Engel et al. 2020
_LOG_FLOOR = 1e-5  # of `SpectralLoss`


def log_spectral_distance(target, audio, sample_rate, range_db=RANGE_DB):
    """Log-spectral distance of two sounds [n_samples] in dB, over the bins that sound in either.

    With X and Y the Hann-windowed short-time spectra of target and audio (frames of the power of
    two next to 64 ms, hop a quarter of it) and L the level in dB, at least `range_db` below the
    loudest bin of X,

        d(t) = sqrt(mean over k of (L(X[t, k]) - L(Y[t, k]))**2)

    over those bins k of frame t in which X or Y lies above that floor; the distance is the mean of
    d over the frames that have any, 0 if none has. 80 dB end above the rounding noise of 16 bits.
    The original counts silent bins too, which makes every distance smaller.

    References:
      Gray and Markel, Distance measures for speech processing, 1976 (the rms log spectral measure).
    """
    n_fft = 1 << round(math.log2(0.064 * sample_rate))
    x, y = (
        spectral.magnitude(tf.constant(sound, tf.float32)[None], n_fft, n_fft // 4)[0].numpy()
        for sound in (target, audio)
    )
    floor = float(x.max()) * 10.0 ** (-range_db / 20.0)
    if floor <= 0.0:
        floor = np.finfo(np.float32).tiny
    count = np.sum((x > floor) | (y > floor), axis=1)
    if not count.any():
        return 0.0
    x, y, count = x[count > 0], y[count > 0], count[count > 0]
    difference = 20.0 * np.log10(np.maximum(x, floor) / np.maximum(y, floor))
    return float(np.mean(np.sqrt((difference**2).sum(axis=1) / count)))


class Objective:
    """Multi-resolution spectral loss against one target [n_samples], independent of its level.

    `SpectralLoss` of magnitudes and their logarithms, with a floor RANGE_DB below the target's
    loudest bin. At sample rates above 24 kHz the frames are twice as long.
    """

    def __init__(self, target, sample_rate):
        longer = 2 if sample_rate > 24000 else 1
        peak = float(tf.reduce_max(spectral.compute_mag(tf.constant(target[None]), 1024)))
        loudest = _LOG_FLOOR * 10.0 ** (RANGE_DB / 20.0)
        self.scale = loudest / max(peak, 1e-9)
        # As for spectra whose loudest bin is 100, as those of ordinary sounds.
        self.loss = SpectralLoss(
            [longer * size for size in _SIZES], mag_weight=100.0 / loudest, logmag_weight=1.0
        )
        self.target = tf.constant(target[None] * self.scale, tf.float32)

    def __call__(self, audio):
        """Loss of float32 [1, n_samples], a scalar."""
        return self.loss(self.target, audio * self.scale)
