"""One prepared sound as a record, and shards of them: TFRecord files of tf.train.Example.

The features of a record:

| name | kind | what |
|---|---|---|
| key | bytes | name that no other record of the folder has, UTF-8 |
| source_file | bytes | the file it comes from, relative to the folder that was prepared |
| label | bytes | empty where unknown |
| pitch, velocity | float | MIDI number, 0 to 127; NaN where unknown |
| start_seconds | float | where it begins in its file |
| sample_rate | int64, one or several | Hz, rising |
| encoding | bytes | `int16` or `float32` |
| audio/RATE | bytes | the samples at that rate, mono, little-endian |
| n_samples/RATE | int64 | how many |
| tag/NAME | bytes, int64 or float | what else is known; `family` and `source` can be chosen by |
| frame_rate | float | frames a second of the features; absent without features |
| feature/NAME | float | one value a frame; `onset_seconds`: one value an onset |

Frame i of a feature is centred on i / frame_rate seconds after the record's first sample.
"""

import dataclasses
import math

import numpy as np

from noisygan.data.prepare import example
from noisygan.errors import RunError
from noisygan.files import atomic_write

ENCODINGS = ("int16", "float32")

# One step of 16 bits; what a WAV file of 16 bits holds comes back bit by bit.
_FULL_SCALE = 32768.0


class DamagedShardError(RunError):
    """A shard that can't be read whole.

    Attributes:
      path: The file.
      index: Number of the first bad record, from 0; the ones before it are good.
      reason: What is wrong with it, continuing "record 3 ...".
    """

    def __init__(self, path, index, reason):
        super().__init__(
            f"{path}: record {index} {reason}; expected whole records, "
            "prepare the recordings again or copy the file again"
        )
        self.path, self.index, self.reason = path, index, reason


@dataclasses.dataclass
class Record:
    """One prepared sound; the fields are described at the head of this module.

    Attributes:
      audio: dict of sample rate in Hz -> float32 [n_samples], in [-1, 1] for int16.
      label: Empty where unknown.
      pitch, velocity: NaN where unknown.
      tags: dict of name -> str, int or float.
      frame_rate: Frames a second, or None without features.
      features: dict of name -> float32 [n].
    """

    key: str
    source_file: str
    audio: dict
    label: str = ""
    pitch: float = math.nan
    velocity: float = math.nan
    start_seconds: float = 0.0
    encoding: str = "int16"
    tags: dict = dataclasses.field(default_factory=dict)
    frame_rate: float | None = None
    features: dict = dataclasses.field(default_factory=dict)


def write_shard(path, records):
    """Writes records to a file, which gets its name when it is complete; replaces an older one.

    Args:
      path: The file; its folder must exist.
      records: Iterable of Record. Equal records give equal bytes.

    Returns:
      The number of records.

    Raises:
      ValueError: for a record without audio, of another encoding than `ENCODINGS`, or with samples
        that are not finite, or beyond [-1, 1] where they are kept as int16.
      RunError: if the file cannot be written.
    """
    n_records = 0
    with atomic_write(path, overwrite=True) as part, open(part, "wb") as file:
        for record in records:
            example.write_frame(file, to_example(record))
            n_records += 1
    return n_records


def read_shard(path):
    """Gives the records of a file, one by one.

    Args:
      path: The file.

    Yields:
      Record.

    Raises:
      DamagedShardError: where a record is cut off, damaged or lacks what a record must have.
      RunError: if the file cannot be opened.
    """
    for index, _, payload in read_payloads(path):
        yield from_payload(path, index, payload)


def from_payload(path, index, payload):
    """As `from_example`, of a record that `read_payloads` gave.

    Raises:
      DamagedShardError: where the bytes are no record.
    """
    try:
        return from_example(payload)
    except example.FrameError as error:
        raise DamagedShardError(path, index, str(error)) from error


def read_payloads(path):
    """As `read_shard`, with each record as it lies in the file.

    Yields:
      (index, offset, payload): its number from 0, where in the file its bytes begin, the bytes.
    """
    try:
        with open(path, "rb") as file:
            index, offset = 0, 0
            while True:
                try:
                    payload = example.read_frame(file)
                except example.FrameError as error:
                    raise DamagedShardError(path, index, str(error)) from error
                if payload is None:
                    return
                yield index, offset + example.HEADER_BYTES, payload
                index += 1
                offset += len(payload) + example.FRAME_BYTES
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error


