"""From a folder as it is published to an instrument: two commands; and folders with faults."""

import json
import re

import numpy as np
import pytest
import soundfile

from noisygan.metrics.tuning import measure_tuning
from tests.cli.conftest import TINY
from tests.documents import ROOT

RATE = 44100
KEYS = ("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B")


def note(pitch, seconds=0.8, rate=RATE, silence=0.03):
    """A note of a string that is released after 0.5 s, with silence before it."""
    t = np.arange(round(seconds * rate)) / rate
    hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    partials = [k for k in range(1, 9) if k * hz < 0.45 * rate]
    wave = sum(np.sin(2 * np.pi * hz * k * t) / k for k in partials)
    envelope = np.minimum(t / 0.03, 1.0) * np.exp(-30.0 * np.maximum(t - 0.5, 0.0))
    return np.concatenate([np.zeros(round(silence * rate)), 0.2 * envelope * wave])


def regions(path):
    """Opcodes of each region of an SFZ file, with those of its group: list of dict."""
    text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
    parts = re.split(r"<(\w+)>", text)[1:]
    assert {"region"} <= set(parts[::2]) <= {"control", "global", "group", "region"}
    found, group = [], {}
    for header, body in zip(parts[::2], parts[1::2], strict=True):
        opcodes = dict(re.findall(r"(\w+)=(.*?)(?=\s+\w+=|\s*$)", body, re.S))
        if header == "region":
            found.append(group | opcodes)
        else:
            group = opcodes if header == "group" else group | opcodes
    return found


def test_two_commands_from_mp3s_to_an_sfz(noisygan, eagerly, tmp_path):
    data, run, out = (tmp_path / name for name in ("Cello", "run", "sfz"))
    data.mkdir()
    for pitch in range(48, 61):
        name = f"{KEYS[pitch % 12]}{pitch // 12 - 1}"
        for take in ("", " v2") if pitch == 50 else ("",):
            soundfile.write(data / f"{name}{take}.mp3", note(pitch), RATE, format="MP3")
    (data / "cover.jpg").write_bytes(b"picture")
    (data / "LICENSE.txt").write_text("CC0")
    config = ROOT / "tests" / "configs" / "small_notes.gin"
    trained = noisygan(
        *("train", "--gin_file", config, "--data", data, "--run_dir", run),
        *("--steps", 2, "--no_report"),
    )
    assert trained.code == 0, trained.err
    for line in (
        "Cello: 14 of 14 files",
        "note name: 14, such as",
        "C3 to C4 (48 to 60), 13 of 13 keys",
        "1 note with several takes (D3: 2)",
        "14 released, 0 ringing out, 0 cut",
        "44100 Hz (14) read at 16000 Hz; leading silence cut from 14",
    ):
        assert line in trained.err, trained.err
    made = noisygan(
        *("instrument", "--run_dir", run, "--out_dir", out, "--format", "sfz"),
        *("--velocity", "100", "--round_robins", 1),
    )
    assert made.code == 0, made.err
    (sfz,) = out.glob("*.sfz")
    attacks = [each for each in regions(sfz) if each.get("trigger", "attack") == "attack"]
    played = sorted((int(each["lokey"]), int(each["hikey"])) for each in attacks)
    assert played[0][0] <= 48 and played[-1][1] >= 60
    assert all(low <= high for low, high in played)
    assert [low for low, _ in played[1:]] == [high + 1 for _, high in played[:-1]]
    folder = out / attacks[0].get("default_path", "samples/")
    for each in attacks:
        audio, rate = soundfile.read(folder / each["sample"])
        assert np.abs(audio).max() > 0.01
        tuning = measure_tuning(audio, rate, int(each["pitch_keycenter"]))
        assert abs(tuning.harmonic_cents) < 25.0, each


@pytest.fixture
def train(noisygan, eagerly, tmp_path):
    """A function that trains one step on tmp_path/data: (its result, data in run.json)."""

    def run(*args):
        run_dir = tmp_path / "run"
        result = noisygan(
            *("train", "--gin_file", TINY, "--data", tmp_path / "data", "--run_dir", run_dir),
            *("--steps", 1, "--no_report", *args),
        )
        path = run_dir / "run.json"
        return result, json.loads(path.read_text())["data"] if path.exists() else None

    (tmp_path / "data").mkdir()
    return run


def test_faults_have_a_line_each_and_training_goes_on(train, tmp_path):
    data = tmp_path / "data"
    for pitch in range(60, 72):
        soundfile.write(data / f"{KEYS[pitch % 12]}4.flac", note(pitch), RATE)
    soundfile.write(data / "C4.wav", note(60), 48000)  # the note, velocity and take of C4.flac
    soundfile.write(data / "D12.wav", note(62), RATE)  # an impossible octave
    soundfile.write(data / "E5.wav", note(76, seconds=0.03), RATE)  # shorter than its attack
    soundfile.write(data / "F5.wav", np.zeros(9000), RATE)  # silent
    soundfile.write(data / "G5.wav", np.tile(note(79, 0.6, silence=0.5), 3), RATE)  # several notes
    (data / "A5.wav").write_bytes(b"RIFF")
    soundfile.write(data / "breath.wav", note(60), RATE)  # no pitch
    result, about = train()
    assert result.code == 0, result.err
    lines = result.err.splitlines()
    for head, text in (
        ("skipped", "A5 cannot be read as audio"),
        ("skipped", "D12 its pitch lies beyond MIDI notes 0 to 127"),
        ("skipped", "F5 is silent"),
        ("skipped", "breath has no pitch in its name; name it like C4.wav or 060.wav"),
        ("warning", "C4.wav has the note, velocity and take of C4.flac; it is read as take 2"),
        ("warning", "several notes in one file: G5"),
        ("warning", "shorter than 50 ms: E5"),
    ):
        found = [line for line in lines if line.startswith(f"  {head}") and text in line]
        assert len(found) == 1, (text, result.err)
    assert about["n_recordings"] == 15


def test_a_set_of_three_notes(train, tmp_path):
    for pitch in (60, 64, 67):
        soundfile.write(tmp_path / "data" / f"{pitch}.wav", note(pitch), RATE)
    result, about = train()
    assert result.code == 0, result.err
    assert about["n_recordings"] == 3
    assert "warning   3 recordings are few: expect copies; take 30 or more" in result.err


def test_no_pitch_in_any_name(train, tmp_path):
    for i, name in enumerate(("one", "two", "three")):
        soundfile.write(tmp_path / "data" / f"{name}.wav", note(60 + i), RATE)
    result, about = train()
    assert result.code == 2 and about is None
    (line,) = [line for line in result.err.splitlines() if line.startswith("noisygan:")]
    for text in ("none of the 3 recordings", "without pitch", "--detect_pitch pyin"):
        assert text in line
    # A config that is not conditioned on pitch can use them.
    result, about = train(
        *("--gin_param", "ConditionEncoder.names = ('velocity',)"),
        *("--gin_param", "Hybrid.pitch = @UnconditionedPitch()"),
    )
    assert result.code == 0, result.err
    assert about["n_recordings"] == 3
