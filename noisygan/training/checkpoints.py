"""Checkpoints of a run, with checksums; damaged ones are skipped.

ckpt-<step>.index, ckpt-<step>.data-*   state, as TensorFlow writes it
ckpt-<step>.json                        size and SHA-256 of each of these, written last
"""

import contextlib
import json
import os
import pathlib
import re
import sys

from noisygan.errors import RunError, UsageError, printable
from noisygan.files import atomic_write, read_json, sha256, why_unwritable

N_KEPT = 3
_MAX_SUMS_BYTES = 1 << 20
_NAME = re.compile(r"ckpt-(\d+)\.(index|json)")
_SNAPSHOT = re.compile(r"seconds-(\d+)-step-(\d+)")


class Checkpoints:
    """The newest checkpoints of a run in training.

    Args:
      folder: pathlib.Path; must exist.
      state: dict of variables, for `tf.train.Checkpoint`.
      prefix: Of a checkpoint to restore, or None. Later ones are removed.
    """

    def __init__(self, folder, state, prefix=None):
        import tensorflow as tf

        self.folder = folder
        self.checkpoint = tf.train.Checkpoint(**state)
        self.saved_step = None
        if prefix is not None:
            restore(self.checkpoint, prefix)
            self.saved_step = step_of(prefix)
        for step in steps(folder):
            if self.saved_step is None or step > self.saved_step:
                remove(folder / f"ckpt-{step}")

    def save(self, step):
        """Save the state after a step, unless it is saved; the newest three are kept."""
        if step == self.saved_step:
            return
        write(self.checkpoint, self.folder / f"ckpt-{step}")
        self.saved_step = step
        for other in steps(self.folder)[N_KEPT:]:
            remove(self.folder / f"ckpt-{other}")


def write(checkpoint, prefix):
    """Write a `tf.train.Checkpoint` and its checksums; leaves nothing behind if that fails."""
    remove(prefix)
    _ = checkpoint.save_counter  # `tf.train.Checkpoint.restore` expects it.
    try:
        checkpoint.write(str(prefix))
        write_checksums(prefix)
    except BaseException:
        remove(prefix)
        raise


def write_checksums(prefix):
    """Write the checksums of a checkpoint's files once they are on disk."""
    for path in _files(prefix):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sums = {path.name: _checksum(path) for path in _files(prefix)}
    with atomic_write(_sums(prefix), overwrite=True) as part:
        part.write_text(json.dumps({"files": sums}, indent=2) + "\n")


def steps(folder):
    """Steps of the checkpoints in a folder, damaged or not, newest first."""
    found = (_NAME.fullmatch(path.name) for path in pathlib.Path(folder).glob("ckpt-*"))
    return sorted({int(match[1]) for match in found if match}, reverse=True)


def step_of(prefix):
    """Step of a checkpoint by its prefix; UsageError for a path of another form."""
    match = re.search(r"-(\d+)$", str(prefix))
    if match is None:
        raise UsageError(f"checkpoint: got {prefix}, expected a prefix such as checkpoints/ckpt-9")
    return int(match[1])


def check_prefix(prefix):
    """Raise UsageError unless a prefix is that of a checkpoint or snapshot."""
    name = pathlib.Path(f"{prefix}.index")
    if not name.is_file() or not re.search(r"-\d+$", name.stem):
        raise UsageError(
            f"{prefix} is no checkpoint; expected a prefix such as runs/flute/checkpoints/ckpt-5000"
        )


def newest_good(run_dir):
    """Find the `newest` checkpoint, and report on stderr which ones are passed over."""
    return newest(run_dir, lambda text: print(printable(f"{run_dir}: {text}"), file=sys.stderr))


def newest(run_dir, log=lambda text: None):
    """Find the newest checkpoint of a run whose files match their checksums.

    Args:
      log: Called with a line for each checkpoint that is passed over.

    Returns:
      Its prefix, a str, or None without any checkpoint.

    Raises:
      RunError: if all checkpoints are damaged.
    """
    folder = pathlib.Path(run_dir) / "checkpoints"
    faults = []
    for step in steps(folder):
        prefix = folder / f"ckpt-{step}"
        fault = fault_of(prefix)
        if fault is None:
            for skipped in faults:
                log(f"{skipped}; the checkpoint of step {step} is used instead")
            return str(prefix)
        faults.append(f"the checkpoint of step {step} is skipped: {fault}")
    # A run that was killed while it saved its initial state has lost nothing.
    if faults and steps(folder) != [0]:
        raise RunError(
            f"{folder}: all checkpoints are damaged ({'; '.join(faults)}); restore one from a "
            "backup, or start another run"
        )
    return None


