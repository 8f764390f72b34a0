"""Features stored beside the audio: loudness, RMS, F0 and its confidence, onsets.

Frame i is centred on i / frame_rate seconds; there are
floor(n_samples frame_rate / sample_rate) + 1 of them.
"""

import numpy as np

from noisygan.errors import UsageError
from noisygan.metrics.note_analysis import hz_to_midi, midi_to_hz

# A piano's notes, and a whole tone above them.
MIN_HZ, MAX_HZ = 27.0, 4700.0

# Frames a second at which pYIN looks for where the pitch lies, and then follows it; what is stored
# is interpolated.
_COARSE_RATE, _FINE_RATE = 31.25, 62.5

# Frames as sure as this say where the pitch lies; it is followed so far beyond them, which is more
# than pYIN lets it move from one frame to the next.
_CONFIDENT = 0.5
_MARGIN_SEMITONES = 4.0

# Frames of loudness and RMS, and the silence put before a sound so that its beginning is an onset.
_FRAME_SECONDS = 0.032
_SILENCE_SECONDS = 0.25
_ONSET_RATE = 200.0


def check_method(f0):
    """Raise UsageError if CREPE is named and not installed, before any work is done."""
    if f0 and f0 != "pyin":
        from synths.pitch import CREPE

        try:
            CREPE(_capacity(f0))
        except ImportError as error:
            raise UsageError(" ".join(str(error).split())) from error


def compute(audio, sample_rate, frame_rate=250.0, f0=None, pitch=None):
    """Compute the features of audio.

    Args:
      audio: float32 [n_samples], at least one.
      sample_rate: Hz.
      frame_rate: Frames a second.
      f0: None, 'pyin', 'crepe' or 'crepe-full'.
      pitch: MIDI, if known, for f0.

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
        track = track_f0(audio, sample_rate, frame_rate, f0, pitch)
        found["f0_hz"], found["f0_confidence"], _ = track
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def detect_pitch(audio, sample_rate, method):
    """Median pitch of the confident frames of a note, as the nearest MIDI number; None without.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      method: 'pyin', 'crepe' or 'crepe-full'.
    """
    f0_hz, confidence, _ = track_f0(audio[: 4 * sample_rate], sample_rate, 62.5, method)
    sure = np.asarray(f0_hz)[np.asarray(confidence) > _CONFIDENT]
    if len(sure) < 3:
        return None
    return float(np.round(hz_to_midi(np.median(sure))))


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


def track_f0(audio, sample_rate, frame_rate, method, pitch=None):
    """Track F0; returns a `synths.PitchTrack`.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      frame_rate: Frames a second.
      method: 'pyin', or 'crepe' or 'crepe-full', for whose range of pitches see `synths.CREPE`;
        pYIN tracks known pitches outside it.
      pitch: MIDI, if known: F0 is within half an octave of it, interpolated between confident
        frames, and equal to it before and after them.
    """
    from synths.pitch import CREPE, PitchTrack

    low_hz, high_hz = MIN_HZ, MAX_HZ
    if pitch is not None:
        hz = midi_to_hz(pitch)
        low_hz, high_hz = hz / np.sqrt(2.0), hz * np.sqrt(2.0)
    in_range = pitch is None or CREPE.RANGE_HZ[0] < hz < CREPE.RANGE_HZ[1]
    if method == "pyin" or not in_range:
        track = _pyin(audio, sample_rate, low_hz, high_hz, coarse=pitch is None)
    else:
        tracker = CREPE(_capacity(method), min_hz=low_hz, max_hz=high_hz)
        track = tracker(audio, sample_rate, frame_rate)
    times = np.arange(int(len(audio) * frame_rate // sample_rate) + 1) / frame_rate
    at, found_hz, outside = track.times_seconds, track.f0_hz, None
    if pitch is not None:
        sure, outside = track.confidence > _CONFIDENT, np.log2(hz)
        at, found_hz = (at[sure], found_hz[sure]) if sure.any() else ([0.0], [hz])
    f0_hz = 2.0 ** np.interp(times, at, np.log2(found_hz), outside, outside)
    return PitchTrack(f0_hz, np.interp(times, track.times_seconds, track.confidence), times)


def _capacity(method):
    """Capacity of CREPE that 'crepe' or 'crepe-full' names."""
    return method.partition("-")[2] or "tiny"


def _pyin(audio, sample_rate, low_hz, high_hz, coarse):
    """PitchTrack by pYIN between two frequencies, on request around the result of a coarse pass.

    pYIN's time grows with the square of the range.
    """
    from synths.pitch import PYIN

    if coarse:
        track = PYIN(low_hz, high_hz, resolution=0.5)(audio, sample_rate, _COARSE_RATE)
        sure = track.f0_hz[track.confidence > _CONFIDENT]
        if not len(sure):
            return track
        margin = 2.0 ** (_MARGIN_SEMITONES / 12.0)
        low_hz, high_hz = np.percentile(sure, [2, 98]) * [1.0 / margin, margin]
    return PYIN(low_hz, high_hz, resolution=0.05)(audio, sample_rate, _FINE_RATE)
