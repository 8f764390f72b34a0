"""Running the command in this process, and trained runs for all tests to share."""

import collections
from pathlib import Path

import pytest

from noisygan.cli.main import main
from noisygan.demo import drums_folder, notes_folder

TINY = Path(__file__).parents[1] / "configs" / "tiny.gin"

SMALL_DRUMS = (
    "n_samples = 4096",
    "seconds = 0.0928798",
    "Statistics.moments_seconds = (0.0, 0.03)",
    "MFCCDiscriminator.n_filters = (4, 4)",
    "SpectrogramDiscriminator.n_filters = (4, 4)",
    "Hybrid.frame_rate = 200.0",
    "Trainer.batch_size = 2",
)

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


@pytest.fixture(scope="session")
def kit(tmp_path_factory):
    """Folder of a run of two steps on the bundled drums."""
    run_dir = tmp_path_factory.mktemp("drums") / "kit"
    params = [word for binding in SMALL_DRUMS for word in ("--gin_param", binding)]
    command = ["train", "--gin_file", "runs/drums_small.gin", "--data", str(drums_folder())]
    assert main([*command, *params, "--run_dir", str(run_dir), "--steps", "2"]) == 0
    return run_dir


@pytest.fixture
def tiny():
    """Path of the tiny config."""
    return TINY
