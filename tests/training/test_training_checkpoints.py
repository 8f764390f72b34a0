"""Checkpoints: verified by checksums, the newest good one found, good at every moment of saving."""

import json
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
from noisygan.training import checkpoints
from noisygan.training.checkpoints import Checkpoints, newest
from noisygan.training.runs import RunFolder
from noisygan.training.signals import StopSignals
from noisygan.training.trainer import Silent
from tests import toys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 3


def state(n=0.0):
    """Weights that tell by their value when they were saved."""
    return {"weights": tf.Variable(tf.fill([500], n)), "step": tf.Variable(int(n))}


def saved(folder, *at):
    """Checkpoints of some steps, whose weights have the step's number as value."""
    folder.mkdir(exist_ok=True)
    kept = state()
    manager = Checkpoints(folder, kept)
    for step in at:
        kept["weights"].assign(tf.fill([500], float(step)))
        manager.save(step)
    return manager


def value(prefix):
    found = state()
    checkpoints.restore(tf.train.Checkpoint(**found), prefix)
    (only,) = set(found["weights"].numpy())
    return only


def flip(path, at=0.5):
    """Turns over one bit of a file, somewhere within it."""
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 4
    path.write_bytes(data)


def test_the_newest_three_are_kept_and_the_newest_is_found(tmp_path):
    (tmp_path / "checkpoint").write_text("what an older version listed")
    saved(tmp_path, 0, 2, 4, 6, 11)
    assert checkpoints.steps(tmp_path) == [11, 6, 4]
    said = []
    assert value(newest(tmp_path, said.append)) == 11.0
    assert said == []
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {
        "ckpt-4",
        "ckpt-6",
        "ckpt-11",
    }
    assert newest(tmp_path / "nothing") is None


