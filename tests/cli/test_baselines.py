"""benchmarks/baselines.py: figures of whole runs, and each figure by itself."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

from noisygan.cli.main import main as noisygan_main
from noisygan.demo import notes_folder

ROOT = Path(__file__).resolve().parents[2]
TINY_DRUMS = """
from __gin__ import dynamic_registration
include 'runs/drum_dcgan_clean.gin'
n_samples = 1600
Recordings.instruments = None
DrumDCGAN:
    n_seed = 25
    seed_channels = 4
    filters = (4, 4, 4, 4)
DrumDCGANDiscriminator:
    n_filters = (4, 4, 4)
    strides = (4, 4, 4)
    dilations = (1, 1, 1)
Trainer.batch_size = 4
"""


@pytest.fixture(scope="module")
def baselines():
    spec = importlib.util.spec_from_file_location("baselines", ROOT / "benchmarks/baselines.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def drums(tmp_path, write_sound):
    """A folder of decaying tones in two classes."""
    rng = np.random.default_rng(0)
    times = np.arange(2000) / 44100
    for i in range(8):
        label = "kick" if i % 2 else "snare"
        sound = np.exp(-60 * times) * np.sin(2 * np.pi * rng.uniform(80, 300) * times)
        sound += 0.02 * rng.normal(size=2000) * np.exp(-100 * times)
        write_sound(tmp_path / "drums" / label / f"{i}.wav", 0.5 * sound, rate=44100)
    return tmp_path / "drums"


def test_a_run_of_drums_becomes_a_row_and_a_picture(baselines, drums, tmp_path, capsys):
    gin_file = tmp_path / "tiny_drums.gin"
    gin_file.write_text(TINY_DRUMS)
    run_dir, out_dir = tmp_path / "drum_run", tmp_path / "out"
    train = ["train", "--gin_file", gin_file, "--data", drums, "--run_dir", run_dir, "--steps", 11]
    assert noisygan_main([str(x) for x in train]) == 0
    capsys.readouterr()
    assert baselines.main([f"{run_dir}", f"--data={drums}", f"--out_dir={out_dir}", "--n=6"]) == 0
    assert capsys.readouterr().out == (out_dir / "baselines.md").read_text()
    (result,) = json.loads((out_dir / "baselines.json").read_text())
    assert result["run"] == "drum_run"
    assert result["steps"] == 11
    assert result["n_not_finite"] == 0
    assert (result["n_recordings"], result["n_generated"]) == (8, 6)
    assert result["mmd"] > result["mmd_of_halves"]
    assert len(result["nearest by waveform"]) == 6
    assert result["nearest by log-mel"][0]["name"].split("/")[0] in ("kick", "snare")
    assert (out_dir / "drum_run.png").read_bytes().startswith(b"\x89PNG")
    assert "| drum_run | " in (out_dir / "baselines.md").read_text()


def test_a_conditional_run_is_measured_by_the_same_contract(baselines, trained, tmp_path):
    arguments = [f"{trained}", f"--data={notes_folder()}", f"--out_dir={tmp_path}", "--n=4"]
    assert baselines.main(arguments) == 0
    (result,) = json.loads((tmp_path / "baselines.json").read_text())
    assert result["g_parameters"] > 0 and result["d_parameters"] > 0
    assert all(math.isfinite(result[key]) for key in ("mmd", "mmd_of_halves", "diversity"))


def test_only_the_first_seconds_are_compared(baselines, trained, tmp_path):
    arguments = [f"{trained}", f"--data={notes_folder()}", f"--out_dir={tmp_path}", "--n=4"]
    assert baselines.main([*arguments, "--seconds=0.25"]) == 0
    (result,) = json.loads((tmp_path / "baselines.json").read_text())
    assert result["n_samples"] == 4000


def test_what_is_no_run_is_told_in_a_line(baselines, tmp_path, capsys):
    assert baselines.main([f"{tmp_path}", f"--data={tmp_path}", f"--out_dir={tmp_path}/out"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_training_is_read_from_its_metrics(baselines):
    lines = [
        {"step": 1, "seconds": 9.0, "d_loss": 1.0},
        {"step": 10, "seconds": 12.0, "d_loss": math.nan},
        {"step": 20, "seconds": 14.0, "d_loss": 1.0, "d_finite": 0.0},
        {"step": 30, "seconds": 16.0, "d_loss": 1.0, "d_finite": 1.0},
    ]
    assert baselines.training_facts(lines) == {
        "steps": 30,
        "steps_per_second": 5.0,
        "n_not_finite": 2,
    }
    assert math.isnan(baselines.training_facts(lines[:1])["steps_per_second"])
    assert baselines.training_facts([])["steps"] == 0


def test_closeness_is_zero_for_the_same_distribution_and_grows(baselines):
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 10))
    same = baselines.closeness(real, rng.normal(size=(100, 10)))
    far = baselines.closeness(real, rng.normal(size=(100, 10)) + 1.0)
    alike = baselines.closeness(real, 0.1 * rng.normal(size=(100, 10)))
    assert abs(same["mmd"]) < 10 and abs(same["mmd_of_halves"]) < 5
    assert far["mmd"] > 100
    assert same["diversity"] == pytest.approx(1.0, abs=0.05)
    assert alike["diversity"] == pytest.approx(0.1, abs=0.01)


def test_copied_recordings_are_counted(baselines):
    rng = np.random.default_rng(0)
    recordings, fresh = rng.normal(size=(2, 20, 2000)).astype(np.float32)
    names = [f"{i}" for i in range(20)]
    facts = baselines.copying(np.concatenate([recordings[:5], fresh[:5]]), recordings, names, 44100)
    assert 0.5 <= facts["copies"] <= 0.7
    assert facts["copies_among_recordings"] <= 0.2
    assert [x["name"] for x in facts["nearest by waveform"][:5]] == names[:5]
