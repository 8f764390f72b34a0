"""Files of a folder: what `noisygan prepare` and training know of each one before it is opened."""

import dataclasses
import json
import os
import re
import stat
from pathlib import Path

from noisygan.errors import UsageError

# What is common, what else libsndfile reads, and what needs ffmpeg.
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
SOUNDFILE_SUFFIXES = (
    *AUDIO_SUFFIXES,
    *(".aifc", ".au", ".caf", ".mp2", ".oga", ".opus", ".rf64", ".snd", ".w64", ".wave"),
)
FFMPEG_SUFFIXES = (
    *(".3gp", ".aac", ".ac3", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".mov", ".mp4", ".mpc"),
    *(".tta", ".webm", ".wma", ".wv"),
)

SPLITS = ("train", "valid", "test")

# Reasons to skip a file that nobody expects to become an example.
HARMLESS = (
    *("not audio", "hidden", "left out", "not named", "not a word"),
    *("folder again", "folder named as a file", "prepared"),
)

_KNOWN = ("label", "pitch", "velocity")
_LIKE_BYTES = re.compile(rb"\\(?=x[0-9a-f]{2})")
_ONLY_NAMED = "folder named as a file"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recording to train on; what its layout does not say is None.

    Attributes:
      take: Number of the take, from 1 on.
      rule: How its name was read, of `filenames.RULES`, or what said it instead.
      problem: Why a part of its name could not be read, or None.
      start, end: First frame of the file, and the one after the last (None: to the end).
      held_seconds: Time of the note-off, infinite for a note that rings out; None: to be measured.
      ending: How the note ends, of `metrics.note_timing.ENDINGS`; None: to be measured.
      tags: dict of further names, such as family, and strings or numbers.
      faded: Whether its beginning and its end are faded in the file already.
      gain: Linear gain of its segments.
    """

    name: str
    path: Path
    label: str | None = None
    pitch: float | None = None
    velocity: float | None = None
    take: int = 1
    rule: str = ""
    problem: str | None = None
    start: int = 0
    end: int | None = None
    held_seconds: float | None = None
    ending: str | None = None
    tags: dict = dataclasses.field(default_factory=dict)
    faded: tuple = (False, False)
    gain: float = 1.0

    def value(self, name):
        """Value of label, pitch, velocity or a tag; None if unknown."""
        return getattr(self, name) if name in _KNOWN else self.tags.get(name)


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
      take, rule, problem: As of `Entry`.
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
    take: int = 1
    rule: str = ""
    problem: str | None = None
    tags: dict = dataclasses.field(default_factory=dict)
    size: int | None = None
    mtime: int | None = None

    def skipped(self, kind, reason):
        """Mark as not to be read; returns itself."""
        self.reader, self.kind, self.reason = None, kind, reason
        return self

    def value(self, name):
        """Value of label, pitch, velocity, split or a tag; None if unknown."""
        return getattr(self, name) if name in (*_KNOWN, "split") else self.tags.get(name)

    def to_json(self):
        """One line of JSON, the inverse of `Source(**json.loads(line))`."""
        return json.dumps(dataclasses.asdict(self))


def walk(data):
    """Yield a `Source` for every file below a folder, sorted by name, folder by folder.

    Folders behind symbolic links are entered, each folder once. What is no audio is skipped with a
    reason.
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
        folders = [entry for entry in entries if is_folder(entry)]
        left += [(entry.path, inside + entry.name) for entry in reversed(folders)]
        for entry in entries:
            if not is_folder(entry):
                yield file_source(entry.path, inside + entry.name)


def file_source(path, file):
    """`Source` of one path, without opening it; `file` is its name relative to the folder."""
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


def is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads to itself
        return False


def scan(folder):
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
