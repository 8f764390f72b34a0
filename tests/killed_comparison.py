"""A comparison in its own process, to be killed while the training that it started runs."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

from noisygan.demo import notes_folder

# It trains one system; its process takes a stub for the training, and writes the training's pid.
COMPARISON = """
import pathlib, signal, subprocess, sys
from noisygan.comparison import training
signal.signal(signal.SIGINT, signal.default_int_handler)  # It may be ignored here.
from noisygan.comparison.systems import System
config, run_dir, data, *stub = sys.argv[1:]
if stub:
    training.TRAIN = [sys.executable, "-c", *stub]
class Popen(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        pathlib.Path(run_dir + ".pid").write_text(str(self.pid))
subprocess.Popen = Popen
system = System("a", "", config, {0: pathlib.Path(run_dir)})
training.train(system, 0, data, [], ("minutes", 20.0))
"""
TINY = pathlib.Path(__file__).parent / "configs" / "tiny.gin"
# Guards against a process that hangs.
MAX_SECONDS = 600.0


@contextlib.contextmanager
def comparison(run_dir, *stub):
    """A context with the process of a comparison, which ends with its training at the end."""
    command = [sys.executable, "-c", COMPARISON, TINY, run_dir, notes_folder(), *stub]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), TF_CPP_MIN_LOG_LEVEL="3")
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        # The training has a session of its own.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(int(pathlib.Path(f"{run_dir}.pid").read_text()), signal.SIGKILL)


def log_when(log, has):
    """The text of a log once it has something."""
    end = time.monotonic() + MAX_SECONDS
    while has not in (text := log.read_text() if log.is_file() else ""):
        assert time.monotonic() < end, text
        time.sleep(0.05)
    return text
