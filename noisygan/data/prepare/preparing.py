"""From a folder of recordings to a prepared one: list, plan, do the units, write the manifest."""

import array
import dataclasses
import hashlib
import json
import os
from pathlib import Path

from noisygan import files
from noisygan.data.prepare import manifest, sources, splits, units
from noisygan.errors import RunError, UsageError

# At most so many values are listed in an error.
_N_LISTED = 12


def prepare(data, out, options, run, about=None, table=None, overwrite=False, progress=None):
    """Prepares the recordings of a folder, going on where an earlier run stopped.

    Args:
      data: Folder of recordings.
      out: Folder that is written: new, empty, or of an earlier run with the same options.
      options: Options.
      run: Function of (folder, indices of units, done): `pool.run` or `beam_runner.run` with
        their own arguments filled in.
      about: dict that the manifest says first, such as the kind.
      table: Path of a table of the files, or None.
      overwrite: Whether what an earlier run made of other options or recordings is thrown away.
      progress: None, or a function called with (inputs done, inputs in all).

    Returns:
      (manifest, whether anything was done).

    Raises:
      UsageError: if the folders don't fit, hold nothing, or are in use by another run.
      RunError: if no input could be used, or something failed; the same call goes on.
    """
    data, out = Path(data), Path(out)
    _check_folders(data, out)
    files.make_folder(out)
    with files.folder_lock(out, "choose another --out"):
        state = {"about": about or {}, "options": options.facts()}
        _check_state(out, state, overwrite)
        finished = manifest.read(out)
        if finished is not None:
            _check_inputs(out, data, table)
            _remove(out / "parts")
            return finished, False
        _write_json(out / "state.json", state)
        files.make_folder(out / "parts")
        plan, inputs = _plan(out, data, table, options)
        plan.save()
        _do(plan, run, progress)
        # Before the manifest: once that is there, the folder is never looked at again without it.
        _write_json(out / "state.json", {**state, "inputs": inputs})
        made = manifest.write(plan, about or {})
        if not made["counts"]["records"]:
            raise RunError(_nothing(data, out, made))
        _remove(out / "parts")
        return made, True


def list_inputs(data, table, path, only=(), group=None):
    """Writes the list of all inputs, one line each.

    Args:
      data: Folder of recordings.
      table: Path of a table of the files, or None.
      path: File to be written.
      only: Of `Options`.
      group: Name of what splits keep together, or None.

    Returns:
      (SHA-256 of the list, wherever the folder lies; array of the inputs' bytes; array of the
      lines' lengths; dict of each name of only -> set of the values that occur; set of the groups
      of recordings that are wanted). The last two are None where stored recordings will say so
      when they are read.

    Raises:
      UsageError: as of `sources.list_sources`.
    """
    digest = hashlib.sha256()
    sizes, lengths = array.array("q"), array.array("q")
    seen, groups, stored = {name: set() for name, _ in only}, set(), False
    with open(path, "w", encoding="ascii") as file:
        # Workers may begin in another folder.
        for source in sources.list_sources(os.path.abspath(data), table):
            line = source.to_json() + "\n"
            file.write(line)
            digest.update(dataclasses.replace(source, path="").to_json().encode())
            sizes.append(source.size or 0 if source.reader else 0)
            lengths.append(len(line))
            if source.reader == "audio":
                for name, values in seen.items():
                    values.add(sources.text_of(source.value(name)))
                if group is not None and units.is_wanted(source, only):
                    groups.add(splits.group_of(source, group))
            elif source.reader:
                stored = True
    known = (None, None) if stored else (seen, groups)
    return digest.hexdigest(), sizes, lengths, *known


