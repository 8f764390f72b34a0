"""`noisygan report`: the page of a run of any system."""

import re

import pytest

from noisygan.demo import drums_folder, held_out_folder


def sections(path):
    return re.findall(r'<section id="(\w+)"', path.read_text(encoding="utf-8"))


def test_notes_beside_recordings(noisygan, trained, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    page = tmp_path / "new" / "page.html"
    result = noisygan(
        "report", "--run_dir", trained, "--data", held_out_folder(), "--out", page, "--open"
    )
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == page.as_uri() == opened[0]
    assert sections(page) == ["listen", "learn", "draw", "facts", "next"]
    text = page.read_text(encoding="utf-8")
    assert "Flute notes" in text and "MIDI 67" in text and text.count('data-name="recording') == 8
    assert "FluidR3" in text


def test_drums_beside_recordings(noisygan, kit, tmp_path):
    page = tmp_path / "kit.html"
    result = noisygan("report", "--run_dir", kit, "--data", drums_folder(), "--out", page)
    assert result.code == 0, result.err
    assert set(sections(page)) - {"draw"} == {"listen", "learn", "facts", "next"}
    text = page.read_text(encoding="utf-8")
    assert all(f">{label} <" in text for label in ("kick", "snare", "cymbal", "tom"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run_dir", "missing"], "missing"),
        (["--run_dir", "RUN", "--out", "page.txt"], "page.txt"),
        (["--run_dir", "RUN", "--data", "nowhere"], "nowhere"),
    ],
)
def test_wrong_use(refused, trained, arguments, said):
    assert said in refused("report", *(trained if a == "RUN" else a for a in arguments))
