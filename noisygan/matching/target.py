"""The sound that is to be matched, read from a file."""

import pathlib
from typing import NamedTuple

import numpy as np
import soxr

from noisygan.audio_io.decoding import BadAudioError, check_header, decode
from noisygan.errors import UsageError

MAX_SECONDS = 30.0
MIN_SECONDS = 0.1
SILENCE = 1e-4
"""What peaks below this, -80 dB, counts as silent."""
MIN_SAMPLE_RATE = 8000
MAX_SAMPLE_RATE = 48000


class Target(NamedTuple):
    """A sound to be matched.

    Attributes:
      path: pathlib.Path that it came from.
      audio: float32 [n_samples] in -1 .. 1.
      sample_rate: Hz.
      remarks: What was done to it on the way, a sentence each, for the person who gave it.
    """

    path: pathlib.Path
    audio: np.ndarray
    sample_rate: int
    remarks: tuple = ()

    @property
    def seconds(self):
        """Its length."""
        return len(self.audio) / self.sample_rate


def read_target(path):
    """Reads a sound of at most `MAX_SECONDS` as mono.

    Args:
      path: Audio file.

    Returns:
      Target, at the file's rate.

    Raises:
      UsageError: if it can't be read, is too short, too long or silent, or holds NaN.
    """
    path = pathlib.Path(path)
    remarks = []
    try:
        info = check_header(path, None)
        seconds = info.frames / info.samplerate
        if seconds > MAX_SECONDS:
            raise UsageError(
                f"{path} lasts {seconds:.0f} s; matching takes up to {MAX_SECONDS:g} s: cut a note "
                f"or a phrase out of it, for example with `sox {path.name} part.wav trim 0 5`"
            )
        if seconds < MIN_SECONDS:
            raise UsageError(f"{path} lasts {seconds:.3f} s; expected {MIN_SECONDS:g} s or more")
        audio = decode(path, info.samplerate, info.frames)
    except BadAudioError as error:
        raise UsageError(f"{path} {error}") from error
    if info.channels > 1:
        remarks.append(f"its {info.channels} channels are mixed to one")
    peak = float(np.max(np.abs(audio)))
    if peak < SILENCE:
        mixed = ", once its channels are mixed to one" if info.channels > 1 else ""
        raise UsageError(
            f"{path} is silent (its peak is {peak:.2g}){mixed}; expected a sound to match"
        )
    return Target(path, audio, info.samplerate, tuple(remarks))


def at_rate(target, sample_rate=None):
    """A target at another rate.

    Args:
      target: Target.
      sample_rate: Hz; None: its own, or the nearest that matching takes, 8000 to 48000 Hz.

    Returns:
      Target; with one remark more where it was resampled.
    """
    if sample_rate is None:
        sample_rate = min(max(target.sample_rate, MIN_SAMPLE_RATE), MAX_SAMPLE_RATE)
    if sample_rate == target.sample_rate:
        return target
    audio = soxr.resample(target.audio, target.sample_rate, sample_rate).astype(np.float32)
    remark = f"it is resampled from {target.sample_rate} to {sample_rate} Hz"
    return target._replace(audio=audio, sample_rate=sample_rate, remarks=(*target.remarks, remark))
