"""`noisygan match`: the files it writes, the commands of its page, and invalid input."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf

PAGE = Path(__file__).parents[2] / "docs" / "matching.md"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A few steps from one latent, faster than traced; unit tests trace and try more."""
    monkeypatch.setattr("noisygan.matching.latent_fit.N_TRIED", 1)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


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
        short = ["--steps", "2"] if command[0] == "match" else []
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
    exec(compile(example.replace("150", "1"), str(PAGE), "exec"), namespace)
    assert len(namespace["match"].audio) == 4800
    assert (tmp_path / "from_python" / "target-z.npz").exists()


def test_a_note_with_one_harmonic(noisygan, write_sound, tmp_path):
    path = write_sound(tmp_path / "C8.wav", hz=4186.0, n=1600)
    out = tmp_path / "out"
    result = noisygan("match", path, "--free", "--pitch", 108, "--out_dir", out, "--steps", 1)
    assert result.code == 0 and "pitch C8" in result.out and "no pitch" not in result.out
    f0_hz = np.load(out / "C8.npz")["harmonic/f0_hz"]
    np.testing.assert_allclose(f0_hz, 4186.0, rtol=0.02)


def test_invalid_targets_and_options(refused, tone, trained, write_sound, tmp_path):
    out = tmp_path / "out"
    free, run = ("--free", "--out_dir", out), ("--run_dir", trained, "--out_dir", out)
    silent = write_sound(tmp_path / "silent.wav", np.zeros(4000))
    noise = write_sound(tmp_path / "noise.wav", 0.1 * np.random.default_rng(0).normal(size=4000))
    for args, message in (
        ((tone, "--out_dir", out), "nothing to match with"),
        ((tmp_path / "no.wav", *free), "is missing"),
        ((tmp_path, *free), "is a folder"),
        ((silent, *free), "is silent"),
        ((tone, *free, "--label", "flute"), "--label"),
        ((tone, *free, "--pitch", 127), "cannot hold"),
        ((tone, *run, "--room", 1), "--room"),
        ((noise, *run), "give the pitch"),
    ):
        assert message in refused("match", *args)
    assert not out.exists()
    out.mkdir()
    (out / "target.html").write_text("mine")
    assert "target.html exists already" in refused("match", tone, *free)
    assert [path.name for path in out.iterdir()] == ["target.html"]


def test_remarks_are_printed_and_the_reverb_is_a_stem(
    noisygan, refused, tone, write_sound, tmp_path
):
    noise = 0.1 * np.random.default_rng(0).normal(size=(1600, 2))
    path = write_sound(tmp_path / "noise.wav", noise, 4000)
    result = noisygan("match", path, "--free", "--out_dir", tmp_path / "out", "--steps", 1)
    assert result.code == 0
    for remark in ("2 channels", "from 4000 to 8000 Hz", "no pitch was found"):
        assert re.search(f"^{re.escape(str(path))}: .*{remark}", result.out, re.M)
    asked = ("match", tone, "--free", "--steps", 4, "--out_dir", tmp_path / "out")
    result = noisygan(*asked, "--room", 0.4, "--stems")
    assert result.code == 0, result.err
    assert re.search(r"target\.wav: pitch G4( [+-]\d cents)? \(39\d\.\d Hz\)", result.out)
    stems = tmp_path / "out" / "target"
    assert {path.stem for path in stems.iterdir()} == {"harmonic", "noise", "reverb"}
    parts = [soundfile.read(path)[0] for path in stems.iterdir()]
    whole = soundfile.read(tmp_path / "out" / "target.wav")[0]
    np.testing.assert_allclose(sum(parts), whole, atol=3 / 32768)
    synth = ("synth", "--controls", tmp_path / "out" / "target.npz", "--stems", "--out")
    assert noisygan(*synth, tmp_path / "again.wav").code == 0
    for path in (stems.with_suffix(".wav"), *stems.iterdir()):
        again = tmp_path / str(path.relative_to(stems.parent)).replace("target", "again")
        assert again.read_bytes() == path.read_bytes()
    assert "exists already" in refused(*synth, tmp_path / "again.wav")
