"""Runs of earlier versions, kept in tests/data: they render, go on, or say what to do.

Each is `noisygan train --gin_file tests/configs/tiny.gin --steps 3 --seed 7` on the bundled notes,
as that version left it, without samples and events.
"""

import json
import pathlib
import shutil

import numpy as np
import pytest
import soundfile

from noisygan.demo import notes_folder

KEPT = sorted((pathlib.Path(__file__).parents[1] / "data").glob("run-*"))


@pytest.fixture(params=KEPT, ids=lambda path: path.name)
def kept(request, tmp_path):
    """A copy of a kept run."""
    shutil.copytree(request.param, tmp_path / "kept")
    return tmp_path / "kept"


def test_there_are_kept_runs():
    assert len(KEPT) >= 1
    assert sum(p.stat().st_size for path in KEPT for p in path.rglob("*")) < 300_000 * len(KEPT)


def test_a_kept_run_renders(noisygan, kept, tmp_path):
    before = sorted(kept.rglob("*"))
    result = noisygan("render", "--run_dir", kept, "--pitch", "60", "--out_dir", tmp_path / "out")
    assert result.code == 0, result.err
    (sound,) = (tmp_path / "out").glob("*.wav")
    audio, _ = soundfile.read(sound)
    assert np.abs(audio).max() > 1e-3
    assert sorted(kept.rglob("*")) == before


def test_a_kept_run_goes_on(noisygan, kept, eagerly):
    lines = (kept / "metrics.jsonl").read_text()
    (kept / "samples").mkdir(exist_ok=True)
    result = noisygan(
        "train", "--run_dir", kept, "--data", notes_folder(), "--resume", "--steps", 4
    )
    assert result.code == 0, result.err
    if not list(kept.glob("checkpoints/ckpt-3.json")):
        assert "the checkpoint of step 3 has no checksums of ours" in result.err
    assert "resumed at step 3" in (kept / "log.txt").read_text()
    assert (kept / "metrics.jsonl").read_text().startswith(lines)
    assert (kept / "checkpoints" / "ckpt-4.json").is_file()


def test_a_run_of_a_newer_version_says_what_to_do(refused, kept, tmp_path):
    facts = json.loads((kept / "run.json").read_text())
    (kept / "run.json").write_text(json.dumps(facts | {"format": 99, "noisygan": "9.9"}))
    said = refused("render", "--run_dir", kept, "--out_dir", tmp_path / "out", code=1)
    assert "has format 99 and this noisygan knows 2 at most; use noisygan 9.9" in said
