"""A run folder of version 0.1 and one of a later version: one line names the version to use."""

import json
import pathlib
import shutil

import pytest

from noisygan.demo import notes_folder

KEPT = pathlib.Path(__file__).parents[1] / "data" / "run-0.1.0"


@pytest.fixture
def kept(tmp_path):
    """A copy of a run that noisygan 0.1.0 left."""
    return shutil.copytree(KEPT, tmp_path / "kept")


@pytest.mark.parametrize("command", ["render", "train", "evaluate", "instrument"])
def test_a_run_of_0_1_names_the_version_that_reads_it(refused, kept, tmp_path, command):
    before = sorted(kept.rglob("*"))
    data, out = ("--data", notes_folder()), ("--out_dir", tmp_path / "out")
    options = {"train": ("--resume", *data), "evaluate": (*data, *out)}.get(command, out)
    said = refused(command, "--run_dir", kept, *options, code=1)
    assert "was written by noisygan 0.1.0" in said
    assert said.rstrip().endswith("cannot read it: pip install noisygan==0.1.0")
    assert sorted(kept.rglob("*")) == before


def test_a_run_of_a_newer_version_says_what_to_do(refused, kept, tmp_path):
    facts = json.loads((kept / "run.json").read_text())
    (kept / "run.json").write_text(json.dumps(facts | {"format": 99, "noisygan": "9.9"}))
    said = refused("render", "--run_dir", kept, "--out_dir", tmp_path / "out", code=1)
    assert "noisygan 9.9 (format 99)" in said
