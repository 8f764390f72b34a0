"""Curves of a controls file as CSV: for spreadsheets and scripts, out and in again.

The first row names the columns, of which `time_seconds` is the first; every other row is a moment.

    time_seconds                         rising, from 0 on
    loudness_db                          dB, of the note
    <voice>/f0_hz                        Hz
    <voice>/amplitudes                   linear, of the sum of the harmonics
    <voice>/harmonic_distribution/1      share of harmonic 1, 2 ...
    <voice>/magnitudes/1                 gain of the noise in band 1, 2 ...

What is read need not hold every column, nor a row for each frame: curves are linear between rows,
and held before the first and behind the last one; what is left out stays as it was. Loudness is not
made into sound by itself: where it differs from the file's, all levels follow by as many decibels.
"""

import array
import collections
import csv
import difflib
import functools
import math
import pathlib

import numpy as np

from noisygan.audio_io.controls import check_controls, curve_names
from noisygan.errors import UsageError
from noisygan.files import atomic_write, short_lines

TIME = "time_seconds"
LOUDNESS = "loudness_db"
MAX_COLUMNS = 8192
MAX_LINE = 1 << 19
MAX_ROWS = 1_000_000
_LEVELS = ("amplitudes", "magnitudes")


def write_curves(path, controls):
    """Writes the curves of controls as CSV, whole or not at all; no file is overwritten.

    Args:
      path: File to be written.
      controls: Of `noisygan.audio_io.controls.load_controls`.

    Raises:
      UsageError: if the controls have no curves, or the file exists.
      RunError: if it cannot be written.
    """
    columns = _columns(controls)
    n_frames = len(controls[next(iter(columns.values()))[0]])
    times = np.arange(n_frames) / float(controls["frame_rate"])
    table = [times, *(_column(controls, *place) for place in columns.values())]
    with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([TIME, *columns])
        rows.writerows([f"{value:.9g}" for value in row] for row in zip(*table, strict=True))


def read_curves(path, controls):
    """Controls with the curves of a CSV file in place of their own.

    Args:
      path: File in the format above.
      controls: Of `load_controls`; they stay as they are.

    Returns:
      dict, as of `load_controls`.

    Raises:
      UsageError: if the file is not CSV of this format, or doesn't fit the controls; says where.
    """
    path = pathlib.Path(path)
    names, table, lines = _read_table(path)
    columns = _columns(controls)
    for name in names[1:]:
        if name not in columns:
            name = name[:100]
            near = difflib.get_close_matches(name, columns, n=1)
            hint = f"; nearest is {near[0]}" if near else f"; known are {', '.join(columns)}"
            raise UsageError(f"{path}: no curve {ascii(name)[1:-1]} in these controls{hint[:200]}")
    times = table[:, 0]
    _check_times(path, times, lines, controls)
    edited = {name: np.array(value) for name, value in controls.items()}
    n_frames = len(edited[next(iter(columns.values()))[0]])
    moments = np.arange(n_frames) / float(controls["frame_rate"])
    for name, values in zip(names[1:], table[:, 1:].T, strict=True):
        if name != LOUDNESS and values.min() < 0.0:
            row = int(np.argmin(values))
            raise UsageError(
                f"{path}, line {lines[row]}: {name} is {values[row]:g}; expected 0 or more"
            )
        _column(edited, *columns[name])[:] = np.interp(moments, times, values)
    if LOUDNESS in names:
        change_db = edited[LOUDNESS].astype(float) - controls[LOUDNESS]
        gains = 10.0 ** (change_db / 20.0)
        for curve in curve_names(controls):
            if curve.endswith(_LEVELS):
                edited[curve] = (edited[curve].T * gains).T.astype(np.float32)
    check_controls(edited, path)
    return edited


def _columns(controls):
    """Names of the columns, in order -> (entry of the controls, index of its last axis or None)."""
    curves, columns = curve_names(controls), {}
    if not curves:
        raise UsageError("these controls have no curves: what is struck is settled by the blow")
    if LOUDNESS in controls:
        curves = [LOUDNESS, *curves]
    for name in curves:
        if controls[name].ndim == 1:
            columns[name] = (name, None)
        else:
            columns |= {f"{name}/{i + 1}": (name, i) for i in range(controls[name].shape[1])}
    return columns


def _column(controls, name, index):
    return controls[name] if index is None else controls[name][:, index]


def _read_table(path):
    """(names, float64 [n_rows, n_columns], line of each row) of a CSV file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parsed(path, csv.reader(short_lines(file, MAX_LINE)))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path} is not CSV: {error}; expected text in UTF-8") from error


def _parsed(path, rows):
    """As `_read_table`, from an iterator of rows."""
    names = [name.strip() for name in next(rows, [])]
    if not names or names[0] != TIME or len(names) < 2:
        came = ascii(",".join(names)[:60])[1:-1] or "nothing"
        raise UsageError(
            f"{path}: its first line is {came}; expected {TIME} and names of curves, "
            "with commas between"
        )
    if len(names) > MAX_COLUMNS:
        raise UsageError(f"{path} has {len(names)} columns; expected at most {MAX_COLUMNS}")
    twice = [name for name, count in collections.Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"{path} has the column {ascii(twice[0][:100])[1:-1]} twice")
    table, lines = [], []
    for line, row in enumerate(rows, start=2):
        if line > MAX_ROWS:
            raise UsageError(f"{path} has more than {MAX_ROWS} rows; expected one a frame")
        if not row:
            continue
        if len(row) != len(names):
            raise UsageError(
                f"{path}, line {line}: {len(row)} values; expected {len(names)}, as in line 1"
            )
        table.append(array.array("d", map(functools.partial(_number, path, line), names, row)))
        lines.append(line)
    if not table:
        raise UsageError(f"{path} has no rows below its first line; expected one or more")
    return names, np.array(table), lines


def _number(path, line, name, text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{path}, line {line}: {name} is {text.strip()[:40]!r}; expected a number")
    return value


def _check_times(path, times, lines, controls):
    wrong = np.flatnonzero(np.diff(times, prepend=-1e-9) <= 0.0)
    if len(wrong):
        row = int(wrong[0])
        raise UsageError(
            f"{path}, line {lines[row]}: {TIME} is {times[row]:g}; expected times that rise, "
            "from 0 on"
        )
    seconds = int(controls["n_samples"]) / float(controls["sample_rate"])
    frame = 1.0 / float(controls["frame_rate"])
    if times[-1] > seconds + frame:
        raise UsageError(
            f"{path}: its last row is at {times[-1]:g} s and the sound ends at {seconds:g} s; "
            "leave out what lies beyond, or make longer controls with render --seconds"
        )
