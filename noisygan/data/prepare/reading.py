"""One input into one mono sound at its own rate, or one sentence that says why not."""

import dataclasses
import functools
import hashlib
import io
import os
import shutil
import struct
import subprocess
import tempfile

import numpy as np
import soundfile

from noisygan.audio_io.decoding import MAX_SAMPLES, BadAudioError
from noisygan.data.prepare import sources
from noisygan.files import feed

# Samples beyond full scale are brought back to it up to here (+20 dB); more is another unit.
MAX_PEAK = 10.0

# Below one step of 16 bits there is nothing to hear.
SILENT = 1.0 / 32768.0

# Rates in Hz that a header may name; others are damage.
RATES = (1000.0, 768000.0)

# What ffmpeg may take for one file, in seconds.
_FFMPEG_SECONDS = 600

# Numbers that are decoded at a time, in all channels.
_BLOCK = 1 << 19

# AU files are written in either order.
_AU_ORDER = {b".snd": ">", b"dns.": "<"}


@dataclasses.dataclass
class Sound:
    """A sound and what was done to it so far.

    Attributes:
      audio: float32 [n_samples].
      rate: Hz.
      n_channels: That the file has.
      did: list of str, one for each thing that was done.
      put_right: Whether one of them put something right that should not have been so.
    """

    audio: np.ndarray
    rate: float
    n_channels: int = 1
    did: list = dataclasses.field(default_factory=list)
    put_right: bool = False

    def repair(self, what):
        """Notes that something was put right."""
        self.did.append(what)
        self.put_right = True


def read(source, channel=None, max_seconds=None):
    """Reads one source.

    Args:
      source: `Source` with a reader; its fields are filled in where the audio carries them.
      channel: The channel that is taken, from 1 on; None: the average of all.
      max_seconds: A longer file is refused.

    Returns:
      Sound, finite, within full scale, not silent.

    Raises:
      BadAudioError: if it can't be used.
    """
    if source.reader == "audio":
        sound = _read_audio(source, channel, max_seconds)
    else:
        from noisygan.data.prepare import nsynth_records

        audio, rate = nsynth_records.READERS[source.reader](source)
        sound = Sound(audio, rate)
        _check_length(len(audio), rate, max_seconds)
        _check_finite(np.count_nonzero(~np.isfinite(audio)))
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
    """What identifies the contents of a source: SHA-256 of its bytes, hex str.

    Args:
      source: Source that is a file or lies in one.

    Raises:
      OSError: if it cannot be read.
    """
    if source.reader in ("nsynth_record", "tfds"):
        from noisygan.data.prepare import nsynth_records

        return nsynth_records.fingerprint(source)
    digest = hashlib.sha256()
    with open(source.path, "rb") as file:
        feed(digest, file)
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class SampleChunk:
    """Where the header of a WAV, RF64, AIFF or AU file says that its samples lie.

    Attributes:
      order: '<' or '>', the order of bytes; None where their size is not the four bytes before
        them.
      offset: Of the samples in the file.
      promised: Bytes of samples, as the header says.
      there: Bytes from the offset to the end of the file.
    """

    order: str
    offset: int
    promised: int
    there: int


