"""Several replicas, in one process or in several, train as one device with the whole batch does."""

import json
import math
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from noisygan.cli.main import main
from noisygan.errors import UsageError
from noisygan.losses import global_batch
from noisygan.training import checkpoints, distribution, run_files
from noisygan.training.cluster import this_cluster
from noisygan.training.distribution import Machines, Replicas
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


def test_there_are_two_replicas(found):
    assert found["replicas"] == [1, 2]


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_replicas_have_the_metrics_of_one_with_the_whole_batch(found, system):
    for step, (one, two) in enumerate(zip(found[system]["one"], found[system]["two"], strict=True)):
        assert one.keys() == two.keys()
        for name, value in one.items():
            # Rounding in the first step; later ones have it in their weights.
            tolerance = 2e-5 if step == 0 else 2e-3
            assert two[name] == pytest.approx(value, rel=tolerance, abs=2e-5), (step, name)


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_replicas_come_to_the_state_of_one_with_the_whole_batch(found, system):
    apart = found[system]["apart"]
    assert apart["step"] == 0
    for part in ("generator", "discriminator", "ema"):
        assert apart[part] < 2e-5, part


@pytest.mark.parametrize("system", SYSTEMS)
def test_copies_of_a_weight_stay_equal(found, system):
    assert found[system]["copies_apart"] == 0.0


def test_a_batch_that_cannot_be_divided_is_refused(found):
    assert "got 7 for 2 replicas" in found["odd_batch"]
    assert "6 or 8 would work" in found["odd_batch"]
    assert "got 6 for 2 replicas, in groups of 2" in found["odd_groups"]
    assert "4 or 8 would work" in found["odd_groups"]


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


@pytest.mark.parametrize("in_step", [False, True])
def test_a_chief_that_ends_amid_a_step_waits_for_nobody(in_step, monkeypatch):
    chief = object.__new__(Machines)
    chief.is_chief = chief.has_state = True
    chief.in_step = False
    said = []
    monkeypatch.setattr(chief, "_exchange", lambda word: said.append(word) or (word, 0))

    def lead():
        with chief.step_scope(None):
            if in_step:
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chief._lead(None, lead)
    assert said == (
        [distribution._STEP] if in_step else [distribution._STEP, distribution._STOPPED]
    )


