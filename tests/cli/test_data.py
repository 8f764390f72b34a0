"""`noisygan data`: tables of any folder, page and verification of a prepared one."""

import numpy as np
import pytest
import soundfile

from noisygan.cli.main import main

EVIL = "<b>loud &\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A prepared folder of three classes, with names that no table and no page expects."""
    data, out = tmp_path_factory.mktemp("notes"), tmp_path_factory.mktemp("prepared") / "x"
    random = np.random.default_rng(0)
    for label in ("flute", EVIL, "caf\udce9"):
        (data / label).mkdir()
        for i in range(4):
            sound = random.uniform(-0.1, 0.1, 4000) * (i + 1)
            with open(data / label / f"a-{60 + i:03}-100.wav", "wb") as file:
                soundfile.write(file, sound, 16000, format="WAV")
    (data / "flute" / "empty.wav").write_bytes(b"")
    command = ["prepare", "notes", "--data", str(data), "--out", str(out), "--n_samples", "4000"]
    assert main([*command, "--licence", "none <i>", "--features", "--processes", "1"]) == 0
    return out


def test_tables_say_what_is_there(folder, capsys):
    assert main(["data", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"{folder}: notes, 12 examples of 12 files, 3 s, 0.25 s each at 16,000 Hz" in said
    assert "label-pitch-velocity: 12, such as" in said and "flute/empty.wav is an empty" in said
    for line in ("train        12     3 s", "flute", "<b>loud &\\n", "caf\\xe9", "empty"):
        assert line in said
    assert "licence: none <i>" in said and "n_samples = 4000" in said


def test_one_table_says_how_a_folder_is_understood(tmp_path, capsys):
    data, out = tmp_path / "notes", tmp_path / "prepared"
    data.mkdir()
    t = np.arange(32000) / 16000
    for i in range(12):
        # Released at 1 s, ringing out, and cut while it sounds.
        envelopes = np.exp(-40.0 * np.maximum(t - 1.0, 0.0)), np.exp(-4.0 * t), np.ones_like(t)
        sound = 0.3 * envelopes[i % 3] * np.sin(2 * np.pi * 440.0 * 2 ** ((i - 9) / 12) * t)
        soundfile.write(data / f"{60 + i}.wav", sound, 16000)
    (data / "broken.wav").write_bytes(b"no sound")
    assert main(["data", str(data)]) == 0
    raw = capsys.readouterr().out.splitlines()
    command = ["prepare", "notes", "--data", str(data), "--out", str(out)]
    assert main([*command, "--processes", "1"]) == 0
    prepared = capsys.readouterr().out.partition("\n\n")[2].splitlines()
    assert main(["data", str(out)]) == 0
    again = capsys.readouterr().out.splitlines()
    for said in (raw, prepared, again):
        assert said[0].endswith("12 of 13 files")
        assert "  notes     4 released, 4 ringing out, 4 cut by the end of the file" in said
        assert any(line.startswith("  skipped   broken") for line in said)
    tables = [
        [x.partition(", such as")[0].replace(".wav", "") for x in said if "  audio" not in x]
        for said in (raw[1:], prepared[1:], again[1 : len(raw)])
    ]
    assert tables[0] == tables[1] == tables[2]


def test_whole_folders_are_verified_and_damaged_ones_are_not(folder, capsys):
    assert main(["data", str(folder), "--verify"]) == 0
    assert "verified: 12 records" in capsys.readouterr().out
    shard = next(folder.glob("*.wav"))
    whole = shard.read_bytes()
    try:
        shard.write_bytes(whole[:-3])
        assert main(["data", str(folder), "--verify"]) == 1
        said = capsys.readouterr()
        assert f"{shard.name} has another checksum" in said.out and "Traceback" not in said.err
        assert said.err.startswith("noisygan: --verify: 1 problem in") and said.err.count("\n") == 1
    finally:
        shard.write_bytes(whole)


def test_the_page_holds_a_sound_of_each_class_and_loads_nothing(folder, tmp_path, capsys):
    page = tmp_path / "new" / "page.html"
    assert main(["data", str(folder), "--html", str(page)]) == 0
    assert f"page: {page}" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert text.count("<audio ") == 3 and text.count("data:audio/flac") == 3
    assert "default-src 'none'" in text and "http" not in text.replace("http-equiv", "")
    assert "<b>loud" not in text and "&lt;b&gt;loud" in text
    assert "none &lt;i&gt;" in text and "none <i>" not in text
    assert "flute/empty.wav" in text and "Loudness</b>" in text
    # The loudest of its class is the one that is heard.
    assert "flute/a-063-100.wav" in text and "flute/a-060-100.wav" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing"], "no such folder: missing"),
        (["."], ". is empty"),
        ([".", "--verify"], "no manifest.json in: ."),
        (["FOLDER", "--html", "page.txt"], "expected a name that ends in .html"),
        ([], "DIR"),
    ],
)
def test_wrong_use_is_told_in_a_line(folder, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    arguments = [str(folder) if each == "FOLDER" else each for each in arguments]
    assert main(["data", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