def check_saved(run_dir):
    """Raise UsageError for a run without any checkpoint, damaged or not."""
    if not steps(pathlib.Path(run_dir) / "checkpoints"):
        raise UsageError(
            f"{run_dir} holds no checkpoint yet; expected one to be saved: resume its training"
        )


def fault_of(prefix):
    """Find out why a checkpoint is damaged; None if it is good."""
    prefix = pathlib.Path(prefix)
    sums = _sums(prefix)
    if not sums.exists():
        return f"{sums.name} is missing, as when saving was interrupted"
    try:
        files = dict(read_json(sums, _MAX_SUMS_BYTES)["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{sums.name} can't be read"
    found = {path.name: path for path in _files(prefix) if path.is_file()}
    for name in sorted({f"{prefix.name}.index", *files, *found}):
        if name not in found:
            return f"{name} is missing"
        try:
            if _checksum(found[name]) != files.get(name):
                return f"{name} is damaged, its checksum differs"
        except OSError as error:
            return f"{name} can't be read ({error.strerror})"
    return None


def restore(checkpoint, prefix, partial=False):
    """Restore every variable of a `tf.train.Checkpoint`; `partial`: the files may hold more.

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
            "undo changes of the run's config.gin, or use the noisygan version in its run.json"
        ) from error


def write_snapshot(run_dir, g_ema, seconds):
    """Write the averaged weights after so many seconds; g_ema: `noisygan.training.step.EMA`."""
    import tensorflow as tf

    folder = pathlib.Path(run_dir) / "snapshots"
    folder.mkdir(exist_ok=True)
    state = tf.train.Checkpoint(ema=g_ema.averages, step=g_ema.step)
    write(state, folder / f"seconds-{round(seconds):06d}-step-{int(g_ema.step.numpy())}")


def snapshots(run_dir):
    """Prefixes of a run's snapshots by their seconds of training, in order: dict."""
    paths = (pathlib.Path(run_dir) / "snapshots").glob("seconds-*-step-*.index")
    matches = {path.with_suffix(""): _SNAPSHOT.fullmatch(path.stem) for path in paths}
    found = sorted((int(m[1]), int(m[2]), str(path)) for path, m in matches.items() if m)
    return {seconds: path for seconds, _, path in found}


def delete_after(run_dir, step):
    """Remove best weights and snapshots of later steps than that of a resumed checkpoint."""
    run_dir = pathlib.Path(run_dir)
    saved = [*run_dir.glob("best/checkpoints/ckpt-*.*"), *run_dir.glob("snapshots/seconds-*-*.*")]
    for prefix in {path.with_suffix("") for path in saved}:
        if re.search(r"-\d+$", prefix.name) and step_of(prefix) > step:
            remove(prefix)


@contextlib.contextmanager
def report_unwritable(run_dir):
    """Turn errors of a run folder that can't be written any more into a one-line RunError."""
    try:
        yield
    except Exception as error:
        reason = _why_unwritable(error)
        if reason is None:
            raise
        kept = newest(run_dir)
        saved = "nothing was saved yet" if kept is None else f"step {step_of(kept)} is saved"
        raise RunError(
            f"{run_dir} can't be written: {reason}; {saved}. Resume the run once it can."
        ) from error


def _why_unwritable(error):
    """The system's reason why a file could not be written, or None for any other error."""
    import tensorflow as tf

    if isinstance(error, RunError):
        cause = error.__cause__
        return cause.strerror or str(cause) if isinstance(cause, OSError) else None
    if not isinstance(error, (OSError, tf.errors.OpError)):
        return None
    return why_unwritable(error)


def remove(prefix):
    """Remove a checkpoint, and the temporary files of an unfinished one."""
    unfinished = prefix.with_name(f"{prefix.name}_temp")
    if unfinished.is_symlink():
        unfinished.unlink()
    for path in [*_files(prefix), *unfinished.glob("*"), _sums(prefix)]:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        unfinished.rmdir()


def _sums(prefix):
    return prefix.with_name(f"{prefix.name}.json")


def _files(prefix):
    names = (f"{prefix.name}.index", f"{prefix.name}.data-*")
    return [path for name in names for path in prefix.parent.glob(name)]


def _checksum(path):
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}
