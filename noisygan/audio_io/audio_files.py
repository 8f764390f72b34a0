"""Audio files, written atomically."""

import contextlib
import io
import math
import pathlib
import struct

import numpy as np
import soundfile

from noisygan.errors import RunError, UsageError
from noisygan.files import atomic_write

SUBTYPES = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
MIN_SAMPLE_RATE = 8000
MAX_SAMPLE_RATE = 192000
MIN_SECONDS = 0.1
MAX_SECONDS = 600.0


def check_sample_rate(sample_rate):
    """Raise UsageError for a sample rate outside 8000 .. 192000 Hz; None is the run's own."""
    if sample_rate is not None and not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        limits = f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
        raise UsageError(f"sample rate {sample_rate} Hz: expected {limits}, such as 48000")


def check_seconds(seconds):
    """Raise UsageError for a length outside 0.1 .. 600 s; None is the run's own."""
    # `not ... <=` and not `>`: NaN is refused too.
    if seconds is not None and not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise UsageError(f"{seconds:g} seconds: expected {MIN_SECONDS:g} to {MAX_SECONDS:g}")


def write_wav(path, audio, sample_rate, subtype="PCM_16", key=None, loop=None):
    """Write a mono WAV file atomically; arguments and errors as of `wav_writer`.

    Args:
      audio: float32 [n_samples].

    Returns:
      Number of samples that were cut: int, 0 for FLOAT and DOUBLE.
    """
    with wav_writer(path, sample_rate, subtype, key, loop) as writer:
        writer.write(audio)
    return writer.n_cut


@contextlib.contextmanager
def wav_writer(path, sample_rate, subtype="PCM_16", key=None, loop=None):
    """Open a mono WAV file for writing; it appears, complete, when the block succeeds.

    Integer subtypes hold -1 .. 1: what lies outside is cut to it, never wrapped around.

    Args:
      path: File to be written; an existing one is never overwritten.
      sample_rate: Hz.
      subtype: One of SUBTYPES.
      key: MIDI key that the file tells samplers, or None: it tells them none.
      loop: `noisygan.rendering.loops.Loop` that it tells them with the key, or None.

    Yields:
      WavWriter.

    Raises:
      UsageError: if the file exists, or the subtype is unknown.
      RunError: if the audio is not finite or the file cannot be written.
    """
    path = pathlib.Path(path)
    if subtype not in SUBTYPES:
        raise UsageError(f"subtype {subtype}: expected one of {', '.join(SUBTYPES)}")
    if path.exists():
        raise UsageError(f"{path} exists already; choose another name or remove it")
    with atomic_write(path) as part:
        try:
            with soundfile.SoundFile(part, "w", sample_rate, 1, subtype, format="WAV") as file:
                yield WavWriter(file, path.name, subtype)
        except soundfile.SoundFileError as error:
            raise OSError(_system_reason(part) or str(error)) from error
        if key is not None:
            _append_sampler_chunk(part, sample_rate, key, loop)


def _system_reason(path):
    """Why a file can't grow, such as a full disk, which libsndfile doesn't say; None if it can."""
    try:
        with open(path, "ab") as file:
            file.write(bytes(1 << 16))
    except OSError as error:
        return error.strerror
    return None


def _append_sampler_chunk(path, sample_rate, key, loop):
    """Append a `smpl` chunk, a MIDI key and a Loop or None, to a WAV file that has none."""
    # Number, kind (0: forward), first and last sample, fraction, count (0: until the note-off).
    loops = b"" if loop is None else struct.pack("<6I", 0, 0, loop.start, loop.end - 1, 0, 0)
    # Manufacturer, product, nanoseconds per sample, key, fraction of a semitone, two SMPTE fields,
    # number of loops, bytes behind them.
    nanoseconds, n_loops = round(1e9 / sample_rate), int(loop is not None)
    head = struct.pack("<9I", 0, 0, nanoseconds, key, 0, 0, 0, n_loops, 0)
    with open(path, "r+b") as file:
        n_bytes = file.seek(0, 2)
        file.write(b"\0" * (n_bytes % 2))
        file.write(b"smpl" + struct.pack("<I", len(head + loops)) + head + loops)
        n_bytes = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", n_bytes - 8))


def read_root_key(path):
    """MIDI key, with its fraction, that the `smpl` chunk of a WAV file states; None without one."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
            if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
                return None
            for _ in range(1000):
                name, n_bytes = struct.unpack("<4sI", file.read(8))
                if name == b"smpl":
                    key, fraction = struct.unpack("<12x2I", file.read(20))
                    return key + fraction / 2**32 if key <= 127 else None
                file.seek(n_bytes + n_bytes % 2, 1)
    except (OSError, struct.error):
        pass
    return None


class WavWriter:
    """A mono WAV file that is being written, block by block.

    Attributes:
      n_cut: Samples that were cut so far.
      peak: The loudest sample so far, as it was given.
    """

    def __init__(self, file, name, subtype):
        self.n_cut, self.peak = 0, 0.0
        self._file, self._name, self._subtype = file, name, subtype

    def write(self, audio):
        """Write the next samples, float32 [n]; RunError if one is not finite."""
        audio = np.asarray(audio)
        if not np.isfinite(audio).all():
            n_bad = int(np.size(audio) - np.isfinite(audio).sum())
            raise RunError(f"{self._name} was not written: {n_bad} of its samples are not finite")
        self.peak = max(self.peak, float(np.max(np.abs(audio), initial=0.0)))
        if self._subtype.startswith("PCM"):
            # +1 itself is one step above the largest integer; that is rounding, not clipping.
            self.n_cut += int(np.sum(np.abs(audio) > 1.0))
            audio = quantize(audio, self._subtype)
        self._file.write(audio)


def wav_bytes(audio, sample_rate, subtype="PCM_16"):
    """A mono WAV file in memory, bytes; arguments as of `write_wav`."""
    file = io.BytesIO()
    audio = quantize(audio, subtype) if subtype.startswith("PCM") else audio
    soundfile.write(file, audio, sample_rate, subtype=subtype, format="WAV")
    return file.getvalue()


def limit_peak(audio):
    """Lower a sound to full scale if it is louder: (audio, dB by which it was lowered)."""
    peak = float(np.max(np.abs(audio), initial=0.0))
    if peak <= 1.0:
        return audio, 0.0
    return audio / np.float32(peak), 20.0 * math.log10(peak)


def quantize(audio, subtype):
    """Round samples to an integer subtype, cut to -1 .. 1: int16 or int32 [n], filling its range.

    libsndfile rounds floats down, which turns the faintest negative samples into -1.
    """
    bits = int(subtype.removeprefix("PCM_"))
    scale = 2.0 ** (bits - 1)
    whole = np.rint(np.asarray(audio, np.float64) * scale).clip(-scale, scale - 1.0)
    return whole.astype(np.int16) if bits == 16 else whole.astype(np.int32) << (32 - bits)
