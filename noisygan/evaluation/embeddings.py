"""Further feature spaces by somebody else's network, from a file that the user has.

Nothing is fetched. A network is a TensorFlow SavedModel folder or an ONNX file that takes audio,
float32 [n_samples] or [1, n_samples], and returns its embedding (or one a frame: the mean is
taken). What is not given is reported as not run.
"""

from __future__ import annotations

import hashlib
import pathlib

import numpy as np

from noisygan.errors import UsageError
from noisygan.evaluation.saved_models import check_saved_model
from noisygan.files import feed

# What each takes, in Hz, as published.
RATES = {"VGGish": 16000, "PANNs": 32000, "CLAP": 48000, "CREPE": 16000, "EnCodec": 24000}


class Embedding:
    """A network from a path.

    Attributes:
      name: One of RATES.
      checksum: SHA-256 of its file or files, hex.

    Args:
      text: NAME=PATH.

    Raises:
      UsageError: for an unknown name, a missing path, or a file of another kind.
    """

    def __init__(self, text):
        name, _, path = text.partition("=")
        known = {known.lower(): known for known in RATES}
        if name.lower() not in known or not path:
            raise UsageError(
                f"--embedding {text}: expected NAME=PATH with a NAME of {', '.join(RATES)}, such "
                "as VGGish=models/vggish"
            )
        self.name = known[name.lower()]
        self.path = pathlib.Path(path)
        if not self.path.exists():
            raise UsageError(
                f"--embedding {text}: {path} is not there; nothing is downloaded, name a file that "
                "you have, or leave it out"
            )
        self.rate = RATES[self.name]
        self.checksum = checksum(self.path)
        try:
            self._run = self._load()
        except UsageError:
            raise
        except Exception as error:
            said = " ".join(str(error).split())[:150]
            raise UsageError(f"{self.path} can't be loaded as a network ({said})") from error

    def _load(self):
        if self.path.suffix == ".onnx":
            try:
                import onnxruntime
            except ImportError:
                raise UsageError(
                    f"{self.path}: ONNX files want the package onnxruntime; expected it installed "
                    "(pip install onnxruntime), or a SavedModel folder"
                ) from None
            session = onnxruntime.InferenceSession(
                str(self.path), providers=["CPUExecutionProvider"]
            )
            (taken,) = session.get_inputs()[:1]
            rank = len(taken.shape)
            return lambda x: session.run(None, {taken.name: x[None] if rank == 2 else x})[0]
        if not (self.path / "saved_model.pb").is_file():
            raise UsageError(
                f"{self.path} is neither a SavedModel folder (with saved_model.pb) nor an .onnx "
                "file; convert the network to one of these"
            )
        import tensorflow as tf

        check_saved_model(self.path)
        model = tf.saved_model.load(str(self.path))
        signature = model.signatures.get("serving_default")
        if callable(model):
            return lambda x: np.asarray(model(tf.constant(x)))
        ((name, spec),) = signature.structured_input_signature[1].items()

        def run(x):
            x = tf.constant(x[None] if spec.shape.rank == 2 else x)
            return next(iter(signature(**{name: x}).values())).numpy()

        return run

    def __call__(self, sounds):
        """Embeddings of `Sounds`, float64 [n, d]."""
        import soxr

        rows = []
        for audio in sounds.audio:
            if sounds.sample_rate != self.rate:
                audio = soxr.resample(audio, sounds.sample_rate, self.rate)
            found = np.asarray(self._run(np.asarray(audio, np.float32)), np.float64)
            rows.append(found.reshape(-1, found.shape[-1]).mean(0))
        return np.stack(rows)


def checksum(path):
    """SHA-256 of a file, or of all files of a folder with their names, hex."""
    path = pathlib.Path(path)
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            digest.update(file.relative_to(path).as_posix().encode())
        with file.open("rb") as data:
            feed(digest, data)
    return digest.hexdigest()
