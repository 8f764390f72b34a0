"""`noisygan evaluate` and `noisygan.evaluate` from folders to files."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from noisygan.demo import notes_folder
from noisygan.evaluation import cost
from noisygan.metrics import classifiers

FEW = ("--n", 10, "--max_pitch_samples", 0)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(classifiers, "N_STEPS", 10)
    monkeypatch.setattr(cost, "BATCH_SIZES", (1,))


def read(folder):
    return json.loads((folder / "evaluation.json").read_text())


def metrics(folder):
    return {m["name"]: m for m in read(folder)["metrics"]}


def test_a_run_is_measured_against_the_held_out_notes(noisygan, trained, tmp_path):
    out = tmp_path / "out"
    result = noisygan(
        "evaluate", "--run_dir", trained, "--data", notes_folder(), "--out_dir", out,
        "--n", 16, "--max_pitch_samples", 1,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "note distance:" in result.out and "floor" in result.out
    assert "only 16 examples of tiny" in result.err
    data = read(out)
    assert data["complete"] and data["n"]["generated"] == 16
    assert data["seeds"] == {"generation": 0, "bootstrap": 0, "training": [7]}
    assert data["weights"] == "averaged (EMA)" and data["step"] == 3
    assert not data["reference"]["seen_by_run"]
    found = metrics(out)
    for name in ("note distance", "level distance", "MMD^2 x 1000, log-mel"):
        head = found[name]
        assert head["floor"] is not None and head["ceiling"] is not None and head["interval"]
        # After three steps it is as bad as the untrained one.
        assert head["value"] > 1.3 * head["floor"]
    assert found["within 50 cents of the target pitch"]["value"] is not None
    assert found["steps"]["value"] == 3
    assert found["generator parameters"]["value"] > 100
    assert found["rendering an example at batch 1"]["value"] > 0
    assert not any("failed" in (m["not_run"] or "") for m in found.values())
    assert len(list((out / "pairs").glob("*.wav"))) == 20 == 2 * len(data["pairs"])


def test_a_folder_is_measured(noisygan, tmp_path):
    rng = np.random.default_rng(0)
    for name, noise in (("real", 0.01), ("held_out", 0.01), ("made", 0.2)):
        for i in range(12):
            path = tmp_path / name / f"tone-{60 + i:03d}-100.wav"
            path.parent.mkdir(exist_ok=True)
            hz = 440 * 2 ** ((60 + i - 69) / 12)
            sound = 0.4 * np.sin(2 * np.pi * hz * np.arange(4000) / 16000)
            soundfile.write(path, sound + noise * rng.normal(size=4000), 16000)
    soundfile.write(tmp_path / "made" / "silence-072-100.wav", np.zeros(4000), 16000)
    out = tmp_path / "out"
    result = noisygan(
        "evaluate", "--audio", tmp_path / "made", "--train", tmp_path / "real",
        "--data", tmp_path / "held_out", "--out_dir", out, "--max_pitch_samples", 0,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "1 example left out, e.g. silence-072-100 is silent" in result.err
    data, found = read(out), metrics(out)
    assert data["ceiling"].startswith("white noise") and data["step"] is None
    assert found["MMD^2 x 1000, mfcc"]["value"] > found["MMD^2 x 1000, mfcc"]["floor"]
    assert found["voiced"]["not_run"] == "left out"
    assert "steps" not in found


def test_seeds_of_one_system_are_joined_and_two_systems_are_not(
    noisygan, refused, trained, tmp_path
):
    other, changed = tmp_path / "other", tmp_path / "changed"
    for path in (other, changed):
        shutil.copytree(trained, path)
    facts = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**facts, "seed": 8}))
    with (changed / "config.gin").open("a") as file:
        file.write("\n# another system\n")
    out = tmp_path / "out"
    arguments = ("--data", notes_folder() / "nsynth-train", *FEW)
    both = ("--run_dir", trained, "--run_dir", other)
    result = noisygan("evaluate", *both, *arguments, "--out_dir", out)
    assert result.code == 0, result.err
    assert read(out)["seeds"]["training"] == [7, 8]
    name = "MMD^2 x 1000, log-mel"
    values = [metrics(out / f"seed-{seed}")[name]["value"] for seed in (7, 8)]
    assert metrics(out)[name]["value"] == pytest.approx(np.mean(values))
    # They were trained on the recordings that were held out.
    assert "was trained on the held-out recordings too" in result.err
    assert read(out)["reference"]["seen_by_run"]
    for second, message in ((changed, "different configs"), (trained, "seed 7")):
        both = ("--run_dir", trained, "--run_dir", second)
        assert message in refused("evaluate", *both, *arguments, "--out_dir", tmp_path / "no")


def test_wrong_use_is_one_line(refused, trained, tmp_path):
    out = tmp_path / "out"
    data = ("--data", notes_folder(), "--out_dir", out)
    assert "nothing to measure" in refused("evaluate", *data)
    assert "holds no run" in refused("evaluate", "--run_dir", tmp_path, *data)
    assert "no such folder" in refused("evaluate", "--audio", tmp_path / "none", *data)
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "is empty" in refused("evaluate", "--audio", folder, *data)
    for i in range(12):
        soundfile.write(folder / f"{i}.wav", np.zeros(100), 44100)
    assert "12 silent" in refused("evaluate", "--audio", folder, *data)
    soundfile.write(folder / "0.wav", np.full(100, np.nan), 16000, subtype="FLOAT")
    assert "NaN" in refused("evaluate", "--audio", folder, *data)
    out.mkdir()
    (out / "x").write_text("mine")
    assert "exists already" in refused("evaluate", "--run_dir", trained, *data)
    assert "expected a whole number from 8" in refused("evaluate", *data, "--n", 5)