DAMAGES = {
    "data-00000-of-00001 cut short": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "data-00000-of-00001 flipped": flip,
    "data-00000-of-00001 gone": pathlib.Path.unlink,
    "index flipped": flip,
    "index empty": lambda path: path.write_bytes(b""),
    "index gone": pathlib.Path.unlink,
    "json cut short": lambda path: path.write_text(path.read_text()[:40]),
    "json of something else": lambda path: path.write_text("[1, 2]"),
    "json of a newer version": lambda path: path.write_text('{"format": 99, "files": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_passed_over_and_said(tmp_path, damage):
    saved(tmp_path, 2, 4, 6)
    DAMAGES[damage](tmp_path / f"ckpt-6.{damage.split()[0]}")
    said = []
    assert value(newest(tmp_path, said.append)) == 4.0
    assert len(said) == 1
    assert "the checkpoint of step 6 is skipped: " in said[0]
    assert said[0].endswith("; the checkpoint of step 4 is used instead")
    lost = damage in ("data-00000-of-00001 cut short", "index empty")
    assert ("bytes and was saved with" in said[0]) is lost


def test_without_checksums_tensorflows_own_decide(tmp_path):
    saved(tmp_path, 2, 4)
    for path in tmp_path.glob("*.json"):
        path.unlink()
    said = []
    assert value(newest(tmp_path, said.append)) == 4.0
    assert ["has no checksums of ours" in text for text in said] == [True]
    # A value that is stored, not the padding between.
    data = tmp_path / "ckpt-4.data-00000-of-00001"
    at = data.read_bytes().index(np.full(500, 4.0, np.float32).tobytes()) + 1000
    flip(data, at / data.stat().st_size)
    assert value(newest(tmp_path)) == 2.0


def test_a_run_whose_checkpoints_are_all_damaged_is_not_begun_again(tmp_path):
    saved(tmp_path / "first", 0)
    flip(tmp_path / "first" / "ckpt-0.index")
    assert newest(tmp_path / "first") is None
    saved(tmp_path / "later", 0, 250)
    for path in (tmp_path / "later").glob("*.index"):
        flip(path)
    with pytest.raises(RunError, match="none of its checkpoints is whole .*step 250.*step 0"):
        newest(tmp_path / "later")


def test_what_lies_behind_a_step_gone_back_to_is_removed(tmp_path):
    saved(tmp_path, 2, 4, 6)
    flip(tmp_path / "ckpt-6.index")
    manager = Checkpoints(tmp_path, state(4.0))
    manager.restore(newest(tmp_path))
    before = (tmp_path / "ckpt-4.index").stat().st_mtime_ns
    manager.save(4)  # It is saved already.
    assert (tmp_path / "ckpt-4.index").stat().st_mtime_ns == before
    manager.save(5)
    assert checkpoints.steps(tmp_path) == [5, 4, 2]


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
        (manager.state, "write"),
    ):
        monkeypatch.setattr(owner, name, copying(getattr(owner, name)))
    manager.state.weights.assign(tf.fill([500], 8.0))
    manager.save(8)
    monkeypatch.undo()
    assert len(copies) > 8
    values = [value(newest(copy)) for copy in copies]
    assert values == sorted(values)
    assert set(values) == {6.0, 8.0}


def limited(n_bytes):
    """No file of this process may grow beyond so many bytes; returns what undoes it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_that_cannot_be_written_leaves_the_others_alone(tmp_path):
    manager = saved(tmp_path / "checkpoints", 2, 4)
    undo = limited(500)
    try:
        with (
            pytest.raises(RunError) as stopped,
            checkpoints.told_where_unwritable(tmp_path / "checkpoints"),
        ):
            manager.save(6)
    finally:
        undo()
    assert str(stopped.value) == (
        f"{tmp_path} can't be written: File too large; step 4 is saved. Once it can be, go on with "
        "--resume."
    )
    assert checkpoints.steps(tmp_path / "checkpoints") == [4, 2]
    assert {p.name.split(".")[0] for p in (tmp_path / "checkpoints").iterdir()} == {
        "ckpt-2",
        "ckpt-4",
    }
    manager.save(6)
    assert checkpoints.steps(tmp_path / "checkpoints") == [6, 4, 2]


def test_a_sound_that_cannot_be_written_is_the_folders_fault(tmp_path):
    saved(tmp_path / "checkpoints", 2)
    undo = limited(500)
    try:
        with (
            pytest.raises(RunError, match=r"can't be written: .*; step 2 is saved"),
            checkpoints.told_where_unwritable(tmp_path / "checkpoints"),
        ):
            write_wav(tmp_path / "sound.wav", np.zeros(4000, np.float32), 16000)
    finally:
        undo()


def test_other_failures_are_not_taken_for_an_unwritable_folder(tmp_path):
    for error in (RunError("note.wav cannot be read: Input/output error"), ValueError("no space")):
        with pytest.raises(type(error)), checkpoints.told_where_unwritable(tmp_path):
            raise error


# A whole run, all but the arithmetic.


class At(Silent):
    """Progress that does something when a step is reached."""

    def __init__(self, step, action):
        self.step = step
        self.action = action

    def update(self, step, *args):
        if step == self.step:
            self.action()


def quick():
    """A trainer whose steps depend on all weights and recordings so far, and take no time."""
    trainer = toys.trainer()

    def train_step(batches, step):
        weight = trainer.generator.trainable_variables[0]
        weight.assign(0.9 * weight + tf.reduce_mean(next(batches)["audio"]) * 1e3)
        trainer.g_ema.averages[0].assign(weight)
        trainer.step.assign_add(1)
        one = tf.constant(1.0)
        return {"d_finite": one, "g_finite": one, "g_loss": tf.reduce_sum(weight.value)}

    trainer.train_step = train_step
    return trainer


def new_run(path):
    return RunFolder.create(path, "", [], toys.notes(), SEED)


def fit(run, steps, progress=None, resume=False, intervals=(1, 2)):
    trainer = quick()
    trainer.fit(toys.notes(), run, steps, None, SEED, resume, progress, intervals=intervals)
    return trainer


def numbers(run):
    return [(record["step"], record["g_loss"]) for record in run.read_metrics()]


def test_a_run_goes_on_from_the_newest_good_checkpoint_to_the_same_losses(tmp_path):
    whole = new_run(tmp_path / "whole")
    fit(whole, 12)
    run = new_run(tmp_path / "run")
    fit(run, 9)
    flip(run.checkpoints / "ckpt-9.data-00000-of-00001")
    (run.checkpoints / "ckpt-8.index").write_bytes(b"cut short")
    with run.metrics_file.open("ab") as file:
        file.write(b'{"step": 10, "g_lo\xff')
    heard = []
    progress = Silent()
    progress.message = heard.append
    fit(run, 12, progress, resume=True)
    assert numbers(run) == numbers(whole)
    assert len(numbers(run)) == 12
    log = run.log_file.read_text()
    assert "resumed at step 6" in log
    for step in (9, 8):
        assert any(f"the checkpoint of step {step} is skipped" in text for text in heard)
        assert f"the checkpoint of step {step} is skipped" in log


def test_a_full_disk_stops_a_run_in_one_line_and_it_can_go_on(tmp_path):
    whole = new_run(tmp_path / "whole")
    fit(whole, 8)
    run = new_run(tmp_path / "run")
    undo = []
    try:
        with pytest.raises(RunError, match=r"can't be written: File too large; step 2 is saved"):
            fit(run, 8, At(3, lambda: undo.append(limited(4000))))
    finally:
        undo[0]()
    assert newest(run.checkpoints).endswith("-2")
    fit(run, 8, resume=True)
    assert numbers(run) == numbers(whole)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP"])
def test_signals_of_schedulers_save_first(tmp_path, name):
    run = new_run(tmp_path / "run")
    number = getattr(signal, name)

    def twice():
        for _ in range(2):
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match="stopped and saved"):
        fit(run, 9, At(3, twice))
    assert signal.getsignal(number) is before
    assert newest(run.checkpoints).endswith("-3")
    assert f"stopped at step 3 by {name}" in run.log_file.read_text()


def test_a_second_ctrl_c_stops_without_saving_half_a_step(tmp_path):
    run = new_run(tmp_path / "run")

    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(run, 9, At(3, twice))
    assert newest(run.checkpoints).endswith("-2")


def test_what_a_process_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = StopSignals()
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.asked is None
        stop.close()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


KILLED = """
import os, random, signal, sys, threading
sys.path.insert(0, {root!r})
from tests.training.test_training_checkpoints import At, fit
from noisygan.training.runs import RunFolder

kill = threading.Timer(0.3 * random.random(), os.kill, (os.getpid(), signal.SIGKILL))
kill.daemon = True
run = RunFolder.open({path!r})
fit(run, 100000, At({at}, kill.start), resume={resume}, intervals=(1, 1))
"""


@pytest.mark.slow
def test_a_run_killed_at_random_moments_of_saving_gives_the_same(tmp_path):
    run = new_run(tmp_path / "run")
    reached = 0
    for resume in (False, True, True):
        # Nearly all of the time goes into saving, after each step.
        at = reached + 3
        program = KILLED.format(root=str(ROOT), at=at, path=str(run.path), resume=resume)
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
        reached = checkpoints.step_of(newest(run.checkpoints))
        assert reached >= at - 1
        flip(run.checkpoints / f"ckpt-{reached}.data-00000-of-00001")
    fit(run, reached + 5, resume=True)
    whole = new_run(tmp_path / "whole")
    fit(whole, reached + 5)
    assert numbers(run) == numbers(whole)


def test_checksums_are_of_the_files(tmp_path):
    saved(tmp_path, 2)
    record = json.loads((tmp_path / "ckpt-2.json").read_text())
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("ckpt-2.[id]*")}
    assert {name: entry["bytes"] for name, entry in record["files"].items()} == sizes
    assert len(sizes) == 2
