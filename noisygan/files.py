"""Files and folders, written whole or not at all."""

import contextlib
import os
import pathlib

from noisygan.errors import RunError, UsageError


@contextlib.contextmanager
def written_whole(path, overwrite=False):
    """Gives a temporary path in the same folder, which becomes `path` when the block succeeds.

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


def _move_to_free_name(part, path):
    """Moves a file; FileExistsError where the name is taken, even since the last look."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        os.rename(part, path)


def make_folder(path):
    """Makes a folder and its parents where they are missing.

    Args:
      path: pathlib.Path.

    Raises:
      RunError: if it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"folder {path} cannot be made: {error.strerror}") from error
