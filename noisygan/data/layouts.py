"""Folder layouts of recordings, read into one list; no audio is opened here.

`list_sources` lists every file, for `noisygan prepare`; `list_entries` lists what can be trained
on directly. Known layouts:

- NSynth json+wav: `examples.json` beside a folder `audio`, or the folder of all three splits;
- NSynth's TFRecords (`list_sources` only);
- Speech Commands: class folders and its two lists;
- a table of files (`list_sources` only);
- audio files in class folders or in one folder, named `<label>-<pitch>-<velocity>[-<index>]`, or
  `<kit>-<MIDI key>-v<velocity>` for drums (a key is no pitch), or freely.
"""

import collections
import dataclasses
import json
import os
import re
import stat
from pathlib import Path

from noisygan.data.filenames import family_and_source, parse_note_name
from noisygan.errors import UsageError

# What training reads, what else libsndfile reads, and what needs ffmpeg.
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
SOUNDFILE_SUFFIXES = (
    *AUDIO_SUFFIXES,
    *(".aifc", ".au", ".caf", ".mp2", ".oga", ".opus", ".rf64", ".snd", ".w64", ".wave"),
)
FFMPEG_SUFFIXES = (
    *(".3gp", ".aac", ".ac3", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".mov", ".mp4", ".mpc"),
    *(".tta", ".webm", ".wma", ".wv"),
)

# The label of recordings that name none.
NO_LABEL = "sound"

SPLITS = ("train", "valid", "test")

# Reasons to skip a file that nobody expects to become an example.
HARMLESS = (
    *("not audio", "hidden", "left out", "not named", "not a word"),
    *("folder again", "folder named as a file", "prepared"),
)

_LIKE_BYTES = re.compile(rb"\\(?=x[0-9a-f]{2})")
_ONLY_NAMED = "folder named as a file"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recording to train on; what its layout does not say is None.

    Attributes:
      start, end: First frame of the file, and the one after the last (None: to the end).
    """

    name: str
    path: Path
    label: str | None = None
    family: str | None = None
    source: str | None = None
    pitch: float | None = None
    velocity: float | None = None
    start: int = 0
    end: int | None = None


@dataclasses.dataclass
class Source:
    r"""One input of `noisygan prepare`, used or skipped.

    Attributes:
      file: Its name relative to the folder, with / between; non-UTF-8 bytes as \xNN. Records of a
        TFRecord file are named <file>#<index>.
      path: Of the file or its container.
      reader: 'audio' or 'nsynth_record'; None for what cannot be read.
      at: Offset in the TFRecord file, or None.
      kind, reason: Why it is skipped, in a word or two and in a sentence, or None.
      label, pitch, velocity, split: What is known, or None.
      tags: dict of further names and strings or numbers.
      size, mtime: Bytes and time of the last change in ns; None of what is no file.
    """

    file: str
    path: str
    reader: str | None = "audio"
    at: int | None = None
    kind: str | None = None
    reason: str | None = None
    label: str | None = None
    pitch: float | None = None
    velocity: float | None = None
    split: str | None = None
    tags: dict = dataclasses.field(default_factory=dict)
    size: int | None = None
    mtime: int | None = None

    def skipped(self, kind, reason):
        """Mark as not to be read; returns itself."""
        self.reader, self.kind, self.reason = None, kind, reason
        return self

    def value(self, name):
        """Value of label, pitch, velocity, split or a tag; None if unknown."""
        if name in ("label", "pitch", "velocity", "split"):
            return getattr(self, name)
        return self.tags.get(name)

    def to_json(self):
        """One line of JSON, the inverse of `Source(**json.loads(line))`."""
        return json.dumps(dataclasses.asdict(self))


def list_entries(folder):
    """List the recordings of a folder that can be trained on, sorted by name.

    Args:
      folder: Path of an existing or missing folder.

    Returns:
      (folder that was read, list of Entry): the folder differs from the argument where that was
      the parent of `nsynth-train`. The list is never empty.

    Raises:
      UsageError: if the folder is missing, no folder, unreadable, or holds no recordings, or its
        examples.json is broken (whether the files it names exist is not checked).
    """
    folder = Path(folder)
    splits = [path.name for path in _scan(folder) if path.name.startswith("nsynth-")]
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
    usable, n_others = [], 0
    for source in list_sources(folder):
        suffix = os.path.splitext(source.file)[1].lower()
        if source.kind in ("bad entry", "unreadable"):
            raise UsageError(f"{folder}: {source.file} {source.reason}")
        # Decoding names what is missing.
        is_file = source.reader == "audio" or source.kind in ("missing", "broken link")
        if is_file and (suffix in AUDIO_SUFFIXES or is_nsynth):
            usable.append(source)
        else:
            n_others += 1
    if not usable:
        what = f"holds no audio file ({n_others} other files)" if n_others else "is empty"
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
                family=source.tags.get("family"),
                source=source.tags.get("source"),
                pitch=source.pitch,
                velocity=source.velocity,
            )
        )
    return folder, sorted(entries, key=lambda entry: entry.name)


def list_sources(data, table=None):
    """List every input of a folder, in an order that depends on names alone.

    Args:
      data: Path of the folder.
      table: Path of a CSV or JSON table of its files, or None.

    Returns:
      Iterator of Source.

    Raises:
      UsageError: if the folder is missing, unreadable or no folder, or what describes its files
        (examples.json, the table) cannot be read.
    """
    data = Path(data)
    _scan(data)
    if (data / "manifest.json").is_file() and (data / "files.jsonl").is_file():
        raise UsageError(f"{data} was written by `noisygan prepare`; expected recordings")
    if table is not None:
        from noisygan.data import tables

        return tables.read(data, Path(table))
    from noisygan.data import nsynth

    special = nsynth.find(data)
    if special is not None:
        return special
    if (data / "testing_list.txt").is_file() and (data / "validation_list.txt").is_file():
        return _speech_commands(data)
    return _in_folders(data)


def walk(data):
    """Yield a `Source` for every file below a folder, sorted by name, folder by folder.

    Folders behind symbolic links are entered, each folder once. What is no audio is skipped with a
    reason.

    Args:
      data: pathlib.Path of the folder.
    """
    seen = set()
    left = [(os.fsencode(data), b"")]
    while left:
        folder, name = left.pop()
        why = _why_not_entered(folder, name, seen)
        if why is not None:
            yield Source(file=shown(name) or ".", path=os.fsdecode(folder)).skipped(*why)
            if why[0] != _ONLY_NAMED:
                continue
        inside = name + b"/" if name else b""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            source = Source(file=shown(name) or ".", path=os.fsdecode(folder))
            yield source.skipped("unreadable", f"cannot be listed ({error.strerror})")
            continue
        folders = [entry for entry in entries if _is_folder(entry)]
        left += [(entry.path, inside + entry.name) for entry in reversed(folders)]
        for entry in entries:
            if not _is_folder(entry):
                yield file_source(entry.path, inside + entry.name)


def file_source(path, file):
    """`Source` of one path, without opening it.

    Args:
      path: bytes, str or Path.
      file: Its name relative to the folder, bytes or str.
    """
    name = shown(file)
    source = Source(file=name, path=os.fsdecode(path))
    try:
        status = os.stat(path)
    except OSError as error:
        kind = "broken link" if os.path.islink(path) else "missing"
        return source.skipped(kind, f"cannot be found ({error.strerror})")
    name = name.rpartition("/")[2]
    suffix = os.path.splitext(name)[1].lower()
    if not stat.S_ISREG(status.st_mode):
        return source.skipped("not a file", "is no file (a device, a pipe or a socket)")
    source.size, source.mtime = status.st_size, status.st_mtime_ns
    if name.startswith("."):
        return source.skipped("hidden", "is a hidden file")
    if suffix in SOUNDFILE_SUFFIXES or suffix in FFMPEG_SUFFIXES:
        return source
    return source.skipped("not audio", f"is no audio by its name ({suffix or 'no suffix'})")


def text_of(value):
    """Value as written on a command line: '60' for 60.0, 'none' for None."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def shown(name):
    r"""File name as text; bytes that are not UTF-8 become \xNN."""
    raw = os.fsencode(name)
    # A name that contains such letters must not read like another one.
    return _LIKE_BYTES.sub(rb"\\x5c", raw).decode("utf-8", "backslashreplace")


