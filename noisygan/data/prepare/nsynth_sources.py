"""NSynth as it is distributed: json+wav folders, TFRecords, and TFDS's copy of it."""

import json
import os
import re
import struct

from noisygan.data import layouts
from noisygan.data.prepare import sources
from noisygan.data.prepare.sources import Source
from noisygan.errors import UsageError

# Names of splits, and ours.
SPLITS = {"train": "train", "valid": "valid", "validation": "valid", "test": "test"}
_RECORD_SUFFIX = re.compile(r"\.tfrecord(-\d+-of-\d+)?$")

_COLON = re.compile(r"\s*:\s*")

# Characters of JSON that are read at once.
_CHUNK = 1 << 20
# Of which what is said of one note is far shorter.
_MAX_NOTE = 4 << 20

# Bytes of a TFRecord around its data: length and its checksum before, a checksum after.
_HEAD, _TAIL = 12, 4
_FRAME = _HEAD + _TAIL


def find(data):
    """The inputs of a folder that holds NSynth, in one of its forms.

    Args:
      data: pathlib.Path of an existing folder.

    Returns:
      Iterator of Source, or None where the folder holds nothing of that kind.

    Raises:
      UsageError: if the folder cannot be listed.
    """
    if (data / "dataset_info.json").is_file():
        return _of_tfds(data)
    if (data / "examples.json").is_file():
        return _of_json(data, data)
    names = [entry.name for entry in _listed(data)]
    folders = [name for name in names if (data / name / "examples.json").is_file()]
    if folders and any(name.startswith("nsynth-") for name in folders):
        return _of_folders(data, folders)
    if any(_RECORD_SUFFIX.search(name) for name in names):
        return _of_tfrecords(data)
    # As `noisygan download nsynth` leaves them: a folder for each split.
    splits = [data / name for name in names if name.startswith("nsynth-")]
    inner = [entry.name for folder in splits if folder.is_dir() for entry in _listed(folder)]
    return _of_tfrecords(data) if any(map(_RECORD_SUFFIX.search, inner)) else None


def fields_source(source, fields):
    """Fills a `Source` with NSynth's fields of a note, or marks it where they are impossible.

    Args:
      source: Source.
      fields: dict with some of instrument_str, instrument_family_str, instrument_source_str,
        pitch, velocity, qualities_str.

    Returns:
      The same Source.
    """
    words = {}
    for name in ("instrument_str", "instrument_family_str", "instrument_source_str"):
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            return source.skipped("bad entry", f"has {name} {value!r}; expected a string")
        words[name] = value
    for name in ("pitch", "velocity"):
        value = fields.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value <= 127):
            return source.skipped("bad entry", f"has {name} {value!r}; expected 0 to 127")
        setattr(source, name, None if value is None else float(value))
    source.label = words["instrument_str"]
    family, kind = layouts.family_and_source(source.label)
    tags = {
        "family": words["instrument_family_str"] or family,
        "source": words["instrument_source_str"] or kind,
        "qualities": ",".join(map(str, fields.get("qualities_str") or [])) or None,
    }
    source.tags = {name: value for name, value in tags.items() if value is not None}
    return source


def objects_of(path):
    """Reads a JSON file of one object bit by bit, so that it need not fit into memory.

    Args:
      path: pathlib.Path.

    Yields:
      (name, value) in the order of the file.

    Raises:
      UsageError: if it is no JSON of this form or cannot be read.
    """
    decoder, between = json.JSONDecoder(), re.compile(r"[\s,]*")
    try:
        with open(path, encoding="utf-8") as file:
            text, at = file.read(_CHUNK), 0
            at = between.match(text).end()
            if not text.startswith("{", at):
                raise ValueError("expected one object of note name -> fields")
            at += 1
            while True:
                at = between.match(text, at).end()
                if text.startswith("}", at):
                    return
                try:
                    name, end = decoder.raw_decode(text, at)
                    colon = _COLON.match(text, end)
                    value, end = decoder.raw_decode(text, colon.end() if colon else end)
                except ValueError:
                    more = file.read(_CHUNK)
                    if not more or len(text) - at > _MAX_NOTE:
                        raise
                    text, at = text[at:] + more, 0
                    continue
                if not isinstance(name, str) or not isinstance(value, dict):
                    raise ValueError("expected one object of note name -> fields")
                yield name, value
                at = end
    except (OSError, ValueError, RecursionError) as error:
        detail = " ".join(str(error).split())
        raise UsageError(f"cannot read {path}: {detail}; expected NSynth's JSON") from error


