"""Differentiable analysis: spectra, mel bands and MFCCs of audio.

Frame i is centred on sample i * hop_length, so a feature's frames stand where the controls' do.
There are ceil(n_samples / hop_length) of them; the sound is padded with silence at both ends.
"""

import math

import numpy as np
import tensorflow as tf

from synths.errors import check_positive, check_rank, whole
from synths.impulse_responses import length
from synths.native import native_kernels_used, with_all_gradients
from synths.precision import as_float
from synths.products import matmul
from synths.sharing import computed_once
from synths.units import safe_log


def frame(audio, n_fft, hop_length):
    """Overlapping centred frames, [batch, n_frames, n_fft].

    Args:
      audio: [batch, n_samples].
      n_fft: Length of a frame in samples.
      hop_length: Samples from a frame to the next; any divisor of n_fft is fastest.
    """
    audio = as_float(audio)
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
      [batch, n_frames, n_fft // 2 + 1], float64 for audio of float64, else float32.
    """
    audio = as_float(audio)
    check_rank("audio", audio, 2, "[batch, n_samples]")
    n_fft, hop_length = whole("n_fft", n_fft, 1), whole("hop_length", hop_length, 1)
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
    """Magnitudes by the compiled kernel where it serves, else by the plain function of audio.

    Args:
      audio: [batch, n_samples].
      plain: From audio to magnitudes.
      framing: (n_fft, hop_length, samples before the hop, n_frames, scale) of these magnitudes.
    """
    n_fft, hop_length, before, n_frames, scale = framing
    if audio.dtype != tf.float32 or n_fft % 2 or not native_kernels_used():
        return plain(audio)
    from synths.kernels import spectrum_cpu

    window = tf.signal.hann_window(n_fft) * scale

    def forward(audio):
        inputs = [audio, window, hop_length, before, n_frames]
        size = tf.numpy_function(spectrum_cpu.forward, inputs, tf.float32, stateful=False)
        size.set_shape([audio.shape[0], tf.get_static_value(n_frames), n_fft // 2 + 1])
        return size

    def backward(audio, upstream):
        inputs = [audio, upstream, window, hop_length, before]
        slope = tf.numpy_function(spectrum_cpu.backward, inputs, tf.float32, stateful=False)
        slope.set_shape(audio.shape)
        return [slope]

    return with_all_gradients(forward, backward, plain)(audio)


@tf.custom_gradient
def magnitude_of_frames(frames, scale):
    """Windowed magnitude spectra of frames, [..., n_fft] to [..., n_fft // 2 + 1], times scale.

    The gradient is written out: one inverse transform, where TensorFlow's own takes several.
    """
    n_fft = frames.shape[-1]
    window = tf.signal.hann_window(n_fft, periodic=True, dtype=frames.dtype) * scale
    spectrum = tf.signal.rfft(frames * window)
    size = tf.sqrt(tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2 + 1e-14)

    def gradient(upstream):
        # An inverse real transform counts every bin twice but the first and (n_fft even) the last.
        twice = np.full(n_fft // 2 + 1, 0.5 * n_fft, frames.dtype.as_numpy_dtype)
        twice[0] = n_fft
        if n_fft % 2 == 0:
            twice[-1] = n_fft
        share = tf.complex(upstream / size * twice, tf.zeros_like(upstream))
        return tf.signal.irfft(share * spectrum, [n_fft]) * window, None

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
    check_positive("sample_rate", sample_rate)
    n_mels = whole("n_mels", n_mels, 1)
    spectrum = magnitude(audio, n_fft, hop_length)
    filters = mel_matrix(n_mels, n_fft // 2 + 1, sample_rate)
    return tf.math.log(matmul(spectrum, tf.cast(filters, spectrum.dtype)) + floor)


def dct_matrix(n_in, n_out):
    """Orthonormal DCT-II as a matrix [n_in, n_out]."""
    n = np.arange(n_in)[:, None] + 0.5
    basis = np.cos(np.pi / n_in * n * np.arange(n_out)[None]) * math.sqrt(2.0 / n_in)
    basis[:, 0] /= math.sqrt(2.0)
    return basis.astype(np.float32)


def mfcc(audio, sample_rate, n_fft=256, hop_length=64, n_mels=128, n_mfcc=30, floor=1e-5):
    """Mel-frequency cepstral coefficients, [batch, n_frames, n_mfcc]; arguments as `log_mel`."""
    n_mels, n_mfcc = whole("n_mels", n_mels, 1), whole("n_mfcc", n_mfcc, 1)
    bands = log_mel(audio, sample_rate, n_fft, hop_length, n_mels, floor)
    return matmul(bands, tf.cast(dct_matrix(n_mels, n_mfcc), bands.dtype))


def stft(audio, frame_size=2048, overlap=0.75, pad_end=True):
    """Short-time spectrum as ddsp has it: frames begin at every hop and are not normalised.

    Args:
      audio: [batch, n_samples], [batch, n_samples, 1] or [n_samples].
      frame_size: Samples of a frame under its Hann window; the transform is as long as the next
        power of two.
      overlap: Share of a frame that the next one covers too.
      pad_end: Whether frames that reach beyond the end are made, with silence there.

    Returns:
      complex [batch, n_frames, n_bins], n_frames = ceil(n_samples / hop) where pad_end; for one
      sound alone, [n_frames, n_bins].

    Raises:
      ShapeError: if audio has another shape.
      ValueError: if the frames have no samples, or do not move on.
    """
    audio, alone = _mono(audio)
    frame_size, hop = _framing(frame_size, overlap)
    spectrum = tf.signal.stft(audio, frame_size, hop, pad_end=pad_end)
    return spectrum[0] if alone else spectrum


def compute_mag(audio, size=2048, overlap=0.75, pad_end=True):
    """Magnitude of `stft`, with gradient zero where it is exactly zero."""
    audio, alone = _mono(audio)
    size, hop = _framing(size, overlap)
    magnitudes = _compute_mag(audio, size, hop, pad_end)
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
    """Magnitudes in mel bands (HTK's scale), [batch, n_frames, bins], as ddsp has them."""
    check_positive("sample_rate", sample_rate)
    bins = whole("bins", bins, 1)
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
    """Mel-frequency cepstral coefficients as ddsp has them, [batch, n_frames, mfcc_bins]."""
    bands = compute_logmel(audio, lo_hz, hi_hz, mel_bins, fft_size, overlap, pad_end, sample_rate)
    return tf.signal.mfccs_from_log_mel_spectrograms(bands)[..., :mfcc_bins]


def _mono(audio):
    """([batch, n_samples], whether it came without a batch)."""
    audio = as_float(audio)
    audio = audio[:, :, 0] if audio.shape.rank == 3 else audio
    if audio.shape.rank == 1:
        return audio[None], True
    check_rank("audio", audio, 2, "[batch, n_samples] or [n_samples]")
    return audio, False


def _framing(frame_size, overlap):
    """(samples of a frame, samples of a hop)."""
    frame_size = whole("frame_size", frame_size, 1)
    hop = int(frame_size * (1.0 - overlap))
    if hop < 1:
        raise ValueError(
            f"overlap: got {overlap}, expected a share below 1 that leaves 1 sample or more of "
            f"{frame_size} from frame to frame."
        )
    return frame_size, hop
