"""Checkpoints: verified by checksums, the newest good one found, good at every moment of saving."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from noisygan.audio_io.audio_files import write_wav
from noisygan.errors import RunError
from noisygan.progress import Silent
from noisygan.training import checkpoints, run_files
from noisygan.training.checkpoints import Checkpoints, newest
from noisygan.training.signals import StopSignals
from tests import toys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 3


def state(n=0.0):
    """Weights that tell by their value when they were saved."""
    return {"weights": tf.Variable(tf.fill([500], n)), "step": tf.Variable(int(n))}


def saved(run_dir, *at):
    """Checkpoints of some steps, whose weights have the step's number as value."""
    (run_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    kept = state()
    manager = Checkpoints(run_dir / "checkpoints", kept)
    for step in at:
        kept["weights"].assign(tf.fill([500], float(step)))
        manager.save(step)
    return manager


def value(prefix):
    found = state()
    checkpoints.restore(tf.train.Checkpoint(**found), prefix)
    (only,) = set(found["weights"].numpy())
    return only


def steps(run_dir):
    return checkpoints.steps(run_dir / "checkpoints")


def flip(path, at=0.5):
    """Inverts one bit of a file, somewhere within it."""
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 4
    path.write_bytes(data)


def test_the_newest_three_are_kept_and_the_newest_is_found(tmp_path):
    saved(tmp_path, 0, 2, 4, 6, 11)
    assert steps(tmp_path) == [11, 6, 4]
    said = []
    assert value(newest(tmp_path, said.append)) == 11.0
    assert said == []
    names = {path.name.split(".")[0] for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {"ckpt-4", "ckpt-6", "ckpt-11"}
    assert newest(tmp_path / "nothing") is None


DAMAGES = {
    "data-00000-of-00001 cut short": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "data-00000-of-00001 flipped": flip,
    "data-00000-of-00001 gone": pathlib.Path.unlink,
    "index empty": lambda path: path.write_bytes(b""),
    "json cut short": lambda path: path.write_text(path.read_text()[:40]),
    "json of something else": lambda path: path.write_text("[1, 2]"),
    "json gone": pathlib.Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_passed_over_and_said(tmp_path, damage):
    saved(tmp_path, 2, 4, 6)
    DAMAGES[damage](tmp_path / "checkpoints" / f"ckpt-6.{damage.split()[0]}")
    said = []
    assert value(newest(tmp_path, said.append)) == 4.0
    (line,) = said
    assert line.startswith("the checkpoint of step 6 is skipped: ")
    assert line.endswith("; the checkpoint of step 4 is used instead")


def test_a_run_whose_checkpoints_are_all_damaged_is_not_begun_again(tmp_path):
    saved(tmp_path / "first", 0)
    flip(tmp_path / "first" / "checkpoints" / "ckpt-0.index")
    assert newest(tmp_path / "first") is None
    saved(tmp_path / "later", 0, 250)
    for path in (tmp_path / "later" / "checkpoints").glob("*.index"):
        flip(path)
    with pytest.raises(RunError, match="all checkpoints are damaged .*step 250.*step 0"):
        newest(tmp_path / "later")


def test_later_checkpoints_than_the_restored_one_are_removed(tmp_path):
    saved(tmp_path, 2, 4, 6)
    folder = tmp_path / "checkpoints"
    flip(folder / "ckpt-6.index")
    manager = Checkpoints(folder, state(), newest(tmp_path))
    before = (folder / "ckpt-4.index").stat().st_mtime_ns
    manager.save(4)  # It is saved already.
    assert (folder / "ckpt-4.index").stat().st_mtime_ns == before
    manager.save(5)
    assert steps(tmp_path) == [5, 4, 2]
    manager.save(7)
    assert steps(tmp_path) == [7, 5, 4]


def test_a_checkpoint_of_another_config_is_refused(tmp_path):
    def checkpoint(*sizes):
        return tf.train.Checkpoint(weights=[tf.Variable(tf.ones(n)) for n in sizes])

    path = checkpoint(3, 4).save(str(tmp_path / "state"))
    checkpoints.restore(checkpoint(3, 4), path)
    for other in (checkpoint(3, 5), checkpoint(3, 4, 5), checkpoint(3)):
        with pytest.raises(RunError, match="does not fit the config"):
            checkpoints.restore(other, path)
    partial = tf.train.Checkpoint(weights=[tf.Variable(tf.zeros(3))])
    checkpoints.restore(partial, path, partial=True)
    np.testing.assert_array_equal(partial.weights[0], np.ones(3))


def test_at_every_moment_of_saving_there_is_a_good_one(tmp_path, monkeypatch):
    """Copies of the folder before each of its changes: what a kill would leave there."""
    manager = saved(tmp_path / "kept", 2, 4, 6)
    copies = []

    def copying(function):
        def call(*args, **kwargs):
            copies.append(tmp_path / f"copy-{len(copies)}")
            shutil.copytree(tmp_path / "kept", copies[-1])
            return function(*args, **kwargs)

        return call

    for owner, name in (
        (pathlib.Path, "unlink"),
        (pathlib.Path, "write_text"),
        (os, "replace"),
        (checkpoints, "_checksum"),
        (manager.checkpoint, "write"),
    ):
        monkeypatch.setattr(owner, name, copying(getattr(owner, name)))
    manager.checkpoint.weights.assign(tf.fill([500], 8.0))
    manager.save(8)
    monkeypatch.undo()
    assert len(copies) > 6
    values = [value(newest(copy)) for copy in copies]
    assert values == sorted(values)
    assert set(values) == {6.0, 8.0}


@contextlib.contextmanager
def limited(n_bytes):
    """No file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_that_cannot_be_written_leaves_the_others_alone(tmp_path):
    manager = saved(tmp_path, 2, 4)
    with (
        limited(500),
        pytest.raises(RunError, match="File too large; step 4 is saved"),
        checkpoints.report_unwritable(tmp_path),
    ):
        manager.save(6)
    assert steps(tmp_path) == [4, 2]
    manager.save(6)
    assert steps(tmp_path) == [6, 4, 2]


def test_only_an_unwritable_folder_is_reported_as_one(tmp_path):
    saved(tmp_path, 2)
    with (
        limited(500),
        pytest.raises(RunError, match="step 2 is saved"),
        checkpoints.report_unwritable(tmp_path),
    ):
        write_wav(tmp_path / "sound.wav", np.zeros(4000, np.float32), 16000)
    for error in (RunError("note.wav cannot be read: Input/output error"), ValueError("no space")):
        with pytest.raises(type(error)), checkpoints.report_unwritable(tmp_path):
            raise error


# A whole run, all but the arithmetic.


def at(step, action):
    """A callback that does something after a step."""
    return lambda reached, metrics, trainer: action() if reached == step else None


def fit(run_dir, steps, *callbacks, resume=False, progress=None, every=2):
    options = {"callbacks": callbacks, "progress": progress, "checkpoint_every": every}
    trainer = toys.quick_trainer()
    trainer.fit(toys.notes(), run_dir, steps, None, SEED, resume, log_every=1, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Losses of a run that nothing interrupts."""
    run = tmp_path_factory.mktemp("whole") / "run"
    fit(run, 20)
    return numbers(run)


def numbers(run_dir):
    return [(record["step"], record["g_loss"]) for record in run_files.read_metrics(run_dir)]


def saved_step(run_dir):
    return checkpoints.step_of(newest(run_dir))


def test_a_run_continues_from_the_newest_good_checkpoint_to_the_same_losses(whole, tmp_path):
    run, said, progress = tmp_path / "run", [], Silent()
    fit(run, 9)
    flip(run / "checkpoints" / "ckpt-9.data-00000-of-00001")
    (run / "checkpoints" / "ckpt-8.index").write_bytes(b"cut short")
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 10, "g_lo\xff')
    progress.message = said.append
    fit(run, 12, progress=progress, resume=True)
    assert numbers(run) == whole[:12]
    assert "resumed at step 6" in (run / "log.txt").read_text()
    for step in (9, 8):
        assert any(f"the checkpoint of step {step} is skipped" in text for text in said)


def test_a_full_disk_stops_a_run_in_one_line_and_it_can_continue(whole, tmp_path):
    run = tmp_path / "run"
    with (
        contextlib.ExitStack() as stack,
        pytest.raises(RunError, match="File too large; step 2 is saved"),
    ):
        fit(run, 8, at(3, lambda: stack.enter_context(limited(4000))))
    assert saved_step(run) == 2
    fit(run, 8, resume=True)
    assert numbers(run) == whole[:8]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_of_schedulers_save_first(tmp_path, name):
    number = getattr(signal, name)

    def twice():
        for _ in range(2):
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match="stopped and saved"):
        fit(tmp_path / "run", 9, at(3, twice))
    assert signal.getsignal(number) is before
    assert saved_step(tmp_path / "run") == 3
    assert f"stopped at step 3 by {name}" in (tmp_path / "run" / "log.txt").read_text()


def test_a_second_ctrl_c_stops_without_saving_half_a_step(tmp_path):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", 9, at(3, twice))
    assert saved_step(tmp_path / "run") == 2


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = StopSignals()
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.received is None
        stop.close()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


KILLED = """
import os, random, signal, sys, threading
sys.path.insert(0, {root!r})
from tests.training.test_training_checkpoints import at, fit

kill = threading.Timer(0.3 * random.random(), os.kill, (os.getpid(), signal.SIGKILL))
kill.daemon = True
fit({path!r}, 100000, at({step}, kill.start), resume={resume}, every=1)
"""


@pytest.mark.slow
def test_a_run_killed_at_random_moments_of_saving_gives_the_same(whole, tmp_path):
    run, reached = tmp_path / "run", 0
    for resume in (False, True):
        # Nearly all of the time goes into saving, after each step.
        step = reached + 3
        program = KILLED.format(root=str(ROOT), step=step, path=str(run), resume=resume)
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
        reached = saved_step(run)
        assert reached >= step - 1
        flip(run / "checkpoints" / f"ckpt-{reached}.data-00000-of-00001")
    fit(run, max(reached, 20), resume=True)
    assert numbers(run)[:20] == whole
