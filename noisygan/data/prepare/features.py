"""Features stored beside the audio: loudness, RMS, F0 and its confidence, onsets.

Frame i is centred on i / frame_rate seconds; there are
floor(n_samples frame_rate / sample_rate) + 1 of them.
"""

import functools

import numpy as np
import soxr

from noisygan.errors import UsageError

# From below a piano's lowest note to its highest.
MIN_HZ, MAX_HZ = 27.0, 4200.0

# Frames a second at which pYIN looks for where the pitch lies, and then follows it; what is stored
# is interpolated.
_COARSE_RATE, _FINE_RATE = 31.25, 62.5

# The rate that the fine pass wants: periods of high notes are few samples long at lower ones, and
# come out some cents too short.
_FINE_SAMPLE_RATE = 60000

# Frames as sure as this say where the pitch lies; it is followed so far beyond them, which is more
# than pYIN lets it move from one frame to the next.
_CONFIDENT = 0.5
_MARGIN_SEMITONES = 4.0

# Frames of loudness and RMS, and the silence put before a sound so that its beginning is an onset.
_FRAME_SECONDS = 0.032
_SILENCE_SECONDS = 0.25
_ONSET_RATE = 200.0


def check_method(f0):
    """Raise UsageError if f0 is 'crepe' and CREPE is not installed, before any work is done."""
    if f0 == "crepe":
        try:
            _crepe()
        except ImportError as error:
            raise UsageError(" ".join(str(error).split())) from error


def compute(audio, sample_rate, frame_rate=250.0, f0=None):
    """Compute the features of audio.

    Args:
      audio: float32 [n_samples], at least one.
      sample_rate: Hz.
      frame_rate: Frames a second.
      f0: None, 'pyin' or 'crepe'.

    Returns:
      dict of float32 arrays: `loudness_db` and `rms` [n_frames], with f0 also `f0_hz` and
      `f0_confidence` [n_frames], and `onset_seconds` [n_onsets].
    """
    # Imports TensorFlow, which processes that compute no features do without.
    from synths import loudness

    size = 1 << round(np.log2(_FRAME_SECONDS * sample_rate))
    found = {
        "loudness_db": loudness.compute_loudness(
            audio, sample_rate, frame_rate, n_fft=size, use_tf=False
        ),
        "rms": loudness.compute_rms_energy(audio, sample_rate, frame_rate, frame_size=size).numpy(),
        "onset_seconds": onsets(audio, sample_rate),
    }
    if f0 is not None:
        track = _pyin if f0 == "pyin" else _crepe()
        found["f0_hz"], found["f0_confidence"], _ = track(audio, sample_rate, frame_rate)
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def detect_pitch(audio, sample_rate, method):
    """Median pitch of the confident frames of a note, as the nearest MIDI number; None without.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      method: 'pyin' or 'crepe'.
    """
    track = _pyin if method == "pyin" else _crepe()
    f0_hz, confidence, _ = track(audio[: 4 * sample_rate], sample_rate, 62.5)
    sure = np.asarray(f0_hz)[np.asarray(confidence) > _CONFIDENT]
    if len(sure) < 3:
        return None
    return float(np.round(69.0 + 12.0 * np.log2(np.median(sure) / 440.0)))


def onsets(audio, sample_rate):
    """Detect onsets as peaks of spectral flux with vibrato suppression, by librosa.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.

    Returns:
      float32 [n_onsets], seconds, rising; not before 0. None in silence.

    References:
      Boeck and Widmer 2013, "Maximum filter vibrato suppression for onset detection".
    """
    import librosa

    hop_length = max(1, round(sample_rate / _ONSET_RATE))
    n_before = round(_SILENCE_SECONDS * sample_rate / hop_length) * hop_length
    if not np.any(audio):
        return np.zeros([0], np.float32)
    # Mirrored at its end, where a cut would look like one more onset.
    padded = np.pad(np.pad(audio, (0, n_before), "symmetric"), (n_before, 0))
    flux = librosa.onset.onset_strength(
        y=padded, sr=sample_rate, hop_length=hop_length, lag=2, max_size=3
    )
    found = librosa.onset.onset_detect(
        onset_envelope=flux, sr=sample_rate, hop_length=hop_length, units="time", delta=0.2
    )
    found = np.maximum(found - n_before / sample_rate, 0.0)
    return found[found < len(audio) / sample_rate - 2.0 / _ONSET_RATE].astype(np.float32)


def _pyin(audio, sample_rate, frame_rate):
    """PitchTrack by pYIN, coarse over the whole range, then fine around the result.

    pYIN's time grows with the square of the range.
    """
    from synths.pitch import PYIN, PitchTrack

    nyquist = 0.5 * sample_rate
    wide = PYIN(MIN_HZ, min(MAX_HZ, nyquist), resolution=0.5)
    track = wide(audio, sample_rate, _COARSE_RATE)
    sure = track.f0_hz[track.confidence > _CONFIDENT]
    if len(sure):
        beyond = 2.0 ** (_MARGIN_SEMITONES / 12.0)
        low, high = np.percentile(sure, [2, 98])
        high = min(high * beyond, nyquist)
        low = min(low / beyond, high / beyond**2)
        times_finer = -(-_FINE_SAMPLE_RATE // sample_rate)
        finer_rate = times_finer * sample_rate
        finer = soxr.resample(audio, sample_rate, finer_rate) if times_finer > 1 else audio
        n_frame = max(4.0 / low, _FRAME_SECONDS) * finer_rate
        fine = PYIN(low, high, 1 << int(np.ceil(np.log2(n_frame))), resolution=0.05)
        track = fine(finer, finer_rate, _FINE_RATE)
    times = np.arange(int(len(audio) * frame_rate // sample_rate) + 1) / frame_rate
    f0_hz = 2.0 ** np.interp(times, track.times_seconds, np.log2(track.f0_hz))
    confidence = np.interp(times, track.times_seconds, track.confidence)
    return PitchTrack(f0_hz, confidence, times)


@functools.cache
def _crepe():
    from synths.pitch import CREPE

    return CREPE()
