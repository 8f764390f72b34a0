"""Load one recording of any format and rate from its onset, and the level of a set."""

from typing import NamedTuple

import numpy as np

from noisygan.audio_io import decoding
from noisygan.audio_io.decoding import BadAudioError
from noisygan.data import source_files
from noisygan.data.prepare import reading, steps

# A set whose highest peak is below this is raised by a power of two.
MIN_PEAK = 0.25


class Loaded(NamedTuple):
    """A recording at the rate that was wanted.

    Attributes:
      audio: float32 [n_samples].
      sample_rate: Of the audio, in Hz.
      rate: Of the file, in Hz.
      n_channels: Of the file.
      lead_seconds: Silence that was cut off at the beginning.
    """

    audio: np.ndarray
    sample_rate: float
    rate: float
    n_channels: int = 1
    lead_seconds: float = 0.0


def load(entry, sample_rate, from_onset=True):
    """Load a whole recording, mono and resampled.

    Args:
      entry: Entry. A part of a prepared folder, whose `end` is known, is loaded as it is.
      sample_rate: Hz.
      from_onset: Whether to cut off silence before the onset; NSynth's notes are aligned already.

    Returns:
      Loaded.

    Raises:
      BadAudioError: if the file cannot be used.
    """
    if entry.end is not None:
        n_frames = entry.end - entry.start
        audio = decoding.decode(entry.path, sample_rate, n_frames, start=entry.start)
        return Loaded(audio, sample_rate, sample_rate)
    source = source_files.file_source(entry.path, entry.name)
    if not source.reader and source.kind not in ("hidden", "not audio"):
        raise BadAudioError(source.kind, source.reason)
    source.reader = "audio"
    sound = reading.read(source)
    audio, lead = sound.audio, 0
    if sound.rate != sample_rate:
        audio = steps.resample(audio, sound.rate, sample_rate)
    if from_onset and entry.rule != "NSynth":
        lead = decoding.leading_silence(audio, sample_rate)
    return Loaded(audio[lead:], sample_rate, sound.rate, sound.n_channels, lead / sample_rate)


def level_gain(peak):
    """Gain of a whole set by its highest peak: 1, or the power of two that makes it loud enough."""
    if not 0.0 < peak < MIN_PEAK:
        return 1.0
    return float(2.0 ** np.floor(-np.log2(peak)))
