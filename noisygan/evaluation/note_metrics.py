"""Distances between envelopes of generated notes and of the recordings of the same notes."""

from __future__ import annotations

import numpy as np

from noisygan.evaluation.report import Metric
from noisygan.metrics import bootstrap, note_envelopes
from noisygan.metrics.bootstrap import Estimate

_GROUP = "note envelopes"
WHOLE = Metric("note distance", _GROUP, "of neighbouring recordings'", False, headline=True)
EACH = {
    name: Metric(f"{name} distance", _GROUP, unit, False, headline=True)
    for name, unit in note_envelopes.FIGURES.items()
}
METRICS = (WHOLE, *EACH.values())


def compute(reference, recordings, generated):
    """Medians over the notes: dict name -> Estimate.

    Raises:
      ValueError: if no example has a recording of its pitch, or all recordings have one pitch.
    """
    floors, rows = reference.note_floors, rows_of_same_notes(recordings, generated)
    known = np.flatnonzero(rows >= 0)
    if not len(known):
        raise ValueError("no example has the pitch and velocity of a recording")
    real, fake = recordings.envelopes.take(rows[known]), generated.envelopes.take(known)
    differences = note_envelopes.differences(real, fake)
    found, ratios, resampled_ratios = {}, [], []
    for name, metric in EACH.items():
        own = differences[name][np.isfinite(differences[name])]
        if not len(own) or np.isnan(floors[name]):
            note = "most recordings ring on" if name == "end" else "the notes are too short"
            found[metric.name] = Estimate(float("nan"), None, note)
            continue
        value, resampled = np.median(own), np.median(own[bootstrap.draws(len(own))], axis=1)
        interval = bootstrap.interval(value, resampled, 0.0)
        found[metric.name] = Estimate(float(value), interval, f"median of {len(own)}")
        ratios.append(value / floors[name])
        resampled_ratios.append(resampled / floors[name])
    value, resampled = float(np.mean(ratios)), np.mean(resampled_ratios, axis=0)
    note = "mean of the distances below over their floors"
    return {WHOLE.name: Estimate(value, bootstrap.interval(value, resampled, 0.0), note), **found}


def floor(reference, recordings, generated):
    """The same of neighbouring recordings."""
    found = {EACH[name].name: Estimate(value) for name, value in reference.note_floors.items()}
    return {WHOLE.name: Estimate(1.0), **found}


def note_floors(train, test):
    """Medians of `note_envelopes.floors` of training and held-out recordings (Examples)."""
    conditions = (
        np.concatenate([getattr(x, name) for x in (train, test)])
        for name in ("pitch", "velocity", "labels")
    )
    real = note_envelopes.join([train.envelopes, test.envelopes])
    return note_envelopes.median_floors(note_envelopes.floors(real, *conditions))


def rows_of_same_notes(recordings, generated):
    """Row of the recording of each example's pitch, velocity and label, -1 without one: int [n].

    Generated examples know their row. Of others, conditions that they lack are not compared, and
    takes of one note are used in turn.
    """
    names = [n for n in ("pitch", "velocity") if not np.isnan(getattr(generated, n)).any()]
    names += ["labels"] if generated.classes else []
    if "pitch" not in names:
        raise ValueError("the generator is not conditioned on pitch")
    if generated.rows is not None:
        return generated.rows

    def keys(examples):
        return list(zip(*(getattr(examples, name).tolist() for name in names), strict=True))

    takes, uses = {}, {}
    for row, key in enumerate(keys(recordings)):
        takes.setdefault(key, []).append(row)
    found = []
    for key in keys(generated):
        uses[key] = uses.get(key, -1) + 1
        own = takes.get(key, [-1])
        found.append(own[uses[key] % len(own)])
    return np.array(found)
