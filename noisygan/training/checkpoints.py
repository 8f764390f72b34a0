"""A run's checkpoints: saved with checksums, verified before use, the newest good one found.

ckpt-<step>.index, ckpt-<step>.data-*   the state, as TensorFlow writes it
ckpt-<step>.json                        size and SHA-256 of each of these, written last
"""

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import re

from noisygan.errors import RunError
from noisygan.files import atomic_write, feed, read_json

# Of ckpt-<step>.json.
FORMAT = 1
_MAX_SUMS_BYTES = 1 << 20

# So many of the newest are kept.
N_KEPT = 3

_NAME = re.compile(r"ckpt-(\d+)\.(index|json)")

# What keeps a folder from being written to: full, over its quota, read-only, a file too large.
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO)


class Checkpoints:
    """The checkpoints of a run that is being trained.

    Args:
      folder: pathlib.Path; must be there.
      state: dict of what `tf.train.Checkpoint` keeps, all variables made.
    """

    def __init__(self, folder, state):
        import tensorflow as tf

        self.folder = folder
        self.state = tf.train.Checkpoint(**state)
        self._saved = None

    def restore(self, prefix):
        """Takes up the state that a prefix names; see `restore`."""
        restore(self.state, prefix)
        self._saved = step_of(prefix)

    def save(self, step):
        """Saves the state after so many steps, then removes what is older than the newest three.

        Later ones than this are removed, too: the run went back behind them. A state that is
        saved already is not written a second time.

        Raises:
          OSError, tf.errors.OpError: if it can't be written; what was there before is left alone.
        """
        if step == self._saved:
            return
        write(self.state, self.folder / f"ckpt-{step}")
        self._saved = step
        before = [s for s in steps(self.folder) if s <= step]
        for other in set(steps(self.folder)) - set(before[:N_KEPT]):
            remove(self.folder / f"ckpt-{other}")
        # What older versions listed their checkpoints in, and what a killed process leaves.
        for path in [self.folder / "checkpoint", *self.folder.glob(".ckpt-*.part.json")]:
            path.unlink(missing_ok=True)


