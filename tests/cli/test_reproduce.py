"""`noisygan reproduce`, `train --deterministic`, and runs whose newest checkpoint is damaged."""

import json
import shutil
import subprocess
import sys

import pytest
from tensorflow.python.framework import config as framework

from noisygan.demo import held_out_folder, notes_folder
from noisygan.training.reproducing import compare_metrics, compare_weights
from noisygan.training.runs import RunFolder


@pytest.fixture
def copy(trained, tmp_path):
    """A copy of the shared run that a test may spoil."""
    shutil.copytree(trained, tmp_path / "copy")
    return tmp_path / "copy"


def spoil(run_dir):
    """Turns over a bit of the newest checkpoint."""
    path = run_dir / "checkpoints" / "ckpt-3.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.usefixtures("chance_again", "eagerly")
def test_a_deterministic_run_is_reproduced_bit_by_bit(noisygan, tiny, tmp_path, monkeypatch):
    run_dir = tmp_path / "run"
    command = ("train", "--gin_file", tiny, "--data", notes_folder(), "--run_dir", run_dir)
    command += ("--steps", 2, "--seed", 5, "--deterministic")
    monkeypatch.setattr(sys, "argv", ["noisygan", *map(str, command)])
    trained = noisygan(*command)
    assert trained.code == 0, trained.err
    assert framework.is_op_determinism_enabled()
    facts = json.loads((run_dir / "run.json").read_text())
    assert facts["deterministic"] is True
    again = noisygan("reproduce", run_dir)
    assert again.code == 0, again.err
    assert again.out.splitlines() == [
        f"reproduced: {run_dir}-again, 2 steps",
        "metrics of 1 steps: equal in every bit",
        "weights of step 0: equal in every bit",
        "weights of step 2: equal in every bit",
        "matched",
    ]
    repeated = json.loads((tmp_path / "run-again" / "run.json").read_text())
    assert repeated["environment"] == facts["environment"]
    # One number less, and it is found.
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    record = json.loads(lines[0])
    record["g_loss"] *= 1.01
    (run_dir / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    (run_dir / "run.json").write_text(json.dumps(facts | {"noisygan": "0.0.1"}))
    shutil.rmtree(tmp_path / "run-again")
    other = noisygan("reproduce", run_dir, "--steps", 1, "--data", notes_folder())
    assert other.code == 1
    assert "made with: noisygan: 0.0.1 and " in other.out
    assert "they part at step 1, g_loss: " in other.out
    assert "weights: none that were trained" in other.out
    out = tmp_path / "longer"
    longer = noisygan("reproduce", run_dir, "--steps", 3, "--out_dir", out)
    assert longer.code == 2 and "--steps 3: " in longer.err and "has taken 2" in longer.err
    assert not out.exists()
    assert other.out.splitlines()[-1] == "not matched"


@pytest.mark.slow
@pytest.mark.parametrize("system", ["tiny", "recurrent"])
def test_two_runs_beside_each_other_are_equal_in_every_bit(system, tiny, tmp_path):
    config = ["--gin_file", tiny]
    if system == "recurrent":  # sums of gradients that are lists of tensors
        config = ["--gin_file", "runs/sample_gan_small.gin"]
        config += ["--gin_param", "TrainAutoencoder.steps = 20"]
    command = [sys.executable, "-m", "noisygan", "train", *config]
    command += ["--data", notes_folder(), "--steps", "40", "--deterministic", "--run_dir"]
    runs = [tmp_path / "one", tmp_path / "two"]
    processes = [
        subprocess.Popen([*command, run], stderr=subprocess.PIPE, text=True) for run in runs
    ]
    for process in processes:
        _, error = process.communicate(timeout=400)
        assert process.returncode == 0, error
    one, two = map(RunFolder.open, runs)
    metrics = compare_metrics(one.read_metrics(), two.read_metrics())
    assert metrics.described("metrics") == "metrics: equal in every bit"
    weights = compare_weights(*(run.checkpoints / "ckpt-40" for run in (one, two)))
    assert weights.described("weights") == "weights: equal in every bit"


def test_what_cannot_be_reproduced_is_refused(refused, copy, tmp_path):
    assert "holds no run" in refused("reproduce", tmp_path / "nothing")
    assert "are not those of" in refused("reproduce", copy, "--data", held_out_folder())
    assert not (tmp_path / "copy-again").exists()
    (tmp_path / "copy-again").mkdir()
    (tmp_path / "copy-again" / "mine.txt").write_text("mine")
    assert "is there already" in refused("reproduce", copy)
    facts = json.loads((copy / "run.json").read_text())
    facts["command"] = ["noisygan", "demo"]
    (copy / "run.json").write_text(json.dumps(facts))
    said = refused("reproduce", copy, "--out_dir", tmp_path / "new")
    assert "the folder of the run's recordings is not told" in said
    assert "give it by --data" in said


def test_determinism_is_decided_when_a_run_is_begun(refused, copy):
    arguments = ("--run_dir", copy, "--data", notes_folder(), "--resume", "--deterministic")
    assert "was begun without --deterministic" in refused("train", *arguments)
    assert not framework.is_op_determinism_enabled()


def test_rendering_passes_over_a_damaged_checkpoint_and_says_so(noisygan, refused, copy, tmp_path):
    spoil(copy)
    out = tmp_path / "out"
    result = noisygan("render", "--run_dir", copy, "--pitch", "60", "--out_dir", out)
    assert result.code == 0, result.err
    assert (
        "the checkpoint of step 3 is skipped: ckpt-3.data-00000-of-00001 is damaged" in result.err
    )
    assert "the checkpoint of step 0 is used instead" in result.err
    (copy / "checkpoints" / "ckpt-0.index").unlink()
    said = refused("render", "--run_dir", copy, "--out_dir", tmp_path / "none", code=1)
    assert "none of its checkpoints is whole" in said
    said = refused(
        *("train", "--run_dir", copy, "--data", notes_folder(), "--resume", "--steps", 5), code=1
    )
    assert "none of its checkpoints is whole" in said
