"""Running the command in this process."""

import collections
from pathlib import Path

import pytest

from noisygan.cli.main import main

TINY = Path(__file__).parents[1] / "configs" / "tiny.gin"

Result = collections.namedtuple("Result", "code out err")


@pytest.fixture
def noisygan(capsys):
    """A function that runs `noisygan` with the given arguments and returns (code, out, err)."""

    def run(*args):
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(noisygan):
    """Runs `noisygan`, expects wrong use, and returns the message: one line, no traceback."""

    def run(*args, code=2):
        result = noisygan(*args)
        lines = result.err.splitlines()
        assert result.code == code, result
        assert result.out == ""
        assert lines[-1].startswith("noisygan: ")
        assert "Traceback" not in result.err
        return lines[-1].removeprefix("noisygan: ")

    return run
