"""Atomic writes of files and folders, folder locks, checksums, reading of limited size."""

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import shutil

import filelock

from noisygan.errors import RunError, UsageError

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO)


@contextlib.contextmanager
def atomic_write(path, overwrite=False):
    """Write a file atomically: yields a temporary path that becomes `path` when the block succeeds.

    Args:
      path: The file to be written; its folder must exist.
      overwrite: Whether an existing file may be replaced.

    Yields:
      pathlib.Path with the same suffix.

    Raises:
      UsageError: if the file exists.
      RunError: if it cannot be written.
    """
    path = pathlib.Path(path)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        # Whoever made the folder may have put a link of this name there.
        part.unlink(missing_ok=True)
        yield part
        if overwrite:
            os.replace(part, path)
        else:
            _move_to_free_name(part, path)
    except FileExistsError:
        raise UsageError(f"{path} exists already; choose another name or remove it") from None
    except OSError as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise RunError(f"{path} cannot be written: {reason}") from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path):
    """Write a folder atomically: yields a new folder that becomes `path` when the block succeeds.

    Args:
      path: Folder; parents are created as well. An empty one may exist.

    Yields:
      pathlib.Path.

    Raises:
      UsageError: if it exists and is not empty, or is a file.
      RunError: if it cannot be written.
    """
    path = pathlib.Path(path)
    check_free_folder(path)
    place = path.resolve()  # "." has no name
    make_folder(place.parent)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        part.mkdir()
        yield part
        check_free_folder(path)
        part.replace(place)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def folder_lock(folder):
    """Hold a folder for this process; the system releases it however the process ends.

    Args:
      folder: pathlib.Path of an existing folder.

    Raises:
      UsageError: if another process or thread holds it.
      RunError: if the folder cannot be written.
    """
    try:
        lock = filelock.FileLock(folder / ".lock").acquire(timeout=0)
    except filelock.Timeout:
        raise UsageError(
            f"{folder} is being written by another run; wait for it, or choose another folder"
        ) from None
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from error
    with lock:
        yield


def check_free_folder(path):
    """Raise UsageError if a path is a file, or a folder that is not empty."""
    path = pathlib.Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{path} exists already; choose another name or remove it")


def _move_to_free_name(part, path):
    """Rename without replacing; FileExistsError also if the name was taken a moment ago."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        os.rename(part, path)


def check_folder(path):
    """Raise UsageError for a folder that cannot be created or written to."""
    path = pathlib.Path(path)
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; expected a folder")
    there = next((folder for folder in (path, *path.absolute().parents) if _is_there(folder)), path)
    if not there.is_dir():
        raise UsageError(f"{path} can't be made: {there} is a file; name another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{path}: {there} can't be written to; name another folder")


def _is_there(path):
    try:
        return path.exists()
    except OSError:  # a name too long, or a file among the parents
        return False


def why_unwritable(error):
    """The system's reason in the text of an error, as TensorFlow gives it; None: another error."""
    return next((r for r in map(os.strerror, _UNWRITABLE) if r in str(error)), None)


def make_folder(path):
    """Create a folder and its parents.

    Args:
      path: pathlib.Path.

    Raises:
      RunError: if it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"folder {path} cannot be made: {error.strerror}") from error


def sha256(path):
    """SHA-256 of a file, hex str."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_json(path, max_bytes):
    """Read JSON of limited size, since in memory it is some thirty times as large.

    Args:
      path: pathlib.Path of a file in UTF-8.
      max_bytes: Largest size.

    Returns:
      Its content.

    Raises:
      OSError: if it cannot be read.
      ValueError: if it is larger, or no JSON; the message says which.
    """
    with open(path, "rb") as file:
        is_large = os.fstat(file.fileno()).st_size > max_bytes
        # A file may grow meanwhile, and some say that they are empty.
        content = b"" if is_large else file.read(max_bytes + 1)
    if is_large or len(content) > max_bytes:
        raise ValueError(f"it has more than {max_bytes >> 20} MB")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def short_lines(file, most):
    """Yield the lines of an open file; ValueError at one of more than `most` characters."""
    while line := file.readline(most + 1):
        if len(line) > most:
            raise ValueError(f"a line has more than {most} characters")
        yield line
