"""Units of work of `prepare`: each reads some inputs and writes its own shards.

A unit is the same whoever runs it - this process, a pool of processes or a Beam runner - so the
files are the same too. Its files get their names when they are complete.
"""

import dataclasses
import functools
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import threadpoolctl

from noisygan import files
from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.listing import FileFacts
from noisygan.data.prepare import features, reading, records, statistics, steps
from noisygan.data.prepare.options import Options
from noisygan.data.selection import split_known
from noisygan.data.source_files import SPLITS, Source, known, text_of

# Inputs in a unit: enough units to keep some cores busy, few enough files; and their bytes.
MIN_INPUTS, MAX_INPUTS, AIMED_UNITS = 8, 256, 32
MAX_BYTES = 32 << 20

_LEFT_OUT = ("left out", "is none of those asked for")


@dataclasses.dataclass
class Plan:
    """What is to be done in a folder: the inputs, their division into units, the steps.

    Attributes:
      folder: pathlib.Path of the folder that is written.
      options: Options.
      shared: dict of group -> split, of `share_out`.
      units: list of [offset in the list of inputs, number of inputs].
    """

    folder: Path
    options: Options
    shared: dict
    units: list

    @property
    def parts(self):
        """Folder of the results of units."""
        return self.folder / "parts"

    def save(self):
        """Write the plan beside the list of inputs."""
        facts = {"options": self.options.to_dict(), "shared": self.shared, "units": self.units}
        with files.atomic_write(self.parts / "plan.json", overwrite=True) as path:
            path.write_text(json.dumps(facts))

    def part(self, index):
        """Path of the result of a unit."""
        return self.parts / f"{index:05d}.json"

    def lines(self, index):
        """The unit's lines of the list of inputs, list of str."""
        offset, n_inputs = self.units[index]
        with open(self.parts / "inputs.jsonl", "rb") as file:
            file.seek(offset)
            return [file.readline().decode() for _ in range(n_inputs)]

    def fingerprint(self, lines):
        """Hex str; equal where inputs and steps are equal, so that the unit's files still hold."""
        digest = hashlib.sha256(self.options.fingerprint().encode())
        digest.update(json.dumps(self.shared, sort_keys=True).encode())
        digest.update("".join(lines).encode())
        return digest.hexdigest()

    def is_done(self, index):
        """Check that a unit's files exist and belong to these inputs and steps."""
        try:
            part = json.loads(self.part(index).read_text())
        except (OSError, ValueError):
            return False
        whole = all((self.folder / name).is_file() for name in part["sha256"])
        return whole and part["fingerprint"] == self.fingerprint(self.lines(index))


