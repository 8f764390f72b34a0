"""Spectral front ends: audio to [batch, n_frames, n_channels]."""

import math

import tensorflow as tf

from synths import spectral


class MFCC:
    """Mel-frequency cepstral coefficients: envelope and timbre, blind to phase and fine pitch.

    Args:
      sample_rate: Hz.
      n_fft: Samples; None: a power of two, at most 0.024 s.
      hop_length: Samples; None: n_fft / overlap.
      n_mels, n_mfcc, floor: As of `synths.spectral.mfcc`.
      overlap: Frames that a sample is in.
    """

    def __init__(
        self,
        sample_rate=16000,
        n_fft=None,
        hop_length=None,
        n_mels=128,
        n_mfcc=30,
        floor=1e-5,
        overlap=4,
    ):
        n_fft = n_fft or spectral.fft_size(0.024, sample_rate)
        hop_length = hop_length or n_fft // overlap
        self.arguments = (sample_rate, n_fft, hop_length, n_mels, n_mfcc, floor)
        self.sample_rate = sample_rate
        self.frame_rate = sample_rate / hop_length

    def __call__(self, audio):
        """float32 [batch, n_frames, n_mfcc]."""
        return spectral.mfcc(audio, *self.arguments)


class LogMel:
    """Log-mel bands: partials, the noise between them, and fine changes of level.

    Args:
      sample_rate: Hz.
      n_fft: Samples; None: a power of two, at most 0.064 s.
      hop_length: Samples; None: a quarter of n_fft.
      n_mels: Bands up to half of sample_rate; None: as densely as 80 up to 8 kHz.
      floor: Added to magnitudes before the logarithm.
    """

    def __init__(self, sample_rate=16000, n_fft=None, hop_length=None, n_mels=None, floor=1e-5):
        n_fft = n_fft or spectral.fft_size(0.064, sample_rate)
        hop_length = hop_length or n_fft // 4
        n_mels = n_mels or round(80 * math.log1p(sample_rate / 1400.0) / math.log1p(16000 / 1400.0))
        self.arguments = (sample_rate, n_fft, hop_length, n_mels, floor)
        self.sample_rate = sample_rate
        self.frame_rate = sample_rate / hop_length

    def __call__(self, audio):
        """float32 [batch, n_frames, n_mels]."""
        return spectral.log_mel(audio, *self.arguments)


class LogSpectrum:
    """Log magnitudes of all frequency bins: separates high partials from noise."""

    def __init__(self, sample_rate=16000, n_fft=1024, hop_length=256, floor=1e-4):
        self.arguments = (n_fft, hop_length)
        self.floor = floor
        self.sample_rate = sample_rate
        self.frame_rate = sample_rate / hop_length

    def __call__(self, audio):
        """float32 [batch, n_frames, n_fft // 2 + 1], nepers."""
        return tf.math.log(spectral.magnitude(audio, *self.arguments) + self.floor)
