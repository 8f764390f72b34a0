"""NSynth as it is distributed: json+wav folders and TFRecord files."""

import hashlib
import itertools
import math
import os
import re
import struct

import numpy as np

from noisygan.audio_io.decoding import BadAudioError
from noisygan.data import source_files
from noisygan.data.filenames import family_and_source, parse_note_name
from noisygan.data.source_files import Source
from noisygan.errors import UsageError
from noisygan.files import read_json

# Hz; NSynth's records do not say it.
RATE = 16000.0

# Names of splits in files, and ours.
SPLITS = {"train": "train", "valid": "valid", "validation": "valid", "test": "test"}

# examples.json of all 289,205 notes has 230 MB; a note's record has 0.3 MB.
MAX_EXAMPLES_BYTES, MAX_RECORD_BYTES = 512 << 20, 16 << 20

_RECORD_SUFFIX = re.compile(r"\.tfrecord(-\d+-of-\d+)?$")
_OF_NAME = ("instrument_str", "pitch", "velocity")
_TEXTS = ("instrument_str", "instrument_family_str", "instrument_source_str")

# Bytes of a TFRecord before and after its data: length and its checksum; a checksum.
_HEAD, _TAIL = 12, 4


def find(data):
    """Iterator of `Source` for a folder that holds NSynth in one of its forms, None for others."""
    if (data / "examples.json").is_file():
        return _of_json(data)
    names = sorted(os.listdir(data))
    splits = [name for name in names if name.startswith("nsynth-") and (data / name).is_dir()]
    with_json = [name for name in splits if (data / name / "examples.json").is_file()]
    if with_json:
        return itertools.chain.from_iterable(_of_json(data / name, data) for name in with_json)
    # As `noisygan download nsynth` leaves them: a folder for each split.
    inner = [name for split in splits for name in os.listdir(data / split)]
    if any(map(_RECORD_SUFFIX.search, [*names, *inner])):
        return _of_tfrecords(data)
    return None


def fill(source, fields):
    """Fill a `Source` with NSynth's fields of a note, or mark it where they are impossible.

    Args:
      source: Source; it is returned.
      fields: dict with some of instrument_str, instrument_family_str, instrument_source_str,
        pitch, velocity, qualities_str.
    """
    for name in _TEXTS:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            return source.skipped("bad entry", f"has {name} {value!r}; expected a string")
    for name in ("pitch", "velocity"):
        value = fields.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value <= 127):
            return source.skipped("bad entry", f"has {name} {value!r}; expected 0 to 127")
        setattr(source, name, None if value is None else float(value))
    source.label, source.rule = fields.get("instrument_str"), "NSynth"
    family, kind = family_and_source(source.label)
    source.tags = source_files.known(
        family=fields.get("instrument_family_str") or family,
        source=fields.get("instrument_source_str") or kind,
        qualities=_joined(fields.get("qualities_str")),
    )
    return source


def read_record(source):
    """Read a note of NSynth's TFRecords and fill in what it says of itself.

    Returns:
      (audio float32 [n_samples], rate in Hz).

    Raises:
      BadAudioError: if the record is damaged or is no note.
    """
    import tensorflow as tf

    try:
        note = tf.train.Example.FromString(_payload(source)).features.feature
    except Exception as error:  # DecodeError, or others for text that is not UTF-8
        raise BadAudioError("damaged", "is no tf.train.Example") from error
    fields = {}
    for name in (*_TEXTS, "pitch", "velocity"):
        if name in note:
            kind = note[name].WhichOneof("kind")
            values = getattr(note[name], kind).value if kind else ()
            if len(values) == 1:
                value = values[0]
                fields[name] = value.decode("utf-8", "replace") if kind == "bytes_list" else value
    if "audio" not in note or not len(note["audio"].float_list.value):
        raise BadAudioError("damaged", "holds no list of floats named audio")
    fill(source, fields)
    if source.reason:
        raise BadAudioError(source.kind, source.reason)
    return np.array(note["audio"].float_list.value, np.float32), RATE


def fingerprint(source):
    """SHA-256 of a record's bytes, hex str."""
    return hashlib.sha256(_payload(source)).hexdigest()


def _payload(source):
    with open(source.path, "rb") as file:
        file.seek(source.at + _HEAD)
        return file.read(source.size)


def _of_json(folder, data=None):
    """Notes of one split's folder, then the files that examples.json does not name."""
    inside = "" if data is None else folder.name + "/"
    split = SPLITS.get(folder.name.removeprefix("nsynth-"))
    audio = folder / "audio"
    if not audio.is_dir():
        raise UsageError(f"{folder} has an examples.json but no folder audio beside it")
    files = {os.path.splitext(name)[0]: name for name in os.listdir(audio)}
    named = set()
    for name, fields in sorted(_examples(folder / "examples.json").items()):
        if name != os.path.basename(name) or not name.isprintable() or name in ("", ".", ".."):
            yield Source(file=repr(name), path=str(audio)).skipped(
                "bad entry", "is named in examples.json, but is no file name without folders"
            )
            continue
        file = files.get(name, f"{name}.wav")
        source = source_files.file_source(audio / file, f"{inside}audio/{file}")
        source.split = split
        named.add(source.file)
        of_name = dict(zip(_OF_NAME, parse_note_name(name), strict=True))
        yield fill(source, {**of_name, **fields})
    for source in source_files.walk(folder):
        source.file = inside + source.file
        if source.file != f"{inside}examples.json" and source.file not in named:
            if source.reader:
                source.skipped("not named", "is not named in examples.json")
            yield source


def _examples(path):
    try:
        notes = read_json(path, MAX_EXAMPLES_BYTES)
    except (OSError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise UsageError(f"cannot read {path}: {detail}; expected NSynth's JSON") from error
    if not isinstance(notes, dict) or not all(isinstance(note, dict) for note in notes.values()):
        raise UsageError(f"{path} is not NSynth's: expected one object of note name -> fields")
    if not notes:
        raise UsageError(f"{path} names no notes; expected at least one")
    return notes


def _of_tfrecords(data):
    """Every record of every TFRecord file; its name or its folder's tells the split."""
    for source in source_files.walk(data):
        if not _RECORD_SUFFIX.search(source.file) or source.size is None:
            if source.reader:
                source.skipped("not named", "lies beside TFRecords, which are read instead")
            yield source
            continue
        words = re.split(r"[-_./]", source.file)[::-1]
        split = next((SPLITS[word] for word in words if word in SPLITS), None)
        yield from _records_of(source, split)


def _records_of(container, split):
    """Find where records begin by their lengths alone."""
    offset, index = 0, 0
    try:
        with open(container.path, "rb") as file:
            while offset < container.size:
                file.seek(offset)
                head = file.read(_HEAD)
                n_bytes = struct.unpack("<Q", head[:8])[0] if len(head) == _HEAD else math.inf
                source = Source(
                    f"{container.file}#{index}",
                    path=container.path,
                    mtime=container.mtime,
                    split=split,
                )
                after = offset + _HEAD + n_bytes + _TAIL
                if after > container.size or n_bytes > MAX_RECORD_BYTES:
                    left = container.size - offset
                    yield source.skipped("damaged", f"is cut off or no record ({left} bytes left)")
                    return
                source.reader, source.at, source.size = "nsynth_record", offset, n_bytes
                yield source
                offset, index = after, index + 1
    except OSError as error:
        yield container.skipped("unreadable", f"cannot be read ({error.strerror})")


def _joined(values):
    """Texts of a list with commas between; None for what is no list or empty."""
    return ",".join(map(str, values)) or None if isinstance(values, list) else None
