"""What the files of a run's folder may hold: it may come from anybody.

run.json is checked before its values are used, and links may not lead out of the folder that a
resumed run writes to.
"""

import contextlib
import itertools
import json
import math
import os
import pathlib
import re

from noisygan import __version__
from noisygan.errors import NoisyganError, RunError, UsageError, printable
from noisygan.files import read_json, short_lines

# Of run.json. 1 and 2: noisygan 0.1.
FORMAT = 3
MAX_FACTS_BYTES = 4 << 20
# What is read into memory at once, where it takes ten times as much: some five million steps.
MAX_METRICS_BYTES = 1 << 28
MAX_METRICS_LINES = 2_000_000
MAX_METRICS_LINE = 1 << 16
_CUT = "remove lines of it that are not needed, such as nine of ten"
MAX_LABELS = 10_000
MAX_LABEL_LENGTH = 200
# Of each kind; machines with more cores train by so many.
MAX_THREADS = 256


def _is_whole(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_label(value):
    return isinstance(value, str) and 0 < len(value) <= MAX_LABEL_LENGTH and value.isprintable()


def _is_list(value, test, most):
    return isinstance(value, list) and len(value) <= most and all(map(test, value))


# What must be there, what it must be, and in words.
_FACTS = {
    "label_names": (
        lambda value: _is_list(value, _is_label, MAX_LABELS) and value,
        f"a list of 1 to {MAX_LABELS} names of up to {MAX_LABEL_LENGTH} characters",
    ),
    "format": (lambda value: _is_whole(value, 1, 2**31), "a whole number from 1"),
    # As `noisygan train --seed`: Keras takes no more than 32 bits.
    "seed": (lambda value: _is_whole(value, 0, 2**31 - 1), f"a whole number 0 to {2**31 - 1}"),
}
_OPTIONAL_FACTS = {
    "pitches": (
        lambda value: _is_list(value, lambda each: _is_whole(each, 0, 127), 128),
        "a list of MIDI numbers 0 to 127",
    ),
    "sample_rate": (lambda value: _is_whole(value, 1, 768_000), "1 to 768000 Hz"),
    "n_samples": (lambda value: _is_whole(value, 1, 2**40), "a number of samples"),
    "data": (lambda value: isinstance(value, dict), "an object"),
    "environment": (lambda value: isinstance(value, dict), "an object"),
    "deterministic": (lambda value: isinstance(value, bool), "true or false"),
    "averaged_only": (lambda value: isinstance(value, bool), "true or false"),
    "replicas": (lambda value: _is_whole(value, 1, 2**20), "a whole number from 1"),
    "versions": (lambda value: isinstance(value, dict), "an object"),
    "command": (lambda value: _is_list(value, lambda each: isinstance(each, str), 1000), "words"),
}


def read_facts(path):
    """What a run.json holds.

    Args:
      path: pathlib.Path of the file.

    Returns:
      dict; `label_names` and `seed` are there, and what else is used is of the right kind.

    Raises:
      RunError: if it can't be read, or holds what no training wrote.
    """
    try:
        facts = read_json(path, MAX_FACTS_BYTES)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read: {error}.") from error
    if not isinstance(facts, dict):
        raise RunError(f"{path} holds no JSON object, as `noisygan train` writes it")
    if facts.get("format") in range(1, FORMAT):
        theirs = printable(str(facts.get("noisygan", "0.1.0")))[:40]
        raise RunError(
            f"{path} was written by noisygan {theirs}; this is {__version__}, which cannot read "
            f"it: pip install noisygan=={theirs}"
        )
    for name, (test, expected) in (_FACTS | _OPTIONAL_FACTS).items():
        if name not in facts and name in _OPTIONAL_FACTS:
            continue
        value = facts.get(name)
        if not test(value):
            raise RunError(f"{path}: {name} is {_short(value)}; expected {expected}")
    threads = facts.get("environment", {}).get("threads")
    if facts.get("deterministic") and not _are_threads(threads):
        raise RunError(
            f"{path}: environment.threads is {_short(threads)}; expected intra_op, inter_op and "
            f"kernels, numbers from 0 (kernels: 1) to {MAX_THREADS}, as the run is deterministic"
        )
    return facts


def _are_threads(value):
    least = {"intra_op": 0, "inter_op": 0, "kernels": 1}
    return isinstance(value, dict) and all(
        _is_whole(value.get(name), low, MAX_THREADS) for name, low in least.items()
    )


def read_metrics(path):
    """The lines of a metrics.jsonl.

    Args:
      path: pathlib.Path of the file.

    Returns:
      list of dict; what is none of ours is left out: an unfinished line, say.

    Raises:
      RunError: if it can't be read, or holds more than fits into memory.
    """
    records = list(itertools.islice(each_record(path, MAX_METRICS_BYTES), MAX_METRICS_LINES + 1))
    if len(records) > MAX_METRICS_LINES:
        raise RunError(f"{path} has more than {MAX_METRICS_LINES} lines; {_CUT}")
    return records


def each_record(path, max_bytes=math.inf):
    """The lines of a metrics.jsonl one by one, see `read_metrics`; no file is too long for that.

    Args:
      path: pathlib.Path of the file.
      max_bytes: Its greatest size.

    Yields:
      dict.

    Raises:
      RunError: if it can't be read, is larger, or has a line longer than any training writes.
    """
    try:
        if path.stat().st_size > max_bytes:
            raise RunError(f"{path} has more than {max_bytes >> 20} MB; {_CUT}")
        with path.open("rb") as file:
            for line in short_lines(file, MAX_METRICS_LINE):
                record = None
                with contextlib.suppress(ValueError, RecursionError):
                    record = json.loads(line)
                if _is_record(record):
                    yield record
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path} is none of a training's: {error}") from None


