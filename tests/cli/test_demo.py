"""`noisygan demo`: trains once, and writes the page each time."""

import pytest

from noisygan.cli import demo


@pytest.mark.slow
def test_the_demo_trains_once_and_writes_a_page(noisygan, refused, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CONFIG", str(tiny))
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run_dir = tmp_path / "demo"
    first = noisygan("demo", "--steps", 3, "--run_dir", run_dir)
    assert first.code == 0, first.err
    page = run_dir / "index.html"
    assert page.resolve().as_uri() in first.out
    assert f"noisygan render --run_dir {run_dir}" in first.out
    assert page.read_text(encoding="utf-8").count("<audio") == 2 * 8 + 3 * 2
    assert opened == []
    metrics = (run_dir / "metrics.jsonl").read_bytes()

    second = noisygan("demo", "--run_dir", run_dir, "--open")
    assert second.code == 0 and "is trained already" in second.out
    assert opened == [page.resolve().as_uri()]
    assert (run_dir / "metrics.jsonl").read_bytes() == metrics

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    assert "other" in refused("demo", "--run_dir", tmp_path / "other")
