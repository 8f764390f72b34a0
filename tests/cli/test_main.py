"""The command line itself: help, wrong use, exit codes, errors as one line."""

import shlex
import subprocess
import sys

import pytest

import noisygan as package
from noisygan.cli import configs
from noisygan.cli.main import COMMANDS, build_parser
from noisygan.errors import RunError, UsageError

HELP = [["--help"], *([name, "--help"] for name in COMMANDS)]


@pytest.mark.parametrize("args", HELP, ids=" ".join)
def test_help_has_an_example_and_explains_every_option(noisygan, args):
    result = noisygan(*args)
    assert result.code == 0
    assert "example:\n  noisygan " in result.out
    assert result.err == ""
    assert max(map(len, result.out.splitlines())) <= 110


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_accepted(name):
    for line in COMMANDS[name].EXAMPLE.split("\n"):
        program, command, *rest = shlex.split(line)
        assert (program, command) == ("noisygan", name)
        assert build_parser().parse_args([command, *rest]).command == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name):
    parser = build_parser()._subparsers._group_actions[0].choices[name]
    for action in parser._actions:
        assert action.help, f"{name} {action.option_strings}"


def test_help_imports_nothing_heavy():
    heavy = {"tensorflow", "keras", "librosa", "matplotlib", "soundfile", "numba", "rich"}
    program = (
        "import sys\n"
        "from noisygan.cli.main import main\n"
        f"assert not any(map(main, {HELP!r}))\n"
        f"found = {heavy!r} & set(sys.modules)\n"
        "sys.exit(f'imported {found}' if found else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_version(noisygan):
    assert noisygan("--version").out == f"noisygan {package.__version__}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("", "no command; expected one of download, prepare, data, train, render"),
        ("tarin", "invalid choice: 'tarin'"),
        ("--verison", "no option --verison (nearest: --version)"),
        ("train --stpes 3 --data d", "no option --stpes (nearest: --steps)"),
        ("train --gin_file x", "required: --data"),
        ("train --data d --run_dir r", "no --gin_file; expected a config such as runs/notes.gin"),
        ("train --data d --gin_file notes", "no --run_dir; expected a folder for the run"),
        (
            "train --data d --gin_file n --run_dir r --steps 0",
            "--steps: '0', expected a whole number",
        ),
        ("train --data d --gin_file n --run_dir r --steps x", "'x', expected a whole number"),
        ("train --data d --gin_file n --run_dir r --minutes -1", "expected a number above 0"),
        ("train --data d --gin_file n --run_dir r --seed -1", "expected a whole number from 0"),
        ("train --data d --gin_file n --resume --dry_run", "--dry_run and --resume"),
        ("train --data d --run_dir nowhere --resume", "nowhere does not exist"),
        ("train --data d --run_dir r --gin_file runs/nots.gin", "(nearest: runs/notes.gin)"),
        ("render --out_dir o", "required: --run_dir"),
        ("render --run_dir nowhere --out_dir o", "nowhere does not exist"),
        ("render --run_dir r --out_dir o --pitch 60,128", "'128', expected MIDI numbers"),
        (
            "render --run_dir r --out_dir o --velocity 200",
            "'200', expected a whole number",
        ),
        ("render --run_dir r --out_dir o --count 0", "'0', expected a whole number from 1"),
        ("render --run_dir r --out_dir o --seconds 0", "expected a number above 0"),
        ("render --run_dir r --out_dir o --subtype MP3", "invalid choice: 'MP3'"),
        ("synth --controls nowhere.npz --out o.wav", "nowhere.npz is not there"),
        ("synth --controls c.npz --out o.mp3", "expected a name that ends in .wav"),
        ("config", "required: --gin_file"),
        ("config --gin_file notes --gin_param 'Trainer.bach_size = 1'", "(nearest: batch_size)"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(refused, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*shlex.split(args))
    assert list(tmp_path.iterdir()) == []


def fail_with(monkeypatch, error):
    def run(args):
        raise error

    monkeypatch.setattr(configs, "run", run)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("wrong"), 2, "noisygan: wrong\n"),
        (RunError("failed\n  in two lines."), 1, "noisygan: failed in two lines\n"),
        (KeyboardInterrupt(), 130, "noisygan: interrupted\n"),
        (KeyboardInterrupt("go on with: x"), 130, "noisygan: go on with: x\n"),
        (
            ValueError("one\ntwo"),
            1,
            "noisygan: internal error: ValueError: one (set NOISYGAN_TRACEBACK=1 to see where)\n",
        ),
    ],
)
def test_errors_become_one_line_and_an_exit_code(noisygan, monkeypatch, error, code, said):
    monkeypatch.delenv("NOISYGAN_TRACEBACK", raising=False)
    fail_with(monkeypatch, error)
    assert noisygan("configs") == (code, "", said)


@pytest.mark.parametrize("error", [UsageError("wrong"), ValueError("wrong")])
def test_the_traceback_is_there_for_whoever_asks(noisygan, monkeypatch, error):
    monkeypatch.setenv("NOISYGAN_TRACEBACK", "1")
    fail_with(monkeypatch, error)
    result = noisygan("configs")
    assert result.code == error.exit_code if isinstance(error, UsageError) else 1
    assert "Traceback" in result.err
    assert "in run" in result.err


def test_python_m_noisygan_and_a_closed_pipe():
    command = f"{shlex.quote(sys.executable)} -m noisygan configs | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""
    done = subprocess.run([sys.executable, "-m", "noisygan", "nothing"], capture_output=True)
    assert done.returncode == 2
    assert done.stderr.startswith(b"noisygan: ")
    assert done.stderr.count(b"\n") == 1


def test_tensorflow_starts_without_its_log_lines(tmp_path):
    command = [sys.executable, "-m", "noisygan", "config", "--gin_file", "notes"]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    assert done.returncode == 0
    assert done.stderr == ""
    assert "batch_size = 16" in done.stdout


def _environment():
    import os

    return {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP")}
