"""The sound to match, read from a file, and the names of the files of a match."""

import pathlib
from typing import NamedTuple

import numpy as np
import soxr

from noisygan.audio_io.decoding import BadAudioError, check_header, decode
from noisygan.errors import UsageError
from noisygan.files import check_folder

MIN_SECONDS, MAX_SECONDS = 0.1, 30.0
SILENCE = 1e-4
"""Peak below which a sound counts as silent, -80 dB."""
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8000, 48000


class Target(NamedTuple):
    """A sound to match.

    Attributes:
      path: pathlib.Path of its file.
      audio: float32 [n_samples] in -1 .. 1.
      sample_rate: Hz.
      remarks: Sentences on how it was converted.
    """

    path: pathlib.Path
    audio: np.ndarray
    sample_rate: int
    remarks: tuple = ()

    @property
    def seconds(self):
        """Length in seconds."""
        return len(self.audio) / self.sample_rate


def read_target(path):
    """Read an audio file of at most `MAX_SECONDS` as a mono Target, at the file's rate.

    Raises:
      UsageError: if it can't be read, is too short, too long or silent, or holds NaN.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "is missing"
        raise UsageError(f"{path} {problem}; expected a WAV, FLAC, OGG or MP3 file")
    try:
        info = check_header(path, None)
        seconds = info.frames / info.samplerate
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            wanted = f"{MIN_SECONDS:g} to {MAX_SECONDS:g} s, such as one note of it"
            raise UsageError(f"{path} lasts {seconds:.4g} s; expected {wanted}")
        audio = decode(path, info.samplerate, info.frames)
    except BadAudioError as error:
        raise UsageError(f"{path} {error}") from error
    remarks = ()
    if info.channels > 1:
        remarks = (f"its {info.channels} channels are mixed to one",)
    peak = float(np.max(np.abs(audio)))
    if peak < SILENCE:
        mixed = ", once its channels are mixed to one" if remarks else ""
        raise UsageError(f"{path} is silent{mixed} (its peak is {peak:.2g})")
    return Target(path, audio, info.samplerate, remarks)


def at_rate(target, sample_rate=None):
    """Resample a target to a rate in Hz (None: its own, limited to 8 to 48 kHz), with a remark."""
    if sample_rate is None:
        sample_rate = min(max(target.sample_rate, MIN_SAMPLE_RATE), MAX_SAMPLE_RATE)
    if sample_rate == target.sample_rate:
        return target
    audio = soxr.resample(target.audio, target.sample_rate, sample_rate).astype(np.float32)
    remark = f"it is resampled from {target.sample_rate} to {sample_rate} Hz"
    return target._replace(audio=audio, sample_rate=sample_rate, remarks=(*target.remarks, remark))


def output_paths(target_path, out_dir, stems=False):
    """Paths of the files of a match, named after the target: dict of pathlib.Path.

    Keys are audio, controls, latent, page and, if wanted, stems, a folder.

    Raises:
      UsageError: if one exists, or the folder can't be made or written to.
    """
    out_dir = pathlib.Path(out_dir)
    check_folder(out_dir)
    stem = pathlib.Path(target_path).stem
    suffixes = {"audio": ".wav", "controls": ".npz", "latent": "-z.npz", "page": ".html"}
    paths = {what: out_dir / f"{stem}{suffix}" for what, suffix in suffixes.items()}
    if stems:
        paths["stems"] = out_dir / stem
    for path in paths.values():
        if path.exists():
            raise UsageError(f"{path} exists already; choose another folder")
    return paths
