"""Spectral front ends: audio to [batch, n_frames, n_channels]."""

import tensorflow as tf

from synths import spectral


class MFCC:
    """Mel-frequency cepstral coefficients: envelope and timbre, blind to phase and fine pitch."""

    def __init__(
        self, sample_rate=16000, n_fft=256, hop_length=64, n_mels=128, n_mfcc=30, floor=1e-5
    ):
        self.arguments = (sample_rate, n_fft, hop_length, n_mels, n_mfcc, floor)
        self.frame_rate = sample_rate / hop_length

    def __call__(self, audio):
        """float32 [batch, n_frames, n_mfcc]."""
        return spectral.mfcc(audio, *self.arguments)


class LogMel:
    """Log-mel bands: partials, the noise between them, and fine changes of level."""

    def __init__(self, sample_rate=16000, n_fft=1024, hop_length=256, n_mels=80, floor=1e-5):
        self.arguments = (sample_rate, n_fft, hop_length, n_mels, floor)
        self.frame_rate = sample_rate / hop_length

    def __call__(self, audio):
        """float32 [batch, n_frames, n_mels]."""
        return spectral.log_mel(audio, *self.arguments)


class LogSpectrum:
    """Log magnitudes of all frequency bins: separates high partials from noise."""

    def __init__(self, sample_rate=16000, n_fft=1024, hop_length=256, floor=1e-4):
        self.arguments = (n_fft, hop_length)
        self.floor = floor
        self.frame_rate = sample_rate / hop_length

    def __call__(self, audio):
        """float32 [batch, n_frames, n_fft // 2 + 1], nepers."""
        return tf.math.log(spectral.magnitude(audio, *self.arguments) + self.floor)