def _plan(out, data, table, options):
    path = out / "parts" / "inputs.jsonl"
    grouped = options.split_by not in ("given", "file")
    name = "label" if options.split_by == "instrument" else options.split_by
    inputs, sizes, lengths, seen, groups = list_inputs(
        data, table, path, options.only, name if grouped else None
    )
    if not len(sizes):
        raise UsageError(f"{data} is empty; expected recordings")
    for key, values in options.only if seen else ():
        absent = [value for value in values if value not in seen[key]]
        if absent:
            there = sorted(seen[key])
            shown = ", ".join(there[:_N_LISTED]) + (", ..." if len(there) > _N_LISTED else "")
            raise UsageError(
                f"no recording in {data} has {key} {', '.join(absent)}; there are "
                + (shown or "none at all")
            )
    shared = {}
    if grouped and seen is None:
        raise UsageError(
            f"--split_by {options.split_by}: recordings in TFRecords say their {name} too late; "
            "expected file, or their own splits"
        )
    if grouped:
        groups.discard(None)
        if not groups:
            raise UsageError(
                f"--split_by {options.split_by}: no recording in {data} says its {name}; expected "
                "file, or something that they say"
            )
        shared = splits.share_out(groups, options.valid, options.test)
    table_of_units, offset, first = [], 0, 0
    for count in units.divide(sizes):
        table_of_units.append([offset, count])
        offset += sum(lengths[first : first + count])
        first += count
    facts = {"options": options.facts(), "shared": shared, "units": table_of_units}
    return units.Plan(out, facts), inputs


def _do(plan, run, progress):
    """Does the units that are not done; leaves no file of a unit that is no longer there."""
    left, n_done = [], 0
    n_inputs = sum(count for _, count in plan.units)
    for index, (_, count) in enumerate(plan.units):
        if plan.is_done(index):
            n_done += count
        else:
            left.append(index)
    ours = {f"{split}-{i:05d}.tfrecord" for split in splits.SPLITS for i in range(len(plan.units))}
    for path in plan.folder.iterdir():
        stale = path.suffix == ".tfrecord" and path.name not in ours
        if stale or (path.name.startswith(".") and ".part" in path.name):
            path.unlink(missing_ok=True)

    def done(result):
        nonlocal n_done
        n_done += result[1]
        if progress is not None:
            progress(n_done, n_inputs)

    if left:
        run(str(plan.folder), left, done)


def _check_folders(data, out):
    if not data.exists():
        raise UsageError(f"no such folder: {data}; expected a folder of recordings")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; expected a folder")
    inner, outer = out.resolve(), data.resolve()
    if inner == outer or outer in inner.parents:
        raise UsageError(f"--out {out} lies in --data {data}; expected a folder beside it")


def _check_state(out, state, overwrite):
    """Refuses a folder of something else; empties one of other options where that is asked for."""
    parts = set(out.glob(".state.*.part.json"))
    if {path.name for path in out.iterdir() if path not in parts} <= {".lock"}:
        return
    try:
        before = json.loads((out / "state.json").read_text())
    except (OSError, ValueError):
        raise UsageError(
            f"--out {out} is not empty and holds nothing prepared; choose another folder"
        ) from None
    ours, theirs = state["options"], before["options"]
    # A run that failed before its first sound leaves nothing to be lost.
    holds_sounds = (out / "manifest.json").exists() or any(out.glob("*.tfrecord"))
    if overwrite or (ours != theirs and not holds_sounds):
        # First what says that it is finished, last what says that it is ours: stopped on the way,
        # it is neither complete nor a stranger's.
        (out / "manifest.json").unlink(missing_ok=True)
        _remove(out / "parts")
        for path in (*out.glob("*.tfrecord"), out / "files.jsonl", out / "state.json"):
            path.unlink(missing_ok=True)
    elif ours != theirs:
        name = next(name for name in ours if ours[name] != theirs.get(name))
        raise UsageError(
            f"--out {out} was prepared with {name} {_show(name, theirs.get(name))}, asked for is "
            f"{_show(name, ours[name])}; choose another folder, or --overwrite"
        )


def _check_inputs(out, data, table):
    """Refuses a finished folder whose recordings are others by now."""
    before = json.loads((out / "state.json").read_text()).get("inputs")
    if before is not None and list_inputs(data, table, os.devnull)[0] != before:
        raise UsageError(
            f"the recordings in {data} are not those that {out} was made of (files came, went or "
            "changed); choose another folder, or --overwrite"
        )


def _nothing(data, out, made):
    counts = made["counts"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts["skipped_by_kind"].items())
    return (
        f"none of the {counts['files']} files in {data} could be used ({kinds}); "
        f"{out}/files.jsonl says why"
    )


def _show(name, value):
    if name == "only":
        return " ".join(f"{key}={','.join(values)}" for key, values in value or []) or "everything"
    return "none" if value is None else json.dumps(value)


def _write_json(path, value):
    with files.atomic_write(path, overwrite=True) as part:
        part.write_text(json.dumps(value))


def _remove(folder):
    """Removes a folder of files."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