def _is_record(record):
    """Whether a line is one of a training: numbers by name, one of them its step."""
    if not isinstance(record, dict) or not _is_whole(record.get("step"), 0, 2**63 - 1):
        return False
    if not all(isinstance(v, float) or _is_whole(v, -(2**63), 2**63) for v in record.values()):
        return False
    return 0.0 <= record.get("seconds", 0.0) < math.inf


def _short(value):
    text = "missing" if value is None else " ".join(repr(value)[:200].split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def check_links(folder):
    """Refuses a run's folder in which a link leads out of it, or a pipe waits to be read.

    Resuming might write or remove where a link leads.

    Args:
      folder: pathlib.Path.

    Raises:
      UsageError: names the link or pipe.
    """
    folder = pathlib.Path(folder)
    inside = os.path.realpath(folder)
    for parent, folders, files in os.walk(inside):
        for each in (os.path.join(parent, name) for name in (*folders, *files)):
            target = os.path.realpath(each)
            shown = folder / os.path.relpath(each, inside)
            if os.path.exists(each) and not (os.path.isfile(each) or os.path.isdir(each)):
                raise UsageError(
                    f"{shown} is neither a file nor a folder; expected a run's folder as `noisygan "
                    "train` makes it"
                )
            if os.path.islink(each) and not target.startswith(inside + os.sep):
                raise UsageError(
                    f"{shown} is a link that leads out of the run's folder, to {target}; expected "
                    "files of its own: put a copy in its place"
                )


@contextlib.contextmanager
def building(config):
    """Turn errors while networks are built into a UsageError of one line that names the config."""
    try:
        yield
    except Exception as error:  # whatever a network of odd numbers stumbles over
        raise UsageError(f"{config} builds no generator: {_reason(error)}") from error


def _reason(error):
    """What an exception says, in a line, without what Keras adds around it."""
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Exception encountered when calling"):
        lines = lines[1:]
    said = " ".join(lines[:1])[:300]
    is_ours = isinstance(error, NoisyganError)
    return said if is_ours and said else f"{type(error).__name__}: {said}".rstrip(": ")
