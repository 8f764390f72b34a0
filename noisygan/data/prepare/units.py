"""The work of `prepare`, cut into units: each reads some inputs and writes its own files.

A unit is the same whoever runs it - this process, a pool of processes or a Beam runner - so the
files are the same too. Its files get their names when they are whole.
"""

import functools
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import threadpoolctl

from noisygan import files
from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.prepare import (
    converting,
    loudness,
    reading,
    records,
    sources,
    splits,
    statistics,
)
from noisygan.data.prepare import options as options_of

# Inputs in a unit: enough units to keep some cores busy, few enough files; and their bytes.
MIN_INPUTS, MAX_INPUTS, AIMED_UNITS = 8, 256, 32
MAX_BYTES = 32 << 20

_LEFT_OUT = ("left out", "is none of those asked for")


class Plan:
    """What is to be done in a folder: the inputs, the units that they are divided into, the steps.

    Attributes:
      folder: pathlib.Path of the folder that is written.
      options: Options.
      shared: dict of group -> split, of `splits.share_out`.
      units: list of [offset in the list of inputs, number of inputs].
    """

    def __init__(self, folder, facts):
        """Stores.

        Args:
          folder: Path.
          facts: Of `facts`.
        """
        self.folder = Path(folder)
        self.options = options_of.from_facts(facts["options"])
        self.shared = facts["shared"]
        self.units = facts["units"]

    @property
    def parts(self):
        """Folder of what is only there while the work goes on."""
        return self.folder / "parts"

    def facts(self):
        """As JSON holds it."""
        return {"options": self.options.facts(), "shared": self.shared, "units": self.units}

    def save(self):
        """Writes the plan beside the list of inputs."""
        with files.atomic_write(self.parts / "plan.json", overwrite=True) as path:
            path.write_text(json.dumps(self.facts()))

    def part(self, index):
        """Path of what a unit says when it is done."""
        return self.parts / f"{index:05d}.json"

    def lines(self, index):
        """The unit's lines of the list of inputs, list of str."""
        offset, n_inputs = self.units[index]
        with open(self.parts / "inputs.jsonl", "rb") as file:
            file.seek(offset)
            return [file.readline().decode() for _ in range(n_inputs)]

    @property
    def reading(self):
        """Path of the file that names the input that is being read."""
        return self.parts / "reading"

    def note_file(self, file):
        """Remembers the input that is about to be read."""
        self.reading.write_text(json.dumps(file))

    def blame_file(self):
        """Gives up the input that was being read when a process ended; False if there was none."""
        try:
            file = json.loads(self.reading.read_text())
        except (OSError, ValueError):
            return False
        self.reading.unlink()
        with open(self.parts / "given_up", "a", encoding="ascii") as names:
            names.write(json.dumps(file) + "\n")
        return True

    def given_up(self):
        """Inputs that ended the processes that read them, set of str."""
        try:
            with open(self.parts / "given_up", encoding="ascii") as names:
                return {json.loads(name) for name in names}
        except OSError:
            return set()

    def fingerprint(self, lines):
        """Hex str; equal where inputs and steps are equal, so that the unit's files still hold."""
        digest = hashlib.sha256(self.options.fingerprint().encode())
        digest.update(json.dumps(self.shared, sort_keys=True).encode())
        digest.update("".join(lines).encode())
        return digest.hexdigest()

    def is_done(self, index):
        """Whether a unit's files are there and of these inputs and steps."""
        try:
            part = json.loads(self.part(index).read_text())
        except (OSError, ValueError):
            return False
        shards = all((self.folder / shard["name"]).is_file() for shard in part["shards"].values())
        return shards and part["fingerprint"] == self.fingerprint(self.lines(index))


