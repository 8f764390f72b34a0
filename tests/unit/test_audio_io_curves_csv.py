"""Curves as CSV: out and in again, edited, and what is wrong with a file in one line."""

import csv

import numpy as np
import pytest

from noisygan.audio_io.controls import check_controls
from noisygan.audio_io.curves_csv import read_curves, write_curves
from noisygan.errors import UsageError
from tests.fuzz.targets import good_controls

F0, LEVEL, SHARES, NOISE = (
    *("tone/f0_hz", "tone/amplitudes", "tone/harmonic_distribution"),
    "air/magnitudes",
)


@pytest.fixture
def controls():
    """Controls of a harmonic, a noise and two struck voices."""
    return good_controls()


@pytest.fixture
def edit(tmp_path, controls):
    """A function from the text of a CSV file to the controls that it makes."""

    def edited(text, encoding="utf-8"):
        path = tmp_path / "note.csv"
        path.write_bytes(text.encode(encoding))
        return read_curves(path, controls)

    return edited


def test_what_is_written_is_read_back(tmp_path, controls):
    path = tmp_path / "note.csv"
    write_curves(path, controls)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    n_frames = len(controls[SHARES])
    assert rows[0][:5] == ["time_seconds", "loudness_db", F0, LEVEL, f"{SHARES}/1"]
    assert rows[0][-1] == f"{NOISE}/{controls[NOISE].shape[1]}"
    assert len(rows) == n_frames + 1 and float(rows[3][0]) == 2 / controls["frame_rate"]
    again = read_curves(path, controls)
    for name, value in controls.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(again[name], value, rtol=1e-6)
        else:
            np.testing.assert_array_equal(again[name], value)
    with pytest.raises(UsageError, match="exists already"):
        write_curves(path, controls)


def test_a_few_points_are_joined_by_lines_and_the_rest_stays(edit, controls):
    # With what spreadsheets add.
    made = edit(f"\ufefftime_seconds, {F0},{NOISE}/2\r\n\r\n0.02,100,0\r\n0.06,200,1\r\n")
    times = np.arange(len(controls[F0])) / controls["frame_rate"]
    expected = np.interp(times, [0.02, 0.06], [100.0, 200.0])
    np.testing.assert_allclose(made[F0], expected, rtol=1e-6)
    np.testing.assert_allclose(made[NOISE][:, 1], expected / 100.0 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(made[NOISE][:, 0], controls[NOISE][:, 0])
    for name in (LEVEL, SHARES, "loudness_db"):
        np.testing.assert_array_equal(made[name], controls[name])


def test_loudness_moves_all_levels_by_as_many_decibels(edit, controls):
    made = edit("time_seconds,loudness_db\n0,-20\n")
    gains = 10 ** ((-20 - controls["loudness_db"]) / 20)
    np.testing.assert_allclose(made[LEVEL], gains * controls[LEVEL], rtol=1e-5)
    np.testing.assert_allclose(made[NOISE], gains[:, None] * controls[NOISE], rtol=1e-5)
    np.testing.assert_array_equal(made[SHARES], controls[SHARES])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line is ; expected time_seconds"),
        (f"time_seconds;{F0}\n0;440\n", "with commas between"),
        ("time_seconds,tone/f0\n0,440\n", f"no curve tone/f0 .* nearest is {F0}"),
        ("time_seconds,loudness_db,loudness_db\n0,1,1\n", "each once"),
        (f"time_seconds,{F0}\n", "no rows below its first line"),
        (f"time_seconds,{F0}\n0,440\n0.1\n", "line 3: expected 2 finite"),
        (f"time_seconds,{F0}\n0,nan\n", "line 2"),
        (f"time_seconds,{F0}\n0,440\n\n0.1,-5\n", f"{F0} is -5"),
        (f"time_seconds,{F0}\n-1,440\n", "time_seconds must rise"),
        (f"time_seconds,{F0}\n0,440\n9,440\n", "at 9 s and the sound ends at"),
    ],
)
def test_a_flaw_is_named_with_its_line(edit, text, message):
    with pytest.raises(UsageError, match=message) as error:
        edit(text)
    assert "\n" not in str(error.value)


def test_what_is_no_text_and_what_has_no_curves(edit, controls, tmp_path):
    with pytest.raises(UsageError, match="is not CSV"):
        edit(f"time_seconds,{F0}\n0,440\n", "utf-16")
    with pytest.raises(UsageError, match="cannot be read"):
        read_curves(tmp_path / "missing.csv", controls)
    voices, kinds = map(list, (controls["voices"], controls["kinds"]))
    struck = voices[kinds.index("modal")]
    controls = {n: x for n, x in controls.items() if "/" not in n or n.startswith(f"{struck}/")}
    controls |= {"voices": np.array([struck]), "kinds": np.array(["modal"])}
    check_controls(controls)
    with pytest.raises(UsageError, match="no curves"):
        write_curves(tmp_path / "new.csv", controls)
