"""Records of a prepared folder: audio in long WAV files, an index of it in JSON lines.

A shard `train-00012` consists of `train-00012-16000.wav` for each rate, 16 bits, mono: the audio of
its records one after the other; and, where features were computed, of `train-00012.npz` with an
array `<row>/<feature>` for each. `records.jsonl` has a line for every record:

| name | what |
|---|---|
| key | name that no other record of the folder has |
| source_file | the file it comes from, relative to the folder that was prepared |
| split, shard, row | where it is: row i is the i-th record of the shard |
| start, n_samples | first frame and number of frames in the WAV file of each rate, lists |
| label, pitch, velocity | null where unknown; MIDI numbers, 0 to 127 |
| start_seconds | where it begins in its source file |
| tags | what else is known, such as family and source |
| frame_rate | frames per second of the features; null without |

Frame i of a feature is centred on i / frame_rate seconds after the record's first sample.
"""

import collections
import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np
import soundfile

from noisygan.audio_io import decoding
from noisygan.data.prepare import manifest as manifests
from noisygan.data.source_files import Entry
from noisygan.errors import RunError, UsageError
from noisygan.files import atomic_write, sha256, short_lines

INDEX = "records.jsonl"
MAX_LINE = 1 << 20


@dataclasses.dataclass
class Record:
    """One example as it is written and read back; the fields are those of the index.

    Attributes:
      audio: dict of sample rate in Hz -> float32 [n_samples], in [-1, 1].
      features: dict of name -> float32 [n].
    """

    key: str
    source_file: str
    audio: dict
    label: str | None = None
    pitch: float | None = None
    velocity: float | None = None
    start_seconds: float = 0.0
    tags: dict = dataclasses.field(default_factory=dict)
    frame_rate: float | None = None
    features: dict = dataclasses.field(default_factory=dict)


def write_shard(folder, shard, split, rates, records):
    """Write records to a shard; its files get their names when they are complete.

    Args:
      folder: pathlib.Path.
      shard: Name.
      split: Name of the split.
      rates: Sample rates in Hz, list of int.
      records: Iterable of Record. Equal records give equal bytes.

    Returns:
      (index lines, list of dict; names of the files). Without records no file is written.

    Raises:
      RunError: if a file cannot be written.
    """
    lines, features, names = [], {}, []
    ends = dict.fromkeys(rates, 0)
    with contextlib.ExitStack() as stack:
        wavs = {}
        for record in records:
            if not wavs:
                for rate in rates:
                    names.append(f"{shard}-{rate}.wav")
                    part = stack.enter_context(atomic_write(folder / names[-1], overwrite=True))
                    wavs[rate] = stack.enter_context(_new_wav(part, rate))
            fields = {name: getattr(record, name) for name in _FIELDS}
            place = {"split": split, "shard": shard, "row": len(lines)}
            starts, lengths = [], []
            for rate in rates:
                starts.append(ends[rate])
                lengths.append(len(record.audio[rate]))
                ends[rate] += lengths[-1]
                _write(wavs[rate], record.audio[rate])
            lines.append({**fields, **place, "start": starts, "n_samples": lengths})
            features |= {f"{place['row']}/{name}": x for name, x in record.features.items()}
    if features:
        names.append(f"{shard}.npz")
        with atomic_write(folder / names[-1], overwrite=True) as part:
            np.savez(part, **features)
    return lines, names


def read_records(folder, keep=lambda line: True):
    """Yield the `Record`s of a prepared folder.

    Args:
      folder: Path.
      keep: Function of a line of the index that tells whether its record is read.

    Raises:
      UsageError: if the folder holds no manifest that can be read.
      RunError: if the index or a shard cannot be read.
    """
    folder = Path(folder)
    rates = manifests.read_manifest(folder)["sample_rates"]
    for line in read_index(folder):
        if keep(line):
            yield _record(folder, line, rates)


def read_index(folder):
    """Yield the lines of `records.jsonl` as dicts; RunError where they are damaged."""
    path = Path(folder) / INDEX
    try:
        with open(path, encoding="ascii") as file:
            for text in short_lines(file, MAX_LINE):
                line = json.loads(text)
                for name in ("key", "source_file", "split", "shard"):
                    if not isinstance(line[name], str):
                        raise ValueError(f"{name} is {line[name]!r}")
                yield line
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        detail = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise RunError(
            f"{path} cannot be read ({detail}); prepare the recordings again or copy the folder "
            "again"
        ) from error


