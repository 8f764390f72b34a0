"""Files of a run folder, as plain functions over its path.

config.gin       resolved config
run.json         metadata: versions, command, seed, fingerprint and summary of the data
log.txt          messages with their time
metrics.jsonl    one JSON object per logged step
checkpoints/     state of the run, with checksums (`noisygan.training.checkpoints`)
snapshots/       averaged weights at equal intervals of time
samples/         step-000123-<i>.wav: fixed latents over training
best/            averaged weights with the smallest distance from the data, a run folder itself
events/          TensorBoard summaries

A run folder may come from strangers: metadata is validated, and links may not lead out of
a folder that a resumed run writes to.
"""

import contextlib
import datetime
import importlib.metadata
import json
import math
import os
import pathlib
import platform

import numpy as np

from noisygan import __version__
from noisygan.errors import RunError, UsageError, printable
from noisygan.files import atomic_write, read_json, short_lines

# Of run.json. 1 and 2: noisygan 0.1.
FORMAT = 3
MAX_METADATA_BYTES = 4 << 20
MAX_METRICS_BYTES = 1 << 28
MAX_METRICS_LINE = 1 << 16
MAX_THREADS = 256
MAX_TAG_ROWS = 200
_PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "numba", "gin-config")


def create(run_dir, config_text, data, seed, command=(), threads=None, n_replicas=1, tags=()):
    """Create a run folder with a resolved config and the metadata.

    Args:
      threads: Result of `make_deterministic`; None: the run is not deterministic.
      tags: Names of the tags that are conditions of the generator.

    Raises:
      UsageError: if the folder is not empty or new, or can't be written.
    """
    run_dir = pathlib.Path(run_dir)
    check_new(run_dir)
    metadata = {
        "format": FORMAT,
        "noisygan": __version__,
        "versions": {"python": platform.python_version()}
        | {d.name: d.version for n in _PACKAGES for d in importlib.metadata.distributions(name=n)},
        "command": without_home(command),
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "seed": seed,
        "deterministic": threads is not None,
        "threads": threads,
        "replicas": n_replicas,
        "data": {
            "folder": pathlib.Path(data.folder).name,
            "fingerprint": data.fingerprint,
            "n_recordings": len(data),
            "middle_c": data.listing.middle_c,
            "gain": data.listing.gain,
            "summary": data.summary().rsplit(", from ", 1)[0],
        },
        "label_names": list(data.label_names),
        "pitches": data.midi_pitches,
        "tags": {name: data.tag_values[name] for name in tags},
        "tag_rows": _tag_rows(data, tags),
        "sample_rate": data.sample_rate,
        "n_samples": data.n_samples,
    }
    try:
        for name in ("checkpoints", "samples", "events"):
            (run_dir / name).mkdir(parents=True, exist_ok=True)
        write_metadata(run_dir, config_text, metadata)
    except (OSError, RunError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"The run folder {run_dir} can't be written ({reason}); choose another"
        ) from error


def _tag_rows(data, tags):
    """Label and tags of up to MAX_TAG_ROWS recordings, from which tags of notes are drawn."""
    rows = np.random.default_rng(0).permutation(len(data))[: MAX_TAG_ROWS if tags else 0]
    columns = [np.array(data.label_names)[data.label], *(data.tags[name] for name in tags)]
    return [
        [float(f"{x:.6g}") if isinstance(x, float) else x for x in row]
        for row in zip(*(column[rows].tolist() for column in columns), strict=True)
    ]


def write_metadata(run_dir, config_text, metadata):
    """Write config.gin and run.json."""
    files = {"config.gin": config_text, "run.json": json.dumps(metadata, indent=2) + "\n"}
    for name, text in files.items():
        with atomic_write(run_dir / name, overwrite=True) as part:
            part.write_text(text, encoding="utf-8")


