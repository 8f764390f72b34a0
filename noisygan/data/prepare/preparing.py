"""Prepare a folder of recordings: list and plan the inputs, do the units, write the manifest."""

import array
import dataclasses
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from noisygan import files
from noisygan.data import layouts, source_files
from noisygan.data.prepare import features, manifest, units
from noisygan.data.selection import listed, split_known
from noisygan.errors import RunError, UsageError

_SHARD = re.compile(r"(?:train|valid|test)-(\d+)[-.]")


def prepare(data, out, options, run, about=None, table=None, overwrite=False, progress=None):
    """Prepare the recordings of a folder, resuming where an earlier call stopped.

    Example:
      options = make_options("notes", test=0.1)
      manifest, is_new = prepare(
          "my_notes", "prepared/notes", options, functools.partial(run_pool, n_processes=2)
      )

    Args:
      data: Folder of recordings.
      out: Folder that is written: new, empty, or of an earlier call with the same options.
      options: Options.
      run: Function of (folder, indices of units, done): `runners.run_pool` or `runners.run_beam`
        with their own arguments filled in.
      about: dict that the manifest says first, such as the kind.
      table: Path of a table of the files, or None.
      overwrite: Whether to discard what an earlier call made of other options or recordings.
      progress: None, or a function called with (inputs done, inputs in all).

    Returns:
      (manifest, whether anything was done).

    Raises:
      UsageError: if the folders don't fit, hold nothing, or are in use by another run.
      RunError: if no input could be used, or something failed; the same call resumes.
    """
    data, out = Path(data), Path(out)
    for method in (options.f0, options.detect_pitch):
        features.check_method(method)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; expected a folder to write to")
    if out.resolve() == data.resolve() or data.resolve() in out.resolve().parents:
        raise UsageError(f"{out} lies in {data}, which is read; expected a folder beside it")
    layouts.list_sources(data)
    files.make_folder(out)
    with files.folder_lock(out):
        state = {"about": about or {}, "options": options.to_dict()}
        _check_state(out, state, overwrite)
        if (out / manifest.MANIFEST).is_file():
            finished = manifest.read_manifest(out)
            _check_inputs(out, data, table, options)
            shutil.rmtree(out / "parts", ignore_errors=True)
            return finished, False
        _write_json(out / "state.json", state)
        files.make_folder(out / "parts")
        plan, inputs = _plan(out, data, table, options)
        plan.save()
        _do(plan, run, progress)
        # Before the manifest: once that is there, nothing is written any more.
        _write_json(out / "state.json", {**state, "inputs": inputs})
        made = manifest.write_manifest(plan, about or {})
        if not made["counts"]["records"]:
            kinds = made["counts"]["skipped_by_kind"].items()
            listed = ", ".join(f"{count} {kind}" for kind, count in kinds)
            raise RunError(
                f"none of the {made['counts']['files']} files in {data} could be used ({listed}); "
                f"{out}/files.jsonl says why"
            )
        shutil.rmtree(out / "parts", ignore_errors=True)
        return made, True


def list_inputs(data, table, path, middle_c, only=(), split_by="given"):
    """Write the list of all inputs to `path`, one line each.

    Args:
      data, table, middle_c, only, split_by: As of `prepare` and `Options`.
      path: File to be written.

    Returns:
      (SHA-256 of the list, wherever the folder lies; array of the inputs' bytes; array of the
      lines' lengths; set of (values of the names of only, group) that recordings have; whether
      there are TFRecords, which say so only when they are read).
    """
    digest = hashlib.sha256()
    sizes, lengths = array.array("q"), array.array("q")
    seen, stored = set(), False
    with open(path, "w", encoding="ascii") as file:
        # Absolute: workers may start in another folder.
        for source in layouts.list_sources(os.path.abspath(data), table, middle_c):
            line = source.to_json() + "\n"
            file.write(line)
            digest.update(dataclasses.replace(source, path="").to_json().encode())
            sizes.append(source.size or 0 if source.reader else 0)
            lengths.append(len(line))
            if source.reader == "audio":
                texts = tuple(source_files.text_of(source.value(name)) for name, _ in only)
                seen.add((texts, units.group_of(source, split_by)))
            elif source.reader:
                stored = True
    return digest.hexdigest(), sizes, lengths, seen, stored