def load_plan(folder):
    """The `Plan` that was saved in a folder."""
    return _load_plan(str(folder), (Path(folder) / "parts" / "plan.json").stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _load_plan(folder, _):
    path = Path(folder)
    return Plan(path, json.loads((path / "parts" / "plan.json").read_text()))


def divide(sizes):
    """Divides inputs into units.

    Args:
      sizes: Bytes of each input, a sequence of int.

    Returns:
      list of the numbers of inputs of the units; it depends on sizes alone.
    """
    most = min(MAX_INPUTS, max(MIN_INPUTS, -(-len(sizes) // AIMED_UNITS)))
    counts, n_inputs, n_bytes = [], 0, 0
    for size in sizes:
        if n_inputs and (n_inputs == most or n_bytes + size > MAX_BYTES):
            counts.append(n_inputs)
            n_inputs, n_bytes = 0, 0
        n_inputs += 1
        n_bytes += size
    return [*counts, n_inputs] if n_inputs else counts


def process(folder, index, watched=False):
    """Does one unit, unless it is done.

    Args:
      folder: str, path of the prepared folder.
      index: Of the unit.
      watched: Whether the name of each input is kept while it is read, to know which one ended
        the process.

    Returns:
      (index, number of its inputs).
    """
    plan = load_plan(folder)
    if not plan.is_done(index):
        # Units run side by side: threads of a unit's own would only wait for each other.
        with threadpoolctl.threadpool_limits(1):
            _process(plan, index, plan.note_file if watched else None)
        # What ends the process from here on is not the last file.
        plan.reading.unlink(missing_ok=True)
    return index, plan.units[index][1]


def _process(plan, index, note):
    lines = plan.lines(index)
    inputs = [sources.from_json(line) for line in lines]
    given_up = plan.given_up()
    for source in inputs:
        if source.file in given_up:
            source.skipped("ended the process", "ended the process that read it")
    results = [_result(source, plan) for source in inputs]
    mel = statistics.LogMelSums(plan.options.sample_rates[0])
    shards = {}
    for split in splits.SPLITS:
        chosen = [
            (source, result)
            for source, result in zip(inputs, results, strict=True)
            if source.reader and result["split"] == split
        ]
        name = f"{split}-{index:05d}.tfrecord"
        path = plan.folder / name
        if not chosen:
            # Of an earlier run, when other recordings were there.
            path.unlink(missing_ok=True)
            continue
        n_records = records.write_shard(path, _records(chosen, plan.options, mel, note))
        if n_records:
            seconds = math.fsum(result.get("kept_seconds", 0.0) for _, result in chosen)
            shards[split] = {"name": name, "n_records": n_records, "n_seconds": seconds}
        else:
            path.unlink()
    part = {
        "fingerprint": plan.fingerprint(lines),
        "shards": shards,
        "log_mel": mel.facts(),
        "files": results,
    }
    with files.atomic_write(plan.part(index), overwrite=True) as path:
        path.write_text(json.dumps(part))


def _result(source, plan):
    """The manifest's line of a source before it is read: what it is, and its split."""
    result = {
        "file": source.file,
        "sha256": None,
        "bytes": source.size,
        "action": "skipped",
        "kind": source.kind,
        "reason": source.reason,
        "did": [],
    }
    if source.reader or source.size is not None:
        try:
            result["sha256"] = reading.fingerprint(source)
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
            source.skipped("unreadable", reason)
            result.update(kind="unreadable", reason=reason)
    # A stored recording says what it is when it is read.
    if source.reader == "audio" and not is_wanted(source, plan.options.only):
        source.skipped(*_LEFT_OUT)
        result.update(kind=source.kind, reason=source.reason)
    if source.reader:
        result["split"] = splits.choose(source, result["sha256"], plan.options, plan.shared)
    return result


def is_wanted(source, only):
    """Whether a source is one of those that `Options.only` asks for."""
    return all(sources.text_of(source.value(name)) in values for name, values in only)


def _records(chosen, options, mel, note):
    """Yields the records of sources, and fills in what the manifest says of each."""
    for source, result in chosen:
        if note is not None:
            note(source.file)
        try:
            sound = reading.read(source, options.channel, options.max_seconds)
            if not is_wanted(source, options.only):
                raise BadAudioError(*_LEFT_OUT)
            rate, seconds = sound.rate, len(sound.audio) / sound.rate
            result.update(rate=rate, channels=sound.n_channels, seconds=round(seconds, 6))
            made = converting.convert(sound, options)
            found = [_features(audio[0], options) for _, audio in made.sounds]
        except BadAudioError as error:
            result.update(kind=error.kind, reason=str(error))
            continue
        except Exception as error:  # Nothing that one file does may stop the others.
            detail = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            result.update(kind="failed", reason=f"could not be worked on ({detail})")
            continue
        mel.add(made.kept)
        n_kept = sum(len(audio[0]) for _, audio in made.sounds)
        result.update(
            action="used",
            did=sound.did,
            put_right=sound.put_right,
            label=source.label,
            pitch=source.pitch,
            velocity=source.velocity,
            peak=round(float(np.max(np.abs(made.kept))), 6),
            loudness_db=round(loudness.integrated(made.kept, options.sample_rates[0]), 2),
            n_records=len(made.sounds),
            kept_seconds=round(n_kept / options.sample_rates[0], 6),
        )
        for (begin, audio), features in zip(made.sounds, found, strict=True):
            yield _record(source, begin, audio, features, options)


def _record(source, begin, sounds, features, options):
    key = f"{source.file}@{begin:.6f}" if options.segments else source.file
    return records.Record(
        key=key,
        label=source.label or "",
        pitch=math.nan if source.pitch is None else source.pitch,
        velocity=math.nan if source.velocity is None else source.velocity,
        source_file=source.file,
        start_seconds=begin,
        audio=dict(zip(options.rate_names, sounds, strict=True)),
        encoding=options.encoding,
        tags=source.tags,
        **features,
    )


def _features(audio, options):
    if not (options.features or options.f0):
        return {}
    from noisygan.data.prepare import features  # Which imports TensorFlow.

    found = features.compute(audio, options.sample_rates[0], options.frame_rate, options.f0)
    return {"frame_rate": options.frame_rate, "features": found}
