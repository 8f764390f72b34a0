"""Folder layouts of recordings, read into one list; no audio is decoded here.

`list_sources` lists every file, for `noisygan prepare`; `list_entries` lists what can be trained
on directly. Known layouts:

- NSynth json+wav: `examples.json` beside a folder `audio`, or the folder of all three splits;
- NSynth's TFRecords (`list_sources` only);
- Speech Commands: class folders and its two lists;
- a table of files, `recordings.csv` (.tsv, .json, .jsonl) in it; names say what it does not;
- audio files in class folders or in one folder, with names that `filenames` reads.
"""

import collections
import os
from pathlib import Path

from noisygan.audio_io.audio_files import read_root_key
from noisygan.data import nsynth, tables
from noisygan.data.drums import drum_class
from noisygan.data.filenames import family_and_source, read_names
from noisygan.data.source_files import (
    AUDIO_SUFFIXES,
    HARMLESS,
    SOUNDFILE_SUFFIXES,
    Entry,
    is_folder,
    known,
    scan,
    walk,
)
from noisygan.errors import UsageError

# The label of recordings that name none.
NO_LABEL = "sound"


def list_entries(folder, middle_c="C4"):
    """List the recordings of a folder that can be trained on, sorted by name.

    Args:
      folder: Path of an existing or missing folder.
      middle_c: As of `filenames.read_names`.

    Returns:
      (folder that was read, list of Entry, dict of name -> reason of files that cannot be used):
      the folder differs from the argument where that was the parent of `nsynth-train`. The list
      is never empty.

    Raises:
      UsageError: if the folder is missing, no folder, unreadable, or holds no recordings, or its
        examples.json is broken (whether the files it names can be read is not checked).
    """
    folder = Path(folder)
    splits = [path.name for path in scan(folder) if path.name.startswith("nsynth-")]
    is_nsynth = (folder / "examples.json").is_file()
    if splits and not is_nsynth:
        if "nsynth-train" not in splits:
            raise UsageError(
                f"{folder} has no nsynth-train; name the split to read: "
                + " or ".join(str(folder / split) for split in splits)
            )
        folder, is_nsynth = folder / "nsynth-train", True
        if not (folder / "examples.json").is_file():
            raise UsageError(f"{folder} has no examples.json; expected NSynth's json+wav layout")
    usable, skipped, n_others = [], {}, 0
    for source in list_sources(folder, middle_c=middle_c):
        if source.reader == "audio" or source.kind in ("missing", "broken link"):
            usable.append(source)  # Decoding names what is missing.
        elif source.kind in HARMLESS:
            n_others += 1
        else:
            skipped[source.file] = source.reason
    if not usable:
        what = f"holds no audio file ({n_others} other files)" if n_others else "is empty"
        if skipped:
            raise UsageError(f"{folder}: {' '.join(next(iter(skipped.items())))}")
        raise UsageError(f"{folder} {what}; expected files ending in {', '.join(AUDIO_SUFFIXES)}")
    stems = [os.path.splitext(source.file)[0] for source in usable]
    n_with_stem = collections.Counter(stems)
    entries = []
    for source, stem in zip(usable, stems, strict=True):
        name = source.file if n_with_stem[stem] > 1 else stem
        entries.append(
            Entry(
                name=stem.removeprefix("audio/") if is_nsynth else name,
                path=Path(source.path),
                label=source.label,
                pitch=source.pitch,
                velocity=source.velocity,
                take=source.take,
                rule=source.rule,
                problem=source.problem,
                tags=source.tags,
            )
        )
    return folder, sorted(entries, key=lambda entry: entry.name), skipped


def list_sources(data, table=None, middle_c="C4"):
    """List every input of a folder, in an order that depends on names alone.

    Args:
      data: Path of the folder.
      table: Path of a CSV or JSON table of its files; None: the folder's `recordings.csv`, if any.
      middle_c: As of `filenames.read_names`.

    Returns:
      Iterator of Source.

    Raises:
      UsageError: if the folder is missing, unreadable or no folder, or what describes its files
        (examples.json, the table) cannot be read.
    """
    data = Path(data)
    scan(data)
    if (data / "manifest.json").is_file() and (data / "files.jsonl").is_file():
        raise UsageError(f"{data} was written by `noisygan prepare`; expected recordings")
    table = tables.find(data) if table is None else Path(table)
    if table is not None:
        return _in_folders(data, middle_c, table)
    special = nsynth.find(data)
    if special is not None:
        return special
    if (data / "testing_list.txt").is_file() and (data / "validation_list.txt").is_file():
        return _speech_commands(data)
    return _in_folders(data, middle_c)


def _in_folders(data, middle_c, table=None):
    """Audio files in folders: the first folder is the label, names tell what the table does not."""
    # NSynth's `audio` without its examples.json is one folder of files, not a class.
    visible = [entry for entry in scan(data) if not entry.name.startswith(".")]
    folders = [entry.name for entry in visible if is_folder(entry)]
    files = [entry.name for entry in visible if entry.name.lower().endswith(SOUNDFILE_SUFFIXES)]
    inside = "audio/" if folders == ["audio"] and not files else ""
    sources = list(walk(data) if table is None else tables.read(data, table))
    names = {source.file: source.file.removeprefix(inside) for source in sources if source.reader}
    facts = read_names(names.values(), middle_c)
    for source in sources:
        if source.reader:
            found = facts[names[source.file]]
            source.take, source.rule = found.take, source.rule or found.rule
            if source.pitch is None:
                source.problem = found.problem
            for name in ("label", "pitch", "velocity"):
                if source.value(name) is None:
                    setattr(source, name, getattr(found, name))
            stem = source.file.rpartition("/")[2]
            family, kind = family_and_source(stem.partition("-")[0])
            source.tags = known(family=family, source=kind) | source.tags
    _fill_root_keys(sources)
    return iter(sources)


def _fill_root_keys(sources):
    """Pitches from `smpl` chunks; one key for all files is a sampler's default, and tells none."""
    silent = [s for s in sources if s.reader and s.pitch is None and not drum_class(s.label or "")]
    keys = {s.file: key for s in silent if (key := read_root_key(s.path)) is not None}
    if len(set(keys.values())) > 1 or len(keys) == len(sources) == 1:
        for source in silent:
            if source.file in keys:
                source.pitch, source.rule = keys[source.file], "root key in the file"


def _speech_commands(data):
    """Words in class folders; the splits are those of the lists, the speaker is a tag."""
    splits = {}
    for split, name in (("valid", "validation_list.txt"), ("test", "testing_list.txt")):
        text = (data / name).read_text(encoding="utf-8", errors="replace")
        splits.update(dict.fromkeys(text.split("\n"), split))
    for source in walk(data):
        label, _, name = source.file.rpartition("/")
        if label == "_background_noise_" and source.reader:
            source.skipped("not a word", "is background noise, not a word")
        source.label = label or None
        source.split = splits.get(source.file, "train")
        speaker, marked, _ = name.partition("_nohash_")
        source.tags = {"speaker": speaker} if marked else {}
        yield source