def _plan(out, data, table, options):
    path = out / "parts" / "inputs.jsonl"
    grouped = options.split_by not in ("given", "file")
    inputs, sizes, lengths, seen, stored = list_inputs(
        data, table, path, options.middle_c, options.only, options.split_by
    )
    if not len(sizes):
        raise UsageError(f"{data} is empty; expected recordings")
    only = []
    for i, (key, values) in enumerate(options.only if seen else ()):
        there = {texts[i] for texts, _ in seen}
        values = [each for value in values for each in split_known(value, there)]
        only.append((key, values))
        absent = [value for value in values if value not in there]
        if absent and not stored:
            there = listed(sorted(there))
            raise UsageError(
                f"no recording in {data} has {key} {listed(absent)}; there are {there}"
            )
    options = dataclasses.replace(options, only=only or options.only)
    shared = {}
    if grouped:
        wanted = [
            group
            for texts, group in seen
            if all(text in values for text, (_, values) in zip(texts, only, strict=True))
        ]
        groups = set() if stored else {*wanted} - {None}
        if not groups:
            raise UsageError(
                f"split_by {options.split_by}: no recording in {data} says its {options.split_by} "
                "before it is read; expected file, or the recordings' own splits"
            )
        shared = units.share_out(groups, options.valid, options.test)
    divided, offset, first = [], 0, 0
    for count in units.divide(sizes):
        divided.append([offset, count])
        offset += sum(lengths[first : first + count])
        first += count
    return units.Plan(out, options, shared, divided), inputs


def _do(plan, run, progress):
    """Do the units that are not done; remove files of units that no longer exist."""
    left, n_done = [], 0
    n_inputs = sum(count for _, count in plan.units)
    for index, (_, count) in enumerate(plan.units):
        if plan.is_done(index):
            n_done += count
        else:
            left.append(index)
    for path in plan.folder.iterdir():
        shard = _SHARD.match(path.name)
        stale = shard and int(shard[1]) >= len(plan.units)
        if stale or (path.name.startswith(".") and ".part" in path.name):
            path.unlink(missing_ok=True)

    def done(result):
        nonlocal n_done
        n_done += result[1]
        if progress is not None:
            progress(n_done, n_inputs)

    if left:
        run(str(plan.folder), left, done)


def _check_state(out, state, overwrite):
    """Refuse a folder of something else; empty one of other options where `overwrite` says so."""
    before_state = [*out.glob(".state.*.part.json"), out / ".lock"]
    if set(out.iterdir()) <= set(before_state):
        return
    try:
        theirs = dict(json.loads((out / "state.json").read_text())["options"])
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(
            f"{out} is not empty and holds nothing prepared; choose another folder"
        ) from None
    ours = state["options"]
    shards = [*out.glob("*.wav"), *out.glob("*.npz")]
    # A run that failed before its first example leaves nothing to be lost.
    holds_nothing = not shards and not (out / manifest.MANIFEST).exists()
    if overwrite or (ours != theirs and holds_nothing):
        # First what says that it is finished, last what says that it is ours: stopped in between,
        # it is neither complete nor a stranger's.
        (out / manifest.MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(out / "parts", ignore_errors=True)
        for path in (*shards, out / "records.jsonl", out / "files.jsonl", out / "state.json"):
            path.unlink(missing_ok=True)
    elif ours != theirs:
        name = next(name for name in [*ours, *theirs] if ours.get(name) != theirs.get(name))
        raise UsageError(
            f"{out} was prepared with {name} {_shown(theirs.get(name))}, not "
            f"{_shown(ours.get(name))}; choose another folder, or overwrite it"
        )


def _check_inputs(out, data, table, options):
    """Refuse a finished folder whose recordings have changed."""
    before = json.loads((out / "state.json").read_text()).get("inputs")
    if before is not None and list_inputs(data, table, os.devnull, options.middle_c)[0] != before:
        raise UsageError(
            f"the recordings in {data} are not those that {out} was made of (files were added, "
            "removed or changed); choose another folder, or overwrite it"
        )


def _shown(value):
    return "none" if value is None else json.dumps(value)


def _write_json(path, value):
    with files.atomic_write(path, overwrite=True) as part:
        part.write_text(json.dumps(value))