def check_new(run_dir):
    """Raise UsageError unless a path is an empty or new folder."""
    run_dir = pathlib.Path(run_dir)
    if is_run(run_dir):
        raise UsageError(f"{run_dir} holds a run; choose another folder, or resume it")
    if run_dir.exists() and (not run_dir.is_dir() or any(run_dir.iterdir())):
        raise UsageError(f"{run_dir} is not an empty folder; choose one that is empty or new")


def is_run(run_dir):
    """True if a folder holds a config and metadata."""
    run_dir = pathlib.Path(run_dir)
    return (run_dir / "config.gin").is_file() and (run_dir / "run.json").is_file()


def check_run(run_dir):
    """Raise UsageError unless a folder holds a run, and all its links stay within it."""
    run_dir = pathlib.Path(run_dir)
    if not is_run(run_dir):
        found = "does not exist" if not run_dir.exists() else "holds no run"
        raise UsageError(
            f"{run_dir} {found}; expected a folder with config.gin and run.json, as `noisygan "
            "train` makes it"
        )
    inside = os.path.realpath(run_dir)
    for parent, folders, files in os.walk(inside):
        for path in (os.path.join(parent, name) for name in (*folders, *files)):
            shown = run_dir / os.path.relpath(path, inside)
            if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
                raise UsageError(f"{shown} is neither a file nor a folder")
            target = os.path.realpath(path)
            if os.path.islink(path) and not target.startswith(inside + os.sep):
                raise UsageError(f"{shown} is a link that leads out of the run folder, to {target}")


def check_resumable(run_dir):
    """Raise UsageError unless a folder holds a run, and more than averaged weights, as `best`."""
    check_run(run_dir)
    if read_metadata(run_dir).get("averaged_only"):
        raise UsageError(
            f"{run_dir} holds averaged weights alone, which can't be trained further; expected "
            f"{pathlib.Path(run_dir).parent}"
        )


def _whole(low, high):
    return lambda x: type(x) is int and low <= x <= high


def _text(x):
    return isinstance(x, str)


def _label(x):
    return _text(x) and 0 < len(x) <= 200 and x.isprintable()


def _list(test, most):
    return lambda x: isinstance(x, list) and len(x) <= most and all(map(test, x))


def _object(**tests):
    return lambda x: isinstance(x, dict) and all(test(x.get(k)) for k, test in tests.items())


def _tag(x):
    return _list(_label, 10_000)(x) and x or _list(_number, 2)(x) and len(x) == 2 and x[0] <= x[1]


def _number(x):
    return type(x) in (int, float) and abs(x) < 1e30


_threads = _object(
    intra_op=_whole(0, MAX_THREADS), inter_op=_whole(0, MAX_THREADS), kernels=_whole(1, MAX_THREADS)
)
_data = _object(folder=_text, fingerprint=_text, summary=_text, n_recordings=_whole(1, 2**40))
_METADATA = {
    "label_names": (
        lambda x: x and _list(_label, 10_000)(x),
        "a list of printable names",
    ),
    "seed": (_whole(0, 2**31 - 1), f"a whole number 0 to {2**31 - 1}"),
    "pitches": (_list(_whole(0, 127), 128), "a list of MIDI numbers 0 to 127"),
    "tags": (
        lambda x: isinstance(x, dict) and all(map(_label, x)) and all(map(_tag, x.values())),
        "an object of lists of categories, or of a lowest and a highest number",
    ),
    "tag_rows": (
        _list(_list(lambda x: _label(x) or _number(x), 1000), MAX_TAG_ROWS),
        "a list of lists of names and numbers",
    ),
    "sample_rate": (_whole(1, 768_000), "1 to 768000 Hz"),
    "n_samples": (_whole(1, 2**40), "a number of samples"),
    "data": (
        lambda x: _data(x) and isinstance(x.get("gain", 1.0), (int, float)),
        "an object with folder, fingerprint, n_recordings and summary",
    ),
    "command": (_list(_text, 10_000), "a list of texts"),
    "versions": (
        lambda x: isinstance(x, dict) and all(map(_text, x.values())),
        "an object of texts",
    ),
    "started": (_text, "a time"),
    "deterministic": (lambda x: isinstance(x, bool), "true or false"),
    "threads": (
        lambda x: x is None or _threads(x),
        f"null, or intra_op, inter_op and kernels up to {MAX_THREADS}",
    ),
}


