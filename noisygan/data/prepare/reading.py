"""Read one input of `prepare` to mono audio at its own rate, or say in one line why not."""

import dataclasses
import io
import os
import shutil
import struct
import subprocess
import tempfile

import numpy as np
import soundfile

from noisygan.audio_io.decoding import MAX_SAMPLES, MP3_DELAY, BadAudioError, read_mono
from noisygan.data import nsynth, source_files
from noisygan.files import sha256

# Samples beyond full scale are scaled back up to here (+20 dB); more is another unit.
MAX_PEAK = 10.0

# Below one step of 16 bits there is nothing to hear.
SILENT = 1.0 / 32768.0

# Rates in Hz that a header may name; others are damage.
RATES = (1000.0, 768000.0)

_FFMPEG_SECONDS = 600

# libsndfile's names of what is in a file, by its suffix.
_FORMATS = {
    ".wav": ("WAV", "WAVEX", "RF64"),
    ".flac": ("FLAC",),
    ".ogg": ("OGG",),
    ".mp3": ("MPEG", "MP3"),
    ".aif": ("AIFF",),
    ".aiff": ("AIFF",),
}


@dataclasses.dataclass
class Sound:
    """Audio and what was done to it so far.

    Attributes:
      audio: float32 [n_samples].
      rate: Hz.
      n_channels: Channels of the file.
      did: list of str, one for each thing that was done.
      put_right: Whether one of them was a repair.
    """

    audio: np.ndarray
    rate: float
    n_channels: int = 1
    did: list = dataclasses.field(default_factory=list)
    put_right: bool = False

    def repair(self, what):
        """Record that something was repaired."""
        self.did.append(what)
        self.put_right = True


def read(source, max_seconds=None):
    """Read one source; its fields are filled in where the audio carries them.

    Args:
      source: `Source` with a reader.
      max_seconds: A longer file is refused.

    Returns:
      Sound, finite, within full scale, not silent.

    Raises:
      BadAudioError: if it cannot be used.
    """
    if source.reader == "audio":
        sound = _read_audio(source, max_seconds)
    else:
        sound = Sound(*nsynth.read_record(source))
        _check(sound, np.count_nonzero(~np.isfinite(sound.audio)), max_seconds)
    peak = float(np.max(np.abs(sound.audio), initial=0.0))
    if peak > MAX_PEAK:
        raise BadAudioError(
            "beyond full scale",
            f"peaks at {peak:.4g}, expected at most {MAX_PEAK:g}: its samples are in another unit",
        )
    if peak < SILENT:
        raise BadAudioError("silent", f"is silent: its peak is {_db(peak)}")
    if peak > 1.0:
        sound.audio /= np.float32(peak)
        sound.repair(f"peak of {peak:.3f} brought down to 1")
    return sound


def fingerprint(source):
    """SHA-256 of the bytes of a source, hex str; OSError if it cannot be read."""
    if source.reader == "nsynth_record":
        return nsynth.fingerprint(source)
    return sha256(source.path)


def _read_audio(source, max_seconds):
    suffix = os.path.splitext(source.path)[1].lower()
    if source.size == 0:
        raise BadAudioError("empty", "is an empty file")
    try:
        if suffix not in source_files.FFMPEG_SUFFIXES:
            return _read_file(source.path, max_seconds, suffix)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "decoded.wav")
            _decode_by_ffmpeg(source.path, path, max_seconds)
            sound = _read_file(path, max_seconds)
        sound.did.insert(0, f"decoded {suffix[1:]} by ffmpeg")
        return sound
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        detail = getattr(error, "error_string", None) or getattr(error, "strerror", None)
        detail = " ".join((detail or str(error)).split()).rstrip(".")
        raise BadAudioError("unreadable", f"cannot be read as audio ({detail})") from error


