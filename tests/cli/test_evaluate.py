"""`noisygan evaluate` from the command line to the files."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from noisygan.demo import notes_folder
from noisygan.evaluation import cost, networks


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(networks, "N_STEPS", 20)


@pytest.fixture
def no_cost(monkeypatch):
    monkeypatch.setattr(cost, "cost", lambda *arguments: iter(()))


def read(folder):
    return json.loads((folder / "evaluation.json").read_text())


def metrics(folder):
    return {m["name"]: m for m in read(folder)["metrics"]}


def test_a_run_is_measured_against_the_held_out_notes(noisygan, trained, tmp_path):
    out = tmp_path / "out"
    result = noisygan(
        "evaluate", "--run_dir", trained, "--data", notes_folder(), "--out_dir", out,
        "--n", 16, "--pitch_sounds", 2,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "MMD^2 x 1000, log-mel:" in result.out and "floor" in result.out
    assert "only 16 sounds of tiny; from 500 on" in result.err
    data = read(out)
    assert data["complete"] and data["n"]["generated"] == 16
    assert data["seeds"] == {"generation": 0, "bootstrap": 0, "training": [7]}
    assert data["weights"] == "averaged (EMA)" and data["step"] == 3
    assert not data["reference"]["seen_by_run"]
    found = metrics(out)
    head = found["MMD^2 x 1000, log-mel"]
    assert head["floor"] is not None and head["ceiling"] is not None and head["interval"]
    # Three steps are no training: it is as bad as the untrained one.
    assert head["value"] > 50 + head["floor"]
    assert found["within 50 cents of the asked pitch"]["value"] is not None
    assert found["MMD^2 x 1000, CLAP"]["not_run"] == "no --embedding CLAP=PATH was given"
    assert found["steps"]["value"] == 3
    assert found["generator's parameters"]["value"] > 100
    assert found["making a sound at batch 64"]["value"] > 0
    assert found["peak memory at batch 64"]["value"] > 50
    assert not any("failed" in (m["not_run"] or "") for m in found.values())
    assert len(list((out / "pairs").glob("*.wav"))) == 20 == 2 * len(data["pairs"])
    text = (out / "evaluation.md").read_text()
    assert "| two-sample accuracy [%] | lower |" in text


def test_sounds_of_a_folder_are_measured(noisygan, tmp_path, no_cost):
    rng = np.random.default_rng(0)
    for name, noise in (("real", 0.01), ("held_out", 0.01), ("made", 0.2)):
        for i in range(12):
            path = tmp_path / name / f"tone-{60 + i:03d}-100.wav"
            path.parent.mkdir(exist_ok=True)
            hz = 440 * 2 ** ((60 + i - 69) / 12)
            sound = 0.4 * np.sin(2 * np.pi * hz * np.arange(4000) / 16000)
            soundfile.write(path, sound + noise * rng.normal(size=4000), 16000)
    out = tmp_path / "out"
    result = noisygan(
        "evaluate", "--audio", tmp_path / "made", "--train", tmp_path / "real",
        "--data", tmp_path / "held_out", "--out_dir", out, "--pitch_sounds", 0,
    )  # fmt: skip
    assert result.code == 0, result.err
    data, found = read(out), metrics(out)
    assert data["ceiling"].startswith("white noise") and data["step"] is None
    assert found["MMD^2 x 1000, mfcc"]["value"] > found["MMD^2 x 1000, mfcc"]["floor"]
    assert found["voiced"]["not_run"] == "left out (--pitch_sounds 0)"
    assert "steps" not in found


def test_seeds_of_one_system_are_joined_and_two_systems_are_not(
    noisygan, refused, trained, tmp_path, no_cost
):
    other, changed = tmp_path / "other", tmp_path / "changed"
    for path in (other, changed):
        shutil.copytree(trained, path)
    facts = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**facts, "seed": 8}))
    with (changed / "config.gin").open("a") as file:
        file.write("\n# another system\n")
    out = tmp_path / "out"
    arguments = ("--data", notes_folder(), "--n", 10, "--pitch_sounds", 0)
    both = ("--run_dir", trained, "--run_dir", other)
    result = noisygan("evaluate", *both, *arguments, "--out_dir", out)
    assert result.code == 0, result.err
    assert read(out)["seeds"]["training"] == [7, 8]
    name = "MMD^2 x 1000, log-mel"
    values = [metrics(out / f"seed-{seed}")[name]["value"] for seed in (7, 8)]
    assert metrics(out)[name]["value"] == pytest.approx(np.mean(values))
    for second, said in ((changed, "different configs"), (trained, "seed 7")):
        both = ("--run_dir", trained, "--run_dir", second)
        assert said in refused("evaluate", *both, *arguments, "--out_dir", tmp_path / "no")


def test_a_run_that_heard_the_reference_is_marked(noisygan, trained, tmp_path, no_cost):
    out = tmp_path / "out"
    result = noisygan(
        "evaluate", "--run_dir", trained, "--data", notes_folder() / "nsynth-train",
        "--out_dir", out, "--n", 10, "--pitch_sounds", 0,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "tiny was trained on the held-out recordings too" in result.err
    assert read(out)["reference"]["seen_by_run"]
    assert "was trained on the held-out" in (out / "evaluation.md").read_text()


def test_the_self_test_alone(noisygan, tmp_path, monkeypatch):
    from noisygan.evaluation import self_test

    ladders = {"noise": (self_test.noisy, {"clean": None, "20 dB": 20, "0 dB": 0})}
    monkeypatch.setattr(self_test, "LADDERS", ladders)
    monkeypatch.setattr(networks, "N_STEPS", 5)
    out = tmp_path / "out"
    result = noisygan("evaluate", "--self_test", "--data", notes_folder(), "--out_dir", out)
    assert result.code == 0, result.err
    found = read(out)["self_test"]
    assert found["ladders"] == {"noise": ["clean", "20 dB", "0 dB"]}
    assert found["metrics"]["MMD^2 x 1000, log-mel"]["noise"]["ordered"]
    assert "| MMD^2 x 1000, log-mel | yes |" in (out / "evaluation.md").read_text()


def test_wrong_use_is_one_line(refused, trained, tmp_path):
    out = tmp_path / "out"
    data = ("--data", notes_folder(), "--out_dir", out)
    assert "nothing to measure" in refused("evaluate", *data)
    assert "holds no run" in refused("evaluate", "--run_dir", tmp_path, *data)
    assert "no such folder" in refused("evaluate", "--audio", tmp_path / "none", *data)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "is empty" in refused("evaluate", "--audio", empty, *data)
    assert "expected NAME=PATH" in refused(
        "evaluate", "--run_dir", trained, *data, "--embedding", "x"
    )
    for i in range(12):
        soundfile.write(empty / f"{i}.wav", np.zeros(100), 44100)
    assert "different sample rates" in refused("evaluate", "--audio", empty, *data)
    for path in empty.iterdir():
        soundfile.write(path, np.zeros(100), 16000)
    assert "are silent" in refused("evaluate", "--audio", empty, *data)
    bad = np.full(100, np.nan)
    soundfile.write(empty / "0.wav", bad, 16000, subtype="FLOAT")
    assert "NaN" in refused("evaluate", "--audio", empty, *data)
    out.mkdir()
    (out / "x").write_text("mine")
    assert "not empty" in refused("evaluate", "--run_dir", trained, *data)
    assert "expected a whole number from 8" in refused("evaluate", *data, "--n", 5)
