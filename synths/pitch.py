"""F0 of recordings: by pYIN, or by CREPE where it is installed. Without gradients."""

import copy
import math
from typing import NamedTuple

import numpy as np

from synths.errors import ShapeError, check_positive
from synths.loudness import PADDINGS

# Of a frame of CREPE's, 1024 samples at 16 kHz.
_FRAME_SECONDS = 0.064


class PitchTrack(NamedTuple):
    """F0 over time; the leading axis is that of the sounds, where there was one.

    Attributes:
      f0_hz: float32 [..., n_frames]; where nothing sounds it is a guess.
      confidence: That there is a pitch, 0 to 1, float32 [..., n_frames].
      times_seconds: Middle of each frame, i / frame_rate, float64 [n_frames].
    """

    f0_hz: np.ndarray
    confidence: np.ndarray
    times_seconds: np.ndarray


class PYIN:
    """Probabilistic YIN (Mauch and Dixon 2014), by librosa.

    Args:
      min_hz, max_hz: Range that is searched; max_hz at most half the sample rate. A range that
        ends just an octave below the true pitch puts the doubled period on its edge, where high
        notes at low sample rates are easily taken an octave low: leave more room.
      frame_length: Samples of a frame; two periods of min_hz must fit in. None: a power of two
        that holds four.
      resolution: Step of the grid of pitches in semitones, 0.1: 10 cents. The time it takes grows
        with the square of the number of steps.
    """

    def __init__(self, min_hz=50.0, max_hz=2000.0, frame_length=None, resolution=0.1):
        if not 0.0 < min_hz < max_hz:
            raise ValueError(
                f"min_hz, max_hz: got {min_hz:g} and {max_hz:g}, expected the lower one first, "
                "above 0."
            )
        self.min_hz = min_hz
        self.max_hz = max_hz
        if not 0.0 < resolution < 1.0:
            raise ValueError(f"resolution: got {resolution:g}, expected above 0 and below 1.")
        self.frame_length = frame_length
        self.resolution = resolution

    def __call__(self, audio, sample_rate=16000, frame_rate=250):
        """A `PitchTrack`.

        Args:
          audio: Array of floats, [n_samples] or [n, n_samples].
          sample_rate: Hz.
          frame_rate: Frames a second, at most the sample rate. There is one at the end as well:
            floor(n_samples frame_rate / sample_rate) + 1.

        Raises:
          ShapeError: if audio is neither rank 1 nor rank 2.
          ValueError: if max_hz is above half the sample rate.
        """
        import librosa

        check_positive("sample_rate", sample_rate)
        check_positive("frame_rate", frame_rate)
        if self.max_hz > 0.5 * sample_rate:
            raise ValueError(
                f"max_hz: got {self.max_hz:g}, expected at most {0.5 * sample_rate:g}, half of the "
                "sample rate."
            )
        frame_length = self.frame_length
        if frame_length is None:
            frame_length = 1 << int(np.ceil(np.log2(4.0 * sample_rate / self.min_hz)))
        hop_length = max(1, int(sample_rate // frame_rate))

        def track(row):
            f0_hz, _, confidence = librosa.pyin(
                row,
                fmin=self.min_hz,
                fmax=self.max_hz,
                sr=sample_rate,
                frame_length=frame_length,
                hop_length=hop_length,
                resolution=self.resolution,
                fill_na=None,
            )
            return np.arange(len(f0_hz)) * hop_length / sample_rate, f0_hz, confidence

        return _track_rows(track, audio, sample_rate, frame_rate)


class CREPE:
    """CREPE (Kim et al. 2018): a network that has learnt pitch; wants the package `crepe`.

    Args:
      model_capacity: "tiny", "small", "medium", "large" or "full".
      viterbi: Whether the track is smoothed.

    Raises:
      ImportError: where the package is not installed.
    """

    def __init__(self, model_capacity="full", viterbi=True):
        try:
            import crepe
        except ImportError as error:
            raise ImportError(
                "CREPE wants the package crepe, which is not installed: pip install "
                "'noisygan[crepe]', or use PYIN."
            ) from error
        self.predict = crepe.predict
        self.model_capacity = model_capacity
        self.viterbi = viterbi

    def __call__(self, audio, sample_rate=16000, frame_rate=250):
        """A `PitchTrack`; arguments as of `PYIN`; crepe resamples what is not at 16 kHz."""
        check_positive("sample_rate", sample_rate)
        check_positive("frame_rate", frame_rate)

        def track(row):
            times, f0_hz, confidence, _ = self.predict(
                row,
                sample_rate,
                model_capacity=self.model_capacity,
                viterbi=self.viterbi,
                center=True,
                step_size=1000.0 / frame_rate,
                verbose=0,
            )
            return times, f0_hz, confidence

        return _track_rows(track, audio, sample_rate, frame_rate)


def compute_f0(
    audio, frame_rate, viterbi=True, padding="center", sample_rate=16000, extractor=None
):
    """(f0_hz, confidence), each [..., n_frames], as ddsp's function of this name returns them.

    Args:
      audio: As of `PYIN`.
      frame_rate: Frames a second.
      viterbi: False: a track of `CREPE` is not smoothed. True: as the extractor says. pYIN always
        smooths.
      padding: "center": frame i is centred on i / frame_rate seconds, and one stands at the end.
        "same": frame i begins there, and is centred 0.032 seconds later, half of CREPE's frame.
        "valid": as "same", without frames that reach over the end.
      sample_rate: Hz.
      extractor: A `PYIN`, which is the default, or a `CREPE`.

    Raises:
      ValueError: for another padding, or a rate that is not above 0.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding: got {padding!r}, expected one of {', '.join(PADDINGS)}.")
    check_positive("sample_rate", sample_rate)
    check_positive("frame_rate", frame_rate)
    extractor = extractor or PYIN()
    if isinstance(extractor, CREPE) and not viterbi:
        extractor = copy.copy(extractor)
        extractor.viterbi = False
    if padding == "center":
        found = extractor(audio, sample_rate, frame_rate)
        return found.f0_hz, found.confidence
    audio = np.asarray(audio, np.float32)
    n_samples, frame_size = audio.shape[-1], round(_FRAME_SECONDS * sample_rate)
    if padding == "same":
        n_frames = math.ceil(n_samples * frame_rate / sample_rate)
    else:
        n_frames = max(int((n_samples - frame_size) * frame_rate // sample_rate) + 1, 0)
    # With so much silence before the sound, centred frames from `first` on are centred half a
    # frame after i / frame_rate seconds.
    first = math.ceil(0.5 * _FRAME_SECONDS * frame_rate)
    before = round((first / frame_rate - 0.5 * _FRAME_SECONDS) * sample_rate)
    padded = np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(before, frame_size)])
    found = extractor(padded, sample_rate, frame_rate)
    kept = slice(first, first + n_frames)
    return found.f0_hz[..., kept], found.confidence[..., kept]


def _track_rows(track, audio, sample_rate, frame_rate):
    """Runs `track` on each row and brings its frames to multiples of 1 / frame_rate seconds."""
    audio = np.asarray(audio, np.float32)
    if audio.ndim not in (1, 2):
        raise ShapeError(f"audio: expected [n_samples] or [n, n_samples], got {audio.shape}.")
    n_frames = int(audio.shape[-1] * frame_rate // sample_rate) + 1
    times = np.arange(n_frames) / frame_rate
    f0_hz, confidence = [], []
    for row in np.atleast_2d(audio):
        at, hz, sure = track(row)
        f0_hz.append(2.0 ** np.interp(times, at, np.log2(hz)))
        confidence.append(np.interp(times, at, sure))
    shape = (*audio.shape[:-1], n_frames)
    stacked = (np.asarray(x, np.float32).reshape(shape) for x in (f0_hz, confidence))
    return PitchTrack(*stacked, times)
