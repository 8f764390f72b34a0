"""Tables of files with labels, pitches and tags: CSV, TSV, JSON or JSON lines."""

import csv
import json
import math
import os
import unicodedata
from pathlib import Path

from noisygan.data import source_files
from noisygan.data.filenames import parse_pitch, parse_velocity
from noisygan.data.nsynth import SPLITS
from noisygan.errors import UsageError
from noisygan.files import read_json, short_lines

MAX_JSON_BYTES = 256 << 20
# Characters of a row.
MAX_LINE = 1 << 20

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")
_COLUMNS = ("file", "label", "pitch", "velocity", "split")


def find(data):
    """Path of the table in a folder, pathlib.Path, or None."""
    paths = [data / f"recordings{suffix}" for suffix in SUFFIXES]
    return next((path for path in paths if path.is_file()), None)


def read(data, table):
    """Yield the files that a table names, then the folder's files that it does not name.

    Args:
      data: pathlib.Path of the folder that the table's paths are relative to.
      table: pathlib.Path. Columns or fields, capitalized or not: file, with / or \\ between
        folders; optionally label, pitch (a MIDI number or a name such as F#3; C4 is 60), velocity
        (a number or a dynamic such as mf), split (train, valid or test); any others are tags.

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
    for source in source_files.walk(data):
        if os.path.realpath(source.path) not in named:
            if source.reader:
                source.skipped("not named", f"is not named in {table.name}")
            yield source


def _rows(table):
    """(number of the row as a spreadsheet shows it, dict of its fields)."""
    suffix = table.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"table {table}: expected a name that ends in {', '.join(SUFFIXES)}")
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            if b"\0" in file.buffer.peek(4)[:4]:
                raise UnicodeError("UTF-16")
            if suffix in (".csv", ".tsv"):
                yield from _csv_rows(file, suffix)
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
    except UnicodeError as error:
        raise UsageError(f"cannot read the table {table}: not UTF-8; save as UTF-8") from error
    except (OSError, ValueError, TypeError, RecursionError, csv.Error) as error:
        detail = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UsageError(
            f"cannot read the table {table}: {detail}; expected CSV with a column file, or JSON"
        ) from error


def _csv_rows(file, suffix):
    delimiter = "\t"
    if suffix == ".csv":
        delimiter = max(",;\t", key=file.readline(MAX_LINE).count)
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
    for name in list(fields):
        if name.lower() in _COLUMNS and name.lower() not in fields:
            fields[name.lower()] = fields.pop(name)
    if "file" not in fields:
        raise ValueError(f"found {', '.join(fields) or 'nothing'}; there is no file among them")
    return fields


def _source(data, row, fields):
    name = fields.pop("file")
    if not isinstance(name, str) or not name.strip() or "\0" in name or not _is_text(name):
        return source_files.Source(file=f"row {row}", path=str(data)).skipped(
            "bad entry", f"names no file, but {name!r}"
        )
    name = _stored_name(data, name)
    source = source_files.file_source(data / name, Path(os.path.normpath(name)).as_posix())
    given = {key: value for key, value in fields.items() if value not in (None, "")}
    for key, value in given.items():
        if not _is_text(key, "strict") or not _is_text(str(value)):
            what = f"has {key!r} {str(value)!r} in row {row}; expected text"
            return source.skipped("bad entry", what)
    source.rule = "table"
    label, split = given.pop("label", None), given.pop("split", None)
    source.label = None if label is None else str(label)
    if not source.reader:
        return source
    for key, parse in (("pitch", parse_pitch), ("velocity", parse_velocity)):
        written = given.pop(key, None)
        value = parse(written)
        if written is not None and value is None:
            what = f"has {key} {written!r} in row {row}; expected 0 to 127"
            return source.skipped("bad entry", what)
        setattr(source, key, value)
    if split is not None:
        source.split = SPLITS.get(str(split).strip().lower())
        if source.split is None:
            what = f"has split {split!r} in row {row}; expected train, valid or test"
            return source.skipped("bad entry", what)
    for key, value in given.items():
        number = _number(value)
        # Dates and long catalogue numbers stay text.
        is_exact = number is not None and abs(number) <= 2**24
        source.tags[key] = number if is_exact else str(value)
    return source


def _stored_name(data, name):
    """Path of a file as the folder has it: tables have other separators and Unicode forms."""
    both = (name, name.replace("\\", "/"))
    forms = [unicodedata.normalize(form, path) for path in both for form in ("NFC", "NFD")]
    return next((path for path in (*both, *forms) if os.path.lexists(data / path)), name)


def _is_text(text, errors="surrogateescape"):
    """Whether UTF-8 can encode text; JSON may contain half characters."""
    try:
        return text.encode("utf-8", errors) is not None
    except UnicodeEncodeError:
        return False


def _number(value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