def test_settings_of_one_device_are_refused_on_several():
    two = object.__new__(Replicas)
    two.n_replicas = 2
    two.check_settings(toys.trainer(precision="bfloat16"))
    changes = ({"precision": "float16"}, {"batch_size": 4, "accumulate": 2}, {"jit_compile": True})
    for change in changes:
        trainer = toys.trainer(**change)
        with pytest.raises(UsageError, match="on 2 devices, expected one device: set CUDA_VIS"):
            two.check_settings(trainer)
        trainer.replicas.check_settings(trainer)


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
        task("worker", 0, worker="ab"),
        task("worker", 0, worker="ab", chief="c"),
        task("worker", 0, worker={"0": "a:1", "1": "b:1"}),
        task("worker", 0, worker=[0, 1]),
        task("worker", 0, worker=["a:1", ""]),
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
        ("mirrored", task("worker", 0, worker=WORKERS), "names 3 machines; expected --strategy mu"),
        ("tpu", None, "no TPU is reached"),
        ("two", None, "invalid choice: 'two'"),
    ],
)
def test_a_strategy_that_is_not_there_is_refused(strategy, config, said, monkeypatch, capsys):
    monkeypatch.delenv("TPU_NAME", raising=False)
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
    (tmp_path / "runs").mkdir()
    text = (ROOT / "tests/configs/small_notes.gin").read_text(encoding="utf-8")
    (tmp_path / "runs" / "notes.gin").write_text(text, encoding="utf-8")
    (tmp_path / "my_notes").symlink_to(ROOT / "noisygan/demo/notes")
    began = []

    def start(*more, steps):
        recipes = [b for b in blocks("bash", ROOT / "docs/distribution.md") if "localhost:" in b]
        assert len(recipes) == 2
        ports = []
        for _ in recipes:
            with socket.socket() as free:
                free.bind(("localhost", 0))
                ports.append(free.getsockname()[1])
        environment = dict(os.environ, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3")
        processes = []
        for i, recipe in enumerate(recipes):
            command = recipe.replace("localhost:2222", f"localhost:{ports[0]}")
            command = command.replace("localhost:2223", f"localhost:{ports[1]}")
            command = command.replace("noisygan train", f"exec {sys.executable} -m noisygan train")
            command = command.replace("--steps 2000", " ".join(["--steps", str(steps), *more]))
            assert command.count(str(steps)) and command.count("index") == 1
            log = (tmp_path / f"log-{i}").open("w")
            processes.append(
                subprocess.Popen(
                    ["bash", "-c", command], cwd=tmp_path, env=environment, stdout=log, stderr=log
                )
            )
        began.extend(processes)
        return processes

    start.folder = tmp_path
    start.run = tmp_path / "runs" / "flute"
    yield start
    for process in began:
        if process.poll() is None:
            process.kill()
        process.wait()


def said_by(shells, i):
    return (shells.folder / f"log-{i}").read_text()


def wait_until(true, processes, seconds=400):
    """Waits for something that other processes bring about."""
    end = time.monotonic() + seconds
    while not true():
        assert all(p.poll() is None for p in processes), [p.args for p in processes]
        assert time.monotonic() < end
        time.sleep(0.2)


# Adam's steps follow small gradients smoothly: rounding is not blown up to whole steps.
SMOOTH = ("--gin_param", "'Adam.epsilon = 1e-2'")


@pytest.mark.slow
def test_two_processes_train_as_one_and_report_that_one_is_lost(shells, tmp_path):
    steps = 3
    assert [p.wait(600) for p in shells(*SMOOTH, steps=steps)] == [0, 0], said_by(shells, 1)
    alone = tmp_path / "alone"
    command = ["train", "--gin_file", str(tmp_path / "runs/notes.gin"), "--run_dir", str(alone)]
    command += ["--data", str(tmp_path / "my_notes"), "--gin_param", "Adam.epsilon = 1e-2"]
    assert main([*command, "--steps", str(steps)]) == 0
    both = [tf.train.load_checkpoint(checkpoints.newest(run)) for run in (shells.run, alone)]
    names = both[0].get_variable_to_shape_map()
    assert names == both[1].get_variable_to_shape_map()
    for name in names:
        if name.split("/")[0] in ("generator", "discriminator", "ema", "step"):
            ours, theirs = (checkpoint.get_tensor(name) for checkpoint in both)
            np.testing.assert_allclose(ours, theirs, atol=2e-5, err_msg=name)
    first = [run_files.read_metrics(run)[0] for run in (shells.run, alone)]
    for name in first[0].keys() - {"seconds"}:
        assert first[0][name] == pytest.approx(first[1][name], rel=1e-4, abs=1e-5), name

    # The chief alone has written: one line a step, and no file of the other's.
    assert len((shells.run / "metrics.jsonl").read_text().splitlines()) == 1
    assert len(list((shells.run / "events").iterdir())) == 1

    log = shells.run / "log.txt"
    processes = shells(*SMOOTH, "--resume", steps=100000)
    wait_until(lambda: f"resumed at step {steps}" in log.read_text(), processes)
    wait_until(lambda: '"step": 10,' in (shells.run / "metrics.jsonl").read_text(), processes)
    processes[1].kill()
    assert processes[0].wait(120) == 1
    line = said_by(shells, 0).strip().splitlines()[-1]
    assert "another worker has ended or can't be reached any more" in line
    assert f"the newest checkpoint is that of step {steps}." in line
    assert "Traceback" not in said_by(shells, 0)
