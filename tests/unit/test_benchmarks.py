"""The scripts of benchmarks/: they import, and write tables and pictures of what they find."""

import importlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import common, input_speed, instruments, synths_vs_ddsp, training_step
from noisygan.data.layouts import list_entries

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))

# Of a tenth of a second: what a whole measurement finds, in its form.
TIMES = {"ddsp": 0.1, "ddsp, XLA": 0.05, "synths": 0.001, "plain": 0.01}
RESULT = {
    "date": "2026-11-29",
    "machine": {"processor": "P", "cores": 2, "accelerators": [], "python": "3.11"}
    | {"tensorflow": "2", "numpy": "2", "numba": None, "ddsp": None},
    "size": {"batch": 4, "seconds": 4.0, "n_partials": 100},
    "n_turns": 9,
    "times": [
        {"case": "harmonic", "backward": back, "title": "Harmonic", "figures": TIMES}
        for back in (False, True)
    ],
    "errors": [{"case": "harmonic", "title": "Harmonic", "figures": {"ddsp": 37, "synths": 111}}],
    "drift": [
        {"seconds": 60.0, "title": "60 s", "figures": {"synths": 124.0, "ddsp": -3.4}},
        {"seconds": 600.0, "title": "600 s", "figures": {"synths": 124.0}},
    ],
    "growth": [
        {
            "what": "batch", "title": "batch 1 to 2", "values": [1, 2],
            "seconds": {"synths": [1.0, 2.0]}, "figures": {"synths": 1.0},
        }
    ],
    "cores": [],
    "memory": [{"case": "harmonic", "title": "Harmonic", "figures": {"ddsp": 2e6, "synths": 1e6}}],
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_imported_and_says_what_it_is(name):
    assert importlib.import_module(f"benchmarks.{name}").__doc__


def test_tables_and_summary_of_the_synthesizers():
    text = synths_vs_ddsp.tables(RESULT)
    assert "| Harmonic | 100 | 50.0 | 1.00 | 50.0 | 10.0 | 5.00 |" in text
    assert "| 600 s | - | 124 |" in text
    said = synths_vs_ddsp.summary(RESULT)
    assert "50.0 and 50.0 times faster" in said and "60 s of sound the signal is 124 dB" in said
    without = [row | {"figures": {"synths": 1.0}} for row in RESULT["times"]]
    assert synths_vs_ddsp.summary(RESULT | {"times": without}) == ""


def test_publishing_replaces_what_stands_between_the_marks(tmp_path):
    (tmp_path / "docs" / "images").mkdir(parents=True)
    page = tmp_path / "docs" / "results.md"
    marked = "<!-- bench: {} -->\nold\n<!-- bench end -->\n"
    page.write_text(marked.format("summary") + marked.format("tables"))
    synths_vs_ddsp.publish(RESULT, tmp_path)
    text = page.read_text()
    assert text.startswith("<!-- bench: summary -->\n100 harmonics") and "old" not in text
    assert len(list((tmp_path / "docs" / "images").glob("*.png"))) == 2
    with pytest.raises(SystemExit):
        common.replaced("no marks", "tables", "")


@pytest.mark.parametrize(
    ("value", "text"), [(0.00123, "0.00123"), (1.0, "1.00"), (1234.0, "1230"), (0, "-")]
)
def test_three_digits(value, text):
    assert synths_vs_ddsp.three_digits(value) == text


def test_calls_are_measured_in_turns():
    called = []
    calls = {name: (lambda name=name: called.append(name)) for name in "ab"}
    found = common.interleaved_seconds(calls, 3, turn_seconds=0.0)
    assert set(found) == {"a", "b"} and called[-6:] == ["a", "b"] * 3


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux")
def test_peak_memory_is_that_of_the_calls():
    found = common.peak_extra_bytes(lambda: np.ones(40 << 20, np.uint8))
    assert 30 << 20 < found < 80 << 20


@pytest.mark.slow
def test_training_steps_of_two_processes():
    job = {"checkout": str(ROOT), "data": None, "steps": 1, "gin_param": []}
    job |= {"gin_file": ["runs/drum_dcgan_small.gin"]}
    job["gin_param"] = ["Trainer.batch_size = 2"]
    rows = training_step.measure({"a": job}, 2)
    assert rows[0]["seconds"] > 0.0 and rows[0]["speed"] == 1.0
    assert training_step.table(json.loads(json.dumps(rows))).count("\n") == 2


@pytest.mark.slow
def test_input_is_faster_than_steps_consume():
    row = input_speed.measure("runs/drum_dcgan_small.gin", 8, 0.1)
    assert row["memory"] > row["eaten"] > 0.0
    assert input_speed.table([row]).count("\n") == 2


def test_instruments_hold_out_every_fifth_pitch_and_mark_misses(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "cello").mkdir()
    for name in ("C3", "Cs3", "D3 v2", "Ds3", "E3", "F3", "Fs3", "G3", "Gs3", "A3"):
        audio = 0.1 * rng.normal(size=4000)
        soundfile.write(tmp_path / "cello" / f"{name}.flac", audio, 44100)
    data = tmp_path / "data" / "cello"
    data.parent.mkdir()
    instruments.divide(tmp_path / "cello", data)
    pitches = {p.name: sorted(e.pitch for e in list_entries(p)[1]) for p in data.iterdir()}
    assert pitches["held_out"] == [50, 55] and len(pitches["train"]) == 8
    part = {"n": 8, "level": 0.5, "slope": 0.7, "end": 2.0, "bands": 0.6, "in tune": 97.0}
    training = part | {"two-sample": 75.0, "seeds": 0.25}
    figures = {"training": training, "held-out": part, "steps per second": 4.0}
    training, held_out = instruments.rows_of({"cello": [figures, figures]})
    assert training[2:] == ["0.5", "0.7", "**2**", "0.6", "**97**", "75", "4", "0.25", ""]
    assert len(training) == len(held_out) == len(instruments.HEAD)
    assert held_out[2:6] == ["0.5", "0.7", "**2**", "0.6"]
    figures["held-out"] = part | {"end": float("nan")}
    assert instruments.rows_of({"cello": [figures]})[1][4] == ""
