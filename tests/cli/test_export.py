"""`noisygan export`: models for other programs, and invalid exports."""

import json


def test_what_is_printed_and_written(noisygan, trained, tmp_path):
    out = tmp_path / "live"
    asked = ("export", "--run_dir", trained, "--out", out, "--format", "litert", "--block", 64)
    result = noisygan(*asked)
    assert result.code == 0, result
    assert f"play, step in {out}" in result.out
    assert "fixed: 16000 Hz, blocks of 64 samples, 71 late; open: batch" in result.out
    assert sorted(path.name for path in out.iterdir()) == ["model.json", "model.tflite"]
    assert json.loads((out / "model.json").read_text())["run"] == trained.name


def test_invalid_exports_leave_nothing(refused, trained, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").touch()

    def refuse(*options, run_dir=trained, out=tmp_path / "new"):
        return refused("export", "--run_dir", run_dir, "--out", out, *options)

    assert "exists already" in refuse(out=taken)
    assert "holds no run" in refuse(run_dir=tmp_path)
    assert "seconds has no effect" in refuse("--seconds", 2)
    assert "multiple of 50" in refuse("--format", "litert", "--sample_rate", 44110)
    assert "--block" in refuse("--block", 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]
    assert [path.name for path in taken.iterdir()] == ["file"]
