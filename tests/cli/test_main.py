"""The command line itself: help, wrong use, exit codes, errors as one line."""

import argparse
import importlib
import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import noisygan as package
from noisygan import config as gin_config
from noisygan.cli import configs
from noisygan.cli.main import COMMANDS, build_parser
from noisygan.errors import RunError, UsageError
from tests import toys

HELP = [["--help"], *([name, "--help"] for name in COMMANDS)]


@pytest.mark.parametrize("args", HELP, ids=" ".join)
def test_help_has_an_example_and_explains_every_option(noisygan, args):
    result = noisygan(*args)
    assert (result.code, result.err) == (0, "")
    assert "example:\n  noisygan " in result.out
    assert max(map(len, result.out.splitlines())) <= 110
    for name in args[:-1]:
        parser = build_parser()._subparsers._group_actions[0].choices[name]
        assert all(action.help for action in parser._actions)
        for line in COMMANDS[name].EXAMPLE.split("\n"):
            program, *rest = shlex.split(line)
            assert program == "noisygan"
            assert build_parser().parse_args(rest).command == name


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


TRAIN = "train --data d --gin_file n --run_dir r "
RENDER = "render --run_dir r --out_dir o "


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
        (TRAIN + "--steps 0", "--steps: '0', expected a whole number"),
        (TRAIN + "--steps x", "'x', expected a whole number"),
        (TRAIN + "--minutes -1", "expected a number above 0"),
        (TRAIN + "--seed -1", "expected a whole number from 0"),
        (TRAIN + "--resume --dry_run", "--dry_run and --resume"),
        ("train --data d --run_dir nowhere --resume", "nowhere does not exist"),
        ("train --data d --run_dir r --gin_file runs/nots.gin", "(nearest: runs/notes.gin)"),
        (RENDER + "--pitch 60,128", "'128', expected MIDI numbers"),
        (RENDER + "--subtype MP3", "invalid choice: 'MP3'"),
        ("synth --controls nowhere.npz --out o.wav", "nowhere.npz is not there"),
        ("synth --controls c.npz --out o.mp3", "expected a name that ends in .wav"),
        ("config --gin_file notes --gin_param 'Trainer.bach_size = 1'", "(nearest: batch_size)"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(refused, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*shlex.split(args))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "pitch"),
    [("render", [60]), ("instrument", [60]), ("match", 60), ("interpolate", 60)],
)
def test_pitches_have_names(command, pitch):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"noisygan.cli.{command}").add_arguments(parser)
    needed = [action for action in parser._actions if action.required]
    given = [word for a in needed for word in (*a.option_strings[:1], "x")]
    assert parser.parse_args([*given, "--pitch", "C4"]).pitch == pitch


def test_filters_take_the_names_of_pitches():
    parser = argparse.ArgumentParser()
    importlib.import_module("noisygan.cli.prepare").add_arguments(parser)
    args = ["notes", "--data", "d", "--out", "o", "--only", "pitch=C4,61,none"]
    assert parser.parse_args(args).only == [("pitch", ("60", "61", "none"))]


SCRIPT = """
import json, sys
from noisygan.cli.main import main
for args in json.loads(sys.argv[1]):
    print(main(args), "tensorflow" in sys.modules, flush=True)
"""


