"""One program at a time writes into a folder."""

import contextlib
import os

from noisygan.errors import RunError, UsageError

try:
    import fcntl
except ImportError:  # Windows: nothing keeps two apart there.
    fcntl = None


@contextlib.contextmanager
def held(folder, instead):
    """Holds a folder for this process; the system lets go of it however the process ends.

    Args:
      folder: pathlib.Path of an existing folder.
      instead: What else whoever comes second can do, such as "choose another --out".

    Raises:
      UsageError: if another process holds it.
      RunError: if the folder cannot be written.
    """
    path = folder / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        _take(descriptor, folder, instead)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor, folder, instead):
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 20).decode(errors="replace") or "unknown"
        raise UsageError(
            f"{folder} is being written by another run (process {owner}); wait for it, or {instead}"
        ) from None
    except OSError:  # A file system without locks, of some networks.
        return
