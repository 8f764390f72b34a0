"""Stopping and going on: a run that was killed ends as if it had not been."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from noisygan import config
from noisygan.data import dataset as recordings
from noisygan.demo import notes_folder
from noisygan.errors import RunError, UsageError
from noisygan.losses import Drift, Relativistic
from noisygan.training import checkpoints, guards
from noisygan.training.guards import MAX_NOT_FINITE
from noisygan.training.runs import RunFolder, load_generator
from noisygan.training.trainer import Silent
from tests import toys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 11
STEPS = 6
INTERVALS = (1, 2)  # metrics at each step, a checkpoint at each second one


class Interrupted(Silent):
    """Progress that does something when a step is reached."""

    def __init__(self, at, action):
        self.at = at
        self.action = action

    def update(self, step, *args):
        if step == self.at:
            self.action()


def new_run(path):
    return RunFolder.create(path, "", [], toys.notes(), SEED)


def small():
    # Drift applies in steps 1 and 4; what is logged in between is its newest value.
    return toys.trainer([Drift(interval=3)])


def fit(run, steps=STEPS, progress=None, resume=False, trainer=None):
    """Trains a fresh small system into a run folder, and returns its trainer."""
    trainer = trainer or small()
    taken = trainer.fit(
        toys.notes(),
        run,
        steps=steps,
        seed=SEED,
        resume=resume,
        progress=progress,
        intervals=INTERVALS,
    )
    assert taken == steps
    return trainer


def numbers(run):
    """The metrics without what a clock says."""
    records = run.read_metrics()
    for record in records:
        record.pop("seconds")
    return records


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    run = new_run(tmp_path_factory.mktemp("runs") / "whole")
    trainer = fit(run)
    return run, trainer


def assert_same_end(run, trainer, uninterrupted):
    whole_run, whole_trainer = uninterrupted
    assert numbers(run) == numbers(whole_run)
    assert [r["step"] for r in numbers(run)] == list(range(1, STEPS + 1))
    for one, other in zip(_state(trainer), _state(whole_trainer), strict=True):
        np.testing.assert_array_equal(one, other)
    for path in whole_run.samples.iterdir():
        assert (run.samples / path.name).read_bytes() == path.read_bytes(), path.name


def _state(trainer):
    lists = trainer.checkpointed.values()
    return [v.numpy() for x in lists for v in (x if isinstance(x, list) else [x])]


def test_a_run_leaves_its_numbers_sounds_and_checkpoints(uninterrupted):
    run, trainer = uninterrupted
    records = run.read_metrics()
    assert all(np.isfinite(list(record.values())).all() for record in records)
    names = {"step", "seconds", "d_loss", "g_loss", "real_logits", "fake_logits", "g_gradient"}
    assert names <= set(records[0])
    drifts = [record["d_drift"] for record in records]
    assert drifts[0] == drifts[1] == drifts[2] != drifts[3] == drifts[4]
    assert sorted(p.name for p in run.samples.iterdir()) == [
        f"step-{step:06d}-{i}.wav" for step in (0, STEPS) for i in range(4)
    ]
    assert run.latest_checkpoint().endswith(f"-{STEPS}")
    assert any(run.events.iterdir())
    log = run.log_file.read_text()
    assert "began at step 0" in log
    assert f"finished at step {STEPS}" in log
    assert int(trainer.step) == STEPS


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.training.test_training_resume import Interrupted, fit
from noisygan.training.runs import RunFolder
kill = Interrupted({at}, lambda: os.kill(os.getpid(), signal.SIGKILL))
fit(RunFolder.open({path!r}), progress=kill)
"""


def test_a_run_killed_in_the_middle_and_resumed_gives_the_same(uninterrupted, tmp_path):
    run = new_run(tmp_path / "killed")
    program = KILLED.format(root=str(ROOT), at=5, path=str(run.path))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    # Killed behind the checkpoint of step 4, with the numbers of step 5 already written.
    assert run.latest_checkpoint().endswith("-4")
    assert [r["step"] for r in run.read_metrics()] == [1, 2, 3, 4, 5]
    with run.metrics_file.open("a") as file:
        file.write('{"step": 6, "d_l')
    assert_same_end(run, fit(run, resume=True), uninterrupted)