def sample_chunk(path):
    """Looks for the samples of a WAV, RF64, AIFF or AU file, without trusting its sizes.

    Args:
      path: Path of any file.

    Returns:
      SampleChunk, or None where there is none or it is another format.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] in _AU_ORDER and len(head) == 12:
            offset, n_bytes = struct.unpack(_AU_ORDER[head[:4]] + "II", head[4:])
            is_stated = n_bytes < 2**32 - 1
            return SampleChunk(None, offset, n_bytes, size - offset) if is_stated else None
        stated = None
        if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
            order, data = "<", b"data"
        elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
            order, data = ">", b"SSND"
        else:
            return None
        offset = 12
        for _ in range(1000):
            file.seek(offset)
            chunk = file.read(8)
            if len(chunk) < 8:
                return None
            n_bytes = struct.unpack(order + "I", chunk[4:])[0]
            offset += 8
            if chunk[:4] == b"ds64" and head[:4] == b"RF64":
                sizes = file.read(16)
                stated = struct.unpack("<Q", sizes[8:])[0] if len(sizes) == 16 else None
            elif chunk[:4] == data and stated is not None:
                return SampleChunk(None, offset, stated, size - offset)
            elif chunk[:4] == data:
                return SampleChunk(order, offset, n_bytes, size - offset)
            offset += n_bytes + n_bytes % 2
    return None


def _read_audio(source, channel, max_seconds):
    suffix = os.path.splitext(source.path)[1].lower()
    if source.size == 0:
        raise BadAudioError("empty", "is an empty file")
    try:
        if suffix in sources.FFMPEG_SUFFIXES:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "decoded.wav")
                _decode_by_ffmpeg(source.path, path, max_seconds)
                sound = _read_file(path, channel, max_seconds)
            sound.did.insert(0, f"decoded {suffix[1:]} by ffmpeg")
            return sound
        return _read_file(source.path, channel, max_seconds, suffix)
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        detail = getattr(error, "error_string", None) or getattr(error, "strerror", None)
        detail = " ".join((detail or str(error)).split()).rstrip(".")
        raise BadAudioError("unreadable", f"cannot be read as audio ({detail})") from error


def _read_file(path, channel, max_seconds, suffix=".wav"):
    sound = Sound(np.zeros(0, np.float32), 0.0)
    with soundfile.SoundFile(_repaired(path, sound)) as file:
        sound.rate, sound.n_channels = float(file.samplerate), file.channels
        if not _suits(suffix, file.format):
            sound.repair(f"named {suffix}, holds {file.format}")
        if not RATES[0] <= sound.rate <= RATES[1]:
            raise BadAudioError("unreadable", f"says that it is at {file.samplerate} Hz")
        _check_length(file.frames, sound.rate, max_seconds)
        if channel is not None and 1 < sound.n_channels < channel:
            what = f"has {sound.n_channels} channels, channel {channel} was asked for"
            raise BadAudioError("without the channel", what)
        sound.audio, loudest = _mono(file, channel, max_seconds)
        if len(sound.audio) < file.frames:
            what = f"its header promises {file.frames} samples, {len(sound.audio)} are there"
            sound.repair(what)
    if sound.n_channels > 1:
        sound.did.append(
            f"channel {channel}" if channel else f"average of {sound.n_channels} channels"
        )
        peak = float(np.max(np.abs(sound.audio)))
        if peak < 1e-3 * loudest:
            what = "has channels that cancel each other in their average"
            what = f"is silent in channel {channel}" if channel else what
            raise BadAudioError("cancelled", f"{what} ({_db(peak)})")
    return sound


def _mono(file, channel, max_seconds):
    """Reads a file block by block, so that many channels need not fit into memory at once.

    Returns:
      (float32 [n_samples] of one channel or the average of all, the peak in any channel).
    """
    blocks, n_bad, n_samples, loudest = [], 0, 0, 0.0
    size = max(1, _BLOCK // file.channels)
    while len(block := file.read(size, dtype="float32", always_2d=True)):
        n_bad += np.count_nonzero(~np.isfinite(block))
        n_samples += len(block)
        _check_length(n_samples, file.samplerate, max_seconds)
        if not n_bad:
            loudest = max(loudest, float(np.max(np.abs(block))))
        alone = channel and file.channels > 1
        blocks.append(block[:, channel - 1].copy() if alone else _average(block))
    _check_finite(n_bad)
    if not n_samples:
        raise BadAudioError("empty", "holds no samples")
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks), loudest


def _average(block):
    """Mean of the channels, [n_samples]; NumPy's own takes ten times as long along a short axis."""
    total = block[:, 0].copy()
    for i in range(1, block.shape[1]):
        total += block[:, i]
    return total / np.float32(block.shape[1])


def _repaired(path, sound):
    """What soundfile opens: the path, or the file with the size of its samples put right."""
    chunk = sample_chunk(path)
    if chunk is not None and chunk.promised > chunk.there > 0:
        is_any = chunk.order and chunk.promised >= 2**31 - 1024
        what = "any" if is_any else f"{chunk.promised} bytes"
        sound.repair(f"its header promises {what} of sound, {chunk.there} bytes are there")
    elif (
        chunk is not None
        and chunk.order
        and chunk.promised < chunk.there // 2
        and chunk.there <= 4 * MAX_SAMPLES
        and not _followed(path, chunk)
    ):
        sound.repair(f"its header says {chunk.promised} bytes of sound, {chunk.there} were taken")
        with open(path, "rb") as file:
            content = bytearray(file.read())
        content[chunk.offset - 4 : chunk.offset] = struct.pack(chunk.order + "I", chunk.there)
        return io.BytesIO(content)
    return os.fsencode(path)  # As bytes: a name need not be UTF-8.


def _followed(path, chunk):
    """Whether something that looks like the name of another chunk follows the samples."""
    with open(path, "rb") as file:
        file.seek(chunk.offset + chunk.promised)
        after = file.read(5)
    return any(all(32 <= byte < 127 for byte in name) for name in (after[:4], after[1:]))


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


def _suits(suffix, format_name):
    """Whether a file's name and its content agree, as far as is known."""
    families = {
        ".wav": ("WAV", "WAVEX", "RF64"),
        ".flac": ("FLAC",),
        ".ogg": ("OGG",),
        ".mp3": ("MPEG", "MP3"),
        ".aif": ("AIFF",),
        ".aiff": ("AIFF",),
    }
    return suffix not in families or format_name in families[suffix]


def _check_length(n_samples, rate, max_seconds):
    seconds = n_samples / rate
    if n_samples > MAX_SAMPLES:
        raise BadAudioError("too long", f"has {n_samples} samples or more, at most {MAX_SAMPLES}")
    if max_seconds is not None and seconds > max_seconds:
        raise BadAudioError("too long", f"lasts {seconds:.4g} s or more, at most {max_seconds:g} s")


def _check_finite(n_bad):
    if n_bad:
        what = f"holds {n_bad} NaN or infinite samples"
        raise BadAudioError("with NaN or infinite samples", what)


@functools.cache
def _db(peak):
    return f"{20.0 * np.log10(peak):.0f} dB" if peak > 0 else "0"