def _read_file(path, max_seconds, suffix=".wav"):
    sound = Sound(np.zeros(0, np.float32), 0.0)
    with soundfile.SoundFile(_repaired(path, sound)) as file:
        sound.rate, sound.n_channels = float(file.samplerate), file.channels
        if file.format not in _FORMATS.get(suffix, (file.format,)):
            sound.repair(f"named {suffix}, holds {file.format}")
        if not RATES[0] <= sound.rate <= RATES[1]:
            raise BadAudioError("unreadable", f"says that it is at {file.samplerate} Hz")
        most = MAX_SAMPLES if max_seconds is None else int(max_seconds * sound.rate)
        if file.frames > min(most, MAX_SAMPLES):
            raise _too_long(file.frames, sound.rate, max_seconds)
        # One more, since a header may promise too little.
        sound.audio, n_bad, loudest = read_mono(file, min(most, MAX_SAMPLES) + 1)
        n_promised = file.frames - (MP3_DELAY if file.format in _FORMATS[".mp3"] else 0)
    _check(sound, n_bad, max_seconds)
    if not len(sound.audio):
        raise BadAudioError("empty", "holds no samples")
    if len(sound.audio) < n_promised:
        sound.repair(f"its header promises {n_promised} samples, {len(sound.audio)} are there")
    if sound.n_channels > 1:
        sound.did.append(f"average of {sound.n_channels} channels")
        peak = float(np.max(np.abs(sound.audio)))
        if peak < 1e-3 * loudest:
            raise BadAudioError(
                "cancelled", f"has channels that cancel each other in their average ({_db(peak)})"
            )
    return sound


def _repaired(path, sound):
    """Path for soundfile, or the file's bytes with the size of its samples corrected."""
    with open(path, "rb") as file:
        order, offset, promised = _sample_chunk(file)
        size = os.fstat(file.fileno()).st_size
        there = size - offset
        if order is None or not there:
            pass
        elif promised > there:
            # What is written while recording promises any size.
            said = "any" if promised >= 2**31 - 1024 else f"{promised} bytes"
            sound.repair(f"its header promises {said} of sound, {there} bytes are there")
        elif promised < there // 2 and there <= 4 * MAX_SAMPLES:
            file.seek(offset + promised)
            after = file.read(5)
            # Nothing that looks like the name of another chunk follows.
            if not any(all(32 <= byte < 127 for byte in name) for name in (after[:4], after[1:])):
                sound.repair(f"its header says {promised} bytes of sound, {there} were taken")
                file.seek(0)
                content = bytearray(file.read())
                content[offset - 4 : offset] = struct.pack(order + "I", there)
                return io.BytesIO(content)
    return os.fsencode(path)  # As bytes: a name need not be UTF-8.


def _sample_chunk(file):
    """(byte order, offset, promised bytes) of the samples of a WAV or AIFF file; order is None."""
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        order, name = "<", b"data"
    elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        order, name = ">", b"SSND"
    else:
        return None, 0, 0
    offset = 12
    for _ in range(1000):
        file.seek(offset)
        chunk = file.read(8)
        if len(chunk) < 8:
            break
        n_bytes = struct.unpack(order + "I", chunk[4:])[0]
        offset += 8
        if chunk[:4] == name:
            return order, offset, n_bytes
        offset += n_bytes + n_bytes % 2
    return None, 0, 0


def _decode_by_ffmpeg(path, decoded, max_seconds):
    if shutil.which("ffmpeg") is None:
        raise BadAudioError("needs ffmpeg", "is in a format that ffmpeg reads; it is not installed")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file"]
    command += ["-i", "file:" + path, "-map", "0:a:0", "-map_metadata", "-1"]
    if max_seconds is not None:
        command += ["-t", str(max_seconds + 1.0)]
    command += ["-c:a", "pcm_f32le", "-f", "wav", "-y", "file:" + decoded]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_FFMPEG_SECONDS)
    except subprocess.TimeoutExpired:
        what = f"kept ffmpeg busy for more than {_FFMPEG_SECONDS} s"
        raise BadAudioError("unreadable", what) from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise BadAudioError("unreadable", f"cannot be read by ffmpeg ({lines[-1][:200]})")


def _check(sound, n_bad, max_seconds):
    n_samples = len(sound.audio)
    if n_samples > MAX_SAMPLES or (max_seconds and n_samples / sound.rate > max_seconds):
        raise _too_long(n_samples, sound.rate, max_seconds)
    if n_bad:
        what = f"holds {n_bad} NaN or infinite samples"
        raise BadAudioError("with NaN or infinite samples", what)


def _too_long(n_samples, rate, max_seconds):
    if n_samples > MAX_SAMPLES:
        what = f"has {n_samples} samples or more, at most {MAX_SAMPLES}"
    else:
        what = f"lasts {n_samples / rate:.4g} s or more, at most {max_seconds:g} s"
    return BadAudioError("too long", what)


def _db(peak):
    return f"{20.0 * np.log10(peak):.0f} dB" if peak > 0 else "0"
