"""Curves of a controls file as CSV, for spreadsheets and scripts.

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

import csv
import difflib
import pathlib

import numpy as np

from noisygan.audio_io.controls import check_controls, curve_names
from noisygan.errors import UsageError
from noisygan.files import atomic_write

TIME = "time_seconds"
LOUDNESS = "loudness_db"
MAX_BYTES = 128 << 20
MAX_ROWS = 1_000_000
_LEVELS = ("amplitudes", "magnitudes")


def write_curves(path, controls):
    """Write the curves of controls as CSV, atomically; an existing file is never overwritten.

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
    """Copy controls with the curves of a CSV file in place of their own.

    Raises:
      UsageError: if the file is not CSV of this format, or doesn't fit the controls; says where.
    """
    path = pathlib.Path(path)
    names, table = _read_table(path)
    columns = _columns(controls)
    for name in names[1:]:
        if name not in columns:
            near = difflib.get_close_matches(name[:100], columns, n=1) or list(columns)
            shown = ascii(name[:100])[1:-1]
            raise UsageError(f"{path}: no curve {shown} in these controls; nearest is {near[0]}")
    times = table[:, 0]
    seconds = int(controls["n_samples"]) / float(controls["sample_rate"])
    if times[0] < 0.0 or (np.diff(times) <= 0.0).any():
        raise UsageError(f"{path}: {TIME} must rise from row to row, from 0 on")
    if times[-1] > seconds + 1.0 / float(controls["frame_rate"]):
        end = f"at {times[-1]:g} s and the sound ends at {seconds:g} s"
        raise UsageError(f"{path}: its last row is {end}; leave out what lies beyond")
    edited = {name: np.array(value) for name, value in controls.items()}
    n_frames = len(edited[next(iter(columns.values()))[0]])
    moments = np.arange(n_frames) / float(controls["frame_rate"])
    for name, values in zip(names[1:], table[:, 1:].T, strict=True):
        if name != LOUDNESS and values.min() < 0.0:
            raise UsageError(f"{path}: {name} is {values.min():g}; expected 0 or more")
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
        raise UsageError("these controls have no curves: a struck voice is settled by the blow")
    for name in [LOUDNESS] * (LOUDNESS in controls) + curves:
        if controls[name].ndim == 1:
            columns[name] = (name, None)
        else:
            columns |= {f"{name}/{i + 1}": (name, i) for i in range(controls[name].shape[1])}
    return columns


def _column(controls, name, index):
    return controls[name] if index is None else controls[name][:, index]


def _read_table(path):
    """(names, float64 [n_rows, n_columns]) of a CSV file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} has more than {MAX_BYTES >> 20} MB; expected a row per frame")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            names = [name.strip() for name in next(rows, [])]
            if names[:1] != [TIME] or len(names) < 2 or len({*names}) < len(names):
                shown = ascii(",".join(names)[:60])[1:-1]
                expected = f"{TIME} and names of curves, each once, with commas between"
                raise UsageError(f"{path}: its first line is {shown}; expected {expected}")
            table = []
            for row in filter(None, rows):
                where = f"{path}, line {rows.line_num}"
                try:
                    table.append(np.array(row, float))
                except ValueError:
                    table.append(np.array([np.nan]))
                if len(table) > MAX_ROWS:
                    raise UsageError(f"{path} has more than {MAX_ROWS} rows; expected one a frame")
                if table[-1].shape != (len(names),) or not np.isfinite(table[-1]).all():
                    raise UsageError(f"{where}: expected {len(names)} finite numbers")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path} is not CSV: {error}; expected text in UTF-8") from error
    if not table:
        raise UsageError(f"{path} has no rows below its first line; expected one or more")
    return names, np.array(table)
