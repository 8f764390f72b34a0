"""Curves as CSV: out and in again, edited, and what is wrong with a file in one line."""

import csv

import numpy as np
import pytest

from noisygan.audio_io.controls import check_controls
from noisygan.audio_io.curves_csv import read_curves, write_curves
from noisygan.errors import UsageError

N = 20


def controls():
    random = np.random.default_rng(0)
    made = {
        "format": np.array("noisygan-controls"),
        "version": np.array(1),
        "sample_rate": np.array(16000),
        "n_samples": np.array(3200),
        "frame_rate": np.array(100.0),
        "noise_seed": np.array(5),
        "voices": np.array(["harmonic", "noise"]),
        "kinds": np.array(["harmonic", "noise"]),
        "loudness_db": random.uniform(-30, -20, N).astype(np.float32),
        "harmonic/f0_hz": random.uniform(400, 500, N).astype(np.float32),
        "harmonic/amplitudes": random.uniform(0.1, 0.2, N).astype(np.float32),
        "harmonic/harmonic_distribution": random.uniform(0, 1, (N, 3)).astype(np.float32),
        "noise/magnitudes": random.uniform(0, 0.1, (N, 4)).astype(np.float32),
        "noise/bandwidth_hz": np.array(8000.0),
    }
    check_controls(made)
    return made


@pytest.fixture
def edit(tmp_path):
    """A function from the text of a CSV file to the controls that it makes."""

    def edited(text, encoding="utf-8"):
        path = tmp_path / "note.csv"
        path.write_bytes(text.encode(encoding))
        return read_curves(path, controls())

    return edited


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "note.csv"
    write_curves(path, controls())
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [
        *("time_seconds", "loudness_db", "harmonic/f0_hz", "harmonic/amplitudes"),
        *(f"harmonic/harmonic_distribution/{i}" for i in (1, 2, 3)),
        *(f"noise/magnitudes/{i}" for i in (1, 2, 3, 4)),
    ]
    assert len(rows) == N + 1 and float(rows[3][0]) == 0.02
    again = read_curves(path, controls())
    for name, value in controls().items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(again[name], value, rtol=1e-6)
        else:
            np.testing.assert_array_equal(again[name], value)
    with pytest.raises(UsageError, match="exists already"):
        write_curves(path, controls())


def test_a_few_points_are_joined_by_lines_and_the_rest_stays(edit):
    made = edit("time_seconds,harmonic/f0_hz,noise/magnitudes/2\n0.05,100,0\n0.15,200,1\n")
    f0_hz = made["harmonic/f0_hz"]
    np.testing.assert_allclose(f0_hz[:6], 100.0)
    np.testing.assert_allclose(f0_hz[5:16], 100.0 + 10.0 * np.arange(11), rtol=1e-6)
    np.testing.assert_allclose(f0_hz[15:], 200.0)
    assert made["noise/magnitudes"][10, 1] == pytest.approx(0.5)
    before = controls()
    for name in ("harmonic/amplitudes", "harmonic/harmonic_distribution", "loudness_db"):
        np.testing.assert_array_equal(made[name], before[name])
    for band in (0, 2, 3):
        np.testing.assert_array_equal(
            made["noise/magnitudes"][:, band], before["noise/magnitudes"][:, band]
        )


def test_loudness_moves_all_levels_by_as_many_decibels(edit):
    before = controls()
    made = edit("time_seconds,loudness_db\n0,-20\n")
    gains = 10 ** ((-20 - before["loudness_db"]) / 20)
    np.testing.assert_allclose(
        made["harmonic/amplitudes"], gains * before["harmonic/amplitudes"], rtol=1e-5
    )
    np.testing.assert_allclose(
        made["noise/magnitudes"], gains[:, None] * before["noise/magnitudes"], rtol=1e-5
    )
    name = "harmonic/harmonic_distribution"
    np.testing.assert_array_equal(made[name], before[name])


def test_what_spreadsheets_add_is_read(edit):
    text = "\ufefftime_seconds, harmonic/f0_hz\r\n\r\n0,440\r\n"
    np.testing.assert_array_equal(edit(text)["harmonic/f0_hz"], 440.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line is ; expected time_seconds"),
        ("time_seconds;harmonic/f0_hz\n0;440\n", "with commas between"),
        ("time_seconds,harmonic/f0\n0,440\n", "no curve harmonic/f0 .* nearest is harmonic/f0_hz"),
        ("time_seconds,loudness_db,loudness_db\n0,1,1\n", "each once"),
        ("time_seconds,harmonic/f0_hz\n", "no rows below its first line"),
        ("time_seconds,harmonic/f0_hz\n0,440\n0.1\n", "line 3: expected 2 finite"),
        ("time_seconds,harmonic/f0_hz\n0,nan\n", "line 2"),
        ("time_seconds,harmonic/f0_hz\n0,440\n\n0.1,-5\n", "harmonic/f0_hz is -5"),
        ("time_seconds,harmonic/f0_hz\n-1,440\n", "time_seconds must rise"),
        ("time_seconds,harmonic/f0_hz\n0,440\n9,440\n", "at 9 s and the sound ends at 0.2 s"),
    ],
)
def test_a_flaw_is_named_with_its_line(edit, text, message):
    with pytest.raises(UsageError, match=message) as error:
        edit(text)
    assert "\n" not in str(error.value)


def test_what_is_no_text(edit, tmp_path):
    with pytest.raises(UsageError, match="is not CSV"):
        edit("time_seconds,harmonic/f0_hz\n0,440\n", "utf-16")
    with pytest.raises(UsageError, match="cannot be read"):
        read_curves(tmp_path / "missing.csv", controls())


def test_what_is_struck_has_no_curves(tmp_path):
    struck = {k: v for k, v in controls().items() if "/" not in k}
    struck |= {"voices": np.array(["modal"]), "kinds": np.array(["modal"])}
    for name in ("frequencies", "amplitudes", "decay_seconds"):
        struck[f"modal/{name}"] = np.ones(3)
    check_controls(struck)
    with pytest.raises(UsageError, match="no curves"):
        write_curves(tmp_path / "note.csv", struck)
    path = tmp_path / "f0.csv"
    path.write_text("time_seconds,harmonic/f0_hz\n0,440\n")
    with pytest.raises(UsageError, match="no curves"):
        read_curves(path, struck)
