"""One run at a time in a folder."""

import contextlib
import fcntl
import os

from noisygan.errors import RunError, UsageError


@contextlib.contextmanager
def held(folder):
    """Holds a folder for this process; the system lets go of it however the process ends.

    Args:
      folder: pathlib.Path of an existing folder.

    Raises:
      UsageError: if another process holds it.
      RunError: if the folder cannot be written.
    """
    try:
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
            raise UsageError(
                f"{folder} is being written by another run (process {owner}); wait for it, or "
                "choose another --out"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
