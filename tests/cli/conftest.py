"""Running the command in this process, and one trained run for all tests to share."""

import collections
from pathlib import Path

import pytest

from noisygan.cli.main import main
from noisygan.demo import notes_folder

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


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder of a run of three steps of the tiny config on the bundled notes."""
    run_dir = tmp_path_factory.mktemp("trained") / "tiny"
    code = main(
        ["train", "--gin_file", str(TINY), "--data", str(notes_folder())]
        + ["--run_dir", str(run_dir), "--steps", "3", "--seed", "7"]
    )
    assert code == 0
    return run_dir


@pytest.fixture
def tiny():
    """Path of the tiny config."""
    return TINY
