"""The process of a training: why it failed, and that it does not outlive the comparison."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from noisygan.comparison import training
from noisygan.comparison.systems import System
from noisygan.demo import notes_folder
from noisygan.training import checkpoints

# A comparison that trains one system and is killed; its process takes STUB for the training.
COMPARISON = """
import pathlib, signal, sys
from noisygan.comparison import training
signal.signal(signal.SIGINT, signal.default_int_handler)  # It may be ignored here.
from noisygan.comparison.systems import System
config, run_dir, data, *stub = sys.argv[1:]
if stub:
    training.TRAIN = [sys.executable, "-c", *stub]
system = System("a", "", config, {0: pathlib.Path(run_dir)})
training.train(system, 0, data, [], ("minutes", 20.0))
"""
STUB = """
import time
from noisygan.training import signals
signals.stop_with_stdin()
stop = signals.StopSignals()
print("began", flush=True)
while not stop.received:
    time.sleep(0.01)
print("saved", flush=True)
"""
TINY = pathlib.Path(__file__).parents[1] / "configs" / "tiny.gin"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1, "noisygan: no memory (see runs/a-0.log)"),
        (-9, "it was ended by signal 9, as when memory runs out (see runs/a-0.log)"),
        (-11, "it was ended by signal 11 (see runs/a-0.log)"),
        (0, None),
    ],
)
def test_a_failure_is_a_line(code, said, monkeypatch, tmp_path):
    class Process:
        def __init__(self, command, stdout, **options):
            stdout.write("step 100\nnoisygan: no memory\n\n")
            stdout.flush()

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def wait(self):
            return code

    monkeypatch.setattr(subprocess, "Popen", Process)
    system = System("a", "", "a.gin", {0: tmp_path / "runs" / "a-0"})
    assert training.train(system, 0, tmp_path, [], ("minutes", 1.0)) == said


def log_when(log, has):
    """The text of a log once it has something, within two minutes."""
    end = time.monotonic() + 120
    while has not in (text := log.read_text() if log.is_file() else ""):
        assert time.monotonic() < end, text
        time.sleep(0.05)
    return text


@pytest.mark.parametrize(
    ("number", "stub"),
    [
        (signal.SIGKILL, []),
        (signal.SIGKILL, [STUB]),
        (signal.SIGTERM, [STUB]),
        (signal.SIGINT, [STUB]),
    ],
    ids=["killed", "killed-stub", "terminated-stub", "interrupted-stub"],
)
def test_a_killed_comparison_leaves_no_training_behind(number, stub, tmp_path):
    run_dir = tmp_path / "runs" / "a-0"
    log = run_dir.with_name("a-0.log")
    command = [sys.executable, "-c", COMPARISON, TINY, run_dir, notes_folder(), *stub]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), TF_CPP_MIN_LOG_LEVEL="3")
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        log_when(log, "began" if stub else "step ")
        assert "saved" not in log.read_text()
        process.send_signal(number)
        process.wait(60)
        # The comparison waits for the training, unless it was killed itself.
        assert number == signal.SIGKILL or "saved" in log.read_text()
        text = log_when(log, "saved")
        assert stub or ("continue with" in text and checkpoints.newest(run_dir))
    finally:
        process.kill()
        process.wait()