def read_metadata(run_dir):
    """Contents of run.json, validated.

    Returns:
      dict with all entries that `create` writes.

    Raises:
      RunError: if it can't be read, is invalid, or another version wrote it.
    """
    path = pathlib.Path(run_dir) / "run.json"
    try:
        metadata = read_json(path, MAX_METADATA_BYTES)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read: {error}") from error
    if not isinstance(metadata, dict):
        raise RunError(f"{path} holds no JSON object, as `noisygan train` writes it")
    if metadata.get("format") != FORMAT:
        theirs = printable(str(metadata.get("noisygan", "0.1.0")))[:40]
        found = printable(repr(metadata.get("format")))[:40]
        raise RunError(
            f"{path} was written by noisygan {theirs} (format {found}); this is {__version__}, "
            f"which cannot read it: pip install noisygan=={theirs}"
        )
    # Runs of earlier versions have none.
    metadata = {"tags": {}, "tag_rows": []} | metadata
    for name, (test, expected) in _METADATA.items():
        if name not in metadata or not test(metadata[name]):
            found = "missing" if name not in metadata else printable(repr(metadata[name]))[:40]
            raise RunError(f"{path}: {name} is {found}; expected {expected}")
    tags, rows = metadata["tags"], metadata["tag_rows"]
    if (tags and not rows) or any(len(row) != len(tags) + 1 for row in rows):
        raise RunError(f"{path}: tag_rows: expected rows of a label and {len(tags)} tags")
    return metadata


def read_metrics(run_dir, max_bytes=MAX_METRICS_BYTES):
    """Records of metrics.jsonl, a list of dicts; unfinished or invalid lines are left out.

    Raises:
      RunError: if it can't be read, or is larger than max_bytes.
    """
    path = pathlib.Path(run_dir) / "metrics.jsonl"
    records = []
    if not path.exists():
        return records
    try:
        if path.stat().st_size > max_bytes:
            raise RunError(f"{path} has more than {max_bytes >> 20} MB; remove nine of ten lines")
        with path.open("rb") as file:
            for line in short_lines(file, MAX_METRICS_LINE):
                with contextlib.suppress(ValueError, RecursionError):
                    record = json.loads(line)
                    if _is_record(record):
                        records.append(record)
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path} is not a file of metrics: {error}") from None
    return records


def _is_record(record):
    # A step and numbers alone.
    return (
        isinstance(record, dict)
        and _whole(0, 2**63 - 1)(record.get("step"))
        and all(isinstance(x, float) or _whole(-(2**63), 2**63)(x) for x in record.values())
        and 0.0 <= record.get("seconds", 0.0) < math.inf
    )


def append_metrics(run_dir, record):
    """Append a dict to metrics.jsonl."""
    with (run_dir / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")


def drop_metrics_after(run_dir, step):
    """Remove records of later steps, which a resumed run writes again."""
    records = read_metrics(run_dir, max_bytes=math.inf)
    with atomic_write(run_dir / "metrics.jsonl", overwrite=True) as part, part.open("w") as file:
        file.writelines(json.dumps(r) + "\n" for r in records if r["step"] <= step)


def trained_seconds(run_dir):
    """Training time by the last record of metrics, or None."""
    seconds = [record["seconds"] for record in read_metrics(run_dir) if "seconds" in record]
    return float(seconds[-1]) if seconds else None


def log(run_dir, text):
    """Append a line to log.txt."""
    now = datetime.datetime.now().isoformat(timespec="seconds")
    with (pathlib.Path(run_dir) / "log.txt").open("a") as file:
        file.write(f"{now} {text}\n")


def without_home(arguments):
    """A command line with ~ for the home folder, so that it does not name a person."""
    home = str(pathlib.Path.home())
    return [a.replace(f"{home}/", "~/") if len(home) > 1 else a for a in arguments]
