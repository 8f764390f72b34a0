"""`noisygan demo`: trains once, and makes the page each time."""

import pytest

from noisygan.cli import demo


@pytest.mark.slow
def test_the_demo_trains_renders_and_makes_a_page_and_a_second_time_only_the_page(
    noisygan, refused, tiny, tmp_path, monkeypatch
):
    monkeypatch.setattr(demo, "_CONFIG", str(tiny))
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run_dir = tmp_path / "demo"
    first = noisygan("demo", "--steps", 3, "--run_dir", run_dir)
    assert first.code == 0, first.err
    page = run_dir / "index.html"
    assert page.resolve().as_uri() in first.out
    assert f"noisygan render --run_dir {run_dir}" in first.out
    assert len(list((run_dir / "rendered").glob("*.wav"))) == 8
    assert len(list((run_dir / "rendered").glob("*.npz"))) == 8
    assert opened == []
    metrics = (run_dir / "metrics.jsonl").read_bytes()

    page.unlink()
    second = noisygan("demo", "--run_dir", run_dir, "--open")
    assert second.code == 0
    assert "is trained already" in second.out
    assert f"remove the folder {run_dir}" in second.out
    assert page.stat().st_size > 10000
    assert opened == [page.resolve().as_uri()]
    assert (run_dir / "metrics.jsonl").read_bytes() == metrics

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    said = refused("demo", "--run_dir", tmp_path / "other")
    assert "is not empty and holds no run" in said
