"""Stopping and going on: a run that was killed ends as if it had not been."""

import os
import pathlib
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf

import noisygan
from noisygan.data import dataset
from noisygan.demo import notes_folder
from noisygan.errors import RunError, UsageError
from noisygan.losses import Drift, Relativistic
from noisygan.training import checkpoints, run_files
from noisygan.training.callbacks import Callback, Snapshots
from noisygan.training.monitors import MAX_NOT_FINITE, keep_best
from noisygan.training.train import train
from tests import toys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 11
STEPS = 6
EVERY = {"log_every": 1, "checkpoint_every": 2}


def at(step, action):
    """A callback that does something after a step."""
    return lambda reached, metrics, trainer: action() if reached == step else None


def small():
    # Drift applies in steps 1 and 4; what is logged in between is its newest value.
    return toys.waveform_trainer([Drift(interval=3)])


def fit(run_dir, *callbacks, steps=STEPS, resume=False, trainer=None, **options):
    """Trains a fresh small system into a run folder, and returns its trainer."""
    trainer = trainer or small()
    options = EVERY | {"callbacks": callbacks} | options
    assert trainer.fit(toys.notes(), run_dir, steps, None, SEED, resume, **options) == steps
    return trainer


def numbers(run_dir):
    """The metrics without what a clock says."""
    records = run_files.read_metrics(run_dir)
    for record in records:
        record.pop("seconds")
    return records


def saved_step(run_dir):
    return checkpoints.step_of(checkpoints.newest(run_dir))


def log_of(run_dir):
    return (run_dir / "log.txt").read_text()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "whole"
    return run, fit(run)