def to_example(record):
    """Serializes a record.

    Args:
      record: Record.

    Returns:
      bytes of a tf.train.Example.

    Raises:
      ValueError: as of `write_shard`.
    """
    if not record.audio:
        raise ValueError(f"record {record.key!r} has no audio")
    features = {
        "key": to_bytes(record.key),
        "source_file": to_bytes(record.source_file),
        "label": to_bytes(record.label),
        "pitch": [record.pitch],
        "velocity": [record.velocity],
        "start_seconds": [record.start_seconds],
    }
    features = {
        name: value if isinstance(value, bytes) else np.array(value, np.float32)
        for name, value in features.items()
    }
    features["sample_rate"] = sorted(int(rate) for rate in record.audio)
    features["encoding"] = record.encoding.encode()
    for rate, audio in record.audio.items():
        features[f"audio/{rate}"] = _to_pcm(audio, record)
        features[f"n_samples/{rate}"] = [len(audio)]
    for name, value in record.tags.items():
        features[f"tag/{name}"] = _to_tag(value)
    if record.frame_rate is not None:
        features["frame_rate"] = np.array([record.frame_rate], np.float32)
        for name, values in record.features.items():
            features[f"feature/{name}"] = np.asarray(values, np.float32)
    return example.encode(features)


def from_example(payload):
    """Reads a record.

    Args:
      payload: bytes of a tf.train.Example.

    Returns:
      Record; its audio is read-only.

    Raises:
      FrameError: of `noisygan.data.prepare.example`, where the bytes are no record.
    """
    features = example.decode(payload)

    def get(name, kind):
        if not isinstance(features.get(name), kind) or not len(features[name]):
            what = "has no" if name not in features else "has another kind of"
            raise example.FrameError(f"{what} feature {name!r}")
        return features[name] if kind is bytes else features[name][0]

    def text(name):
        # Empty where unknown, which is no missing feature.
        value = features.get(name)
        is_empty = isinstance(value, bytes) and not value
        return "" if is_empty else _to_text(get(name, bytes))

    def midi(name):
        value = float(get(name, np.ndarray))
        if not (math.isnan(value) or 0.0 <= value <= 127.0):
            raise example.FrameError(f"has {name} {value:g}, expected 0 to 127")
        return value

    encoding = text("encoding")
    if encoding not in ENCODINGS:
        raise example.FrameError(f"has encoding {encoding!r}, expected int16 or float32")
    get("sample_rate", list)
    rates = features["sample_rate"]
    if len({*rates}) != len(rates) or len(rates) > 16 or not 1 <= min(rates) <= max(rates) <= 1e6:
        raise example.FrameError(f"has sample rates {str(rates)[:60]}, expected 1 to 1000000 Hz")
    return Record(
        key=text("key"),
        source_file=text("source_file"),
        label=text("label"),
        pitch=midi("pitch"),
        velocity=midi("velocity"),
        start_seconds=float(get("start_seconds", np.ndarray)),
        encoding=encoding,
        audio={
            rate: _from_pcm(get(f"audio/{rate}", bytes), get(f"n_samples/{rate}", list), encoding)
            for rate in rates
        },
        tags={name: _from_tag(value) for name, value in _named(features, "tag/").items()},
        frame_rate=float(get("frame_rate", np.ndarray)) if "frame_rate" in features else None,
        features=_named(features, "feature/"),
    )


def _to_pcm(audio, record):
    audio = np.asarray(audio, np.float32)
    peak = float(np.max(np.abs(audio), initial=0.0))
    if audio.ndim != 1 or not len(audio) or not math.isfinite(peak):
        raise ValueError(f"record {record.key!r}: expected finite samples [n_samples]")
    if record.encoding == "float32":
        return audio.astype("<f4").tobytes()
    if record.encoding != "int16":
        raise ValueError(f"encoding: got {record.encoding!r}, expected int16 or float32")
    if peak > 1.0:
        raise ValueError(f"record {record.key!r} peaks at {peak:.4g}; int16 holds at most 1")
    steps = np.minimum(np.rint(audio * _FULL_SCALE), _FULL_SCALE - 1.0)
    return steps.astype("<i2").tobytes()


def _from_pcm(data, n_samples, encoding):
    kind = "<i2" if encoding == "int16" else "<f4"
    n_bytes = n_samples * np.dtype(kind).itemsize
    if len(data) != n_bytes:
        raise example.FrameError(f"holds {len(data)} bytes of audio, expected {n_bytes}")
    samples = np.frombuffer(data, kind)
    if encoding == "float32":
        if not np.isfinite(samples).all():
            raise example.FrameError("holds NaN or infinite samples")
        return samples
    audio = samples.astype(np.float32)
    audio *= np.float32(1.0 / _FULL_SCALE)
    audio.flags.writeable = False
    return audio


def _to_tag(value):
    if isinstance(value, str):
        return to_bytes(value)
    if isinstance(value, (int, np.integer)):
        return [int(value)]
    return np.array([value], np.float32)


def _from_tag(value):
    if isinstance(value, bytes):
        return _to_text(value)
    if not len(value):
        return ""
    return value[0] if isinstance(value, list) else float(value[0])


def _named(features, prefix):
    names = sorted(name for name in features if name.startswith(prefix))
    return {name.removeprefix(prefix): features[name] for name in names}


def to_bytes(text):
    """Text as a record holds it: UTF-8, or the bytes that a file's name really has."""
    return text.encode("utf-8", "surrogateescape")


def _to_text(data):
    return data.decode("utf-8", "surrogateescape")
