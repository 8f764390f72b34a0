"""Comparing two runs, and what run.json says about the machine."""

import getpass
import json
import math
import pathlib
import socket
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from noisygan.training import environment
from noisygan.training.reproducing import (
    TOLERANCE,
    compare_metrics,
    compare_weights,
    differences_of_making,
)


def lines(*losses, seconds=1.0):
    return [{"step": 10 * i, "seconds": seconds, "d_loss": v} for i, v in enumerate(losses)]


def test_equal_metrics_are_equal_whatever_the_clock_says():
    found = compare_metrics(lines(1.0, 2.0, math.nan), lines(1.0, 2.0, math.nan, 4.0, seconds=9.0))
    assert (found.n, found.where, found.largest) == (3, None, 0.0)
    assert found.matched
    assert found.described("metrics") == "metrics: equal in every bit"


@pytest.mark.parametrize(
    ("value", "largest", "matched"),
    [
        (2.0 * (1 + 0.5 * TOLERANCE), 0.5 * TOLERANCE, True),
        (2.0 * (1 + 2 * TOLERANCE), 2 * TOLERANCE, False),
        (-2.0, 2.0, False),
        (math.nan, math.inf, False),
        (math.inf, math.inf, False),
    ],
)
def test_where_metrics_part(value, largest, matched):
    found = compare_metrics(lines(1.0, 2.0, 3.0, 5.0), lines(1.0, value, 3.0, 5.0))
    assert found.where.startswith("step 10, d_loss: 2 and ")
    assert found.largest == pytest.approx(largest, rel=1e-3)
    assert found.matched is matched
    assert ("metrics: differ" in found.described("metrics")) is not matched


def test_a_metric_that_one_run_lacks():
    one = [{"step": 1, "a": 1.0, "b": 2.0}, {"step": 2, "a": 1.0, "b": 2.0}]
    # Another version never wrote it.
    assert compare_metrics(one, [{"step": 1, "a": 1.0}, {"step": 2, "a": 1.0}]).matched
    assert not compare_metrics(one, [{"step": 1, "c": 1.0}]).matched
    assert not compare_metrics(one, [one[0], {"step": 2, "a": 1.0}]).matched


def test_nothing_in_common_is_no_match():
    assert not compare_metrics(lines(1.0), []).matched


def checkpoint(path, **changes):
    values = {"ema": np.ones(3), "elapsed": np.float64(1.0)} | changes
    return tf.train.Checkpoint(**{k: tf.Variable(v) for k, v in values.items()}).save(str(path))


def test_weights_are_compared_and_the_clock_is_not(tmp_path):
    one = checkpoint(tmp_path / "one")
    same = compare_weights(one, checkpoint(tmp_path / "same", elapsed=np.float64(7.0)))
    assert (same.n, same.where, same.largest) == (1, None, 0.0)
    near = compare_weights(one, checkpoint(tmp_path / "near", ema=np.array([1, 1, 1 + 1e-5])))
    assert near.where == "ema" and near.matched
    assert near.largest == pytest.approx(1e-5, rel=1e-3)
    for other in ({"ema": np.ones(4)}, {"more": np.ones(1)}, {"ema": np.array([1, 1, math.nan])}):
        assert compare_weights(one, checkpoint(tmp_path / "other", **other)).largest == math.inf


def test_what_two_runs_were_made_with():
    one = {"noisygan": "1", "versions": {"numpy": "2.4"}, "environment": {"threads": {"a": 1}}}
    other = {"noisygan": "1", "versions": {"numpy": "2.5"}, "environment": None, "seed": 3}
    assert differences_of_making(one, one) == []
    assert differences_of_making(one, other) == [
        "versions.numpy: 2.4 and 2.5",
        "environment.threads.a: 1 and not told",
    ]
    assert differences_of_making(one, one | {"replicas": 2}) == ["replicas: 1 and 2"]


def test_the_environment_names_no_one(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/home/ada/dump")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    found = environment.environment()
    assert found["flags"]["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert "XLA_FLAGS" not in found["flags"]
    text = json.dumps(found)
    for name in ("ada", "hush", socket.gethostname(), str(pathlib.Path.home()) + "/"):
        assert name not in text
    assert getpass.getuser() not in text.split('"')
    assert set(found["threads"]) == {"intra_op", "inter_op", "kernels"}


def test_a_command_is_kept_without_whose_home_it_was_in(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    command = ["noisygan", "--data", "/home/ada/notes", "--run_dir=/home/ada/run", "/home/adam"]
    assert environment.without_home(command) == [
        *("noisygan", "--data", "~/notes", "--run_dir=~/run", "/home/adam")
    ]


@pytest.mark.parametrize(
    ("argument", "kept"),
    [
        ("/home/ada", "~"),
        ("/home/ada/", "~/"),
        ("--data=/home/ada", "--data=~"),
        ("Recordings.folder = '/home/ada'", "Recordings.folder = '~'"),
        ("a.x = ['/home/ada/b','/home/ada/c']", "a.x = ['~/b','~/c']"),
        ("PATH=/home/ada/bin:/home/ada", "PATH=~/bin:~"),
        ("file:///home/ada/x", "file://~/x"),
        ("/mnt/home/ada/x", "/mnt/home/ada/x"),
        ("--data=/mnt/home/ada", "--data=/mnt/home/ada"),
        ("./home/ada/x", "./home/ada/x"),
        ("/home/adam/x", "/home/adam/x"),
        ("/home/ada-2", "/home/ada-2"),
        ("/home/ada.old/x", "/home/ada.old/x"),
        ("/home/adà", "/home/adà"),
    ],
)
def test_home_is_where_a_path_begins_with_it(argument, kept, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert environment.without_home([argument, argument]) == [kept, kept]
    monkeypatch.setenv("HOME", "/home/a.a")
    assert environment.without_home(["/home/ada/x", "/home/a.a/x"]) == ["/home/ada/x", "~/x"]
    monkeypatch.setenv("HOME", "/")
    assert environment.without_home([argument]) == [argument]


def test_git_state(tmp_path):
    assert environment.git_state(tmp_path) is None

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "code.py").write_text("a = 1\n")
    git("add", "code.py")
    git("commit", "-q", "-m", "one")
    clean = environment.git_state(tmp_path)
    assert clean == {"commit": git("rev-parse", "HEAD"), "changes": None}
    (tmp_path / "code.py").write_text("a = 2\n")
    changed = environment.git_state(tmp_path)
    assert changed["commit"] == clean["commit"] and len(changed["changes"]) == 16
    (tmp_path / "code.py").write_text("a = 3\n")
    assert environment.git_state(tmp_path)["changes"] not in (None, changed["changes"])
    assert environment.git_state(tmp_path / "code.py") is None


def test_what_is_measured_where_time_allows_counts_where_both_have_it():
    measured = {"step": 1, "a": 1.0, "sound_distance_percent": 50.0}
    assert compare_metrics([measured], [{"step": 1, "a": 1.0}]).where is None
    assert not compare_metrics([measured], [measured | {"sound_distance_percent": 51.0}]).matched
