"""Measuring the runs of a comparison against the same held-out recordings."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np

from noisygan.errors import UsageError
from noisygan.evaluation import distances, session, sources
from noisygan.evaluation.measures import HEADLINE_SPACE
from noisygan.evaluation.report import joined
from noisygan.evaluation.results import Metric, Result

# Points of a curve of quality, as shares of the training's time; its end comes on top.
CURVE_SHARES = (0.125, 0.25, 0.5)
N_CURVE = 100
# What the page shows of each run.
N_COLUMNS, N_MAP, N_BETWEEN = 6, 8, 5
_FULL_SCALE = 32767.0


@dataclasses.dataclass(frozen=True)
class Held:
    """What all systems are measured against.

    Attributes:
      parts: `sources.Parts`.
      warnings: list of sentences.
      recordings: `Recordings` that they were read by.
      reference: `measures.Reference`.
      columns: Rows of the held-out recordings that the page shows.
    """

    parts: sources.Parts
    warnings: list
    recordings: object
    reference: object
    columns: np.ndarray


def read(run_dirs, folders, progress=None):
    """Reads the recordings as the run with the shortest sounds reads them.

    Args:
      run_dirs: Folders of all runs.
      folders: `parts.Folders`.
      progress: As of `sources.read_parts`.

    Returns:
      Held.

    Raises:
      UsageError: for runs of different sample rates.
    """
    recordings = common_recordings(run_dirs)
    same = folders.train == folders.held_out
    parts = sources.read_parts(
        recordings, folders.held_out, None if same else folders.train, progress
    )
    if folders.note:
        parts = dataclasses.replace(parts, note=folders.note)
    parts, warnings = session.repaired_parts(parts, [])
    reference = session.measures.Reference(parts.train, parts.test)
    return Held(parts, warnings, recordings, reference, columns_of(parts.test))


def common_recordings(run_dirs):
    """`Recordings` of the run with the shortest sounds that are whole ones."""
    from noisygan import config
    from noisygan.data.recordings import Recordings
    from noisygan.training.runs import RunFolder

    found = {}
    for path in run_dirs:
        folder = RunFolder.open(path)
        config.parse_text(folder.config.read_text(), source=str(folder.config))
        found[path] = config.configured(Recordings)()
    rates = {recordings.sample_rate for recordings in found.values()}
    if len(rates) > 1:
        example = {recordings.sample_rate: path.name for path, recordings in found.items()}
        said = ", ".join(f"{rate} Hz ({name})" for rate, name in sorted(example.items()))
        raise UsageError(
            f"systems of different sample rates can't be compared: {said}; expected one rate"
        )
    whole = [recordings for recordings in found.values() if not recordings.segments]
    if not whole:
        raise UsageError(
            "every system reads segments; expected one among them that makes whole sounds"
        )
    return min(whole, key=lambda recordings: recordings.n_samples)


def columns_of(test, n=N_COLUMNS):
    """Rows of recordings that are far from each other in class, pitch and velocity."""
    order = np.lexsort((test.velocity, test.pitch, test.labels))
    names = test.classes
    if len(names) > 1 and not test.has_pitch:
        # The classes in turn, the middle ones of each first.
        by_class = [np.flatnonzero(test.labels == name) for name in names]
        by_class = [
            rows[np.argsort(abs(np.arange(len(rows)) - len(rows) // 2))] for rows in by_class
        ]
        turns = [
            rows[i] for i in range(max(map(len, by_class))) for rows in by_class if i < len(rows)
        ]
        return np.sort(np.array(turns[:n]))
    places = np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int)
    return order[places]


def measure(held, system, seed, out_dir, n, n_pitch, self_test, say):
    """Measures one run and keeps what the page shows of it.

    Args:
      held: Held.
      system: `System`.
      seed: Of the run.
      out_dir: Folder for evaluation.json and .md, pairs, and shown.npz.
      n: How many sounds are generated.
      n_pitch: How many the pitch tracker hears.
      self_test: Figures of the measures' own test, or None.
      say: Called with a line for each headline figure.
    """
    run_dir = system.run_dirs[seed]
    run = sources.Run(run_dir, ends=held.recordings)
    said = session.repaired_parts(held.parts, [run])[1]
    warnings = list(dict.fromkeys([*held.warnings, *said]))
    material = session.Material(held.parts, warnings, held.recordings, [run])
    sounds, ceiling, said = session.sounds_to_measure(material, run, n, seed)
    report = session.new_report(material, out_dir, sounds, run, seed, said)
    report.facts["name"] = system.name
    report.self_test = self_test
    made = held.reference.measured(sounds)
    for result in session.measure(held.reference, made, ceiling, run, report, n_pitch=n_pitch):
        if result.metric.headline and result.value is not None:
            say(result)
    report.facts["curve"] = curve(held, run, seed, made)
    _keep_shown(held, run, seed, made, pathlib.Path(out_dir) / "shown.npz")
    report.write(complete=True)


def curve(held, run, seed, made):
    """The headline distance against training time, by the run's snapshots.

    Args:
      held: Held.
      run: `sources.Run`.
      seed: Of the codes.
      made: `measures.Measured` of its sounds at the end.

    Returns:
      list of dicts with seconds, step and value.
    """
    points = []
    snapshots = run.folder.snapshot_prefixes()
    end = run.folder.seconds
    wanted = [share * end for share in CURVE_SHARES] if end and snapshots else []
    nearest = {min(snapshots, key=lambda seconds: abs(seconds - at)) for at in wanted}
    for seconds in sorted(nearest - {max(snapshots, default=0)}):
        earlier = sources.Run(run.path, snapshots[seconds], ends=held.recordings)
        sounds = earlier.sounds(held.parts.test, N_CURVE, seed)
        sounds = session.repaired(sounds, "sounds of a snapshot")[0]
        step = int(snapshots[seconds].rsplit("-", 1)[1])
        value = headline(held, held.reference.measured(sounds))
        points.append({"seconds": seconds, "step": step, "value": value})
    last = made.take(np.arange(min(N_CURVE, len(made))))
    points.append({"seconds": end, "step": run.step, "value": headline(held, last)})
    return points


def headline(held, measured):
    """The headline distance of sounds, a number."""
    a, b = (held.reference.vectors(x, HEADLINE_SPACE) for x in (held.reference.test, measured))
    return float(distances.mmd2_estimate(a, b, scale=1000.0).value)


def _keep_shown(held, run, seed, made, path):
    test = held.parts.test
    conditions = sources.chosen_rows(len(test), len(made))
    of_column = [int(np.flatnonzero(conditions == row)[0]) for row in held.columns]
    rng = np.random.default_rng(0)
    on_map = np.sort(rng.permutation(len(made))[:N_MAP])
    vectors = held.reference.vectors(made, HEADLINE_SPACE)
    between = run.between(test, int(held.columns[0]), N_BETWEEN, seed)
    np.savez_compressed(
        path,
        grid=_int16(made.sounds.audio[of_column]),
        map=_int16(made.sounds.audio[on_map]),
        map_vectors=vectors[on_map].astype(np.float32),
        between=_int16(between),
        **{f"described {k}": v.astype(np.float32) for k, v in made.features.described.items()},
    )


def _int16(audio):
    return np.round(_FULL_SCALE * np.clip(audio, -1.0, 1.0)).astype(np.int16)


def results_of(folders):
    """Results of a system's measured seeds, joined.

    Args:
      folders: Folders that `measure` wrote.

    Returns:
      (list of Result, list of the seeds' evaluation.json as dicts).
    """
    found = [json.loads((folder / "evaluation.json").read_text("utf-8")) for folder in folders]
    lists = [[_result(entry) for entry in data["metrics"]] for data in found]
    return joined(lists), found


def _result(entry):
    names = [field.name for field in dataclasses.fields(Metric)]
    metric = Metric(**{name: entry[name] for name in names})
    rest = {key: value for key, value in entry.items() if key not in names}
    return Result(metric, **rest)
