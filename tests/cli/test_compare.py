"""`noisygan compare` from the command line to the page."""

import csv
import json

import pytest

from noisygan.cli.main import main
from noisygan.comparison import training
from noisygan.demo import notes_folder
from noisygan.evaluation import cost
from noisygan.metrics import classifiers
from tests.cli.conftest import TINY

FEW = ("--n", 8, "--max_pitch_samples", 0)


def train(system, seed, data, overrides, budget):
    """Train in this process; the system "bad" fails."""
    if system.name == "bad":
        return "its n_samples do not fit (see runs/bad-0.log)"
    command = ["train", "--gin_file", system.gin_file, "--run_dir", str(system.run_dirs[seed])]
    assert main([*command, "--data", str(data), "--steps", str(budget[1]), "--no_report"]) == 0
    return None


def shorten(patch):
    patch.setattr(training, "train", train)
    patch.setattr(classifiers, "N_STEPS", 5)
    patch.setattr(cost, "cost", lambda run: [])


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    shorten(monkeypatch)


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    """Two tiny systems."""
    folder = tmp_path_factory.mktemp("configs")
    good = folder / "good.gin"
    good.write_text(TINY.read_text())
    bad = folder / "bad.gin"
    bad.write_text(TINY.read_text())
    return good, bad


@pytest.fixture(scope="module")
def compared(configs, tmp_path_factory):
    """Folder of a comparison of two systems, trained in this process; one of them fails."""
    out = tmp_path_factory.mktemp("compared") / "out"
    arguments = ["--data", str(notes_folder()), "--steps", "2", "--seeds", "1"]
    for path in configs:
        arguments += ["--gin_file", str(path)]

    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        code = main(["compare", *arguments, *map(str, FEW), "--out_dir", str(out)])
    assert code == 0
    return out, arguments


def test_systems_are_trained_measured_and_put_on_a_page(compared):
    out, _ = compared
    data = json.loads((out / "table.json").read_text())
    assert [system["name"] for system in data["systems"]] == ["good"]
    cautions = [text for name, text in data["facts"] if name == "caution"]
    assert cautions[0].startswith("8 examples are too few")
    assert cautions[1] == "one seed of good, bad: another may rank differently"
    (curve,) = data["systems"][0]["curves"]
    assert [point["step"] for point in curve] == [2]
    head = data["metrics"][0]
    assert head["name"] == data["curve_title"] == "note distance" and head["floor"] == 1.0
    assert head["values"]["good"]["ceiling"] is not None and curve[0]["value"] > 1.0
    # A failed training is reported and stops nothing.
    (failed,) = [warning for warning in data["warnings"] if "failed" in warning]
    assert failed.startswith("bad, seed 0 failed: ") and "n_samples" in failed
    rows = list(csv.DictReader((out / "table.csv").open()))
    assert {row["system"] for row in rows} == {"good"} and len(rows) == len(data["metrics"])
    page = (out / "index.html").read_text()
    assert "data:audio/flac;base64," in page and "http://" not in page
    report = (out / "report.md").read_text()
    assert "| MMD^2 x 1000, log-mel |" in report and "Command: `noisygan" in report


def test_a_comparison_is_resumed(noisygan, compared, trained, tmp_path):
    import shutil

    out, arguments = tmp_path / "out", compared[1]
    shutil.copytree(compared[0], out)
    first = (out / "measured" / "good-0" / "evaluation.json").stat().st_mtime_ns
    page = json.loads((out / "table.json").read_text())["id"]
    # Another measurement was interrupted.
    interrupted = out / "measured" / "tiny-7" / "pairs" / "01-generated.wav"
    interrupted.parent.mkdir(parents=True)
    interrupted.write_bytes(b"RIFF")
    result = noisygan("compare", *arguments, *FEW, "--out_dir", out, "--run_dir", trained)
    assert result.code == 0, result.err
    assert "good, seed 0" not in result.err and "tiny, seed 7: measuring" in result.err
    assert "written:" in result.out and "next" in result.out
    assert (out / "measured" / "good-0" / "evaluation.json").stat().st_mtime_ns == first
    data = json.loads((out / "table.json").read_text())
    assert [(s["name"], s["seeds"]) for s in sorted(data["systems"], key=lambda s: s["name"])] == [
        ("good", [0]),
        ("tiny", [7]),
    ]
    assert data["id"] != page


def test_what_can_not_be_compared_is_refused(refused, configs, compared, trained, tmp_path):
    out = ("--out_dir", tmp_path / "out")
    data = ("--data", notes_folder())
    assert "nothing to compare" in refused("compare", *data, *out)
    assert "no budget; expected minutes" in refused("compare", "--gin_file", "notes", *data, *out)
    assert "no config nots" in refused("compare", "--gin_file", "nots", "--steps", 1, *data, *out)
    assert "with budget steps 2, not steps 3" in refused(
        "compare", "--gin_file", configs[0], "--steps", 3, "--n", 8, *data, "--out_dir", compared[0]
    )
    assert "different sample rates" in refused(
        "compare", "--gin_file", configs[0], "--gin_file", "drums_small", "--steps", 1, *data, *out
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "contains no comparison" in refused(
        "compare", "--run_dir", trained, *data, "--out_dir", tmp_path / "mine"
    )
    assert not (tmp_path / "out").exists()
