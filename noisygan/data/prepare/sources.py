"""The inputs of `prepare`: one `Source` for every file or stored recording, none left out.

What a folder holds decides how it is read: NSynth's examples.json, TFRecords, a dataset of TFDS, a
table of files, Speech Commands' lists, or else audio files in folders. No audio is opened here.
"""

import dataclasses
import json
import os
import re
import stat
from pathlib import Path

from noisygan.data import layouts
from noisygan.errors import UsageError

# What libsndfile reads, and what ffmpeg can be asked for.
SOUNDFILE_SUFFIXES = (
    *layouts.AUDIO_SUFFIXES,
    *(".aifc", ".au", ".caf", ".mp2", ".oga", ".opus", ".rf64", ".snd", ".w64", ".wave"),
)
FFMPEG_SUFFIXES = (
    *(".3gp", ".aac", ".ac3", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".mov", ".mp4", ".mpc"),
    *(".tta", ".webm", ".wma", ".wv"),
)

_LIKE_BYTES = re.compile(rb"\\(?=x[0-9a-f]{2})")

# Of folders named like files, which are read all the same.
_ONLY_NAMED = "folder named as a file"


@dataclasses.dataclass
class Source:
    """One input and what is known of it before it is opened.

    Attributes:
      file: Its name, relative to the folder, with / between; bytes that are no text as \\xNN.
        Stored recordings are named <container>#<index>.
      path: Of the file or its container; for a dataset of TFDS its folder.
      reader: 'audio', 'nsynth_record' or 'tfds'; None for what cannot be read.
      at: Where in the container: [offset] of a TFRecord, or [split, index] in TFDS.
      kind, reason: Why it is not read, in a word or two and in a sentence, or None.
      label, pitch, velocity, split: What is known, or None.
      tags: dict of further names and strings or numbers.
      size, mtime: Bytes, and time of the last change in ns: tell whether it was changed. None of
        what is no file.
    """

    file: str
    path: str
    reader: str | None = "audio"
    at: list | None = None
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
        """Itself, marked as not to be read."""
        self.reader, self.kind, self.reason = None, kind, reason
        return self

    def value(self, name):
        """What is known under a name: label, pitch, velocity, split or a tag; None if nothing."""
        if name in ("label", "pitch", "velocity", "split"):
            return getattr(self, name)
        return self.tags.get(name)

    def to_json(self):
        """One line of text; surrogates of odd file names survive it."""
        return json.dumps(dataclasses.asdict(self))


def from_json(line):
    """The `Source` of a line that `Source.to_json` gave."""
    return Source(**json.loads(line))


def list_sources(data, table=None):
    """Every input of a folder, in an order that depends on names alone.

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
    if not data.exists():
        raise UsageError(f"no such folder: {data}; expected a folder of recordings")
    if not data.is_dir():
        raise UsageError(f"{data} is a file; expected the folder that holds the recordings")
    if (data / "manifest.json").is_file() and (data / "files.jsonl").is_file():
        raise UsageError(f"{data} was written by `noisygan prepare`; expected recordings")
    if table is not None:
        from noisygan.data.prepare import table_sources

        return table_sources.read(data, Path(table))
    from noisygan.data.prepare import nsynth_sources

    special = nsynth_sources.find(data)
    if special is not None:
        return special
    if (data / "testing_list.txt").is_file() and (data / "validation_list.txt").is_file():
        return _speech_commands(data)
    return in_folders(data)


def in_folders(data):
    """Audio files in folders: the first folder's name is the label, names tell pitch and velocity.

    Args:
      data: pathlib.Path of the folder.

    Yields:
      Source.
    """
    # NSynth's `audio` without its examples.json is one folder of files, not a class.
    flat = [entry.name for entry in _scan(data) if not entry.name.startswith(".")] == ["audio"]
    for source in walk(data):
        stem = source.file.rpartition("/")[2].rpartition(".")[0]
        source.label, source.pitch, source.velocity = layouts.parse_note_name(stem)
        family, kind = layouts.family_and_source(source.label)
        source.tags = _known({"family": family, "source": kind})
        if "/" in source.file and not flat:
            source.label = source.file.partition("/")[0]
        yield source


def walk(data, without=()):
    """Every file below a folder, once, whatever it is.

    Folders behind symbolic links are entered as well, each once, however many ways lead there.

    Args:
      data: pathlib.Path of the folder.
      without: Names of folders in it that are left out.

    Yields:
      Source: sorted by name, folder by folder; those that are no audio carry a reason.
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
        if not inside:
            folders = [entry for entry in folders if os.fsdecode(entry.name) not in without]
        left += [(entry.path, inside + entry.name) for entry in reversed(folders)]
        for entry in entries:
            if not _is_folder(entry):
                yield file_source(entry.path, inside + entry.name)


def file_source(path, file):
    """The `Source` of one path, looked at but not opened.

    Args:
      path: bytes or str.
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
    """A value as one names it on a command line: '60' for 60.0, 'none' for None."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def shown(name):
    """A file name as text: what is no UTF-8 in it stands as \\xNN."""
    raw = os.fsencode(name)
    # A name that has such letters itself must not read like another one.
    return _LIKE_BYTES.sub(rb"\\x5c", raw).decode("utf-8", "backslashreplace")


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
    if all(os.path.exists(os.path.join(folder, mark)) for mark in (b".lock", b"state.json")):
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
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"cannot list {folder}: {error.strerror}") from error


def _known(tags):
    return {name: value for name, value in tags.items() if value is not None}


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
