"""Losses of the generator besides the adversarial one.

Most compare a generated sound with the recording whose conditions it shares (`compares` is
"audio", or "notes" with the note-offs). They fit timbre, level and modulation within the first
hundreds of steps. `FeatureMatch` compares the discriminator's features of whole batches (`compares`
is "features"). `NextBlockLoss` compares recordings with the generator's teacher-forced predictions
(`compares` is "prediction").
"""

import numpy as np
import tensorflow as tf

from noisygan.losses import global_batch as global_batch
from synths import spectral

MEL_CORNER_HZ = 700.0  # below it the mel scale is nearly linear, above it logarithmic
LEVEL_WEIGHT = 0.5  # of the total level; all bins together have 1
ONSET_SECONDS = 0.03  # after the onset, frames have half the weight of the first one


class SpectralMatch:
    """Mean distance of logarithmic spectra, frame by frame, at several resolutions.

    It compares phases of modulation: where vibrato and tremolo begin at any phase, it flattens
    them. See `TextureMatch`.

    Args:
      weight: Weight in the generator's loss.
      sizes: Frame lengths of the spectra in samples; frames follow each other by a quarter.
      floor: Added to magnitudes before the logarithm; 1 is a full-scale sine.

    References:
      Engel et al. 2020, equation 4, logarithmic terms.
    """

    compares = "audio"

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
    """Distance of spectral statistics, independent of the phase of modulation.

    Three terms, each a mean absolute difference of logarithmic spectra in nepers, in which bins
    are weighted by auditory bandwidth, plus the total level: the level of each
    frequency bin over short stretches of time; the strength of its modulation at each rate,
    whatever the phase (so vibrato and tremolo are learnt, with the recordings' rate, depth and
    regularity, but may begin anywhere); and the frames themselves after moments where timing
    matters: the onset, the more the nearer, and each recording's note-off.

    Args:
      weight: Weight in the generator's loss.
      sample_rate: Hz.
      n_fft: Of the spectra, in samples; None: a power of two, at most 0.064 s.
      hop_length: Samples; None: a quarter of n_fft.
      floor: Added to magnitudes before the logarithm; 1 is a full-scale sine.
      level_seconds: Length of the stretches whose levels are compared.
      modulation_seconds: Length of the windows in which modulation is measured. Their resolution,
        2 / modulation_seconds in Hz, is the largest error of a rate that is still corrected.
      max_rate_hz: Highest rate of modulation.
      moment_seconds: For how long frames are compared one by one after onset and note-off.
      modulation_weight: Weight of the modulation among the terms.

    References:
      McDermott and Simoncelli 2011, on the statistics that make sound textures.
    """

    compares = "notes"

    def __init__(
        self,
        weight=1.0,
        sample_rate=16000,
        n_fft=None,
        hop_length=None,
        floor=1e-6,
        level_seconds=0.25,
        modulation_seconds=1.0,
        max_rate_hz=11.0,
        moment_seconds=0.4,
        modulation_weight=1.0,
    ):
        self.weight = weight
        self.sample_rate = sample_rate
        self.n_fft = n_fft or spectral.fft_size(0.064, sample_rate)
        self.hop_length = hop_length or self.n_fft // 4
        self.floor = floor
        self.frame_rate = sample_rate / self.hop_length
        self.level_frames = max(1, round(level_seconds * self.frame_rate))
        self.modulation_frames = max(4, round(modulation_seconds * self.frame_rate))
        self.max_rate_hz = max_rate_hz
        self.moment_seconds = moment_seconds
        self.modulation_weight = modulation_weight

    def __call__(self, real, fake, held_seconds=None):
        """Scalar, nepers.

        Args:
          real, fake: float32 [batch, n_samples] each.
          held_seconds: Note-offs of the recordings, float32 [batch]; rows whose note-off is behind
            the end have no such term. None: nowhere.
        """
        a, b = (self._spectra(x, self.n_fft, self.hop_length) for x in (real, fake))
        total = tf.reduce_mean(self._by_frame(self._levels(a) - self._levels(b)))
        modulation = tf.reduce_mean(self._by_frame(self._modulation(a) - self._modulation(b)))
        total += self.modulation_weight * modulation
        c, d = (self._after_onset(x) for x in (real, fake))
        onset = self._by_frame(c - d)
        seconds = np.arange(onset.shape[1]) * (self.n_fft // 16) / self.sample_rate
        nearness = 1.0 / (ONSET_SECONDS + seconds)
        onset = tf.reduce_mean(onset * (nearness / nearness.mean()).astype(np.float32))
        if held_seconds is None:
            return total + onset
        c, d = (self._after(x, held_seconds) for x in (real, fake))
        inside = tf.cast(held_seconds < real.shape[1] / self.sample_rate, tf.float32)
        off = tf.reduce_mean(inside * tf.reduce_mean(self._by_frame(c - d), axis=1))
        return total + 0.5 * (onset + off)

    def _spectra(self, audio, n_fft, hop_length):
        """Log spectrum and, behind its bins, the log level of the whole."""
        magnitudes = spectral.magnitude(audio, n_fft, hop_length)
        level = tf.norm(magnitudes + self.floor, axis=2, keepdims=True)
        return tf.math.log(tf.concat([magnitudes + self.floor, level], axis=2))

    def _by_frame(self, differences):
        """Mean of bins weighted by auditory bandwidth, plus the weighted level, [batch, n]."""
        n_bins = differences.shape[2] - 1
        weights = 1.0 / (MEL_CORNER_HZ + np.linspace(0.0, 0.5 * self.sample_rate, n_bins))
        weights = tf.constant(np.append(weights / weights.sum(), LEVEL_WEIGHT), tf.float32)
        return tf.linalg.matvec(tf.abs(differences), weights)

    def _levels(self, log_spectrum):
        """Mean over stretches of time, [batch, n_stretches, n_bins]."""
        n = min(self.level_frames, log_spectrum.shape[1])
        return tf.nn.avg_pool1d(log_spectrum, n, n, "VALID")

    def _modulation(self, log_spectrum):
        """Strength of each bin's modulation, [batch, n_rates, n_bins]: a sine's amplitude."""
        n_frames, n_bins = log_spectrum.shape[1:]
        n = min(self.modulation_frames, n_frames)
        hop = max(1, n // 2)
        n_places = (n_frames - n) // hop + 1
        waves = tf.constant(self._modulation_waves(n, hop))
        # Windows overlap: each stretch of a hop serves all windows that it is in.
        n_parts, n_waves = waves.shape[:2]
        n_stretches = n_places + n_parts - 1
        wanted = n_stretches * hop
        padding = max(wanted - n_frames, 0)
        log_spectrum = tf.pad(log_spectrum, [[0, 0], [0, padding], [0, 0]])
        # Splits, not slices, whose gradients are many times as slow.
        kept, _ = tf.split(log_spectrum, [wanted, n_frames + padding - wanted], axis=1)
        stretches = tf.reshape(kept, [-1, n_stretches, hop, n_bins])
        of_parts = tf.split(tf.reshape(waves, [-1, hop]) @ stretches, n_parts, axis=2)
        inside = [
            tf.split(x, [i, n_places, n_parts - 1 - i], axis=1)[1] for i, x in enumerate(of_parts)
        ]
        found = tf.reshape(tf.add_n(inside), [-1, n_places, 2, n_waves // 2, n_bins])
        strength = tf.sqrt(tf.reduce_sum(found**2, axis=2) + 1e-8)
        return tf.reduce_mean(strength, axis=1)

    def _modulation_waves(self, n, hop):
        """Cosines, then sines, in a window of n frames, cut into hops: [n_parts, n_waves, hop].

        Rates begin at the second bin, where a Hann window is blind to constant levels.
        """
        last = max(3, min(n // 2, round(self.max_rate_hz * n / self.frame_rate)))
        window = np.hanning(n + 1)[:n] * (4.0 / n)
        angle = 2.0 * np.pi / n * np.arange(n) * np.arange(2, last)[:, None]
        n_parts = -(-n // hop)
        waves = np.zeros((2 * (last - 2), n_parts * hop), np.float32)
        waves[:, :n] = window * np.concatenate([np.cos(angle), np.sin(angle)])
        return waves.reshape(len(waves), n_parts, hop).swapaxes(0, 1)

    def _after_onset(self, audio):
        """Log spectrum of the beginning, in frames a quarter as long: onsets are not smeared."""
        end = round(self.moment_seconds * self.sample_rate) + self.n_fft // 4
        return self._spectra(audio[:, :end], self.n_fft // 4, self.n_fft // 16)

    def _after(self, audio, moments):
        """Log spectrum after a moment of each row, which begins a frame before it."""
        size = self.n_fft // 4
        n = round(self.moment_seconds * self.sample_rate) + size
        last = float(audio.shape[1])
        start = tf.cast(tf.minimum(moments * self.sample_rate, last), tf.int32) - size
        places = tf.maximum(start, 0)[:, None] + tf.range(n)
        padded = tf.pad(audio, [[0, 0], [0, n]])
        return self._spectra(tf.gather(padded, places, batch_dims=1), size, size // 4)


class FeatureMatch:
    """Distance of the discriminator's feature maps, averaged over the batch.

    Compares batch means, not rows: where the real and fake example of a row share only a label, a
    distance per row makes all examples alike.

    Args:
      weight: Weight in the generator's loss.

    References:
      Salimans et al. 2016, section 3.1, with each map's distance relative to its size (Defossez
      et al. 2022, equation 4).
    """

    compares = "features"

    def __init__(self, weight=1.0):
        self.weight = weight

    def __call__(self, real, fake):
        """Scalar, relative: the mean over maps. Arguments: a list of feature maps a scale."""
        pairs = [p for r, f in zip(real, fake, strict=True) for p in zip(r, f, strict=True)]
        means = [
            (tf.reduce_mean(r, axis=0), tf.reduce_mean(f, axis=0), tf.reduce_mean(tf.abs(r)))
            for r, f in pairs
        ]
        total = 0.0
        for r, f, size in global_batch.mean(means):
            total += tf.reduce_mean(tf.abs(r - f)) / (size + 1e-6)
        return total / len(pairs)


class NextBlockLoss:
    """Squared error of the predicted next block under teacher forcing (Williams and Zipser 1989).

    Relative to each recording's power, so quiet ones, down to about -40 dB, have equal weight. For
    autoregressive generators such as `SampleGAN`.

    Args:
      weight: Weight in the generator's loss.
    """

    compares = "prediction"

    def __init__(self, weight=1.0):
        self.weight = weight

    def __call__(self, real, predicted):
        """Scalar, a share of the power: 1 is as bad as silence. Arguments: [batch, n] each."""
        error = tf.reduce_mean((predicted - real) ** 2, axis=1)
        return tf.reduce_mean(error / (tf.reduce_mean(real**2, axis=1) + 1e-4))


class ClippingPenalty:
    """Energy of samples beyond full scale, which a file would clip.

    Front ends without level, and penalties on them, do not detect it.

    Args:
      limit: Full scale of the samples.
      weight: Weight in the generator's loss.
    """

    compares = "audio"

    def __init__(self, limit=1.0, weight=1.0):
        self.limit = limit
        self.weight = weight

    def __call__(self, real, fake):
        """Scalar: the sum over a sound's samples, the mean over the batch; 0 within full scale."""
        beyond = tf.nn.relu(tf.abs(fake) - self.limit)
        return tf.reduce_mean(tf.reduce_sum(beyond**2, axis=1))


def _log_spectrum(audio, n_fft, hop_length, floor):
    return tf.math.log(spectral.magnitude(audio, n_fft, hop_length) + floor)
