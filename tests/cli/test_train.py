"""`noisygan train`: the run folder, dry runs, stopping and going on, and bad input."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from noisygan import progress
from noisygan.demo import held_out_folder, notes_folder
from noisygan.errors import RunError
from tests.cli.conftest import TINY


def test_a_run_folder_holds_what_is_needed_to_repeat_the_run(trained):
    facts = json.loads((trained / "run.json").read_text())
    assert facts["seed"] == 7
    assert facts["command"][0] == "noisygan"
    assert facts["versions"]["tensorflow"]
    assert len(facts["data"]["fingerprint"]) >= 32
    assert "batch_size = 2" in (trained / "config.gin").read_text()
    assert "include" not in (trained / "config.gin").read_text()


def test_a_dry_run_prints_the_networks_and_writes_nothing(noisygan, tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = noisygan("train", "--gin_file", tiny, "--data", notes_folder(), "--dry_run")
    assert result.code == 0
    for word in ("Generator", "Discriminator", "parameters", "output shape", "nothing was trained"):
        assert word in result.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_stopping_saves_and_says_how_to_go_on(noisygan, tiny, tmp_path, monkeypatch):
    run_dir = tmp_path / "a run"

    def stop(self, step, *args, **kwargs):
        raise KeyboardInterrupt

    arguments = ("--data", notes_folder(), "--run_dir", run_dir)
    with monkeypatch.context() as patch:
        patch.setattr(progress.TrainingProgress, "update", stop)
        result = noisygan("train", "--gin_file", tiny, *arguments, "--steps", 5)
    assert result.code == 130
    said = result.err.splitlines()[-1]
    assert said == (
        "noisygan: stopped and saved; continue with: "
        f"noisygan train --run_dir '{run_dir}' --data {notes_folder()} --resume --steps 5"
    )
    result = noisygan("train", *arguments, "--resume", "--steps", 3)
    assert result.code == 0, result.err
    assert "3 steps" in result.out and f"page: {run_dir / 'index.html'}" in result.out
    assert 'id="listen"' in (run_dir / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def watched(tiny, tmp_path, eagerly):
    """A config that measures each step, and for which only a miracle is a gain."""
    config = tmp_path / "watched.gin"
    imports = "import noisygan.training.quality\n"
    first, rest = tiny.read_text().split("import cppn.coordinates\n")
    quality = {"every_steps": 1, "n_sounds": 4, "patience": 2, "min_gain": 1e6, "max_share": 9.0}
    settings = "".join(f"Quality.{name} = {value}\n" for name, value in quality.items())
    text = f"{first}import cppn.coordinates\n{imports}{rest}\nTrainer.quality = @Quality()\n"
    config.write_text(text + settings)
    return config


def test_training_until_it_is_done_says_so(noisygan, watched, tmp_path, monkeypatch):
    def full(self, path=None, data=None):
        raise RunError("the disk is full")

    monkeypatch.setattr("noisygan.run.Run.report", full)
    run_dir = tmp_path / "run"
    arguments = ("--data", notes_folder(), "--run_dir", run_dir, "--early_stop")
    result = noisygan("train", "--gin_file", watched, *arguments, "--steps", 9)
    assert result.code == 0, result.err
    assert f"trained: {run_dir}, 3 steps" in result.out
    assert "no gain since step 1, done" in result.err
    assert "note: no page was written: the disk is full" in result.err
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert all(np.isfinite(line["distance_percent"]) for line in lines)
    result = noisygan("render", "--run_dir", run_dir / "best", "--out_dir", tmp_path / "out")
    assert result.code == 0, result.err
    arguments = ("--data", notes_folder(), "--run_dir", run_dir / "best", "--resume")
    result = noisygan("train", *arguments, "--steps", 9)
    assert result.code == 2
    assert (
        f"averaged weights alone, which can't be trained further; expected {run_dir}" in result.err
    )


def test_stopping_says_whether_it_still_improves_and_how_to_go_on(
    noisygan, watched, tmp_path, monkeypatch
):
    def stop(self, step, *args, **kwargs):
        if step == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.TrainingProgress, "update", stop)
    arguments = ("--data", notes_folder(), "--run_dir", tmp_path / "run", "--early_stop")
    arguments += ("--snapshot_minutes", 5)
    result = noisygan("train", "--gin_file", watched, *arguments, "--steps", 9)
    assert result.code == 130
    assert "last gain at step 1, done after 1 more" in result.err
    assert result.err.splitlines()[-1].endswith(
        "--resume --steps 9 --snapshot_minutes 5 --early_stop"
    )


@pytest.fixture
def copy(trained, tmp_path):
    """A copy of the shared run that a test may spoil."""
    shutil.copytree(trained, tmp_path / "copy")
    return tmp_path / "copy"


def snapshot(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_that_is_not_empty_is_left_alone(refused, tiny, copy, tmp_path):
    before = snapshot(tmp_path)
    asked = ("train", "--gin_file", tiny, "--data", notes_folder(), "--run_dir")
    assert "holds a run; choose another folder, or resume it" in refused(*asked, copy)
    assert "is not an empty folder" in refused(*asked, tmp_path)
    assert "is not an empty folder" in refused(*asked, copy / "run.json")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--seed", "8"], "seed 8, but the run was begun with seed 7"),
        (["--gin_param", "Trainer.batch_size = 3"], "differs from that of .*batch_size = 3"),
        (["--gin_file", "notes"], "the config given differs"),
        (["--data", str(held_out_folder())], "are not those of the run"),
        # The same config is no difference.
        (["--gin_file", TINY, "--data", str(held_out_folder())], "are not those of the run"),
    ],
)
def test_resuming_with_anything_else_is_refused(refused, copy, change, message):
    before = snapshot(copy)
    data = [] if "--data" in change else ["--data", notes_folder()]
    said = refused("train", "--run_dir", copy, "--resume", "--steps", "9", *data, *change)
    assert re.search(message, said)
    assert snapshot(copy) == before


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("Recordings.families = ['tuba']", "tuba"),
        ("Recordings.sample_rate = 44100", "44100"),
        ("Recordings.n_samples = 9000", "8000"),
        ("Recordings.min_pitch = 90", "90"),
        ("Trainer.batch_siez = 1", "nearest: batch_size"),
        ("flute/Trainer.batch_size = 1", "nothing used flute/Trainer.batch_size"),
    ],
)
def test_what_does_not_fit_leaves_no_folder(refused, tiny, tmp_path, param, message):
    run_dir = tmp_path / "run"
    arguments = ("--data", notes_folder(), "--run_dir", run_dir, "--steps", 1)
    assert message in refused("train", "--gin_file", tiny, "--gin_param", param, *arguments)
    assert not run_dir.exists()


def test_bad_recordings_leave_no_folder(refused, tiny, tmp_path, monkeypatch, write_sound):
    run_dir = tmp_path / "run"

    def train(data, *more):
        return refused("train", "--gin_file", tiny, "--data", data, "--run_dir", run_dir, *more)

    assert "no such folder" in train(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "empty" in train(tmp_path / "empty")
    path = write_sound(tmp_path / "bad" / "a-060-100.wav", np.full(8000, np.nan), subtype="FLOAT")
    assert path.name in train(tmp_path / "bad")
    write_sound(path, n=8000)
    assert "expected two or more" in train(tmp_path / "bad", "--early_stop")
    two = SimpleNamespace(n_replicas=2)
    monkeypatch.setattr("noisygan.training.distribution.connect", lambda *_: two)
    monkeypatch.setattr("noisygan.training.determinism.make_deterministic", lambda *_: {})
    assert "set CUDA_VISIBLE_DEVICES=0" in train(notes_folder(), "--deterministic")
    assert not run_dir.exists()


def test_a_strangers_config_in_a_run_folder_is_checked(refused, copy, tmp_path):
    config = copy / "config.gin"
    config.write_text("import os\n" + config.read_text() + "Trainer.n_critic = @os.getcwd()\n")
    said = refused("train", "--run_dir", copy, "--data", notes_folder(), "--resume")
    assert "a config may not import os" in said
    said = refused("render", "--run_dir", copy, "--out_dir", tmp_path / "out")
    assert "a config may not import os" in said