def known(**tags):
    """dict of the arguments that are not None."""
    return {name: value for name, value in tags.items() if value is not None}


def _in_folders(data):
    """Audio files in folders: the first folder is the label, names tell pitch and velocity."""
    # NSynth's `audio` without its examples.json is one folder of files, not a class.
    visible = [entry for entry in _scan(data) if not entry.name.startswith(".")]
    folders = [entry.name for entry in visible if _is_folder(entry)]
    files = [entry.name for entry in visible if entry.name.lower().endswith(SOUNDFILE_SUFFIXES)]
    flat = folders == ["audio"] and not files
    for source in walk(data):
        stem = source.file.rpartition("/")[2].rpartition(".")[0]
        source.label, source.pitch, source.velocity = parse_note_name(stem)
        family, kind = family_and_source(source.label)
        source.tags = known(family=family, source=kind)
        if "/" in source.file and not flat:
            source.label = source.file.partition("/")[0]
        yield source


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


def _why_not_entered(folder, name, seen):
    """(kind, reason) of a folder that is skipped or has an odd name; None of any other."""
    try:
        status = os.stat(folder)
    except OSError as error:
        return "unreadable", f"cannot be found ({error.strerror})"
    if (status.st_dev, status.st_ino) in seen:
        return "folder again", "leads to a folder that is read already"
    if os.path.basename(name).startswith((b".", b"__MACOSX")):
        return "hidden", "is a hidden folder"
    if os.path.exists(os.path.join(folder, b"state.json")) and (
        os.path.exists(os.path.join(folder, b"files.jsonl"))
        or os.path.exists(os.path.join(folder, b"parts"))
    ):
        return "prepared", "was written by `noisygan prepare`"
    seen.add((status.st_dev, status.st_ino))
    if shown(name).lower().endswith(SOUNDFILE_SUFFIXES):
        return _ONLY_NAMED, "is a folder, though its name ends like a file's; what is in it is read"
    return None


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads to itself
        return False


def _scan(folder):
    """Sorted entries of a folder; UsageError if it is none."""
    if not os.path.exists(folder):
        raise UsageError(
            f"no such folder: {folder}; expected a folder of recordings "
            "(audio files, class folders of audio files, or NSynth's examples.json with audio/)"
        )
    if not os.path.isdir(folder):
        raise UsageError(f"{folder} is a file; expected the folder that holds the recordings")
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"cannot list {folder}: {error.strerror}") from error
