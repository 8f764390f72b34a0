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

from noisygan import __version__
from noisygan.errors import RunError, UsageError, printable
from noisygan.files import atomic_write, read_json, short_lines

# Of run.json. 1 and 2: noisygan 0.1.
FORMAT = 3
MAX_METADATA_BYTES = 4 << 20
MAX_METRICS_BYTES = 1 << 28
MAX_METRICS_LINE = 1 << 16
MAX_THREADS = 256
_PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "numba", "gin-config")


def create(run_dir, config_text, data, seed, command=(), threads=None, n_replicas=1):
    """Create a run folder.

    Args:
      run_dir: Path; must be empty or new.
      config_text: Resolved config.
      data: `AudioDataset` that is trained on.
      seed: int.
      command: Command line, list of str.
      threads: Result of `make_deterministic`; None: the run is not deterministic.
      n_replicas: Number of replicas.

    Raises:
      UsageError: if the folder is not empty, or can't be written.
    """
    run_dir = pathlib.Path(run_dir)
    check_new(run_dir)
    metadata = {
        "format": FORMAT,
        "noisygan": __version__,
        "versions": _versions(),
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
            "summary": data.summary().rsplit(", from ", 1)[0],
        },
        "label_names": list(data.label_names),
        "pitches": data.midi_pitches,
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


def write_metadata(run_dir, config_text, metadata):
    """Write config.gin and run.json."""
    for name, text in (
        ("config.gin", config_text),
        ("run.json", json.dumps(metadata, indent=2) + "\n"),
    ):
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
    """Raise UsageError for a folder with averaged weights alone, such as `best`."""
    if read_metadata(run_dir).get("averaged_only"):
        raise UsageError(
            f"{run_dir} holds averaged weights alone, which can't be trained further; expected "
            f"{pathlib.Path(run_dir).parent}"
        )


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_list(value, test, most):
    return isinstance(value, list) and len(value) <= most and all(map(test, value))


def _is_text(value):
    return isinstance(value, str)


def _is_label(value):
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _is_threads(value):
    least = {"intra_op": 0, "inter_op": 0, "kernels": 1}
    return value is None or (
        isinstance(value, dict)
        and all(_is_int(value.get(name), low, MAX_THREADS) for name, low in least.items())
    )


def _is_data(value):
    return (
        isinstance(value, dict)
        and all(_is_text(value.get(name)) for name in ("folder", "fingerprint", "summary"))
        and _is_int(value.get("n_recordings"), 1, 2**40)
    )


_METADATA = {
    "label_names": (lambda x: _is_list(x, _is_label, 10_000) and x, "a list of printable names"),
    "seed": (lambda x: _is_int(x, 0, 2**31 - 1), f"a whole number 0 to {2**31 - 1}"),
    "pitches": (
        lambda x: _is_list(x, lambda each: _is_int(each, 0, 127), 128),
        "a list of MIDI numbers 0 to 127",
    ),
    "sample_rate": (lambda x: _is_int(x, 1, 768_000), "1 to 768000 Hz"),
    "n_samples": (lambda x: _is_int(x, 1, 2**40), "a number of samples"),
    "data": (_is_data, "an object with folder, fingerprint, n_recordings and summary"),
    "command": (lambda x: _is_list(x, _is_text, 10_000), "a list of texts"),
    "versions": (
        lambda x: isinstance(x, dict) and all(map(_is_text, x.values())),
        "an object of texts",
    ),
    "started": (_is_text, "a time"),
    "deterministic": (lambda x: isinstance(x, bool), "true or false"),
    "threads": (_is_threads, f"null, or intra_op, inter_op and kernels up to {MAX_THREADS}"),
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
    for name, (test, expected) in _METADATA.items():
        if name not in metadata or not test(metadata[name]):
            found = "missing" if name not in metadata else printable(repr(metadata[name]))[:40]
            raise RunError(f"{path}: {name} is {found}; expected {expected}")
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
    """True if a line of metrics holds a step and numbers alone."""
    return (
        isinstance(record, dict)
        and _is_int(record.get("step"), 0, 2**63 - 1)
        and all(isinstance(x, float) or _is_int(x, -(2**63), 2**63) for x in record.values())
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


def _versions():
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def without_home(arguments):
    """A command line with ~ for the home folder, so that it does not name a person."""
    home = str(pathlib.Path.home())
    return [a.replace(f"{home}/", "~/") if len(home) > 1 else a for a in arguments]
