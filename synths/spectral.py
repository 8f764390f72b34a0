"""Differentiable spectra, mel bands and MFCCs.

Frame i is centred on sample i * hop_length, as frames of controls are. There are
ceil(n_samples / hop_length) frames; the audio is padded with silence at both ends.
"""

import math

import numpy as np
import tensorflow as tf

from synths.native import call_kernel, native_kernels_used, with_all_gradients
from synths.precision import as_float, matmul
from synths.shapes import check_shape, length
from synths.sharing import computed_once
from synths.units import safe_log


def fft_size(seconds, sample_rate):
    """Largest power of two of samples that last at most `seconds`."""
    return 1 << int(math.log2(seconds * sample_rate) + 1e-6)


def frame(audio, n_fft, hop_length):
    """Cut audio into overlapping centred frames, [batch, n_frames, n_fft].

    Args:
      audio: [batch, n_samples].
      n_fft: Length of a frame in samples.
      hop_length: Samples per hop; divisors of n_fft are fastest.
    """
    audio = as_float(audio)
    check_shape("audio", audio, "[batch, n_samples]")
    n_samples = length(audio, 1)
    n_frames = -(-n_samples // hop_length)
    if n_fft % hop_length:
        end = (n_frames - 1) * hop_length + n_fft - n_fft // 2 - n_samples
        end = max(end, 0) if isinstance(end, int) else tf.maximum(end, 0)
        padded = tf.pad(audio, [[0, 0], [n_fft // 2, end]])
        return tf.signal.frame(padded, n_fft, hop_length)[:, :n_frames]
    # Slices of whole hops instead of a gather, whose gradient is slower.
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

    The gradient of a bin that is exactly zero is zero.

    Args:
      audio: [batch, n_samples].
      n_fft, hop_length: Frame length and hop in samples.

    Returns:
      [batch, n_frames, n_fft // 2 + 1].
    """
    audio = as_float(audio)
    check_shape("audio", audio, "[batch, n_samples]")
    n_frames = -(-length(audio, 1) // hop_length)
    return computed_once(
        ("magnitude", n_fft, hop_length),
        audio,
        lambda: _magnitude(
            audio,
            lambda x: magnitude_of_frames(frame(x, n_fft, hop_length), 4.0 / n_fft),
            (n_fft, hop_length, n_fft // 2, n_frames, 4.0 / n_fft),
        ),
    )


def _magnitude(audio, plain, framing):
    """Magnitudes by the compiled kernel where it is available, else by the plain function.

    Args:
      audio: [batch, n_samples].
      plain: Function from audio to magnitudes.
      framing: (n_fft, hop_length, samples before the hop, n_frames, scale).
    """
    n_fft, hop_length, before, n_frames, scale = framing
    if audio.dtype != tf.float32 or not native_kernels_used():
        return plain(audio)
    from synths.kernels import spectrum_cpu
    from synths.kernels.transforms import LENGTHS

    if n_fft not in LENGTHS:
        return plain(audio)
    window = tf.signal.hann_window(n_fft) * scale

    def forward(audio):
        inputs = [audio, window, hop_length, before, n_frames]
        shape = [audio.shape[0], tf.get_static_value(n_frames), n_fft // 2 + 1]
        return call_kernel(spectrum_cpu.forward, inputs, shape)[0]

    def backward(audio, upstream):
        inputs = [audio, upstream, window, hop_length, before]
        return call_kernel(spectrum_cpu.backward, inputs, audio.shape)

    return with_all_gradients(forward, backward, plain)(audio)


@tf.custom_gradient
def magnitude_of_frames(frames, scale):
    """Windowed magnitude spectra of frames, [..., n_fft] to [..., n_fft // 2 + 1], times scale.

    The custom gradient takes one inverse transform, TensorFlow's several.
    """
    n_fft = frames.shape[-1]
    window = tf.signal.hann_window(n_fft, periodic=True, dtype=frames.dtype) * scale
    spectrum = tf.signal.rfft(frames * window)
    size = tf.sqrt(tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2 + 1e-14)

    def gradient(upstream):
        # The inverse transform counts all bins but the first and (n_fft even) the last twice.
        twice = np.full(n_fft // 2 + 1, 0.5 * n_fft, frames.dtype.as_numpy_dtype)
        twice[0] = n_fft
        if n_fft % 2 == 0:
            twice[-1] = n_fft
        share = tf.complex(upstream / size * twice, tf.zeros_like(upstream))
        return tf.signal.irfft(share * spectrum, [n_fft]) * window, None

    return size, gradient


def mel_matrix(n_mels, n_bins, sample_rate, f_min=20.0, f_max=None):
    """Triangular mel filters [n_bins, n_mels], each with a sum of at most 1 (Slaney's scale).

    A filter narrower than a bin interpolates at its centre, so no band is empty.
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
      floor: Added before the logarithm; the gradient is at most 1 / floor.
    """
    spectrum = magnitude(audio, n_fft, hop_length)
    filters = mel_matrix(n_mels, n_fft // 2 + 1, sample_rate)
    return tf.math.log(matmul(spectrum, tf.cast(filters, spectrum.dtype)) + floor)


def dct_matrix(n_in, n_out):
    """Matrix of the orthonormal DCT-II, [n_in, n_out]."""
    n = np.arange(n_in)[:, None] + 0.5
    basis = np.cos(np.pi / n_in * n * np.arange(n_out)[None]) * math.sqrt(2.0 / n_in)
    basis[:, 0] /= math.sqrt(2.0)
    return basis.astype(np.float32)


def mfcc(audio, sample_rate, n_fft=256, hop_length=64, n_mels=128, n_mfcc=30, floor=1e-5):
    """Mel-frequency cepstral coefficients, [batch, n_frames, n_mfcc]; arguments as `log_mel`."""
    bands = log_mel(audio, sample_rate, n_fft, hop_length, n_mels, floor)
    return matmul(bands, tf.cast(dct_matrix(n_mels, n_mfcc), bands.dtype))


def stft(audio, frame_size=2048, overlap=0.75, pad_end=True):
    """Short-time Fourier transform as in ddsp: frames begin at hops, without normalization.

    Args:
      audio: [batch, n_samples], [batch, n_samples, 1] or [n_samples].
      frame_size: Samples per frame under a Hann window; the transform has the next power of two.
      overlap: Fraction of a frame that overlaps with the next, less than 1.
      pad_end: Whether the end is padded with silence to whole frames.

    Returns:
      complex [batch, n_frames, n_bins], n_frames = ceil(n_samples / hop) with pad_end; [n_frames,
      n_bins] for audio without a batch.
    """
    audio, alone = _mono(audio)
    hop = int(frame_size * (1.0 - overlap))
    spectrum = tf.signal.stft(audio, int(frame_size), hop, pad_end=pad_end)
    return spectrum[0] if alone else spectrum


def compute_mag(audio, size=2048, overlap=0.75, pad_end=True):
    """Magnitude of `stft`; the gradient of a bin that is exactly zero is zero."""
    audio, alone = _mono(audio)
    magnitudes = _compute_mag(audio, int(size), int(size * (1.0 - overlap)), pad_end)
    return magnitudes[0] if alone else magnitudes


def _compute_mag(audio, size, hop, pad_end):
    if size & (size - 1):
        spectrum = tf.signal.stft(audio, size, hop, pad_end=pad_end)
        power = tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2
        return tf.sqrt(power + 1e-14)
    n_samples = length(audio, 1)
    n_frames = -(-n_samples // hop) if pad_end else (n_samples - size) // hop + 1
    n_frames = max(n_frames, 0) if isinstance(n_frames, int) else tf.maximum(n_frames, 0)
    return _magnitude(
        audio,
        lambda x: magnitude_of_frames(tf.signal.frame(x, size, hop, pad_end=pad_end), 1.0),
        (size, hop, 0, n_frames, 1.0),
    )


def compute_logmag(audio, size=2048, overlap=0.75, pad_end=True):
    """`safe_log` of `compute_mag`."""
    return safe_log(compute_mag(audio, size, overlap, pad_end))


def compute_mel(
    audio,
    lo_hz=0.0,
    hi_hz=8000.0,
    bins=64,
    fft_size=2048,
    overlap=0.75,
    pad_end=True,
    sample_rate=16000,
):
    """Magnitudes of mel bands (HTK's scale) as in ddsp, [batch, n_frames, bins]."""
    spectrum = compute_mag(audio, fft_size, overlap, pad_end)
    filters = tf.signal.linear_to_mel_weight_matrix(
        bins, spectrum.shape[-1], sample_rate, lo_hz, hi_hz, dtype=spectrum.dtype
    )
    return matmul(spectrum, filters)


def compute_logmel(
    audio,
    lo_hz=80.0,
    hi_hz=7600.0,
    bins=64,
    fft_size=2048,
    overlap=0.75,
    pad_end=True,
    sample_rate=16000,
):
    """`safe_log` of `compute_mel`."""
    return safe_log(compute_mel(audio, lo_hz, hi_hz, bins, fft_size, overlap, pad_end, sample_rate))


def compute_mfcc(
    audio,
    lo_hz=20.0,
    hi_hz=8000.0,
    fft_size=1024,
    mel_bins=128,
    mfcc_bins=13,
    overlap=0.75,
    pad_end=True,
    sample_rate=16000,
):
    """Mel-frequency cepstral coefficients as in ddsp, [batch, n_frames, mfcc_bins]."""
    bands = compute_logmel(audio, lo_hz, hi_hz, mel_bins, fft_size, overlap, pad_end, sample_rate)
    return tf.signal.mfccs_from_log_mel_spectrograms(bands)[..., :mfcc_bins]


def _mono(audio):
    """Return ([batch, n_samples], whether the batch axis was missing)."""
    audio = as_float(audio)
    check_shape("audio", audio, "[batch, n_samples]", "[batch, n_samples, 1]", "[n_samples]")
    audio = audio[:, :, 0] if audio.shape.rank == 3 else audio
    return (audio[None], True) if audio.shape.rank == 1 else (audio, False)
