"""Spectra and features of `ddsp.spectral_ops`."""

import functools

import keras
import librosa
import numpy as np
import tensorflow as tf

import synths
from synths import DB_RANGE, F0_RANGE, crepe, tf_float32
from synths.compat.ddsp._arguments import in_float32
from synths.compat.ddsp.core import safe_log
from synths.pitch import REACH, smooth_path
from synths.shapes import length

CREPE_SAMPLE_RATE = crepe.SAMPLE_RATE
CREPE_FRAME_SIZE = crepe.FRAME_SIZE

stft = in_float32(synths.stft)
compute_mag = in_float32(synths.compute_mag)
compute_logmag = in_float32(synths.compute_logmag)
compute_mel = in_float32(synths.compute_mel)
compute_logmel = in_float32(synths.compute_logmel)
compute_mfcc = in_float32(synths.compute_mfcc)
compute_rms_energy = in_float32(synths.compute_rms_energy)
compute_power = in_float32(synths.compute_power)


def stft_np(audio, frame_size=2048, overlap=0.75, pad_end=True):
    """Short-time Fourier transform by librosa, an array [n_frames, n_bins], or of each row."""
    hop_size = int(frame_size * (1.0 - overlap))
    if pad_end:
        audio = pad(audio, frame_size, hop_size, "same", axis=-1).numpy()
    spectra = librosa.stft(audio, n_fft=int(frame_size), hop_length=hop_size, center=False)
    return np.swapaxes(spectra, -1, -2)


def get_framed_lengths(input_length, frame_size, hop_size, padding="center"):
    """`synths.get_framed_lengths`, ints also of other numbers."""
    lengths = synths.get_framed_lengths(input_length, frame_size, hop_size, padding)
    return tuple(map(int, lengths))


