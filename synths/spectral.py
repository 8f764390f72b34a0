"""Differentiable analysis: spectra, mel bands and MFCCs of audio.

Frame i is centred on sample i * hop_length, so a feature's frames stand where the controls' do.
There are ceil(n_samples / hop_length) of them; the sound is padded with silence at both ends.
"""

import math

import numpy as np
import tensorflow as tf

from synths.errors import check_rank


def frame(audio, n_fft, hop_length):
    """Overlapping centred frames, [batch, n_frames, n_fft].

    Args:
      audio: [batch, n_samples].
      n_fft: Length of a frame in samples.
      hop_length: Samples from a frame to the next; any divisor of n_fft is fastest.
    """
    audio = tf.convert_to_tensor(audio)
    check_rank("audio", audio, 2, "[batch, n_samples]")
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    n_frames = -(-n_samples // hop_length)
    if n_fft % hop_length:
        end = (n_frames - 1) * hop_length + n_fft - n_fft // 2 - n_samples
        end = max(end, 0) if isinstance(end, int) else tf.maximum(end, 0)
        padded = tf.pad(audio, [[0, 0], [n_fft // 2, end]])
        return tf.signal.frame(padded, n_fft, hop_length)[:, :n_frames]
    # Slices of whole hops instead of a gather: the gradient is a sum of slices, too.
    per_frame = n_fft // hop_length
    total = (n_frames + per_frame - 1) * hop_length
    before = n_fft // 2
    after = total - before - n_samples
    if isinstance(after, int) and after < 0:
        audio, after = audio[:, :after], 0
    hops = tf.pad(audio, [[0, 0], [before, after]])
    hops = tf.reshape(hops, [-1, n_frames + per_frame - 1, hop_length])
    return tf.concat([hops[:, i : i + n_frames] for i in range(per_frame)], axis=2)


def magnitude(audio, n_fft=1024, hop_length=256):
    """Short-time magnitude spectrum with a Hann window; a full-scale sine peaks at 1.

    Where a bin is exactly zero its gradient is zero (not undefined).

    Args:
      audio: [batch, n_samples].
      n_fft, hop_length: Frame length and step in samples.

    Returns:
      float32 [batch, n_frames, n_fft // 2 + 1].
    """
    return _magnitude_of_frames(frame(audio, n_fft, hop_length))


@tf.custom_gradient
def _magnitude_of_frames(frames):
    """Windowed magnitude spectra of frames, [..., n_fft] to [..., n_fft // 2 + 1].

    The gradient is written out: one inverse transform, where TensorFlow's own takes several.
    """
    n_fft = frames.shape[-1]
    window = tf.signal.hann_window(n_fft, periodic=True) * (4.0 / n_fft)
    spectrum = tf.signal.rfft(frames * window)
    size = tf.sqrt(tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2 + 1e-14)

    def gradient(upstream):
        # An inverse real transform counts every bin twice but the first and (n_fft even) the last.
        twice = np.full(n_fft // 2 + 1, 0.5 * n_fft, np.float32)
        twice[0] = n_fft
        if n_fft % 2 == 0:
            twice[-1] = n_fft
        share = tf.complex(upstream / size * twice, tf.zeros_like(upstream))
        return tf.signal.irfft(share * spectrum, [n_fft]) * window

    return size, gradient


def mel_matrix(n_mels, n_bins, sample_rate, f_min=20.0, f_max=None):
    """Triangular mel filters [n_bins, n_mels], each summing to at most 1 (Slaney's mel scale).

    A filter narrower than a bin takes the interpolated bin at its centre, so no band is empty.
    """
    f_max = sample_rate / 2.0 if f_max is None else f_max
    edges = _mel_to_hz(np.linspace(_hz_to_mel(f_min), _hz_to_mel(f_max), n_mels + 2))
    bins = np.linspace(0.0, sample_rate / 2.0, n_bins)
    width = bins[1]
    lower = np.minimum(edges[:-2], edges[1:-1] - width)
    upper = np.maximum(edges[2:], edges[1:-1] + width)
    centre = edges[1:-1]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    total = filters.sum(0)
    return (filters / np.maximum(total, 1e-9)).astype(np.float32)


def _hz_to_mel(hz):
    hz = np.asarray(hz, float)
    return np.where(
        hz < 1000.0,
        hz * 3.0 / 200.0,
        15.0 + 27.0 * np.log(np.maximum(hz, 1.0) / 1000.0) / math.log(6.4),
    )


def _mel_to_hz(mel):
    mel = np.asarray(mel, float)
    return np.where(
        mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp((mel - 15.0) * math.log(6.4) / 27.0)
    )


def log_mel(audio, sample_rate, n_fft=1024, hop_length=256, n_mels=80, floor=1e-5):
    """Natural logarithm of mel-band magnitudes, [batch, n_frames, n_mels].

    Args:
      audio: [batch, n_samples].
      sample_rate: Hz.
      n_fft, hop_length: Samples.
      n_mels: Number of bands.
      floor: Added before the logarithm: monotonic, and the gradient is at most 1 / floor.
    """
    spectrum = magnitude(audio, n_fft, hop_length)
    filters = mel_matrix(n_mels, n_fft // 2 + 1, sample_rate)
    return tf.math.log(tf.matmul(spectrum, filters) + floor)


def dct_matrix(n_in, n_out):
    """Orthonormal DCT-II as a matrix [n_in, n_out]."""
    n = np.arange(n_in)[:, None] + 0.5
    basis = np.cos(np.pi / n_in * n * np.arange(n_out)[None]) * math.sqrt(2.0 / n_in)
    basis[:, 0] /= math.sqrt(2.0)
    return basis.astype(np.float32)


def mfcc(audio, sample_rate, n_fft=256, hop_length=64, n_mels=128, n_mfcc=30, floor=1e-5):
    """Mel-frequency cepstral coefficients, [batch, n_frames, n_mfcc]; arguments as `log_mel`."""
    bands = log_mel(audio, sample_rate, n_fft, hop_length, n_mels, floor)
    return tf.matmul(bands, dct_matrix(n_mels, n_mfcc))
