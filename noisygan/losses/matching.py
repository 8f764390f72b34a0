"""Losses that compare a generated sound with the recording whose conditions it shares.

They lead the generator to the right timbre, level and movement within the first hundreds of steps;
the adversary then judges what no average can tell.
"""

import math

import tensorflow as tf

from synths import spectral


class SpectralMatch:
    """Mean distance of logarithmic spectra, frame by frame, at several resolutions.

    It wants the very movement of the recording: where vibrato and tremolo begin at any phase, it
    rather irons them flat. See `TextureMatch`.

    Args:
      weight: Weight in the generator's loss.
      sizes: Frame lengths of the spectra in samples; frames follow each other by a quarter.
      floor: Added to magnitudes before the logarithm; 1 is a full-scale sine.

    References:
      Engel et al. 2020, equation 4, logarithmic terms.
    """

    def __init__(self, weight=1.0, sizes=(2048, 512), floor=1e-5):
        self.weight = weight
        self.sizes = tuple(sizes)
        self.floor = floor

    def __call__(self, real, fake):
        """Scalar: mean over resolutions, nepers. Arguments: [batch, n_samples] each."""
        total = 0.0
        for size in self.sizes:
            a, b = (_log_spectrum(x, size, size // 4, self.floor) for x in (real, fake))
            total += tf.reduce_mean(tf.abs(a - b))
        return total / len(self.sizes)


class TextureMatch:
    """Distance of what a sound is like, not of when it moves.

    Three terms, each a mean absolute difference of logarithmic spectra in nepers: the level of
    each frequency bin over short stretches of time; the strength of its modulation at each rate,
    whatever the phase (so vibrato and tremolo are asked for, with the recordings' rate, depth and
    regularity, but may begin anywhere); and the frames themselves around moments where timing
    matters, such as onset and release.

    Args:
      weight: Weight in the generator's loss.
      sample_rate: Hz.
      n_fft, hop_length: Of the spectra, in samples.
      floor: Added to magnitudes before the logarithm; 1 is a full-scale sine.
      level_seconds: Length of the stretches whose levels are compared.
      modulation_seconds: Length of the windows in which modulation is measured. Their resolution,
        2 / modulation_seconds in Hz, is how far off a rate may be and still be led to the right one.
      max_rate_hz: Highest rate of modulation.
      moments_seconds: Moments around which frames are compared one by one.
      moment_seconds: For how long after each.
      modulation_weight: Weight of the modulation among the terms.

    References:
      McDermott and Simoncelli 2011, on the statistics that make sound textures.
    """

    def __init__(
        self,
        weight=1.0,
        sample_rate=16000,
        n_fft=1024,
        hop_length=256,
        floor=1e-6,
        level_seconds=0.25,
        modulation_seconds=1.0,
        max_rate_hz=14.0,
        moments_seconds=(0.0, 3.0),
        moment_seconds=0.4,
        modulation_weight=1.0,
    ):
        self.weight = weight
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.floor = floor
        self.frame_rate = sample_rate / hop_length
        self.level_frames = max(1, round(level_seconds * self.frame_rate))
        self.modulation_frames = max(4, round(modulation_seconds * self.frame_rate))
        self.max_rate_hz = max_rate_hz
        self.moments_seconds = tuple(moments_seconds)
        self.moment_seconds = moment_seconds
        self.modulation_weight = modulation_weight

    def __call__(self, real, fake):
        """Scalar, nepers. Arguments: [batch, n_samples] each."""
        a, b = (_log_spectrum(x, self.n_fft, self.hop_length, self.floor) for x in (real, fake))
        total = tf.reduce_mean(tf.abs(self._levels(a) - self._levels(b)))
        modulation = tf.reduce_mean(tf.abs(self._modulation(a) - self._modulation(b)))
        total += self.modulation_weight * modulation
        if self.moments_seconds:
            # Frames a quarter as long: the onset is not smeared over 64 ms.
            size, hop = self.n_fft // 4, self.hop_length // 4
            c, d = (_log_spectrum(x, size, hop, self.floor) for x in (real, fake))
            total += tf.reduce_mean(tf.abs(self._moments(c) - self._moments(d)))
        return total

    def _levels(self, log_spectrum):
        """Mean over stretches of time, [batch, n_stretches, n_bins]."""
        n = min(self.level_frames, log_spectrum.shape[1])
        return tf.nn.avg_pool1d(log_spectrum, n, n, "VALID")

    def _modulation(self, log_spectrum):
        """Strength of each bin's modulation, [batch, n_rates, n_bins]: a sine's amplitude."""
        n = min(self.modulation_frames, log_spectrum.shape[1])
        n_rates = max(1, min(n // 2, round(self.max_rate_hz * n / self.frame_rate)))
        window = tf.signal.hann_window(n) * (4.0 / n)
        angle = 2.0 * math.pi / n * tf.range(n, dtype=tf.float32)[:, None]
        angle = angle * tf.range(1, n_rates + 1, dtype=tf.float32)
        starts = range(0, log_spectrum.shape[1] - n + 1, max(1, n // 4))
        pieces = tf.stack([log_spectrum[:, start : start + n] for start in starts], axis=1)
        pieces -= tf.reduce_mean(pieces, axis=2, keepdims=True)
        real = tf.einsum("bpnf,nr->bprf", pieces, window[:, None] * tf.cos(angle))
        imaginary = tf.einsum("bpnf,nr->bprf", pieces, window[:, None] * tf.sin(angle))
        return tf.reduce_mean(tf.sqrt(real**2 + imaginary**2 + 1e-8), axis=1)

    def _moments(self, log_spectrum):
        """The frames that follow each moment, joined."""
        rate = 4.0 * self.frame_rate
        n = max(1, round(self.moment_seconds * rate))
        starts = [max(0, round(m * rate) - 2) for m in self.moments_seconds]
        return tf.concat([log_spectrum[:, start : start + n] for start in starts], axis=1)


def _log_spectrum(audio, n_fft, hop_length, floor):
    return tf.math.log(spectral.magnitude(audio, n_fft, hop_length) + floor)
