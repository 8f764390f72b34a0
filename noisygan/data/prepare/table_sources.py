"""A table of files - CSV, TSV, JSON or JSON lines - with labels, pitches and tags of one's own."""

import csv
import json
import math
import os
import re
from pathlib import Path

from noisygan.data.prepare import nsynth_sources, sources
from noisygan.errors import UsageError
from noisygan.files import read_json, short_lines

MAX_JSON_BYTES = 256 << 20
# Characters of a row.
MAX_LINE = 1 << 20

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")

_NOTE = re.compile(r"([a-gA-G])([#♯b♭]?)(-?\d{1,2})")
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def read(data, table):
    """The files that a table names, then those of the folder that it does not name.

    Args:
      data: pathlib.Path of the folder that the table's paths begin in.
      table: pathlib.Path. Columns or fields: file; where known label, pitch (a MIDI number or a
        name such as F#3; C4 is 60), velocity, split (train, valid or test); any others are tags.

    Yields:
      Source; a row that is wrong is skipped with its reason.

    Raises:
      UsageError: if the table cannot be read or has no column file.
    """
    named = set()
    for row, fields in _rows(table):
        source = _source(data, row, fields)
        identity = os.path.realpath(source.path)
        if source.reader and identity in named:
            source.skipped("named twice", f"is named again in row {row}")
        named.add(identity)
        yield source
    for source in sources.walk(data):
        if os.path.realpath(source.path) in named:
            continue
        if source.reader:
            source.skipped("not named", f"is not named in {table.name}")
        yield source


def parse_pitch(text):
    """A MIDI number from a number or a note's name; C4 is 60.

    Args:
      text: str or number.

    Returns:
      float, or None for anything else, or beyond 0 to 127.
    """
    match = _NOTE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match:
        sign = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[match[2]]
        number = 12.0 * (int(match[3]) + 1) + _SEMITONES[match[1].lower()] + sign
    else:
        try:
            number = float(text)
        except (TypeError, ValueError):
            return None
    return number if 0.0 <= number <= 127.0 else None


def _rows(table):
    """(number of the row, dict of its fields), the numbers as a spreadsheet shows them."""
    suffix = table.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"table {table}: expected a name that ends in {', '.join(SUFFIXES)}")
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            if suffix in (".csv", ".tsv"):
                yield from _csv_rows(file, "\t" if suffix == ".tsv" else None)
            elif suffix == ".jsonl":
                for i, line in enumerate(short_lines(file, MAX_LINE), 1):
                    if line.strip():
                        yield i, _fields(json.loads(line))
            else:
                content = read_json(table, MAX_JSON_BYTES)
                if isinstance(content, dict):
                    content = [{"file": name, **_fields(row)} for name, row in content.items()]
                for i, row in enumerate(content, 1):
                    yield i, _fields(row)
    except (OSError, ValueError, TypeError, RecursionError, csv.Error) as error:
        detail = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UsageError(
            f"cannot read the table {table}: {detail}; expected CSV with a column file, or JSON"
        ) from error


def _csv_rows(file, delimiter):
    if delimiter is None:
        first = file.readline(MAX_LINE)
        delimiter = max(",;\t", key=first.count)
        file.seek(0)
    reader = csv.DictReader(short_lines(file, MAX_LINE), delimiter=delimiter, strict=True)
    if reader.fieldnames is None:
        raise ValueError("it is empty")
    for fields in reader:
        fields.pop(None, None)
        yield reader.line_num, _fields(fields)


def _fields(row):
    if not isinstance(row, dict):
        raise ValueError(f"found {str(row)[:40]!r}, expected named fields")
    fields = {str(name).strip(): value for name, value in row.items()}
    if "file" not in fields:
        raise ValueError(f"found {', '.join(fields) or 'nothing'}; there is no file among them")
    return fields


def _source(data, row, fields):
    name = fields.pop("file")
    if not isinstance(name, str) or not name.strip() or "\0" in name or not _is_text(name):
        return sources.Source(file=f"row {row}", path=str(data)).skipped(
            "bad entry", f"names no file, but {name!r}"
        )
    source = sources.file_source(data / name, Path(os.path.normpath(name)).as_posix())
    known = {key: value for key, value in fields.items() if value not in (None, "")}
    for key, value in known.items():
        if not _is_text(key, "strict") or not _is_text(str(value)):
            what = f"has {key!r} {str(value)!r} in row {row}; expected text"
            return source.skipped("bad entry", what)
    label, split = known.pop("label", None), known.pop("split", None)
    source.label = None if label is None else str(label)
    if not source.reader:
        return source
    for key in ("pitch", "velocity"):
        given = known.pop(key, None)
        value = parse_pitch(given) if key == "pitch" else _number(given)
        if given is not None and (value is None or not 0.0 <= value <= 127.0):
            what = f"has {key} {given!r} in row {row}; expected 0 to 127"
            return source.skipped("bad entry", what)
        setattr(source, key, value)
    if split is not None:
        source.split = nsynth_sources.SPLITS.get(str(split).strip().lower())
        if source.split is None:
            what = f"has split {split!r} in row {row}; expected train, valid or test"
            return source.skipped("bad entry", what)
    for key, value in known.items():
        number = _number(value)
        # What float32 cannot hold - dates, long numbers of catalogues - is kept as it is written.
        is_exact = number is not None and abs(number) <= 2**24
        source.tags[key] = number if is_exact else str(value)
    return source


def _is_text(text, errors="surrogateescape"):
    """Whether UTF-8 can hold it, or the bytes of an odd file name: JSON knows half characters."""
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def _number(value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
