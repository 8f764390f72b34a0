"""Decode audio files to mono float32, with one-line errors for files that cannot be used."""

import numpy as np
import soundfile

# Lossy formats and resampling overshoot full scale a little: up to this (+3 dB) is clipped to
# full scale, more means samples in another unit and is refused.
MAX_PEAK = 1.4142

# Samples of one file that are decoded at once, in one channel: three hours at 48 kHz.
MAX_SAMPLES = 2**29

# Samples by which MP3 files end before what their header says, at most: two frames.
MP3_DELAY = 2304

# Hz that a header may name; others are damage.
RATES = (1, 768_000)

# Numbers that are decoded at a time: a header can name a thousand channels.
_BLOCK = 2**20

# Seconds of silence before a sound that are looked through for its beginning.
MAX_SILENCE = 2.0

# A sound begins where it passes this level relative to its peak; so much before that is kept.
ONSET_DB, KEPT_SECONDS = -40.0, 0.002
# Less silence than this before the onset stays, so that aligned recordings are left as they are.
MAX_LEAD_SECONDS = 0.005


class BadAudioError(ValueError):
    """An audio file that cannot be used.

    Attributes:
      kind: What is wrong, in a word or two, the same for all files with this fault.
    """

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def check_header(path, sample_rate):
    """Check a file's header without decoding it; returns soundfile's info object.

    Args:
      path: Path of the file.
      sample_rate: Expected rate in Hz; None: any.

    Raises:
      BadAudioError: if the file is missing, unreadable or empty, or at another rate.
    """
    if not path.exists():
        raise BadAudioError("missing", "is missing; put the file there or drop its entry")
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        if path.is_file() and path.stat().st_size == 0:
            raise BadAudioError("empty", "is an empty file; expected audio") from error
        raise BadAudioError("unreadable", _unreadable(error)) from error
    if info.frames <= 0:
        raise BadAudioError("empty", "holds no samples; expected at least one")
    if not RATES[0] <= info.samplerate <= RATES[1]:
        raise BadAudioError("unreadable", f"says that it is at {info.samplerate} Hz; replace it")
    if sample_rate is not None and info.samplerate != sample_rate:
        raise BadAudioError(
            "at another sample rate",
            f"arrived at {info.samplerate} Hz, expected {sample_rate} Hz; convert it, for example "
            f"with `sox {path.name} -r {sample_rate} converted.wav`, or train at its rate: "
            f"noisygan train --gin_param 'sample_rate = {info.samplerate}'",
        )
    return info


def decode(path, sample_rate, n_samples, trim_db=None, start=0, end=None):
    """Decode n_samples of a file; channels are averaged, the end is padded with zeros.

    Args:
      path: pathlib.Path of the file.
      sample_rate: Rate the file must have, in Hz.
      n_samples: Length of the result. Little more than this is read of a longer file.
      trim_db: Silence before the first sample above this level, relative to the peak, is cut off,
        up to `MAX_SILENCE` seconds; None: nothing is.
      start: First frame of the file that is read.
      end: Frame before which reading stops; None: the end of the file.

    Returns:
      float32 [n_samples] in [-1, 1].

    Raises:
      BadAudioError: if the file is missing, unreadable, empty or at another rate, or holds NaN,
        infinity or samples far beyond full scale.
    """
    info = check_header(path, sample_rate)
    n_read = n_samples if trim_db is None else n_samples + round(MAX_SILENCE * sample_rate)
    n_expected = min((info.frames if end is None else end) - start, n_read)
    if n_expected > MAX_SAMPLES:
        wanted = f"at most {MAX_SAMPLES} are read at once: cut it in parts"
        raise BadAudioError("too long", f"has {info.frames} samples; {wanted}")
    try:
        with soundfile.SoundFile(str(path)) as file:
            if start:
                file.seek(start)
            mono, n_bad, _ = read_mono(file, n_expected)
            n_expected -= MP3_DELAY if file.format in ("MPEG", "MP3") else 0
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        raise BadAudioError("unreadable", _unreadable(error)) from error
    if len(mono) < n_expected:
        ends = f"ends after {start + len(mono)} of {start + n_expected} samples"
        raise BadAudioError("unreadable", f"{ends}; copy or export it again")
    if n_bad:
        kind = "with NaN or infinite samples"
        raise BadAudioError(kind, f"holds {n_bad} NaN or infinite samples; export it again")
    peak = float(np.max(np.abs(mono), initial=0.0))
    if peak > MAX_PEAK:
        wanted = f"expected at most 1, for example by `sox --norm {path.name} converted.wav`"
        raise BadAudioError("beyond full scale", f"peaks at {peak:.4g}, {wanted}")
    return cut(mono, sample_rate, n_samples, trim_db)


