"""`noisygan instrument`: an instrument of a trained run, and invalid requests."""

import shlex
import subprocess

import numpy as np
import pytest
import soundfile

from noisygan.data.layouts import list_entries
from noisygan.errors import UsageError
from noisygan.rendering.instruments import make_instrument
from tests import toys
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
    assert {*names} == {path.name for path in (out / "samples").iterdir()}
    assert "flute_acoustic_000-066-127-001.wav" in names
    audio, rate = soundfile.read(out / "preview.wav")
    assert rate == 22050 and np.abs(audio).max() > 0.01


def test_a_folder(noisygan, trained, tmp_path):
    asked = ("instrument", "--run_dir", trained, "--pitch", 60, "--round_robins", 1)
    assert noisygan(*asked, "--out_dir", tmp_path / "a", "--format", "folder").code == 0
    entries = list_entries(tmp_path / "a" / "samples")[1]
    assert [(entry.pitch, entry.velocity) for entry in entries] == [(60, 42), (60, 84), (60, 127)]


def test_a_drum_kit(noisygan, kit, tmp_path):
    out = tmp_path / "kit"
    result = noisygan("instrument", "--run_dir", kit, "--out_dir", out, "--round_robins", 1)
    assert f"{out / 'kit.sfz'}: 69 samples (23 keys, 3 velocity layers" in result.out
    classes = {path.name for path in (out / "samples").iterdir()}
    assert classes == {"cymbal", "kick", "snare", "tom"}
    loud, soft = (
        soundfile.read(out / "samples" / "snare" / f"snare_0-38-v{velocity}.wav")[0]
        for velocity in ("127", "042")
    )
    assert np.abs(soft).max() < 0.5 * np.abs(loud).max()


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


def test_invalid_arguments(refused, trained, tmp_path):
    asked = ("instrument", "--run_dir", trained, "--out_dir", tmp_path / "x")
    assert "holds no run" in refused("instrument", "--run_dir", tmp_path, "--out_dir", tmp_path)
    for option, value, message in (
        ("--pitch", "60,200", "--pitch"),
        ("--velocity", "0,9", "velocity 0"),
        ("--seconds", 31, "31 seconds"),
        ("--sample_rate", 7, "sample rate 7"),
        ("--pitch", 127, "pitch 127"),
        ("--round_robins", 0, "--round_robins"),
        ("--label", "oboe", "label oboe"),
    ):
        assert message in refused(*asked, option, value)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "song.wav").write_bytes(b"")
    full = ("instrument", "--run_dir", trained, "--out_dir", tmp_path / "full")
    assert "exists already" in refused(*full)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("conditions", "settings", "message"),
    [
        (("label",), {"pitch": [60]}, "pitch has no effect: this run is conditioned on label"),
        ((), {"label": "kick"}, "label has no effect: this run is conditioned on nothing"),
        (("pitch", "label"), {}, "label is missing: this run has kick, snare"),
        (("pitch",), {"velocity": [9]}, "velocity has no effect"),
    ],
)
def test_conditions_that_a_run_lacks(tmp_path, conditions, settings, message):
    run = toys.run("run", conditions, ("kick", "snare"))
    with pytest.raises(UsageError, match=message):
        make_instrument(run, tmp_path / "x", **settings)
