"""`noisygan match`: the files it writes, the commands of its page, and what can't be matched."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

PAGE = Path(__file__).parents[2] / "docs" / "matching.md"


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    """Path of a short falling tone."""
    times = np.arange(4800) / 16000
    waves = [np.sin(2 * np.pi * 392 * k * times) / k for k in (1, 2, 3)]
    path = tmp_path_factory.mktemp("tone") / "target.wav"
    soundfile.write(path, 0.3 * sum(waves) * np.exp(-5 * times), 16000)
    return path


def test_the_commands_of_the_page(noisygan, trained, tone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target.wav").write_bytes(tone.read_bytes())
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "flute").symlink_to(trained)
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    commands = [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]
    assert [command[0] for command in commands] == [
        *("match", "synth", "match", "match"),
        *("render", "render", "match"),
    ]
    for command in commands:
        short = ["--steps", "4"] if command[0] == "match" else []
        result = noisygan(*command, *short)
        assert result.code == 0, result.err
        assert ("log-spectral distance" in result.out) == (command[0] == "match")
    free, by_run, both = (tmp_path / name for name in ("matched", "by_flute", "from_flute"))
    assert len(list((tmp_path / "scale").glob("*.wav"))) == 3
    assert {path.name for path in (tmp_path / "dry" / "target").iterdir()} >= {"reverb.wav"}
    names = ["target.html", "target.npz", "target.wav"]
    assert sorted(path.name for path in free.iterdir()) == names
    assert sorted(path.name for path in by_run.iterdir()) == sorted([*names, "target-z.npz"])
    assert (tmp_path / "again.wav").read_bytes() == (free / "target.wav").read_bytes()
    assert not np.array_equal(
        *(np.load(d / "target.npz")["noise/magnitudes"] for d in (by_run, both))
    )
    html = (free / "target.html").read_text()
    assert html.count("<audio") == 2 and "http" not in html.replace("http-equiv", "")

    namespace = {}
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    exec(compile(example.replace("2.0", "0.3"), str(PAGE), "exec"), namespace)
    sound = namespace["sound"].numpy()
    assert len(sound) == 14400 and np.max(np.abs(sound)) > 0.01


def test_what_can_not_be_matched(refused, tone, trained, write_sound, tmp_path):
    out = tmp_path / "out"
    assert "nothing to match with" in refused("match", tone, "--out_dir", out)
    free = ("--free", "--out_dir", out)
    assert "is missing; expected a WAV" in refused("match", tmp_path / "no.wav", *free)
    assert "is a folder; expected a WAV" in refused("match", tmp_path, *free)
    silent = write_sound(tmp_path / "silent.wav", np.zeros(4000))
    assert "is silent" in refused("match", silent, *free)
    assert "--label names a label of a run" in refused("match", tone, *free, "--label", "flute")
    assert "cannot hold" in refused("match", tone, *free, "--pitch", 127)
    run = ("--run_dir", trained, "--out_dir", out)
    noise = write_sound(tmp_path / "noise.wav", 0.1 * np.random.default_rng(0).normal(size=4000))
    assert "name it with --pitch" in refused("match", noise, *run)
    assert not out.exists()
    out.mkdir()
    (out / "target.html").write_text("mine")
    assert "target.html exists already" in refused("match", tone, *free)
    assert [path.name for path in out.iterdir()] == ["target.html"]


def test_what_was_done_to_the_target_is_said(noisygan, write_sound, tmp_path):
    noise = 0.1 * np.random.default_rng(0).normal(size=(1600, 2))
    path = write_sound(tmp_path / "noise.wav", noise, 4000)
    result = noisygan("match", path, "--free", "--out_dir", tmp_path / "out", "--steps", 2)
    assert result.code == 0
    assert f"{path}: its 2 channels are mixed to one" in result.out
    assert f"{path}: it is resampled from 4000 to 8000 Hz" in result.out
    assert f"{path}: no pitch was found in it" in result.out


def test_the_pitch_is_named_and_the_room_is_a_stem(noisygan, refused, tone, tmp_path):
    asked = ("match", tone, "--free", "--steps", 4, "--out_dir", tmp_path / "out")
    result = noisygan(*asked, "--room", 0.4, "--stems")
    assert result.code == 0, result.err
    assert re.search(r"target\.wav: pitch G4( [+-]\d cents)? \(39\d\.\d Hz\)", result.out)
    assert "several notes" not in result.out
    assert "sounds in a room, which is taken apart from it: 0.4 s until" in result.out
    stems = tmp_path / "out" / "target"
    assert sorted(path.name for path in stems.iterdir()) == [
        "harmonic.wav",
        "noise.wav",
        "reverb.wav",
    ]
    parts = [soundfile.read(path)[0] for path in stems.iterdir()]
    whole = soundfile.read(tmp_path / "out" / "target.wav")[0]
    np.testing.assert_allclose(sum(parts), whole, atol=3 / 32768)
    synth = ("synth", "--controls", tmp_path / "out" / "target.npz", "--stems", "--out")
    assert noisygan(*synth, tmp_path / "again.wav").code == 0
    again = tmp_path / "again"
    for path in stems.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()
    assert again.with_suffix(".wav").read_bytes() == (tmp_path / "out/target.wav").read_bytes()
    assert "exists already" in refused(*synth, tmp_path / "again.wav")
    assert "--stems is about sound" in refused(*synth, tmp_path / "curves.csv")


def test_chords_are_warned_of(noisygan, write_sound, tmp_path):
    times = np.arange(8000) / 16000
    chord = sum(np.sin(2 * np.pi * f * k * times) / k for f in (262, 311, 370) for k in (1, 2, 3))
    path = write_sound(tmp_path / "chord.wav", 0.1 * chord)
    result = noisygan("match", path, "--free", "--out_dir", tmp_path / "out", "--steps", 2)
    assert result.code == 0
    assert "several notes seem to sound in it at once" in result.out or (
        "as in noise or in many notes at once" in result.out
    )


def test_what_is_too_loud_for_a_file_is_turned_down_with_its_controls(
    noisygan, write_sound, tmp_path
):
    noise = np.random.default_rng(0).normal(size=8000)
    write_sound(tmp_path / "noise.wav", (noise / np.abs(noise).max()).astype(np.float32))
    asked = ("match", tmp_path / "noise.wav", "--free", "--steps", 1, "--out_dir", tmp_path / "o")
    result = noisygan(*asked)
    assert result.code == 0 and "turned down by " in result.out, result
    again = noisygan(
        *("synth", "--controls", tmp_path / "o" / "noise.npz", "--out", tmp_path / "again.wav")
    )
    assert "turned down" not in again.out
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "o" / "noise.wav").read_bytes()
