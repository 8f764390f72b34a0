"""F0 estimation by pYIN or, if installed, CREPE. No gradients."""

import copy
import math
from typing import NamedTuple

import numpy as np

from synths.loudness import PADDINGS
from synths.shapes import ShapeError

# A frame of CREPE: 1024 samples at 16 kHz.
_FRAME_SECONDS = 0.064


class PitchTrack(NamedTuple):
    """F0 over time; the leading axis is the batch, if there was one.

    Attributes:
      f0_hz: float32 [..., n_frames], arbitrary in silence.
      confidence: Probability of a pitch, 0 to 1, float32 [..., n_frames].
      times_seconds: Centre of each frame, i / frame_rate, float64 [n_frames].
    """

    f0_hz: np.ndarray
    confidence: np.ndarray
    times_seconds: np.ndarray


class PYIN:
    """Probabilistic YIN of librosa (Mauch and Dixon 2014).

    Args:
      min_hz, max_hz: Search range; max_hz at most half the sample rate. If min_hz is just an octave
        below the true pitch, high notes at low sample rates are often found an octave low.
      frame_length: Samples per frame, at least two periods of min_hz. None: a power of two that
        holds four.
      resolution: Step of the pitch grid in semitones. Time grows with the square of the number of
        steps.
    """

    def __init__(self, min_hz=50.0, max_hz=2000.0, frame_length=None, resolution=0.1):
        self.min_hz = min_hz
        self.max_hz = max_hz
        self.frame_length = frame_length
        self.resolution = resolution

    def __call__(self, audio, sample_rate=16000, frame_rate=250):
        """Estimate F0; returns a `PitchTrack`.

        Args:
          audio: Array of floats, [n_samples] or [n, n_samples].
          sample_rate: Hz.
          frame_rate: Frames per second, at most the sample rate. There are
            floor(n_samples frame_rate / sample_rate) + 1 frames.
        """
        import librosa

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
    """CREPE, a neural pitch estimator (Kim et al. 2018); requires the package `crepe`.

    Args:
      model_capacity: "tiny", "small", "medium", "large" or "full".
      viterbi: Whether the track is smoothed.

    Raises:
      ImportError: if the package is not installed.
    """

    def __init__(self, model_capacity="full", viterbi=True):
        try:
            import crepe
        except ImportError as error:
            raise ImportError(
                "CREPE requires the package crepe: pip install 'noisygan[crepe]', or use PYIN."
            ) from error
        self.predict = crepe.predict
        self.model_capacity = model_capacity
        self.viterbi = viterbi

    def __call__(self, audio, sample_rate=16000, frame_rate=250):
        """Estimate F0; arguments as of `PYIN`. crepe resamples to 16 kHz."""

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
    """Estimate F0 as in ddsp: (f0_hz, confidence), each [..., n_frames].

    Args:
      audio: As of `PYIN`.
      frame_rate: Frames per second.
      viterbi: False: do not smooth a track of `CREPE`. pYIN always smooths.
      padding: "center": frame i is centred on i / frame_rate seconds, with a last frame at the end.
        "same": frame i begins there and is centred 0.032 seconds later, half of CREPE's frame.
        "valid": as "same", without incomplete frames.
      sample_rate: Hz.
      extractor: A `PYIN` or `CREPE`; None: `PYIN()`.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding: got {padding!r}, expected one of {', '.join(PADDINGS)}.")
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
    # Padding that centres the frames from `first` on half a frame after i / frame_rate seconds.
    first = math.ceil(0.5 * _FRAME_SECONDS * frame_rate)
    before = round((first / frame_rate - 0.5 * _FRAME_SECONDS) * sample_rate)
    padded = np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(before, frame_size)])
    found = extractor(padded, sample_rate, frame_rate)
    kept = slice(first, first + n_frames)
    return found.f0_hz[..., kept], found.confidence[..., kept]


def _track_rows(track, audio, sample_rate, frame_rate):
    """Run `track` on each row and interpolate to multiples of 1 / frame_rate seconds."""
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