def load_plan(folder):
    """The `Plan` that was saved in a folder."""
    return _load_plan(str(folder), (Path(folder) / "parts" / "plan.json").stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _load_plan(folder, _):
    facts = json.loads((Path(folder) / "parts" / "plan.json").read_text())
    return Plan(Path(folder), Options(**facts["options"]), facts["shared"], facts["units"])


def divide(sizes):
    """Divide inputs of so many bytes into units: list of the units' numbers of inputs."""
    most = min(MAX_INPUTS, max(MIN_INPUTS, -(-len(sizes) // AIMED_UNITS)))
    counts, n_inputs, n_bytes = [], 0, 0
    for size in sizes:
        if n_inputs and (n_inputs == most or n_bytes + size > MAX_BYTES):
            counts.append(n_inputs)
            n_inputs, n_bytes = 0, 0
        n_inputs += 1
        n_bytes += size
    return [*counts, n_inputs] if n_inputs else counts


def group_of(source, split_by):
    """Group that a source shares its split with, str; None if unknown or each file is alone."""
    if split_by in ("given", "file"):
        return None
    value = source.value("label" if split_by == "instrument" else split_by)
    return None if value is None else text_of(value)


def share_out(groups, valid, test):
    """Assign whole groups to splits, in the order of their hashes: dict of group -> split.

    Args:
      groups: Iterable of str.
      valid, test: Fractions of the groups; at least one each where there are enough.
    """
    ordered = sorted(set(groups), key=lambda group: (_fraction(group), group))
    counts = {}
    for split, fraction in (("valid", valid), ("test", test)):
        counts[split] = max(1, round(fraction * len(ordered))) if fraction else 0
    # Training keeps at least one.
    while sum(counts.values()) > max(0, len(ordered) - 1):
        counts[max(counts, key=counts.get)] -= 1
    names = ["valid"] * counts["valid"] + ["test"] * counts["test"]
    names += ["train"] * (len(ordered) - len(names))
    return dict(zip(ordered, names, strict=True))


def choose_split(source, sha256, options, shared):
    """Split of one source, a function of contents and names alone.

    Args:
      source: Source.
      sha256: Hex str of its contents: copies of a file land in one split.
      options, shared: As of `Plan`.
    """
    if options.split_by == "given":
        return source.split or "train"
    group = group_of(source, options.split_by)
    if group is not None:
        return shared[group]
    place = _fraction(sha256)
    if place < options.valid:
        return "valid"
    return "test" if place < options.valid + options.test else "train"


def is_wanted(source, only):
    """Apply the filters of `Options.only` to a source."""
    for name, values in only:
        text = text_of(source.value(name))
        if source.reader != "audio":  # The plan could not split values that records have.
            values = [each for value in values for each in split_known(value, [text])]
        if text not in values:
            return False
    return True


def process(folder, index, given_up=None):
    """Do one unit, unless it is done: (index, number of its inputs).

    Args:
      folder: str, path of the prepared folder.
      index: Of the unit.
      given_up: None, or files that ended the processes that read them. Then the name of each file
        is kept in parts/reading while it is read, to know which one ended the process.
    """
    plan = load_plan(folder)
    if not plan.is_done(index):
        # Units run side by side: threads of each would only wait for each other.
        with threadpoolctl.threadpool_limits(1):
            _process(plan, index, given_up)
    return index, plan.units[index][1]


def _process(plan, index, given_up):
    lines = plan.lines(index)
    inputs = [Source(**json.loads(line)) for line in lines]
    for source in inputs:
        if source.file in (given_up or ()):
            source.skipped("ended the process", "ended the process that read it")
    results = [_result(source, plan) for source in inputs]
    watched = plan.parts / "reading" if given_up is not None else None
    part = {"fingerprint": plan.fingerprint(lines), "shards": {}, "sha256": {}, "records": []}
    for split in SPLITS:
        chosen = [
            (source, result)
            for source, result in zip(inputs, results, strict=True)
            if source.reader and result["split"] == split
        ]
        name = f"{split}-{index:05d}"
        # Of an earlier run, when other recordings were there.
        for path in plan.folder.glob(f"{name}[-.]*"):
            path.unlink()
        made = _records(chosen, plan.options, watched)
        rates = plan.options.rate_names
        index_lines, names = records.write_shard(plan.folder, name, split, rates, made)
        if index_lines:
            seconds = math.fsum(result.get("kept_seconds", 0.0) for _, result in chosen)
            part["shards"][split] = {
                "name": name,
                "n_records": len(index_lines),
                "n_seconds": seconds,
            }
            part["records"] += index_lines
            part["sha256"] |= {each: files.sha256(plan.folder / each) for each in names}
    part["files"] = results
    if watched is not None:
        watched.unlink(missing_ok=True)
    with files.atomic_write(plan.part(index), overwrite=True) as path:
        path.write_text(json.dumps(part))


def _result(source, plan):
    """Line of files.jsonl for a source before it is read: what it is, and its split."""
    sha256 = None
    if source.reader or source.size is not None:
        try:
            sha256 = reading.fingerprint(source)
        except OSError as error:
            source.skipped("unreadable", f"cannot be read ({error.strerror})")
    # A record in a TFRecord file says what it is only when it is read.
    if source.reader == "audio" and not is_wanted(source, plan.options.only):
        source.skipped(*_LEFT_OUT)
    result = {
        "file": source.file,
        "sha256": sha256,
        "bytes": source.size,
        "action": "skipped",
        "kind": source.kind,
        "reason": source.reason,
        "did": [],
    }
    if source.reader:
        result["split"] = choose_split(source, sha256, plan.options, plan.shared)
    return result


def _records(chosen, options, watched):
    """Yield the records of sources, and fill in the line of files.jsonl of each."""
    rate = options.sample_rates[0]
    for source, result in chosen:
        if watched is not None:
            watched.write_text(json.dumps(source.file))
        try:
            sound = reading.read(source, options.max_seconds)
            if not is_wanted(source, options.only):
                raise BadAudioError(*_LEFT_OUT)
            if options.detect_pitch and source.pitch is None:
                source.rule = f"measured ({options.detect_pitch})"
                source.pitch = features.detect_pitch(
                    sound.audio, int(sound.rate), options.detect_pitch
                )
            seconds = round(len(sound.audio) / sound.rate, 6)
            result.update(rate=sound.rate, channels=sound.n_channels, seconds=seconds)
            made = steps.convert(sound, options)
            found = [{}] * len(made.sounds)
            if options.features or options.f0:
                settings = int(rate), options.frame_rate, options.f0, source.pitch
                found = [features.compute(audio[0], *settings) for _, audio in made.sounds]
            loudness = statistics.loudness_db(made.kept, rate)
            facts = FileFacts(sound.rate, sound.n_channels, made.lead_seconds)
            if source.pitch is not None and source.rule != "NSynth":
                facts.check_note(made.trimmed, rate, source.pitch)
        except BadAudioError as error:
            result.update(kind=error.kind, reason=str(error))
            continue
        except Exception as error:  # Nothing that one file does may stop the others.
            detail = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            result.update(kind="failed", reason=f"could not be worked on ({detail})")
            continue
        # JSON has no infinity.
        timing = made.timing
        held = None if timing is None else str(round(timing.note_off, 4))
        ending = None if timing is None else timing.ending
        take = source.take if source.take > 1 else None
        n_kept = sum(len(audio[0]) for _, audio in made.sounds)
        result.update(
            action="used",
            did=sound.did,
            put_right=sound.put_right,
            label=source.label,
            pitch=source.pitch,
            velocity=source.velocity,
            take=source.take,
            rule=source.rule,
            problem=source.problem,
            ending=ending,
            tags=source.tags,
            facts=dataclasses.asdict(facts),
            peak=round(float(np.max(np.abs(made.kept))), 6),
            loudness_db=round(loudness, 2),
            n_records=len(made.sounds),
            kept_seconds=round(n_kept / rate, 6),
        )
        for (begin, audio), of_sound in zip(made.sounds, found, strict=True):
            yield records.Record(
                key=f"{source.file}@{begin:.6f}" if options.segments else source.file,
                source_file=source.file,
                audio=dict(zip(options.rate_names, audio, strict=True)),
                label=source.label,
                pitch=source.pitch,
                velocity=source.velocity,
                start_seconds=begin,
                tags=source.tags | known(take=take, held_seconds=held, ending=ending),
                frame_rate=options.frame_rate if of_sound else None,
                features=of_sound,
            )


def _fraction(text):
    """Number from 0 to 1, the same for the same text on any machine."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:7], "big") / 256**7