def list_entries(folder, split, sample_rate):
    """List the records of one split at one rate, after checking the checksums of their files.

    Args:
      folder: Path of a prepared folder.
      split: 'train', 'valid' or 'test'.
      sample_rate: Hz, one of the rates that the folder was prepared at.

    Returns:
      (list of Entry sorted by name, which is the record's key; fingerprint of the folder).

    Raises:
      UsageError: if the folder holds no such split or rate.
      RunError: if a file is missing or damaged.
    """
    folder = Path(folder)
    manifest = manifests.read_manifest(folder)
    if split not in manifest["splits"]:
        raise UsageError(
            f"{folder} has no split {split}; there are {', '.join(manifest['splits'])}: set "
            "Recordings.split, or prepare the recordings again"
        )
    rates = manifest["sample_rates"]
    if sample_rate not in rates:
        there = ", ".join(f"{rate:g}" for rate in rates)
        raise UsageError(
            f"{folder} was prepared at {there} Hz, the config wants {sample_rate} Hz; set the "
            "config's sample_rate (Recordings, generator, discriminators and losses share it) and "
            f"n_samples, or prepare the recordings at {sample_rate} Hz"
        )
    wavs = {s: f"{s}-{sample_rate}.wav" for s in manifest["splits"][split]["shards"]}
    for name in (INDEX, *wavs.values()):
        reason = check_file(folder, name, manifest)
        if reason:
            raise RunError(
                f"{folder / name} {reason}; prepare the recordings again or copy the file again"
            )
    column, entries = rates.index(sample_rate), []
    fades = ("fade_in_seconds", "fade_out_seconds")
    faded = tuple(bool(manifest["options"].get(name)) for name in fades)
    for line in read_index(folder):
        if line["split"] == split:
            try:
                start, n_samples = int(line["start"][column]), int(line["n_samples"][column])
                tags = {name: _tag(value) for name, value in line["tags"].items()}
                held, ending = tags.pop("held_seconds", None), tags.pop("ending", None)
                if not (0 <= start < 2**40 and 0 <= n_samples < 2**40):
                    raise ValueError(start)
                entries.append(
                    Entry(
                        name=str(line["key"]),
                        path=folder / wavs[line["shard"]],
                        label=_text(line["label"]),
                        pitch=None if line["pitch"] is None else float(line["pitch"]),
                        velocity=None if line["velocity"] is None else float(line["velocity"]),
                        take=int(tags.pop("take", 1)),
                        held_seconds=None if held is None else float(held),
                        ending=_text(ending),
                        tags=tags,
                        rule="prepared",
                        start=start,
                        end=start + max(1, n_samples),
                        faded=faded,
                    )
                )
            except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
                raise RunError(
                    f"{folder / INDEX}: {str(line['key'])[:40]!r} has no place in a shard; "
                    "prepare the recordings again"
                ) from error
    n_stated = manifest["splits"][split]["n_records"]
    if len(entries) != n_stated:
        raise RunError(
            f"{folder} holds {len(entries)} records of split {split}, its manifest says "
            f"{n_stated}; prepare the recordings again or copy the folder again"
        )
    return sorted(entries, key=lambda entry: entry.name), manifest["fingerprint"]


def verify(folder, progress=None):
    """Compare every file of a prepared folder with the manifest; yield a sentence per problem.

    Args:
      folder: Path of a prepared folder.
      progress: None, or a function called with (files checked, files in all).
    """
    folder = Path(folder)
    manifest = manifests.read_manifest(folder)
    for done, name in enumerate(manifest["sha256"], 1):
        reason = check_file(folder, name, manifest)
        if reason:
            yield f"{name} {reason}"
        if progress is not None:
            progress(done, len(manifest["sha256"]))
    for path in sorted([*folder.glob("*.wav"), *folder.glob("*.npz")]):
        if path.name not in manifest["sha256"]:
            yield f"{path.name} is not in the manifest"
    try:
        counts = collections.Counter(line["split"] for line in read_index(folder))
    except RunError as error:
        yield str(error)
        return
    for split, about in manifest["splits"].items():
        if counts[split] != about["n_records"]:
            said = about["n_records"]
            yield f"split {split} holds {counts[split]} records; the manifest says {said}"


def check_file(folder, name, manifest):
    """Problem of a file, as the end of a sentence; None if its checksum is right."""
    try:
        found = sha256(folder / name)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == manifest["sha256"].get(name) else "has another checksum than stated"


_FIELDS = (
    *("key", "source_file", "label", "pitch", "velocity", "start_seconds", "tags"),
    "frame_rate",
)


def _record(folder, line, rates):
    fields = {name: line[name] for name in _FIELDS}
    audio, features = {}, {}
    for rate, start, n in zip(rates, line["start"], line["n_samples"], strict=True):
        path = folder / f"{line['shard']}-{rate}.wav"
        try:
            audio[rate] = decoding.decode(path, rate, n, start=start)
        except decoding.BadAudioError as error:
            raise RunError(f"{path} {error}") from error
    if line["frame_rate"] is not None:
        path, row = folder / f"{line['shard']}.npz", f"{line['row']}/"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                names = [name for name in arrays.files if name.startswith(row)]
                features = {name.removeprefix(row): arrays[name] for name in names}
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error
    return Record(audio=audio, features=features, **fields)


def _tag(value):
    if not isinstance(value, str) and not abs(value) <= 2**24:
        raise ValueError(value)
    return value if isinstance(value, str) else float(value)


def _text(value):
    return value if isinstance(value, str) else None


@contextlib.contextmanager
def _new_wav(path, rate):
    try:
        with soundfile.SoundFile(path, "w", rate, 1, "PCM_16", format="WAV") as file:
            yield file
    except soundfile.SoundFileError as error:
        raise RunError(f"{path} cannot be written: {error}") from error


def _write(file, audio):
    """Append audio, rounded to 16 bits; 16-bit input comes back bit by bit."""
    steps = np.minimum(np.rint(np.asarray(audio, np.float32) * 32768.0), 32767.0)
    file.write(steps.astype(np.int16))