def test_mistakes_are_reported_before_tensorflow_is_loaded(tmp_path):
    run_dir, begun = tmp_path / "run", tmp_path / "begun"
    (run_dir / "checkpoints").mkdir(parents=True)
    (run_dir / "checkpoints" / "ckpt-1.index").write_text("")
    begun.mkdir()
    facts = toys.metadata(label_names=["kick", "snare"], pitches=[])
    for folder in (run_dir, begun):
        (folder / "config.gin").write_text("")
        (folder / "run.json").write_text(json.dumps(facts))
    soundfile.write(tmp_path / "a.wav", 0.1 * np.sin(np.arange(4000)), 16000)
    (tmp_path / "file").write_text("")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "a.wav").write_text("")
    np.save(tmp_path / "nan.npy", np.array([np.nan]))
    match, render = "match a.wav --out_dir o ", "render --out_dir o --run_dir run "
    mistakes = {
        match + "--run_dir taken": "taken holds no run",
        match + "--run_dir begun": "begun holds no checkpoint yet",
        match + "--run_dir run --label tom": "label tom is unknown",
        match + "--run_dir run --pitch 127": "which 16000 Hz cannot hold",
        match + "--run_dir run --room 1": "--room: a run's sounds",
        match + "--free --room 9": "'9', expected",
        "match no.wav --free --out_dir o": "no.wav is missing",
        "match a.wav --free --out_dir taken": "taken/a.wav exists already",
        "match a.wav --free --out_dir file": "file is a file",
        "render --run_dir no --out_dir o": "no does not exist",
        "render --run_dir run --out_dir file/o": "file is a file; name another folder",
        render + "--pitch 127": "which 16000 Hz cannot hold",
        render + "--label kick,tom": "label tom is unknown to this run, which knows kick, snare",
        render + "--sample_rate 5": "sample rate 5 Hz",
        render + "--like no": "no such folder: no",
        render + "--z nan.npy": "nan.npy",
        render + "--z nan.npy --count 2": "leave out count",
        render + "--z nan.npy --like no": "leave out z",
        "export --run_dir no --out o": "no does not exist",
        "compare --data taken --out_dir o --run_dir begun": "begun holds no checkpoint yet",
    }
    commands = json.dumps([command.split() for command in mistakes])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, commands], cwd=tmp_path, capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("noisygan: ")]
    answers = done.stdout.splitlines()
    assert len(said) == len(answers) == len(mistakes), done
    wrong = [
        (command, line, answer)
        for (command, wanted), line, answer in zip(mistakes.items(), said, answers, strict=True)
        if wanted not in line or answer != "2 False"
    ]
    assert not wrong
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("wrong"), 2, "wrong"),
        (RunError("failed\n  in two lines."), 1, "failed in two lines"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("go on with: x"), 130, "go on with: x"),
        (
            ValueError("one\ntwo"),
            1,
            "internal error: ValueError: one (set NOISYGAN_TRACEBACK=1 to see where)",
        ),
    ],
)
def test_errors_become_one_line_and_an_exit_code(noisygan, monkeypatch, error, code, said):
    def run(args):
        raise error

    monkeypatch.setattr(configs, "run", run)
    monkeypatch.delenv("NOISYGAN_TRACEBACK", raising=False)
    assert noisygan("configs") == (code, "", f"noisygan: {said}\n")
    monkeypatch.setenv("NOISYGAN_TRACEBACK", "1")
    is_traced = isinstance(error, Exception)
    assert ("Traceback" in noisygan("configs").err) == is_traced


def test_python_m_noisygan_a_closed_pipe_and_no_log_lines():
    command = f"{shlex.quote(sys.executable)} -m noisygan configs | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP")}
    command = [sys.executable, "-m", "noisygan", "config", "--gin_file", "notes"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "batch_size = 8" in done.stdout


def test_configs_lists_every_bundled_config_with_a_line(noisygan):
    lines = noisygan("configs").out.splitlines()
    names = gin_config.bundled_configs()
    assert len(lines) == len(names) > 0
    for line, name in zip(lines, names, strict=True):
        assert line.startswith(name + " ")
        assert len(line.removeprefix(name).strip()) > 10


def test_config_prints_a_config_that_gives_the_same_again(noisygan, tiny, tmp_path):
    first = noisygan("config", "--gin_file", tiny, "--gin_param", "Trainer.batch_size = 3")
    assert first.code == 0
    assert "batch_size = 3" in first.out
    saved = tmp_path / "saved.gin"
    saved.write_text(first.out)
    assert noisygan("config", "--gin_file", saved) == first