def write(checkpoint, prefix):
    """Writes a `tf.train.Checkpoint`, and its checksums once it is on disk.

    Args:
      checkpoint: With all variables made.
      prefix: pathlib.Path of its files, without ending.

    Raises:
      OSError, tf.errors.OpError: if it can't be written; nothing of it is left behind then.
    """
    remove(prefix)
    # As CheckpointManager does, by which older versions saved: else neither could read the other.
    _ = checkpoint.save_counter
    try:
        checkpoint.write(str(prefix))
        files = {path.name: _checksum(path, sync=True) for path in _files(prefix)}
        with atomic_write(_sums(prefix), overwrite=True) as part:
            part.write_text(json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n")
    except BaseException:
        remove(prefix)
        raise


def steps(folder):
    """Steps of which a folder holds checkpoints, whole or not, the newest first."""
    found = (_NAME.fullmatch(path.name) for path in pathlib.Path(folder).glob("ckpt-*"))
    return sorted({int(match[1]) for match in found if match}, reverse=True)


def drop_after(folder, step):
    """Removes a folder's checkpoints of later steps."""
    for other in steps(folder):
        if other > step:
            remove(pathlib.Path(folder) / f"ckpt-{other}")


def step_of(prefix):
    """The step after which a checkpoint was saved."""
    return int(str(prefix).rsplit("-", 1)[1])


def newest(folder, say=lambda text: None):
    """Prefix of the newest checkpoint whose files are whole.

    Args:
      folder: Of the checkpoints.
      say: Called with a line of text for each that is passed over, or has no checksums.

    Returns:
      str, or None where nothing was saved yet.

    Raises:
      RunError: if there are checkpoints, and none of them is whole.
    """
    faults = []
    for step in steps(folder):
        prefix = pathlib.Path(folder) / f"ckpt-{step}"
        fault = fault_of(prefix)
        if fault is None:
            for skipped in faults:
                say(f"{skipped}; the checkpoint of step {step} is used instead")
            if not _sums(prefix).exists():
                say(
                    f"the checkpoint of step {step} has no checksums of ours (an older version "
                    "saved it, or saving was cut off); by TensorFlow's own it is whole"
                )
            return str(prefix)
        faults.append(f"the checkpoint of step {step} is skipped: {fault}")
    # A run that was killed while it saved its beginning has lost nothing.
    if faults and steps(folder) != [0]:
        raise RunError(
            f"{folder}: none of its checkpoints is whole ({'; '.join(faults)}); bring one back "
            "from a copy, or begin another run."
        )
    return None


def fault_of(prefix):
    """What is wrong with a checkpoint's files.

    Args:
      prefix: pathlib.Path of the files, without ending.

    Returns:
      str, or None: every byte is as it was saved. Where there are no checksums of ours, every
      value is read, which TensorFlow compares with its own.
    """
    if not _sums(prefix).exists():
        odd = [path.name for path in _files(prefix) if not path.is_file()]
        return f"{odd[0]} is no plain file" if odd else _fault_of_values(prefix)
    try:
        record = read_json(_sums(prefix), _MAX_SUMS_BYTES)
        if record["format"] > FORMAT:
            return f"a newer version of noisygan saved it (format {record['format']})"
        files = {name: (entry["bytes"], entry["sha256"]) for name, entry in record["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{_sums(prefix).name} holds no checksums that can be read ({_kind(error)})"
    there = {path.name: path for path in _files(prefix)}
    for name in sorted({f"{prefix.name}.index", *files, *there}):
        if name not in there:
            return f"{name} is missing"
        if name not in files:
            return f"{name} does not belong to it"
        if not there[name].is_file():
            return f"{name} is no plain file"
        size = there[name].stat().st_size
        if size != files[name][0]:
            return f"{name} has {size} bytes and was saved with {files[name][0]}"
        try:
            if _checksum(there[name])["sha256"] != files[name][1]:
                return f"{name} is damaged, its checksum differs"
        except OSError as error:
            return f"{name} can't be read ({error.strerror})"
    return None


def restore(checkpoint, prefix, partial=False):
    """Restores a `tf.train.Checkpoint`, every variable of it.

    Args:
      checkpoint: With all variables made.
      prefix: Of the files.
      partial: Whether the files may hold more than the checkpoint asks for.

    Raises:
      RunError: if they don't fit each other, or the files are damaged.
    """
    import tensorflow as tf

    try:
        status = checkpoint.restore(str(prefix))
        status.assert_existing_objects_matched()
        if partial:
            status.expect_partial()
        else:
            status.assert_consumed()
    except (AssertionError, IndexError, ValueError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise RunError(
            f"The checkpoint {prefix} does not fit the config beside it, or is damaged ({reason}); "
            "take back changes of the run's config.gin, or use the version of noisygan that its "
            "run.json names."
        ) from error


@contextlib.contextmanager
def told_where_unwritable(folder):
    """Turns whatever comes of a run folder that can't be written any more into one line.

    Args:
      folder: Of the checkpoints.

    Raises:
      RunError: says why, and which checkpoint is there to go on from.
    """
    try:
        yield
    except Exception as error:
        reason = _why_unwritable(error)
        if reason is None:
            raise
        kept = newest(folder)
        step = "nothing was saved yet" if kept is None else f"step {step_of(kept)} is saved"
        raise RunError(
            f"{folder.parent} can't be written: {reason}; {step}. Once it can be, go on with "
            "--resume."
        ) from error


def _why_unwritable(error):
    """The system's reason why a file could not be written, or None for any other error."""
    import tensorflow as tf

    cause = error.__cause__ if isinstance(error, RunError) else error
    if cause is not error and isinstance(cause, OSError):  # As `atomic_write` tells it.
        return cause.strerror or str(cause).strip(" .")
    if not isinstance(cause, (OSError, tf.errors.OpError)):
        return None
    # TensorFlow tells the system's reason as text alone.
    reasons = [os.strerror(number) for number in _UNWRITABLE]
    return next((reason for reason in reasons if reason in str(cause)), None)


def _sums(prefix):
    return prefix.with_name(f"{prefix.name}.json")


def _files(prefix):
    """Those of a checkpoint that TensorFlow wrote."""
    return [
        *prefix.parent.glob(f"{prefix.name}.index"),
        *prefix.parent.glob(f"{prefix.name}.data-*"),
    ]


def _checksum(path, sync=False):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if sync:
            os.fsync(file.fileno())
        feed(digest, file)
        return {"bytes": file.tell(), "sha256": digest.hexdigest()}


def remove(prefix):
    """Removes a checkpoint, and what TensorFlow has begun to write of it."""
    begun = prefix.with_name(f"{prefix.name}_temp")
    if begun.is_symlink():
        begun.unlink()
    for path in [*_files(prefix), *begun.glob("*"), _sums(prefix)]:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        begun.rmdir()


def _kind(error):
    return error.strerror if isinstance(error, OSError) else "damaged"


def _fault_of_values(prefix):
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except Exception as error:
        return f"it can't be read ({' '.join(str(error).split())[:120]})"
    return None
