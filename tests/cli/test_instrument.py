"""`noisygan instrument`: an instrument of a trained run, and what can't be made."""

import shlex
import subprocess

import numpy as np
import pytest
import soundfile

from noisygan.data.layouts import list_entries
from noisygan.run import Run
from tests.documents import ROOT, fenced

DOCUMENT = ROOT / "docs" / "instruments.md"


def test_an_sfz_with_its_samples_and_a_preview(noisygan, trained, tmp_path):
    out = tmp_path / "new" / "flute"
    result = noisygan(
        *("instrument", "--run_dir", trained, "--out_dir", out, "--pitch", "60,66"),
        *("--velocity", "50,127", "--round_robins", 2, "--sample_rate", 22050),
    )
    assert result.code == 0
    sfz = out / "flute_acoustic_000.sfz"
    assert f"{sfz}: 8 samples (2 keys, 2 velocity layers, 2 round robins)" in result.out
    assert sorted(path.name for path in out.iterdir()) == [sfz.name, "preview.wav", "samples"]
    names = [line[7:] for line in sfz.read_text().splitlines() if line.startswith("sample=")]
    assert sorted(names) == sorted(path.name for path in (out / "samples").iterdir())
    assert "flute_acoustic_000-066-127-001.wav" in names
    audio, rate = soundfile.read(out / "preview.wav")
    assert rate == 22050 and np.abs(audio).max() > 0.01


def test_a_folder_and_a_preset(noisygan, trained, tmp_path):
    asked = ("instrument", "--run_dir", trained, "--pitch", 60, "--round_robins", 1)
    assert noisygan(*asked, "--out_dir", tmp_path / "a", "--format", "folder").code == 0
    entries = list_entries(tmp_path / "a" / "samples")[1]
    assert [(entry.pitch, entry.velocity) for entry in entries] == [(60, 42), (60, 84), (60, 127)]
    assert noisygan(*asked, "--out_dir", tmp_path / "b", "--format", "decent").code == 0
    assert (tmp_path / "b" / "flute_acoustic_000.dspreset").is_file()


def test_a_drum_kit(noisygan, kit, tmp_path):
    out = tmp_path / "kit"
    result = noisygan("instrument", "--run_dir", kit, "--out_dir", out, "--round_robins", 1)
    assert f"{out / 'kit.sfz'}: 69 samples (23 keys, 3 velocity layers" in result.out
    classes = sorted(path.name for path in (out / "samples").iterdir())
    assert classes == ["cymbal", "kick", "snare", "tom"]
    keys = {path.name.split("-")[1] for path in (out / "samples" / "snare").iterdir()}
    assert {"38", "40"} <= keys
    loud, soft = (
        soundfile.read(out / "samples" / "snare" / f"snare_0-38-v{velocity}.wav")[0]
        for velocity in ("127", "042")
    )
    assert np.abs(np.diff(soft)).sum() < 0.95 * np.abs(np.diff(loud)).sum()


def test_the_documents_commands(noisygan, trained, kit, tmp_path, monkeypatch):
    pytest.importorskip("mido")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "flute").symlink_to(trained)
    (tmp_path / "runs" / "kit").symlink_to(kit)
    shown = [(tag, text) for tag, text in fenced(DOCUMENT) if tag in ("bash", "python")]
    assert sum(len(text.splitlines()) for tag, text in shown if tag == "bash") > 7
    for tag, text in shown:
        if tag == "python":
            exec(compile(text, str(DOCUMENT), "exec"), {})
            continue
        for line in text.replace("\\\n", " ").splitlines():
            if line.startswith("noisygan "):
                assert noisygan(*shlex.split(line)[1:]).code == 0, line
            else:
                subprocess.run(["bash", "-c", line], check=True)
    for name in ("flute", "duet", "kit", "long"):
        assert list((tmp_path / name).glob("*.wav")), name
    assert len(soundfile.read("long/flute_acoustic_000-060-100-000.wav")[0]) == 60 * 48000


def test_what_can_not_be_asked_is_told_in_a_line(refused, trained, tmp_path, monkeypatch):
    asked = ("instrument", "--run_dir", trained, "--out_dir", tmp_path / "x")
    assert "holds no run" in refused("instrument", "--run_dir", tmp_path, "--out_dir", tmp_path)
    assert "expected whole MIDI numbers" in refused(*asked, "--pitch", "60,200")
    assert "velocity 0 lets a note go; expected 1 to 127" in refused(*asked, "--velocity", "0,9")
    assert "31 seconds: expected 30 or less" in refused(*asked, "--seconds", 31)
    assert "sample rate 7: expected" in refused(*asked, "--sample_rate", 7).replace(" Hz", "")
    assert "pitch 127 is 12544 Hz" in refused(*asked, "--pitch", 127)
    assert "expected a whole number from 1 to 16" in refused(*asked, "--round_robins", 0)
    assert "label oboe is unknown" in refused(*asked, "--label", "oboe")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "song.wav").write_bytes(b"")
    full = ("instrument", "--run_dir", trained, "--out_dir", tmp_path / "full")
    assert "is not empty; expected a new folder" in refused(*full)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("conditions", "arguments", "message"),
    [
        (
            ("label",),
            ("--pitch", "60"),
            "--pitch has no effect: this run's generator is told label",
        ),
        ((), ("--label", "kick"), "--label has no effect: this run's generator is told nothing"),
        (("pitch", "label"), (), "--label is missing: this run knows kick, snare"),
        (("pitch",), ("--velocity", "9"), "--velocity has no effect: this run's generator is told"),
    ],
)
def test_what_a_run_does_not_know(
    refused, trained, tmp_path, monkeypatch, conditions, arguments, message
):
    monkeypatch.setattr(Run, "condition_names", conditions)
    monkeypatch.setattr(Run, "label_names", ("kick", "snare"))
    asked = ("instrument", "--run_dir", trained, "--out_dir", tmp_path / "x", *arguments)
    assert message in refused(*asked)
