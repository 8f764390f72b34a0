"""`noisygan bench`: it runs, says what it measured on, and writes tables, plots and figures."""

import importlib.util
import json
from pathlib import Path

import pytest

from noisygan import ddsp_package
from noisygan.benchmarks import child, synths_vs_ddsp
from noisygan.benchmarks.synth_cases import CASES
from noisygan.errors import UsageError

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "synths_vs_ddsp.py"


@pytest.mark.slow
def test_quick_bench(noisygan, tmp_path):
    out = tmp_path / "bench"
    result = noisygan("bench", "synths", "--quick", "--out", out)
    assert result.code == 0, result
    names = ["synths_growth.png", "synths_vs_ddsp.json", "synths_vs_ddsp.md", "synths_vs_ddsp.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    found = json.loads((out / synths_vs_ddsp.RESULT).read_text())
    assert [row["case"] for row in found["times"]] == [name for name in CASES for _ in range(2)]
    assert (out / "synths_vs_ddsp.md").read_text() in result.out
    assert found["machine"]["processor"] in result.out
    assert ("ddsp" in found["times"][0]["seconds"]) == ddsp_package.is_installed()
    # At lengths where phase matters ours is exact; that does not depend on the machine.
    assert min(found["drift"]["db"]["synths"] + found["drift"]["db"]["plain"]) > 80.0


def test_wrong_use(refused, tmp_path):
    (tmp_path / "file").write_text("")
    message = refused("bench", "synths", "--out", tmp_path / "file")
    assert message == f"--out {tmp_path / 'file'} is a file; expected a folder"
    assert "invalid choice: 'networks'" in refused("bench", "networks")


def script():
    """The module benchmarks/synths_vs_ddsp.py."""
    spec = importlib.util.spec_from_file_location("synths_vs_ddsp_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_figures_are_put_between_the_marks():
    text = "a\n<!-- bench: x -->\nold\n<!-- bench end -->\nb\n<!-- bench end -->\n"
    new = script().replaced(text, "x", "new\\1")
    assert new == text.replace("old", "new\\1")
    assert script().replaced(new, "x", "old") == text
    with pytest.raises(ValueError, match="bench: y"):
        script().replaced(text, "y", "new")


def test_the_documents_have_marks_and_figures():
    readme = (SCRIPT.parents[1] / "README.md").read_text(encoding="utf-8")
    results = (SCRIPT.parents[1] / "docs/results.md").read_text(encoding="utf-8")
    script().replaced(readme, "summary", "")
    script().replaced(results, "tables", "")
    assert "times faster than ddsp" in readme
    assert "| Harmonic, forward + backward |" in results


@pytest.mark.slow
def test_a_training_step_is_measured(noisygan, tmp_path):
    small = Path(__file__).parents[1] / "configs" / "small_notes.gin"
    command = ("bench", "train", "--gin_file", small, "--quick", "--out", tmp_path, "--json")
    result = noisygan(*command)
    assert result.code == 0, result
    found = json.loads(result.out)
    assert found == json.loads((tmp_path / "train.json").read_text())
    assert found["retraces"] == 0
    assert found["cycle"] == 8
    assert found["step"]["seconds"] > 0
    assert {"generator", "synth", "front end", "discriminator", "matching"} <= set(found["parts"])
    planned = noisygan("plan", "--gin_file", small, "--bench", tmp_path / "train.json")
    assert planned.code == 0, planned


def test_wrong_use_of_bench_train(refused):
    assert "no --gin_file" in refused("bench", "train")
    assert "--json, which belongs to bench train" in refused("bench", "synths", "--json")
    assert "runs/nots.gin" in refused("bench", "train", "--gin_file", "runs/nots.gin")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such folder: {}; expected a folder of recordings"),
        (lambda path: path.write_text(""), "{} is a file; expected the folder"),
        (lambda path: path.mkdir(), "{} is empty"),
        (lambda path: (path / "parts").mkdir(parents=True), "{} is empty"),
    ],
)
def test_a_wrong_folder_is_told_before_a_process_is_started(
    refused, tmp_path, monkeypatch, make, said
):
    make(tmp_path / "data")
    monkeypatch.setattr(child, "answer", None)
    command = ("bench", "train", "--gin_file", "runs/notes.gin", "--data", tmp_path / "data")
    assert refused(*command).startswith(said.format(tmp_path / "data"))


def test_what_a_process_was_refused_is_told_as_it_says(tmp_path, monkeypatch):
    refusing = "from noisygan.errors import UsageError\n\nraise UsageError('a.wav: at 8000 Hz')\n"
    (tmp_path / "refusing_job.py").write_text(refusing)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="^a.wav: at 8000 Hz$"):
        child.answer("refusing_job", {}, "notes")