def read_mono(file, n_frames):
    """Read the average of all channels, block by block: many channels need not fit into memory.

    Args:
      file: Open soundfile.SoundFile.
      n_frames: How many frames are read at most.

    Returns:
      (mono float32 [n_frames or fewer], number of non-finite samples, peak in any channel).
    """
    blocks, n_bad, loudest, missing = [np.zeros(0, np.float32)], 0, 0.0, n_frames
    size = max(1, _BLOCK // file.channels)
    while missing > 0:
        block = file.read(min(size, missing), dtype="float32", always_2d=True)
        if not len(block):
            break
        n_bad += int(np.count_nonzero(~np.isfinite(block)))
        loudest = max(loudest, float(np.max(np.abs(block))))
        # Ten times as fast as the mean along a short axis.
        total = block[:, 0].copy()
        for channel in range(1, block.shape[1]):
            total += block[:, channel]
        blocks.append(total / np.float32(block.shape[1]))
        missing -= len(block)
    return (blocks[-1] if len(blocks) == 2 else np.concatenate(blocks)), n_bad, loudest


def cut(mono, sample_rate, n_samples, trim_db=None, trim_end=False):
    """Cut audio to float32 [n_samples] in -1 .. 1, padded with zeros; arguments as of `decode`.

    With `trim_end` silence after the last sample above that level is left out too.
    """
    if trim_db is not None:
        n_searched = n_samples + round(MAX_SILENCE * sample_rate)
        level = np.abs(mono[:n_searched])
        heard = level > np.max(level, initial=0.0) * 10.0 ** (trim_db / 20.0)
        begin = min(np.argmax(heard), n_searched - n_samples)
        mono = mono[begin : len(heard) - np.argmax(heard[::-1]) if trim_end else None]
    mono = mono[:n_samples]
    padded = np.zeros(n_samples, np.float32)
    padded[: len(mono)] = np.clip(mono, -1.0, 1.0)
    return padded


def leading_silence(audio, sample_rate):
    """Samples of silence before the onset of float32 [n_samples]; 0 if it begins within 5 ms."""
    level = np.abs(audio)
    onset = int(np.argmax(level > np.max(level, initial=0.0) * 10.0 ** (ONSET_DB / 20.0)))
    if onset <= MAX_LEAD_SECONDS * sample_rate:
        return 0
    return onset - round(KEPT_SECONDS * sample_rate)


def shape(audio, peak=None, n_fade_in=0, n_fade_out=0):
    """Scale audio to a peak and fade it in and out linearly, float32 [n_samples].

    Args:
      audio: float32 [n_samples].
      peak: Its peak afterwards, before the fades; silence stays silent. None: as it is.
      n_fade_in, n_fade_out: Samples in which it rises from 0 at its beginning, and falls to 0 at
        its end.
    """
    audio = audio.copy()
    loudest = np.max(np.abs(audio))
    if peak is not None and loudest > 0.0:
        # Not above it by a rounding.
        audio = np.clip(audio * np.float32(peak / loudest), -peak, peak).astype(np.float32)
    n_fade_in, n_fade_out = min(n_fade_in, len(audio)), min(n_fade_out, len(audio))
    audio[:n_fade_in] *= np.arange(n_fade_in, dtype=np.float32) / max(n_fade_in, 1)
    if n_fade_out:
        audio[-n_fade_out:] *= np.arange(n_fade_out, dtype=np.float32)[::-1] / n_fade_out
    return audio


def _unreadable(error):
    detail = getattr(error, "error_string", None) or str(error)
    return f"cannot be read as audio ({' '.join(detail.split()).rstrip('.')}); replace or remove it"