def test_ctrl_c_saves_a_whole_step(uninterrupted, tmp_path):
    run = new_run(tmp_path / "stopped")
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(run, progress=Interrupted(3, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) is handler
    assert run.latest_checkpoint().endswith("-3")
    assert "stopped at step 3" in run.log_file.read_text()
    assert numbers(run) == numbers(uninterrupted[0])[:3]
    resumed = small()
    resumed.train_step = None  # Not needed: there is nothing left to do.
    fit(run, steps=3, resume=True, trainer=resumed)
    assert int(resumed.step) == int(resumed.g_phase.optimizer.iterations) == 3
    assert "resumed at step 3" in run.log_file.read_text()


def test_a_run_that_is_done_stays_as_it_is(uninterrupted, tmp_path):
    run, trainer = uninterrupted
    shutil.copytree(run.path, tmp_path / "copy")
    copy = RunFolder.open(tmp_path / "copy")
    again = fit(copy, resume=True)
    assert numbers(copy) == numbers(run)
    for one, other in zip(_state(again), _state(trainer), strict=True):
        np.testing.assert_array_equal(one, other)


class Poisoned(Relativistic):
    """Losses that become NaN when `poison` does."""

    def __init__(self):
        self.poison = tf.Variable(1.0, trainable=False)

    def d_loss(self, real_logits, fake_logits):
        return self.poison * super().d_loss(real_logits, fake_logits)

    def g_loss(self, real_logits, fake_logits):
        return self.poison * super().g_loss(real_logits, fake_logits)


def test_losses_that_stay_not_finite_stop_the_run_with_its_good_checkpoint(tmp_path):
    run = new_run(tmp_path / "poisoned")
    pair = Poisoned()
    trainer = toys.trainer(adversarial=pair)
    kept = []

    def weights():
        return [v.numpy() for v in trainer.generator.weights + trainer.discriminator.weights]

    class Poison(Silent):
        def update(self, step, *args):
            # Step 2 alone is passed over; from step 4 on there is no recovery.
            pair.poison.assign(np.nan if step in (1, 3) else pair.poison)
            if step == 2:
                pair.poison.assign(1.0)
            if step == 3:
                kept.extend(weights())

    with pytest.raises(RunError, match="not finite for 20 steps on end") as stopped:
        fit(run, 100, Poison(), trainer=trainer)
    assert "Try a tenth of the learning rates" in str(stopped.value)
    assert str(stopped.value) in run.log_file.read_text()
    records = run.read_metrics()
    # The step that stops the run writes no numbers.
    finite = [1.0, 0.0, 1.0] + [0.0] * (MAX_NOT_FINITE - 1)
    assert [r["d_finite"] for r in records] == [r["g_finite"] for r in records] == finite
    for value, before in zip(weights(), kept, strict=True):
        np.testing.assert_array_equal(value, before)
    # What is kept can be gone on with.
    reader = tf.train.load_checkpoint(run.latest_checkpoint())
    names = [name for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name]
    values = [reader.get_tensor(name) for name in names]
    assert len(values) > 50
    for name, value in zip(names, values, strict=True):
        assert np.asarray(value).dtype.kind != "f" or np.isfinite(value).all(), name


def test_a_resumed_run_takes_the_batches_that_come_next(tmp_path):
    def taking(taken):
        # Everything of a step but the arithmetic.
        trainer = toys.trainer(n_critic=2)

        def train_step(batches, step):
            taken.extend(next(batches)["pitch"].numpy().tolist() for _ in range(2))
            trainer.step.assign_add(1)
            return {"d_finite": tf.constant(1.0), "g_finite": tf.constant(1.0)}

        trainer.train_step = train_step
        return trainer

    whole, parts = [], []
    fit(new_run(tmp_path / "whole"), trainer=taking(whole))
    run = new_run(tmp_path / "parts")
    fit(run, steps=2, trainer=taking(parts))
    fit(run, resume=True, trainer=taking(parts))
    assert parts == whole
    assert len(whole) == 2 * STEPS


def test_a_budget_of_minutes_counts_the_time_before(uninterrupted, tmp_path):
    run, _ = uninterrupted
    shutil.copytree(run.path, tmp_path / "copy")
    copy = RunFolder.open(tmp_path / "copy")
    trainer = small()
    seconds = run.read_metrics()[-1]["seconds"]
    arguments = {"seed": SEED, "resume": True, "intervals": INTERVALS}
    taken = trainer.fit(toys.notes(), copy, minutes=seconds / 60, **arguments)
    assert taken == STEPS


def test_a_loaded_generator_has_the_averaged_weights(tmp_path):
    config.parse([str(ROOT / "tests" / "configs" / "tiny.gin")])
    from noisygan.data.dataset import Recordings
    from noisygan.training.trainer import Trainer

    trainer = config.configured(Trainer)()
    notes = config.configured(Recordings)().read(notes_folder())
    run = RunFolder.create(tmp_path / "run", config.resolved_text(), [], notes, SEED)
    trainer.fit(notes, run, steps=2, seed=SEED)
    generator = load_generator(run.path)
    assert generator.label_names == notes.label_names
    present = trainer.generator.weights
    for loaded, average in zip(generator.weights, trainer.g_ema.averages, strict=True):
        np.testing.assert_array_equal(loaded, average)
    assert max(
        np.abs(loaded - now).max() for loaded, now in zip(generator.weights, present, strict=True)
    )
    z, conditioning = generator.prior(3, 0), toys.conditioning()
    with trainer.averaged():
        expected = trainer.generator(z, conditioning).audio
    np.testing.assert_allclose(generator(z, conditioning).audio, expected, atol=1e-5)
    facts = json.loads((run.path / "run.json").read_text())
    assert facts["n_samples"] == round(generator.seconds * generator.sample_rate)
    assert os.path.commonpath([run.latest_checkpoint(), run.checkpoints]) == str(run.checkpoints)


def test_a_file_that_breaks_while_training_ends_it_in_one_line_and_keeps_the_state(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    folder = tmp_path / "data"
    shutil.copytree(notes_folder(), folder)
    config.parse([str(ROOT / "tests" / "configs" / "tiny.gin")])
    from noisygan.training.trainer import Trainer

    trainer = config.configured(Trainer)()
    notes = config.configured(recordings.Recordings)().read(folder)
    run = RunFolder.create(tmp_path / "run", config.resolved_text(), [], notes, SEED)

    class Break(Silent):
        def update(self, step, *args):
            for path in notes.paths:
                path.write_text("no audio")

    with pytest.raises(RunError, match="cannot be read as audio"):
        trainer.fit(notes, run, steps=100, seed=SEED, progress=Break())
    assert "cannot be read as audio" in run.log_file.read_text()
    assert int(run.latest_checkpoint().rsplit("-", 1)[1]) >= 1


def test_one_training_at_a_time_writes_into_a_run(tmp_path):
    run = new_run(tmp_path / "run")

    def another():
        with pytest.raises(UsageError, match=f"another run .process {os.getpid()}.; wait for it"):
            fit(RunFolder.open(run.path), resume=True)

    fit(run, progress=Interrupted(3, another))
    assert run.step == STEPS


def test_a_signal_within_the_last_checkpoint_loses_nothing(tmp_path, monkeypatch):
    run, save = new_run(tmp_path / "run"), checkpoints.write

    def interrupted(checkpoint, prefix):
        if prefix.name == f"ckpt-{STEPS}":
            os.kill(os.getpid(), signal.SIGTERM)
        save(checkpoint, prefix)

    monkeypatch.setattr(checkpoints, "write", interrupted)
    fit(run)
    assert run.step == STEPS


def test_what_is_kept_of_steps_behind_the_checkpoint_goes_with_them(uninterrupted, tmp_path):
    first, trainer = uninterrupted
    run = RunFolder(shutil.copytree(first.path, tmp_path / "run"))
    run.keep_snapshot(trainer, 2, 20.0)
    for step in (5, 6, 10):  # more than one in a second
        run.keep_snapshot(trainer, step, 50.0)
    assert run.snapshot_prefixes()[50].endswith("-step-10")
    guards.keep_best(run, trainer, 2)
    guards.keep_best(run, trainer, 5)
    run.drop_states_after(4)
    assert [path.stem for path in run.snapshots.glob("*.index")] == ["seconds-000020-step-2"]
    assert checkpoints.steps(run.path / "best" / "checkpoints") == [2]
    assert run.step == STEPS


def test_a_trainer_that_has_learnt_begins_no_new_run(uninterrupted, tmp_path):
    _, trainer = uninterrupted
    with pytest.raises(UsageError, match=f"has learnt for {STEPS} steps"):
        fit(new_run(tmp_path / "second"), trainer=trainer)


class Clock:
    """A clock by which every step takes ten seconds, however often it is looked at."""

    def __init__(self, trainer, prepared=0.0):
        self.trainer = trainer
        self.prepared = prepared

    def monotonic(self):
        step = 0 if self.trainer.g_ema.averages is None else int(self.trainer.step)
        return 10.0 * step + self.prepared


def test_snapshots_are_the_averaged_weights_at_equal_intervals(tmp_path, monkeypatch):
    from noisygan.training import loop

    trainer, run = small(), new_run(tmp_path / "run")
    monkeypatch.setattr(loop, "time", Clock(trainer))
    averages = {}

    def keep(self, trainer, step, seconds, keep=RunFolder.keep_snapshot):
        averages[round(seconds)] = [v.numpy() for v in trainer.g_ema.averages]
        keep(self, trainer, step, seconds)

    monkeypatch.setattr(RunFolder, "keep_snapshot", keep)
    trainer.fit(toys.notes(), run, steps=STEPS, seed=SEED, snapshot_minutes=0.5)
    assert sorted(averages) == [30, 60]
    found = run.snapshot_prefixes()
    assert list(found) == [30, 60] and found[30].endswith("-step-3")
    names = dict(tf.train.list_variables(found[30]))
    kept = [
        tf.train.load_variable(found[30], f"ema/{i}/.ATTRIBUTES/VARIABLE_VALUE")
        for i in range(len(averages[30]))
    ]
    assert sum("ema/" in name for name in names) == len(kept)
    for value, wanted in zip(kept, averages[30], strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert any(not np.array_equal(a, b) for a, b in zip(kept, averages[60], strict=True))


class Ticking:
    """A clock that goes on by a second each time it is looked at: two a step."""

    now = 0.0

    def monotonic(self):
        self.now += 1.0
        return self.now


@pytest.mark.usefixtures("eagerly")
def test_a_run_that_is_killed_behind_every_checkpoint_misses_no_snapshot(tmp_path, monkeypatch):
    from noisygan.training import loop

    class Killed(Exception):
        pass

    def save(self, step, save=checkpoints.Checkpoints.save):
        save(self, step)
        if step:
            raise Killed

    run = new_run(tmp_path / "run")
    monkeypatch.setattr(loop, "time", Ticking())
    monkeypatch.setattr(checkpoints.Checkpoints, "save", save)
    for step in range(1, 4):
        with pytest.raises(Killed):
            small().fit(
                toys.notes(),
                run,
                steps=STEPS,
                seed=SEED,
                resume=step > 1,
                intervals=(1, 1),
                snapshot_minutes=2 / 60,
            )
    assert list(run.snapshot_prefixes()) == [2, 4, 6]


def test_what_comes_before_the_first_step_counts_as_training_time(tmp_path, monkeypatch):
    from noisygan.training import loop
    from noisygan.training import trainer as room

    def prepare(trainer, notes, seed, say):
        clock.prepared = 55.0

    trainer, run = toys.trainer(pretraining=[prepare]), new_run(tmp_path / "run")
    clock = Clock(trainer)
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(room, "time", clock)
    assert trainer.fit(toys.notes(), run, minutes=1.0, seed=SEED) == 1
    assert run.seconds == 65.0
