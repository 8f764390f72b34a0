"""The ways recordings lie in folders, read into one list of entries. No audio is opened here.

Three layouts are known:

- NSynth json+wav: `examples.json` beside a folder `audio` (a parent of `nsynth-train` counts too);
- a folder of audio files, named `<label>-<pitch>-<velocity>[-<index>]`, as drums are
  `<kit>-<MIDI key>-v<velocity>` (a key is no pitch), or freely;
- a folder of class folders of audio files, the folder's name being the label.
"""

import collections
import dataclasses
import math
import os
import re
from pathlib import Path

from noisygan.errors import UsageError
from noisygan.files import read_json

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")

# NSynth's own, of 289,205 notes, has 230 MB.
MAX_EXAMPLES_BYTES = 512 << 20

# The label of recordings that name none.
NO_LABEL = "sound"

_NOTE_NAME = re.compile(r"(?P<label>.+?)-(?P<pitch>\d{3}(?:\.\d+)?)-(?P<velocity>\d{3})(?:-\d+)?")
_DRUM_NAME = re.compile(r"(?P<label>.+?)-\d{2}-v(?P<velocity>\d{3})")
_INSTRUMENT = re.compile(r"(?P<family>.+)_(?P<source>acoustic|electronic|synthetic)_\d{3}")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recording that a layout names; what the layout does not say is None."""

    name: str
    path: Path
    label: str | None = None
    family: str | None = None
    source: str | None = None
    pitch: float | None = None
    velocity: float | None = None


def list_entries(folder):
    """Lists the recordings of a folder in any of the known layouts, sorted by name.

    Args:
      folder: Path of an existing or missing folder.

    Returns:
      (folder that was read, list of Entry): the folder differs from the argument where that was
      the parent of `nsynth-train`. The list is never empty.

    Raises:
      UsageError: if the folder is missing, no folder, unreadable, or holds no recordings, or its
        examples.json is broken or names files that are not there (only the names are looked at).
    """
    folder = Path(folder)
    if not folder.exists():
        raise UsageError(
            f"no such folder: {folder}; expected a folder of recordings "
            "(audio files, class folders of audio files, or NSynth's examples.json with audio/)"
        )
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected the folder that holds the recordings")
    if (folder / "examples.json").is_file():
        return folder, _nsynth_entries(folder)
    splits = sorted(path.name for path in _children(folder) if path.name.startswith("nsynth-"))
    if "nsynth-train" in splits:
        train = folder / "nsynth-train"
        if not (train / "examples.json").is_file():
            raise UsageError(f"{train} has no examples.json; expected NSynth's json+wav layout")
        return train, _nsynth_entries(train)
    if splits:
        raise UsageError(
            f"{folder} has no nsynth-train; name the split to read: "
            + " or ".join(str(folder / split) for split in splits)
        )
    return folder, _folder_entries(folder)


def parse_note_name(stem):
    """Reads label, pitch and velocity from a name as NSynth gives them.

    Args:
      stem: File name without its suffix, such as 'flute_acoustic_000-060-100' or
        'flute-060-100-003'. Pitch and velocity have three digits and lie in 0..127; a
        pitch between keys is '067.5'. Or of a drum, 'standard-36-v127': the kit, and no pitch.

    Returns:
      (label, pitch, velocity), or (None, None, None) for a name of another shape.
    """
    match = _DRUM_NAME.fullmatch(stem)
    if match and int(match["velocity"]) <= 127:
        return match["label"], None, float(match["velocity"])
    match = _NOTE_NAME.fullmatch(stem)
    if not match or float(match["pitch"]) > 127 or int(match["velocity"]) > 127:
        return None, None, None
    return match["label"], float(match["pitch"]), float(match["velocity"])


def _nsynth_entries(folder):
    notes = _read_examples(folder / "examples.json")
    audio = folder / "audio"
    if not audio.is_dir():
        raise UsageError(f"{folder} has an examples.json but no folder audio beside it")
    files = {path.stem: path for path in _children(audio) if _is_audio(path)}
    entries = []
    for name in sorted(notes):
        entries.append(_nsynth_entry(name, notes[name], files.get(name), folder))
    return entries


def _read_examples(path):
    try:
        notes = read_json(path, MAX_EXAMPLES_BYTES)
    except (OSError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise UsageError(f"cannot read {path}: {detail}; expected NSynth's JSON") from error
    if not isinstance(notes, dict) or not all(isinstance(note, dict) for note in notes.values()):
        raise UsageError(f"{path} is not NSynth's: expected one object of note name -> fields")
    if not notes:
        raise UsageError(f"{path} names no notes; expected at least one")
    return notes


def _nsynth_entry(name, fields, path, folder):
    examples = folder / "examples.json"
    if name != Path(name).name or not name.isprintable():
        raise UsageError(f"{examples} names a note {name!r}; expected a file name without folders")
    label, pitch, velocity = parse_note_name(name)
    label = fields.get("instrument_str", label)
    family, source = family_and_source(label)
    family = fields.get("instrument_family_str", family)
    source = fields.get("instrument_source_str", source)
    for key, value in (
        ("instrument_str", label),
        ("instrument_family_str", family),
        ("instrument_source_str", source),
    ):
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{examples}: {key} of {name} is {value!r}; expected a string")
    return Entry(
        name=name,
        path=path if path is not None else folder / "audio" / f"{name}.wav",
        label=label,
        family=family,
        source=source,
        pitch=_midi_number(fields.get("pitch", pitch), "pitch", name, examples),
        velocity=_midi_number(fields.get("velocity", velocity), "velocity", name, examples),
    )


def _midi_number(value, key, name, examples):
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= 127:
        raise UsageError(f"{examples}: {key} of {name} is {value!r}; expected a number in 0..127")
    return float(value)


def _folder_entries(folder):
    paths, n_others = [], 0
    for path in _walk(folder):
        if _is_audio(path):
            paths.append(path)
        else:
            n_others += 1
    if not paths:
        what = f"holds no audio file ({n_others} other files)" if n_others else "is empty"
        raise UsageError(f"{folder} {what}; expected files ending in {', '.join(AUDIO_SUFFIXES)}")
    relative = [path.relative_to(folder) for path in paths]
    stems = [path.with_suffix("").as_posix() for path in relative]
    n_with_stem = collections.Counter(stems)
    # NSynth's `audio` without its examples.json is one folder of files, not a class.
    flat = {path.parts[0] for path in relative} == {"audio"}
    entries = []
    for path, inside, stem in zip(paths, relative, stems, strict=True):
        label, pitch, velocity = parse_note_name(path.stem)
        family, source = family_and_source(label)
        if len(inside.parts) > 1 and not flat:
            label = inside.parts[0]
        name = inside.as_posix() if n_with_stem[stem] > 1 else stem
        entries.append(Entry(name, path, label, family, source, pitch, velocity))
    return sorted(entries, key=lambda entry: entry.name)


def family_and_source(label):
    """(family, source) of a label such as NSynth's 'flute_acoustic_000'; (None, None) of others."""
    match = _INSTRUMENT.fullmatch(label) if isinstance(label, str) else None
    return (match["family"], match["source"]) if match else (None, None)


def _is_audio(path):
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")


def _children(folder):
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"cannot list {folder}: {error.strerror}") from error


def _walk(folder):
    def refuse(error):
        raise UsageError(f"cannot list {error.filename}: {error.strerror}") from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent) / name
