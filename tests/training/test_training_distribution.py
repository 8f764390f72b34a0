"""Several replicas, in one process or in several, train as one device with the whole batch does."""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import tensorflow as tf

from noisygan.cli.main import main
from noisygan.errors import UsageError
from noisygan.losses import global_batch
from noisygan.training import run_files
from noisygan.training.cluster import Cluster, this_cluster
from noisygan.training.distribution import Machines, OneDevice, Replicas
from noisygan.training.train import train
from tests import toys
from tests.documents import ROOT, blocks

SYSTEMS = ("hybrid", "batch_norm", "growing", "pretrained")
WORKERS = ["a:2222", "b:2222", "c:2222"]


@pytest.fixture(scope="module")
def found():
    """Output of `tests.two_replicas`: each system on one device and on two logical CPUs."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3")
    said = subprocess.run(
        [sys.executable, "-m", "tests.two_replicas"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in said.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, said.stderr[-3000:]
    return json.loads(lines[0].removeprefix("FOUND "))


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_replicas_train_as_one_with_the_whole_batch(found, system):
    assert found["replicas"] == [1, 2]
    for step, (one, two) in enumerate(zip(found[system]["one"], found[system]["two"], strict=True)):
        assert one.keys() == two.keys()
        for name, value in one.items():
            # Rounding in the first step; later ones have it in their weights.
            tolerance = 2e-5 if step == 0 else 2e-3
            assert two[name] == pytest.approx(value, rel=tolerance, abs=2e-5), (step, name)
    apart = found[system]["apart"]
    assert apart["step"] == 0
    for part in ("generator", "discriminator", "ema"):
        assert apart[part] < 2e-5, part
    assert found[system]["copies_apart"] == 0.0


def test_on_one_device_nothing_is_changed():
    rows = tf.constant([[1.0], [2.0]])
    assert global_batch.mean(rows) is rows
    assert global_batch.gather(rows) is rows
    np.testing.assert_array_equal(global_batch.sample(tf.range, 3), [0, 1, 2])


def test_a_part_of_a_batch_has_the_rows_of_the_whole():
    with global_batch.part(tf.constant(1), 3):
        np.testing.assert_array_equal(global_batch.sample(tf.range, 2), [2, 3])
    np.testing.assert_array_equal(global_batch.sample(tf.range, 2), [0, 1])


def test_a_recording_that_breaks_does_so_before_other_machines_begin(monkeypatch):
    trainer = toys.trainer()
    begun = []
    monkeypatch.setattr(trainer.replicas, "step_scope", begun.append, raising=False)

    def broken():
        raise ValueError("a broken file")
        yield

    with pytest.raises(ValueError, match="a broken file"):
        trainer.train_step(broken(), 0)
    assert begun == []


def strategy(n_replicas, run=None):
    """A stand-in for a `tf.distribute.Strategy`, whose machines are this one."""
    return types.SimpleNamespace(
        num_replicas_in_sync=n_replicas, run=run, experimental_local_results=lambda value: [value]
    )


@pytest.mark.parametrize(("in_step", "n_words"), [(False, 2), (True, 1)])
def test_a_chief_that_ends_amid_a_step_waits_for_nobody(in_step, n_words, eagerly):
    said = []

    def run(add, arguments):
        said.extend(arguments[0])
        return arguments[0]

    chief = Machines(strategy(1, run), Cluster(1, "worker 0", 0))
    trainer = types.SimpleNamespace(checkpointed=[])

    def lead():
        with chief.step_scope(trainer):
            if in_step:
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chief.fit(trainer, toys.notes(), None, lead)
    # Pairs are words of the chief: that it takes a step, and that it has stopped.
    words = [float(value[0]) for value in said if value.shape == (2,)]
    assert len(words) == len({*words}) == n_words


def test_batches_and_settings_that_need_one_device_are_refused():
    two = Replicas(strategy(2))
    two.check([6])
    with pytest.raises(UsageError, match="got 7 for 2 replicas; .* 6 or 8 would work"):
        two.check([7])
    with pytest.raises(UsageError, match="got 6 for 2 replicas, in groups of 2; .* 4 or 8 would"):
        two.check([6], 2)
    two.check_settings(toys.trainer(precision="bfloat16"))
    changes = ({"precision": "float16"}, {"batch_size": 4, "accumulate": 2}, {"jit_compile": True})
    for change in changes:
        trainer = toys.trainer(**change)
        with pytest.raises(UsageError, match=f"{[*change][-1]}: got .* on 2 devices"):
            two.check_settings(trainer)
        trainer.replicas.check_settings(trainer)


def test_a_machine_that_is_not_the_chief_writes_nothing(tmp_path):
    class Follower(OneDevice):
        is_chief = False

        def fit(self, trainer, data, run_dir, lead):
            return 7

    trainer = toys.trainer()
    trainer.replicas = Follower()
    assert trainer.fit(toys.notes(), tmp_path / "run", 7) == 7
    assert not (tmp_path / "run").exists()


def test_the_parts_of_a_batch_are_the_batch():
    notes = toys.notes(n=5, n_samples=8)
    whole = list(notes.batches(6, 3, start=2).take(3).as_numpy_iterator())
    parts = [
        list(notes.batches(6, 3, start=2, part=(i, 3)).take(3).as_numpy_iterator())
        for i in range(3)
    ]
    for k, batch in enumerate(whole):
        for name, rows in batch.items():
            np.testing.assert_array_equal(np.concatenate([part[k][name] for part in parts]), rows)


def test_a_part_decodes_nothing_else():
    asked = []

    def decode(i):
        asked.append(i)
        return np.zeros(8, np.float32)

    notes = toys.notes(n=64, n_samples=8, audio=None, decode=decode, pitch=np.arange(64))
    batches = notes.batches(8, 0, part=(1, 4)).take(2)
    assert [batch["audio"].shape for batch in batches.as_numpy_iterator()] == [(2, 8)] * 2
    seen = list(asked)
    epoch = notes.batches(8, 0).take(8).as_numpy_iterator()
    own = {int(pitch) for batch in epoch for pitch in batch["pitch"][2:4]}
    assert len(seen) >= 4 and set(seen) <= own


def task(kind, index, **cluster):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (task("worker", 0, worker=WORKERS), (3, "worker 0", 0)),
        (task("worker", 2, worker=WORKERS), (3, "worker 2", 2)),
        (task("chief", 0, chief=["d:1"], worker=WORKERS), (4, "chief 0", 0)),
        (task("worker", 0, chief=["d:1"], worker=WORKERS), (4, "worker 0", 1)),
    ],
)
def test_which_machine_this_is(text, expected, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    cluster = this_cluster()
    assert cluster == expected
    assert cluster.is_chief == (expected[2] == 0)


def test_without_a_cluster_there_is_none(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert this_cluster() is None


@pytest.mark.parametrize(
    "text",
    [
        "worker",
        "[]",
        "{}",
        task("worker", 3, worker=WORKERS),
        task("worker", -1, worker=WORKERS),
        task("ps", 0, worker=WORKERS, ps=["d:1"]),
        task("worker", "x", worker=WORKERS),
        task("worker", 0, worker=["a:1", "a:1"]),
        task("worker", 0, worker="ab", chief="c"),
        task("worker", 0, worker={"0": "a:1", "1": "b:1"}),
        task("worker", 0, worker=["a:1", ["b:1"]]),
        task("worker", math.inf, worker=WORKERS),
        "[" * 100_000,
        json.dumps({"cluster": {"worker": "ab"}}, indent=2),
    ],
)
def test_a_cluster_that_makes_no_sense_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UsageError, match="TF_CONFIG: got .* expected lists") as caught:
        this_cluster()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("strategy", "config", "said"),
    [
        ("multi_worker", None, "TF_CONFIG names no second worker"),
        ("multi_worker", task("worker", 0, worker=WORKERS[:1]), "TF_CONFIG names no second"),
        ("mirrored", task("worker", 0, worker=WORKERS), "names 3 machines; expected multi_wor"),
        ("two", None, "invalid choice: 'two'"),
    ],
)
def test_a_strategy_that_is_not_there_is_refused(strategy, config, said, monkeypatch, capsys):
    if config is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", config)
    command = ["train", "--gin_file", "runs/notes.gin", "--data", "nowhere", "--run_dir", "none"]
    assert main([*command, "--strategy", strategy]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


# Two processes on this machine, by the recipe of the documentation.


@pytest.fixture
def shells(tmp_path):
    """Starts the recipe's two commands, each in a shell; returns its processes."""
    began = []

    def start(*more, steps):
        recipes = [b for b in blocks("bash", ROOT / "docs/distribution.md") if "localhost:" in b]
        assert len(recipes) == 2
        sockets = [socket.create_server(("localhost", 0)) for _ in recipes]
        ports = [free.getsockname()[1] for free in sockets]
        for free in sockets:
            free.close()
        environment = dict(os.environ, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3")
        for i, recipe in enumerate(recipes):
            command = recipe.replace("localhost:2222", f"localhost:{ports[0]}")
            command = command.replace("localhost:2223", f"localhost:{ports[1]}")
            command = command.replace("noisygan train", f"exec {sys.executable} -m noisygan train")
            command = command.replace("--steps 2000", " ".join(["--steps", str(steps), *more]))
            assert command.count(str(steps)) and command.count("index") == 1
            log = (tmp_path / f"log-{i}").open("w")
            process = subprocess.Popen(
                ["bash", "-c", command], cwd=tmp_path, env=environment, stdout=log, stderr=log
            )
            began.append(process)
        return began

    yield start
    for process in began:
        if process.poll() is None:
            process.kill()
        process.wait()


def records(run_dir):
    return {record["step"]: record for record in run_files.read_metrics(run_dir)}


# It follows small gradients smoothly: rounding is not blown up to whole steps.
SMOOTH_ADAM = """import noisygan.training.optimizers

Adam.epsilon = 1e-2
Trainer.g_optimizer = @Adam()
Trainer.d_optimizer = @Adam()
"""


@pytest.mark.slow
def test_two_processes_continue_a_run_as_one_and_report_that_one_is_lost(shells, tmp_path, eagerly):
    (tmp_path / "runs").mkdir()
    config, run = tmp_path / "runs" / "notes.gin", tmp_path / "runs" / "flute"
    tiny = (ROOT / "tests/configs/tiny.gin").read_text(encoding="utf-8")
    config.write_text(tiny.replace("\nRecordings", SMOOTH_ADAM + "\nRecordings", 1))
    data = tmp_path / "my_notes"
    data.symlink_to(ROOT / "noisygan/demo/notes")
    train(config, data, run, steps=9)
    alone = shutil.copytree(run, tmp_path / "alone")
    train(None, data, alone, steps=10, resume=True)

    processes = shells("--resume", steps=100000)
    end = time.monotonic() + 400
    while 10 not in records(run):
        assert all(p.poll() is None for p in processes), (tmp_path / "log-1").read_text()
        assert time.monotonic() < end
        time.sleep(0.2)
    one, two = records(alone)[10], records(run)[10]
    for name in one.keys() - {"seconds"}:
        assert two[name] == pytest.approx(one[name], rel=1e-3, abs=1e-4), name
    # The chief alone writes: one line for each record, and one more file of events.
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == len(records(run)) and len(list((run / "events").iterdir())) == 2

    processes[1].kill()
    assert processes[0].wait(120) == 1
    said = (tmp_path / "log-0").read_text()
    line = said.strip().splitlines()[-1]
    assert "another worker has ended or can't be reached any more" in line
    assert "the newest checkpoint is that of step" in line and "Traceback" not in said
