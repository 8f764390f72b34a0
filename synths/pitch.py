"""F0 estimation by pYIN, or by CREPE if its weights are installed. No gradients."""

import copy
import math
from typing import NamedTuple

import numpy as np

from synths import crepe
from synths.loudness import PADDINGS
from synths.shapes import ShapeError

_FRAME_SECONDS = crepe.FRAME_SIZE / crepe.SAMPLE_RATE
# Of pYIN: shorter periods are found some cents too short, or an octave low.
_SAMPLES_PER_PERIOD = 14
_SHORTEST_SECONDS = 0.032
_BIN_HZ = 440.0 * 2.0 ** ((crepe.BIN_PITCHES - 69.0) / 12.0)
# Of CREPE, in bins of 20 cents: the most that a pitch moves from frame to frame, and the bins on
# either side of the path that are averaged.
_MAX_MOVE, REACH = 12, 4


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
      min_hz, max_hz: Search range. Audio of less than 14 samples per period of max_hz is upsampled.
      frame_length: Samples per frame, at least two periods of min_hz. None: a power of two that
        holds four, and 32 ms.
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
        import soxr

        factor = math.ceil(_SAMPLES_PER_PERIOD * self.max_hz / sample_rate)
        rate = factor * sample_rate
        if self.frame_length is None:
            seconds = max(4.0 / self.min_hz, _SHORTEST_SECONDS)
            frame_length = 1 << math.ceil(np.log2(rate * seconds))
        else:
            frame_length = factor * self.frame_length
        hop_length = max(1, int(rate // frame_rate))

        def track(row):
            f0_hz, _, confidence = librosa.pyin(
                soxr.resample(row, sample_rate, rate),
                fmin=self.min_hz,
                fmax=self.max_hz,
                sr=rate,
                frame_length=frame_length,
                hop_length=hop_length,
                resolution=self.resolution,
                fill_na=None,
            )
            return np.arange(len(f0_hz)) * hop_length / rate, f0_hz, confidence

        return _track_rows(track, audio, sample_rate, frame_rate)


class CREPE:
    """CREPE, a neural pitch estimator (Kim et al. 2018).

    Args:
      capacity: "tiny", "small", "medium", "large" or "full"; the extra `crepe` installs "tiny".
      viterbi: Whether the track is smoothed.
      min_hz, max_hz: Search range, within RANGE_HZ.

    Raises:
      ImportError: if the weights are not installed.
    """

    RANGE_HZ = _BIN_HZ[0], _BIN_HZ[-1]

    def __init__(self, capacity="tiny", viterbi=True, min_hz=0.0, max_hz=math.inf):
        self.network = crepe.load_network(capacity)
        self.capacity = capacity
        self.viterbi = viterbi
        self.min_hz = min_hz
        self.max_hz = max_hz

    def __call__(self, audio, sample_rate=16000, frame_rate=250):
        """Estimate F0; arguments as of `PYIN`. The confidence is the highest activation."""
        import soxr

        in_range = (self.min_hz <= _BIN_HZ) & (self.max_hz >= _BIN_HZ)

        def track(row):
            # To the nearest sample, so that times do not drift.
            centres = np.arange(int(len(row) * frame_rate // sample_rate) + 1) / frame_rate
            centres = np.round(centres * crepe.SAMPLE_RATE).astype(int)
            row = np.pad(soxr.resample(row, sample_rate, crepe.SAMPLE_RATE), crepe.FRAME_SIZE)
            begins = centres + crepe.FRAME_SIZE // 2
            frames = np.lib.stride_tricks.sliding_window_view(row, crepe.FRAME_SIZE)[begins]
            frames = frames - frames.mean(1, keepdims=True)
            frames /= np.maximum(frames.std(1, keepdims=True), 1e-8)
            activations = self.network.activations(self.network.embed(frames))
            searched = np.where(in_range, activations, 0.0)
            path = smooth_path(searched) if self.viterbi else searched.argmax(1)
            return centres / crepe.SAMPLE_RATE, _hz_near(path, activations), searched.max(1)

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


def smooth_path(activations):
    """Most probable path through the highest activations [n_frames, n_bins] by crepe's HMM."""
    from librosa import sequence

    bins = np.arange(activations.shape[1])
    transition = np.maximum(_MAX_MOVE - abs(bins[:, None] - bins), 0.0)
    transition /= transition.sum(1, keepdims=True)
    emission = 0.1 * np.eye(len(bins)) + 0.9 / len(bins)
    return sequence.viterbi(emission[:, activations.argmax(1)], transition)


def _hz_near(path, activations):
    """Mean frequency of the bins around a path [n_frames], weighted by their activations."""
    bins = np.arange(activations.shape[1])
    weights = np.where(abs(bins - path[:, None]) <= REACH, activations, 0.0)
    return 2.0 ** (weights @ np.log2(_BIN_HZ) / weights.sum(1))


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
