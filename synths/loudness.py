"""Level over time: root mean square, power and A-weighted loudness."""

import numpy as np
import tensorflow as tf

from synths.precision import as_float
from synths.shapes import check_shape
from synths.spectral import magnitude_of_frames
from synths.units import amplitude_to_db, power_to_db

PADDINGS = ("center", "same", "valid")


def a_weighting_db(frequencies_hz):
    """A-weighting of IEC 61672-1 in dB, 0 at 1 kHz, -80 or more.

    Args:
      frequencies_hz: Array of any shape.

    Returns:
      float64 array of that shape.
    """
    f2 = np.asarray(frequencies_hz, np.float64) ** 2
    f_low, f_low_mid, f_high_mid, f_high = 20.598997, 107.65265, 737.86223, 12194.217
    with np.errstate(divide="ignore"):
        gain_db = 2.0 + 20.0 * (
            2.0 * np.log10(f_high)
            + 2.0 * np.log10(f2)
            - np.log10(f2 + f_high**2)
            - np.log10(f2 + f_low**2)
            - 0.5 * np.log10(f2 + f_low_mid**2)
            - 0.5 * np.log10(f2 + f_high_mid**2)
        )
    return np.maximum(gain_db, -80.0)


def compute_rms_energy(audio, sample_rate=16000, frame_rate=250, frame_size=512, padding="center"):
    """Root mean square of frames.

    Args:
      audio: [batch, n_samples] or [n_samples].
      sample_rate: Hz.
      frame_rate: Frames per second; need not divide the sample rate.
      frame_size: Samples per frame.
      padding: "center": frame i is centred on i / frame_rate seconds, with a last frame at the end.
        "same": frame i begins there. "valid": as "same", without incomplete frames.

    Returns:
      [batch, n_frames] or [n_frames], linear.
    """
    audio, single = _batch(audio)
    frames = _frames(audio, sample_rate, frame_rate, frame_size, padding)
    power = tf.reduce_mean(frames**2, axis=-1)
    # Gradient 0 at silence instead of the infinite one of the square root.
    sounding = power > 0.0
    rms = tf.where(sounding, tf.sqrt(tf.where(sounding, power, 1.0)), 0.0)
    return rms[0] if single else rms


def compute_power(
    audio,
    sample_rate=16000,
    frame_rate=250,
    frame_size=512,
    ref_db=0.0,
    range_db=80.0,
    padding="center",
):
    """Power of frames in dB: `power_to_db` of the square of `compute_rms_energy`."""
    rms = compute_rms_energy(audio, sample_rate, frame_rate, frame_size, padding)
    return amplitude_to_db(rms, ref_db, range_db)


def compute_loudness(
    audio,
    sample_rate=16000,
    frame_rate=250,
    n_fft=512,
    range_db=80.0,
    ref_db=0.0,
    use_tf=True,
    padding="center",
):
    """A-weighted power of frames in dB, averaged over the bins of their spectra.

    Args:
      audio, sample_rate, frame_rate, padding: As of `compute_rms_energy`.
      n_fft: Samples per frame, under a Hann window.
      range_db, ref_db: As of `power_to_db`.
      use_tf: Whether to return a tensor; else a NumPy array.

    Returns:
      [batch, n_frames] or [n_frames], dB.
    """
    audio, single = _batch(audio)
    frames = _frames(audio, sample_rate, frame_rate, n_fft, padding)
    power = magnitude_of_frames(frames, 1.0) ** 2
    hz = np.linspace(0.0, 0.5 * sample_rate, n_fft // 2 + 1)
    weights = 10.0 ** (a_weighting_db(hz) / 10.0)
    weighted = tf.linalg.matvec(power, tf.constant(weights / len(weights), power.dtype))
    loudness = power_to_db(weighted, ref_db, range_db)
    loudness = loudness[0] if single else loudness
    return loudness if use_tf else loudness.numpy()


def get_framed_lengths(input_length, frame_size, hop_size, padding="center"):
    """Number of frames and length of the padded audio in samples, as ints.

    Args:
      input_length: Samples.
      frame_size, hop_size: Samples.
      padding: As of `compute_rms_energy`.
    """
    _check_padding(padding)
    if padding == "same":
        n_frames = -(-input_length // hop_size)
        return n_frames, (n_frames - 1) * hop_size + frame_size
    padded = input_length + (frame_size if padding == "center" else 0)
    return max((padded - frame_size) // hop_size + 1, 0), padded


def _batch(audio):
    """Return ([batch, n_samples], whether the batch axis was missing)."""
    audio = as_float(audio)
    check_shape("audio", audio, "[batch, n_samples]", "[n_samples]")
    return (audio[None], True) if audio.shape.rank == 1 else (audio, False)


def _check_padding(padding):
    if padding not in PADDINGS:
        raise ValueError(f"padding: got {padding!r}, expected one of {', '.join(PADDINGS)}.")


def _frames(audio, sample_rate, frame_rate, frame_size, padding):
    """Cut frames at multiples of 1 / frame_rate seconds, [batch, n_frames, frame_size]."""
    _check_padding(padding)
    n_samples = tf.shape(audio, tf.int64)[1]
    rate, per_second = int(sample_rate), int(frame_rate)
    if rate != sample_rate or per_second != frame_rate:
        raise ValueError(
            f"sample_rate, frame_rate: got {sample_rate} and {frame_rate}, expected whole numbers."
        )
    before = frame_size // 2 if padding == "center" else 0
    if padding == "center":
        n_frames = n_samples * per_second // rate + 1
    elif padding == "same":
        n_frames = -(-n_samples * per_second // rate)
    else:
        n_frames = tf.maximum((n_samples - frame_size) * per_second // rate + 1, 0)
    audio = tf.pad(audio, [[0, 0], [before, frame_size]])
    if rate % per_second == 0:
        framed = tf.signal.frame(audio, frame_size, rate // per_second, pad_end=True)
        return framed[:, : tf.cast(n_frames, tf.int32)]
    start = tf.range(n_frames) * rate // per_second
    return tf.gather(audio, start[:, None] + tf.range(frame_size, dtype=tf.int64), axis=1)