def assert_same_end(run, trainer, uninterrupted):
    whole_run, whole_trainer = uninterrupted
    assert numbers(run) == numbers(whole_run)
    assert [r["step"] for r in numbers(run)] == list(range(1, STEPS + 1))
    states = (tf.nest.flatten(x.checkpointed) for x in (trainer, whole_trainer))
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)
    for path in (whole_run / "samples").iterdir():
        assert (run / "samples" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_folder_with_a_run_is_not_trained_into_again(uninterrupted, tmp_path):
    run, trainer = uninterrupted
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="holds a run"):
        small().fit(toys.notes(), run, 9)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before
    with pytest.raises(UsageError, match=f"has taken {STEPS} steps"):
        fit(tmp_path / "second", trainer=trainer)
    with pytest.raises(UsageError, match=r"^config: got None"):
        train(None, toys.notes(), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_run_leaves_its_numbers_sounds_and_checkpoints(uninterrupted):
    run, trainer = uninterrupted
    records = run_files.read_metrics(run)
    assert all(np.isfinite(list(record.values())).all() for record in records)
    names = {"step", "seconds", "d_loss", "g_loss", "real_logits", "fake_logits", "g_gradient"}
    assert names <= set(records[0])
    drifts = [record["d_drift"] for record in records]
    assert drifts[0] == drifts[1] == drifts[2] != drifts[3] == drifts[4]
    assert sorted(p.name for p in (run / "samples").iterdir()) == [
        f"step-{step:06d}-{i}.wav" for step in (0, STEPS) for i in range(4)
    ]
    assert saved_step(run) == STEPS
    assert any((run / "events").iterdir())
    log = log_of(run)
    assert "began at step 0" in log
    assert f"finished at step {STEPS}" in log
    assert int(trainer.step) == STEPS


class Killed(Exception):
    """Ends a run at a step: `finally` blocks run, but no checkpoint is saved."""


def kill():
    raise Killed


def test_a_run_killed_in_the_middle_and_resumed_gives_the_same(uninterrupted, tmp_path):
    run = tmp_path / "killed"
    with pytest.raises(Killed):
        fit(run, at(5, kill))
    # Killed behind the checkpoint of step 4, with the metrics of step 5 partly written.
    assert saved_step(run) == 4
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "d_loss": 9.0}\n{"step": 6, "d_l')
    assert_same_end(run, fit(run, resume=True), uninterrupted)


def test_ctrl_c_saves_a_whole_step(tmp_path):
    run, whole = tmp_path / "stopped", tmp_path / "whole"
    handler = signal.getsignal(signal.SIGINT)
    fit(whole, trainer=toys.quick_trainer())
    interrupt = at(3, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        fit(run, interrupt, trainer=toys.quick_trainer())
    assert signal.getsignal(signal.SIGINT) is handler
    assert saved_step(run) == 3
    assert "stopped at step 3" in log_of(run)
    assert numbers(run) == numbers(whole)[:3]
    resumed = toys.quick_trainer()
    resumed.train_step = None  # There is nothing left to do.
    fit(run, steps=3, resume=True, trainer=resumed)
    assert resumed.step == 3
    assert "resumed at step 3" in log_of(run)


class Poisoned(Relativistic):
    """Losses that become NaN when `poison` does."""

    def __init__(self):
        self.poison = tf.Variable(1.0, trainable=False)

    def d_loss(self, real_logits, fake_logits):
        return self.poison * super().d_loss(real_logits, fake_logits)

    def g_loss(self, real_logits, fake_logits):
        return self.poison * super().g_loss(real_logits, fake_logits)


def test_non_finite_losses_stop_the_run_with_its_good_checkpoint(tmp_path, eagerly):
    run, pair = tmp_path / "poisoned", Poisoned()
    trainer, kept = toys.trainer(adversarial=pair), []

    def weights():
        return [v.numpy() for v in trainer.generator.weights + trainer.discriminator.weights]

    def poison(step, metrics, trainer):
        # Step 2 alone is passed over; from step 4 on there is no recovery.
        pair.poison.assign(np.nan if step in (1, 3) else 1.0 if step == 2 else pair.poison)
        if step == 3:
            kept.extend(weights())

    with pytest.raises(RunError, match="not finite for 20 steps") as stopped:
        fit(run, poison, steps=100, trainer=trainer)
    assert str(stopped.value) in log_of(run)
    # The step that stops the run writes no metrics.
    finite = [1.0, 0.0, 1.0] + [0.0] * (MAX_NOT_FINITE - 1)
    assert [r["d_finite"] for r in numbers(run)] == [r["g_finite"] for r in numbers(run)] == finite
    for value, before in zip(weights(), kept, strict=True):
        np.testing.assert_array_equal(value, before)
    reader = tf.train.load_checkpoint(checkpoints.newest(run))
    names = [name for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name]
    values = [np.asarray(reader.get_tensor(name)) for name in names]
    assert all(v.dtype.kind != "f" or np.isfinite(v).all() for v in values)


class Clock:
    """A clock by which every step takes ten seconds, however often it is read."""

    def __init__(self, trainer, prepared=0.0):
        self.trainer, self.prepared = trainer, prepared

    def __call__(self):
        return 10.0 * (self.trainer.step if self.trainer.g_ema else 0) + self.prepared


def test_a_resumed_run_takes_the_batches_that_come_next(tmp_path):
    run = tmp_path / "parts"
    whole, *parts = (toys.quick_trainer(n_critic=2) for _ in range(3))
    whole = fit(tmp_path / "whole", trainer=whole).taken
    parts = [fit(run, steps=2, trainer=parts[0]), fit(run, resume=True, trainer=parts[1])]
    assert parts[0].taken + parts[1].taken == whole and len(whole) == 2 * 3 * STEPS


def test_a_budget_of_minutes_counts_pretraining_and_the_time_before_a_resume(tmp_path):
    def prepare(trainer, notes, seed, log):
        clock.prepared = 25.0

    run = tmp_path / "run"
    for minutes, steps, seconds in ((0.9, 3, 55.0), (0.9, 3, 55.0), (1.2, 5, 75.0)):
        trainer = toys.quick_trainer(pretraining=[prepare])
        clock = Clock(trainer)
        resume = run_files.is_run(run)
        assert trainer.fit(toys.notes(), run, None, minutes, SEED, resume, clock=clock) == steps
        assert trainer.seconds == seconds


def test_a_loaded_generator_has_the_averaged_weights(tmp_path, eagerly):
    run, kept = tmp_path / "run", []

    def keep(step, metrics, trainer):
        kept.append(trainer)

    train(ROOT / "tests/configs/tiny.gin", notes_folder(), run, steps=2, callbacks=[keep])
    trainer, generator = kept[-1], noisygan.load(run).generator
    for loaded, average in zip(generator.weights, trainer.g_ema.averages, strict=True):
        np.testing.assert_array_equal(loaded, average)
    present = trainer.generator.weights
    assert any(np.any(a != b) for a, b in zip(generator.weights, present, strict=True))
    z, conditioning = generator.prior(3, 0), toys.conditioning()
    with trainer.averaged():
        expected = trainer.generator(z, conditioning).audio
    np.testing.assert_allclose(generator(z, conditioning).audio, expected, atol=1e-5)


def test_a_callback_gets_floats_may_stop_and_has_state(tmp_path):
    class Counter(Callback):
        n = 0

        def __call__(self, step, metrics, trainer):
            assert all(isinstance(value, float) for value in metrics.values())
            self.n += 1
            metrics["counted"] = float(self.n)
            trainer.should_stop = self.n in (2, 5)

        def state(self):
            return {"n": self.n}

        def load(self, state):
            self.n = state["n"]

    run = tmp_path / "run"
    fit(run, Counter(), steps=2, trainer=toys.quick_trainer())
    assert all(record["counted"] == record["step"] for record in numbers(run))
    # Another callback before it does not take its state.
    callbacks = [Snapshots(run, 1e6), Counter()]
    assert toys.quick_trainer().fit(toys.notes(), run, 9, resume=True, callbacks=callbacks) == 5


def test_an_unreadable_file_ends_a_run_in_one_line(tmp_path, monkeypatch, eagerly):
    monkeypatch.setattr(dataset, "MAX_BYTES_IN_MEMORY", 0)
    folder, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(notes_folder(), folder)

    def spoil(step, metrics, trainer):
        for path in folder.rglob("*.*"):
            path.write_text("no audio")

    with pytest.raises(RunError, match="cannot be read as audio"):
        train(ROOT / "tests/configs/tiny.gin", folder, run, steps=100, callbacks=[spoil])
    assert "cannot be read as audio" in log_of(run)
    assert saved_step(run) >= 1


def test_one_training_at_a_time_writes_into_a_run(tmp_path):
    run = tmp_path / "run"

    def another():
        with pytest.raises(UsageError, match="another run"):
            fit(run, resume=True)

    fit(run, at(3, another), trainer=toys.quick_trainer())
    assert saved_step(run) == STEPS


def test_a_signal_within_the_last_checkpoint_loses_nothing(tmp_path, monkeypatch):
    save = checkpoints.write_checksums

    def interrupted(prefix):
        if prefix.name == f"ckpt-{STEPS}":
            os.kill(os.getpid(), signal.SIGTERM)
        save(prefix)

    monkeypatch.setattr(checkpoints, "write_checksums", interrupted)
    fit(tmp_path / "run", trainer=toys.quick_trainer())
    assert saved_step(tmp_path / "run") == STEPS


def test_best_weights_and_snapshots_of_later_steps_are_dropped(uninterrupted, tmp_path):
    first, trainer = uninterrupted
    run = shutil.copytree(first, tmp_path / "run")
    for step, seconds in ((2, 20.0), (5, 50.0), (6, 50.0), (10, 50.0)):
        trainer.g_ema.step.assign(step)
        checkpoints.write_snapshot(run, trainer.g_ema, seconds)
    assert checkpoints.snapshots(run)[50].endswith("-step-10")
    keep_best(run, trainer, 2)
    keep_best(run, trainer, 5)
    trainer.g_ema.step.assign(STEPS)
    checkpoints.delete_after(run, 4)
    found = [path.stem for path in (run / "snapshots").glob("*.index")]
    assert found == ["seconds-000020-step-2"]
    assert checkpoints.steps(run / "best" / "checkpoints") == [2]
    assert saved_step(run) == STEPS


def test_snapshots_are_the_averaged_weights_at_equal_intervals(tmp_path):
    trainer, run, averages = toys.quick_trainer(), tmp_path / "run", {}

    def keep(step, metrics, trainer):
        for average in trainer.g_ema.averages:
            average.assign(average + 1e-4)
        averages[10 * step] = [v.numpy() for v in trainer.g_ema.averages]

    fit(run, keep, trainer=trainer, snapshot_minutes=0.5, clock=Clock(trainer))
    found = checkpoints.snapshots(run)
    assert list(found) == [30, 60] and found[30].endswith("-step-3")
    for i, average in enumerate(averages[30]):
        value = tf.train.load_variable(found[30], f"ema/{i}/.ATTRIBUTES/VARIABLE_VALUE")
        np.testing.assert_array_equal(value, average)


def test_a_run_killed_behind_every_checkpoint_misses_no_snapshot(tmp_path, monkeypatch):
    def save(self, step, save=checkpoints.Checkpoints.save):
        is_new = step != self.saved_step
        save(self, step)
        if step and is_new:
            kill()

    run = tmp_path / "run"
    monkeypatch.setattr(checkpoints.Checkpoints, "save", save)
    for step in range(1, 4):
        trainer = toys.quick_trainer()
        with pytest.raises(Killed):
            options = {"checkpoint_every": 1, "snapshot_minutes": 10 / 60, "clock": Clock(trainer)}
            trainer.fit(toys.notes(), run, STEPS, seed=SEED, resume=step > 1, **options)
    assert list(checkpoints.snapshots(run)) == [10, 20, 30]
