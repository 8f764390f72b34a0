"""A small run as a stranger would send it, and code run in a process with little memory."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from noisygan.cli.main import main
from tests import toys

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "configs" / "tiny.gin"

_MEASURED = """
import resource, sys
sys.path[:0] = {path!r}
{before}
at_rest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from noisygan.audio_io.decoding import BadAudioError
from noisygan.errors import NoisyganError
try:
{code}
    said = "accepted"
except (NoisyganError, BadAudioError, ValueError) as error:
    said = "refused: " + " ".join(str(error).split())
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_rest) / 1024
print(f"{{grown:.0f}} {{said}}")
"""


@pytest.fixture
def in_small_memory():
    """Runs code in a separate process; gives (MB its peak grew by, what was said)."""

    def run(code, before=""):
        text = _MEASURED.format(
            path=[str(ROOT), *(p for p in sys.path if p)],
            before=textwrap.dedent(before),
            code=textwrap.indent(textwrap.dedent(code).strip(), "    "),
        )
        done = subprocess.run(
            [sys.executable, "-c", text],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        grown, _, said = done.stdout.splitlines()[-1].partition(" ")
        return int(grown), said

    return run


@pytest.fixture
def refused(capsys):
    """Runs `noisygan`, which must end with one line and no traceback; gives (code, that line)."""

    def run(*args):
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        said = capsys.readouterr().err.splitlines()
        assert code in (1, 2), said
        assert said[-1].startswith("noisygan: ") and "internal error" not in said[-1]
        assert not any("Traceback" in line for line in said)
        return code, said[-1]

    return run


@pytest.fixture(scope="session")
def sent(tmp_path_factory):
    """A function that makes a run folder, as somebody else sends it: a small hybrid, untrained."""
    import tensorflow as tf

    from noisygan import config
    from noisygan.training import checkpoints
    from noisygan.training.trainer import Trainer, build_generator

    config.parse([TINY])
    text = config.resolved_text()
    generator = config.configured(Trainer)().generator
    build_generator(generator, 1, [60])
    state = tf.train.Checkpoint(
        ema=[tf.Variable(v.value, trainable=False) for v in generator.weights],
        step=tf.Variable(3, dtype=tf.int64, trainable=False),
    )

    def make(path, replace=(), **facts):
        (path / "checkpoints").mkdir(parents=True)
        changed = text
        for old, new in replace:
            assert old in changed, old
            changed = changed.replace(old, new)
        (path / "config.gin").write_text(changed)
        good = {"label_names": ["flute"], "pitches": [60], "sample_rate": 16000}
        (path / "run.json").write_text(json.dumps(toys.metadata(**(good | facts))))
        checkpoints.write(state, path / "checkpoints" / "ckpt-3")
        return path

    return make
