"""Why a training failed, as the table says it."""

import subprocess

import pytest

from noisygan.comparison import training
from noisygan.comparison.systems import System


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

        def wait(self):
            return code

    monkeypatch.setattr(subprocess, "Popen", Process)
    system = System("a", "", "a.gin", {0: tmp_path / "runs" / "a-0"})
    assert training.train(system, 0, tmp_path, [], ("minutes", 1.0)) == said
