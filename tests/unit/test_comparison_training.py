"""The process of a training: why it failed, and that it does not outlive the comparison."""

import signal
import subprocess

import pytest

from noisygan.comparison import training
from noisygan.comparison.systems import System
from tests.killed_comparison import MAX_SECONDS, comparison, log_when

# Takes the place of a training.
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


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_comparison_leaves_no_training_behind(number, tmp_path):
    run_dir = tmp_path / "runs" / "a-0"
    log = run_dir.with_name("a-0.log")
    with comparison(run_dir, STUB) as process:
        assert "saved" not in log_when(log, "began")
        process.send_signal(number)
        process.wait(MAX_SECONDS)
        # The comparison waits for the training, unless it was killed itself.
        assert number == signal.SIGKILL or "saved" in log.read_text()
        log_when(log, "saved")