def _of_folders(data, names):
    """NSynth's folders, then what lies beside them."""
    for name in names:
        yield from _of_json(data, data / name)
    for source in sources.walk(data, without=names):
        if source.reader:
            source.skipped("not named", "is not named in examples.json")
        yield source


def _of_json(data, folder):
    """Notes of one examples.json, then the files that it does not name."""
    inside = "" if folder == data else f"{folder.name}/"
    split = SPLITS.get(folder.name.removeprefix("nsynth-"))
    audio = folder / "audio"
    if not audio.is_dir():
        raise UsageError(f"{folder} has an examples.json but no folder audio beside it")
    files = {os.path.splitext(entry.name)[0]: entry.name for entry in _listed(audio)}
    named = set()
    for name, fields in objects_of(folder / "examples.json"):
        file = files.get(name, f"{name}.wav")
        if "/" in name or "\0" in name or name in ("", ".", ".."):
            yield Source(file=repr(name), path=str(audio)).skipped(
                "bad entry", "is named in examples.json, but is no file name"
            )
            continue
        source = sources.file_source(audio / file, f"{inside}audio/{file}")
        source.split = split
        if source.file in named:
            source.skipped("named twice", "is named again in examples.json")
        named.add(source.file)
        if source.reader:
            fields_source(source, fields)
        yield source
    for source in sources.walk(folder):
        if source.file == "examples.json" or inside + source.file in named:
            continue
        source.file = inside + source.file
        if source.reader:
            source.skipped("not named", "is not named in examples.json")
        yield source


def _of_tfrecords(data):
    """Every record of every TFRecord file; its name or its folder's tells the split."""
    for source in sources.walk(data):
        name = source.file.rpartition("/")[2]
        if not _RECORD_SUFFIX.search(name) or source.size is None:
            if source.reader:
                source.skipped("not named", "lies beside TFRecords, which are read instead")
            yield source
            continue
        words = re.split(r"[-_./]", source.file)[::-1]
        split = next((SPLITS[word] for word in words if word in SPLITS), None)
        yield from _records_of(source, split)


def _records_of(container, split):
    """Finds where records begin by their lengths alone."""
    offset, index = 0, 0
    known = {"path": container.path, "mtime": container.mtime}
    try:
        with open(container.path, "rb") as file:
            while offset < container.size:
                file.seek(offset)
                head = file.read(_HEAD)
                n_bytes = struct.unpack("<Q", head[:8])[0] if len(head) == _HEAD else 1 << 62
                source = Source(f"{container.file}#{index}", **known, split=split)
                if offset + _HEAD + n_bytes + _TAIL > container.size:
                    left = container.size - offset
                    yield source.skipped("damaged", f"is cut off or no record ({left} bytes left)")
                    return
                source.reader, source.at, source.size = "nsynth_record", [offset], n_bytes
                yield source
                offset += _HEAD + n_bytes + _TAIL
                index += 1
    except OSError as error:
        yield container.skipped("unreadable", f"cannot be read ({error.strerror})")


def _of_tfds(data):
    """Every example of a dataset that TFDS prepared; the folder holds its dataset_info.json."""
    try:
        with open(data / "dataset_info.json", encoding="utf-8") as file:
            splits = json.load(file)["splits"]
        lengths = {each["name"]: [int(n) for n in each["shardLengths"]] for each in splits}
    except (OSError, ValueError, KeyError, TypeError) as error:
        detail = " ".join(str(error).split())
        raise UsageError(f"cannot read {data}/dataset_info.json: {detail}") from error
    n_bytes = sum(entry.stat().st_size for entry in _listed(data) if entry.is_file())
    n_notes = sum(map(sum, lengths.values()))
    if n_notes > n_bytes // _FRAME or any(n < 0 for shards in lengths.values() for n in shards):
        raise UsageError(
            f"{data}/dataset_info.json promises {n_notes} examples, more than its files can hold"
        )
    for split, shards in sorted(lengths.items()):
        for index in range(sum(shards)):
            yield Source(
                file=f"{split}#{index}",
                path=str(data),
                reader="tfds",
                at=[split, index],
                split=SPLITS.get(split),
            )


def _listed(folder):
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"cannot list {folder}: {error.strerror}") from error