def pad(x, frame_size, hop_size, padding="center", axis=1, mode="CONSTANT", constant_values=0):
    """Pad a tensor so that `tf.signal.frame` makes the frames of `get_framed_lengths`.

    Args:
      x: Any shape.
      frame_size, hop_size: Samples; the hop is at most a frame.
      padding: "center": half a frame at each end. "same": at the end, so that every hop begins a
        frame. "valid": none.
      axis: Axis; that of [n_samples] is the only one.
      mode, constant_values: As of `tf.pad`.

    Raises:
      ValueError: for another padding or a hop longer than a frame.
    """
    x = tf_float32(x)
    if padding == "valid":
        return x
    if hop_size > frame_size:
        raise ValueError(f"hop_size: got {hop_size}, expected at most frame_size, {frame_size}.")
    axis = axis if x.shape.rank > 1 else 0
    if padding == "center":
        ends = (int(frame_size // 2),) * 2
    else:
        n, sizes = length(x, axis), (int(frame_size), int(hop_size))
        ends = (0, synths.get_framed_lengths(n, *sizes, padding)[1] - n)
    return synths.pad_axis(x, ends, axis, mode=mode, constant_values=constant_values)


@in_float32
def compute_loudness(
    audio,
    sample_rate=16000,
    frame_rate=250,
    n_fft=512,
    range_db=DB_RANGE,
    ref_db=0.0,
    use_tf=True,
    padding="center",
):
    """`synths.compute_loudness`, also of audio [batch, n_samples, 1]."""
    audio = tf.convert_to_tensor(audio)
    audio = audio[:, :, 0] if audio.shape.rank == 3 else audio
    return synths.compute_loudness(
        audio, sample_rate, frame_rate, n_fft, range_db, ref_db, use_tf, padding
    )


@functools.cache
def _pitch_tracker():
    """CREPE of the largest installed capacity, or pYIN."""
    for capacity in reversed(crepe.CAPACITIES):
        try:
            return synths.CREPE(capacity)
        except ImportError:
            pass
    return synths.PYIN()


def compute_f0(audio, frame_rate, viterbi=True, padding="center"):
    """`synths.compute_f0` at 16 kHz, by CREPE of the largest installed capacity, or by pYIN."""
    return synths.compute_f0(
        audio, frame_rate, viterbi, padding, CREPE_SAMPLE_RATE, _pitch_tracker()
    )


def pad_or_trim_to_expected_length(
    vector, expected_len, pad_value=0, len_tolerance=20, use_tf=False
):
    """Pad or cut the end of features, [n_frames] or [batch, n_frames].

    Args:
      vector: Array, or tensor with use_tf.
      expected_len: Number of frames.
      pad_value: Value of added frames.
      len_tolerance: Highest difference of the number of frames.
      use_tf: Whether to return a tensor; else an array.

    Raises:
      ValueError: for a higher difference.
    """
    missing = int(expected_len) - int(vector.shape[-1])
    if abs(missing) > len_tolerance:
        raise ValueError(
            f"vector: got {vector.shape[-1]} frames, expected {expected_len}, or up to "
            f"{len_tolerance} more or fewer."
        )
    ends = [(0, 0)] * (len(vector.shape) - 1) + [(0, max(missing, 0))]
    lib = tf if use_tf else np
    return lib.pad(vector, ends, constant_values=pad_value)[..., : int(expected_len)]


def reset_crepe():
    """Do nothing: `synths.CREPE` has no state."""


class PretrainedCREPE(keras.Model):
    """CREPE's network for batches of audio, differentiable without `viterbi`.

    Args:
      model_size_or_path: As `capacity` of `synths.CREPE`, or the path of its weights (HDF5).
      hop_size: Samples between frames.
    """

    def __init__(self, model_size_or_path, hop_size=160, **kwargs):
        super().__init__(**kwargs)
        self.hop_size = hop_size
        self.frame_size = CREPE_FRAME_SIZE
        self.sample_rate = CREPE_SAMPLE_RATE
        self.model_size_or_path = model_size_or_path
        known = model_size_or_path in crepe.CAPACITIES
        load = crepe.load_network if known else crepe.Network
        self.network = load(model_size_or_path)
        self.built = True

    def core_model(self, frames, training=False):
        """Activations of 360 pitches, [n, 360], of frames [n, 1024]."""
        embedded = self.network.body(frames, training=training)
        return tf.sigmoid(embedded @ self.network.kernel + self.network.bias)

    def call(self, audio):
        """`predict_f0_and_confidence`."""
        return self.predict_f0_and_confidence(audio)

    @classmethod
    def activations_to_f0_and_confidence(cls, activations, centers=None):
        """F0 in Hz [n], the mean of the bins around a centre, and the highest activation [n, 1]."""
        centers = tf.argmax(activations, axis=-1) if centers is None else centers
        bins = tf.range(len(crepe.BIN_PITCHES))
        near = tf.abs(bins - tf.cast(centers, tf.int32)[:, tf.newaxis]) <= REACH
        weights = tf.where(near, activations, 0.0)
        pitches = tf.constant(crepe.BIN_PITCHES, activations.dtype)
        mean = tf.linalg.matvec(weights, pitches) / tf.reduce_sum(weights, axis=-1)
        return synths.midi_to_hz(mean), tf.reduce_max(activations, axis=-1, keepdims=True)

    def batch_frames(self, audio):
        """Frames of all rows of padded audio, [n, 1024]; frames stay as they are."""
        if audio.shape[-1] == self.frame_size:
            return audio
        return tf.reshape(
            tf.signal.frame(audio, self.frame_size, self.hop_size), [-1, self.frame_size]
        )

    def normalize_frames(self, frames):
        """Frames of mean 0 and deviation 1."""
        mean, variance = tf.nn.moments(frames, axes=[-1], keepdims=True)
        return (frames - mean) / tf.where(variance > 0.0, tf.sqrt(variance), 1e-8)

    def predict_f0_and_confidence(self, audio, viterbi=False, padding="center"):
        """F0 in Hz and confidence, [batch, n_frames] each.

        Args:
          audio: [batch, n_samples] or [n_samples].
          viterbi: Whether the track is smoothed.
          padding: As of `pad`.
        """
        audio = tf_float32(audio)
        audio = audio[tf.newaxis] if audio.shape.rank == 1 else audio
        padded = pad(audio, self.frame_size, self.hop_size, padding)
        activations = self.core_model(self.normalize_frames(self.batch_frames(padded)))
        rows = [tf.shape(audio)[0], -1]
        centers = None
        if viterbi:
            centers = self.viterbi_decode(tf.reshape(activations, [*rows, activations.shape[-1]]))
            centers = tf.reshape(centers, [-1])
        f0_hz, confidence = self.activations_to_f0_and_confidence(activations, centers)
        return tf.reshape(f0_hz, rows), tf.reshape(confidence, rows)

    def viterbi_decode(self, acts):
        """Bins of the smoothed tracks of activations [batch, n_frames, 360], int64."""

        def smooth(row):
            return tf.numpy_function(lambda x: smooth_path(x).astype(np.int64), [row], tf.int64)

        return tf.map_fn(smooth, acts, fn_output_signature=tf.int64)
