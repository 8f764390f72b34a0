"""Simple mistakes are told before TensorFlow is loaded."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests import toys

SCRIPT = """
import json, sys
from noisygan.cli.main import main
for args in json.loads(sys.argv[1]):
    print(main(args), "tensorflow" in sys.modules, flush=True)
"""


@pytest.fixture
def run_dir(tmp_path):
    """A folder that looks like a run's from outside."""
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.gin").write_text("")
    (run / "checkpoints" / "ckpt-1.index").write_text("")
    facts = toys.metadata(label_names=["kick", "snare"], pitches=[])
    (run / "run.json").write_text(json.dumps(facts))
    return run


def test_mistakes_are_told_before_tensorflow_is_loaded(tmp_path, run_dir):
    soundfile.write(tmp_path / "a.wav", 0.1 * np.sin(np.arange(4000)), 16000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 16000)
    (tmp_path / "file").write_text("")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "a.wav").write_text("")
    no_checkpoint = tmp_path / "begun"
    no_checkpoint.mkdir()
    for name in ("config.gin", "run.json"):
        (no_checkpoint / name).write_text((run_dir / name).read_text())
    np.save(tmp_path / "nan.npy", np.array([np.nan]))
    match, render = "match a.wav --out_dir o ", f"render --out_dir o --run_dir {run_dir} "
    compare = "compare --data {0} --out_dir o "
    mistakes = {
        match + "--run_dir taken": "taken holds no run",
        match + "--run_dir begun": "begun holds no checkpoint yet",
        match + f"--run_dir {run_dir} --label tom": "label tom is unknown",
        match + f"--run_dir {run_dir} --pitch 127": "which 16000 Hz cannot hold",
        match + f"--run_dir {run_dir} --room 1": "--room: a run's sounds",
        match + "--free --room 9": "'9', expected",
        match + "--free --room x": "'x', expected",
        "match no.wav --free --out_dir o": "no.wav is missing",
        "match silent.wav --free --out_dir o": "silent.wav is silent",
        "match a.wav --free --out_dir taken": "taken/a.wav exists already",
        "match a.wav --free --out_dir file": "file is a file",
        "match a.wav --free --out_dir file/o": "file is a file; name another folder",
        "render --run_dir no --out_dir o": "no does not exist",
        "render --run_dir begun --out_dir o": "begun holds no checkpoint yet",
        f"render --run_dir {run_dir} --out_dir file/o": "file is a file; name another folder",
        render + "--pitch 127": "which 16000 Hz cannot hold",
        render + "--label kick,tom": "label tom is unknown to this run, which knows kick, snare",
        render + "--sample_rate 5": "sample rate 5 Hz",
        render + "--like no": "no such folder: no",
        render + "--z no.npz": "no.npz is missing",
        render + "--z nan.npy": "nan.npy",
        render + "--z nan.npy --count 2": "leave out count",
        render + "--z nan.npy --like no": "leave out z",
        "export --run_dir no --out o": "no does not exist",
        compare.format("taken") + "--run_dir begun": "begun holds no checkpoint yet",
        f"compare --data taken --out_dir file/o --run_dir {run_dir}": "file is a file",
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
