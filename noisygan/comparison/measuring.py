"""Measuring the runs of a comparison against the same held-out recordings."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil

import numpy as np

from noisygan.errors import UsageError
from noisygan.evaluation import session, sources
from noisygan.evaluation.measures import HEADLINE_SPACE
from noisygan.evaluation.report import joined
from noisygan.evaluation.results import Metric, Result
from noisygan.files import read_json
from noisygan.metrics import distances

# Points of a curve of quality, as shares of the training's time; its end comes on top.
CURVE_SHARES = (0.125, 0.25, 0.5)
N_CURVE = 100
LOST = "its figures are lost or damaged"
CHANGED = "it or the recordings have changed since measured"
# Of evaluation.json, which takes some tens of kB.
MAX_BYTES = 16 << 20
# What the page shows of each run.
N_COLUMNS, N_MAP, N_BETWEEN = 6, 6, 5
_FULL_SCALE = 32767.0


@dataclasses.dataclass(frozen=True)
class Held:
    """What all systems are measured against.

    Attributes:
      parts: `sources.Parts`.
      warnings: list of sentences.
      recordings: `Recordings` that they were read by.
      reference: `measures.Reference`.
      columns: Rows of the held-out recordings that the page shows; sounds are asked for like each.
    """

    parts: sources.Parts
    warnings: list
    recordings: object
    reference: object
    columns: np.ndarray


def read(found, folders, n, progress=None):
    """Reads the recordings as the system with the shortest sounds reads them.

    Args:
      found: dict system's name -> its `Recordings`.
      folders: `splits.Folders`.
      n: How many sounds of each run will be measured.
      progress: As of `sources.read_parts`.

    Returns:
      Held.

    Raises:
      UsageError: for systems that can't be compared, and as of `sources.read_parts` and
        `sounds.repaired`.
    """
    recordings = common_recordings(found)
    same = folders.train == folders.held_out
    parts = sources.read_parts(
        recordings, folders.held_out, None if same else folders.train, progress
    )
    if folders.note:
        parts = dataclasses.replace(parts, note=folders.note)
    parts, warnings = session.repaired_parts(parts, [])
    reference = session.measures.Reference(parts.train, parts.test)
    asked = np.unique(sources.chosen_rows(len(parts.test), n))
    columns = asked[columns_of(parts.test.take(asked))]
    return Held(parts, warnings, recordings, reference, columns)


def common_recordings(found):
    """`Recordings` of the system with the shortest sounds that are whole ones.

    Args:
      found: dict system's name -> its `Recordings`.

    Raises:
      UsageError: for several sample rates, or where none makes whole sounds.
    """
    rates = {recordings.sample_rate: name for name, recordings in found.items()}
    if len(rates) > 1:
        said = ", ".join(f"{rate} Hz ({name})" for rate, name in sorted(rates.items()))
        raise UsageError(
            f"systems of different sample rates can't be compared: {said}; expected one rate"
        )
    whole = [recordings for recordings in found.values() if not recordings.segments]
    if not whole:
        raise UsageError(
            "every system reads segments; expected one among them that makes whole sounds"
        )
    # Of equally short ones that which fades them out: `Run` fades everyone's sounds as it does.
    return min(whole, key=lambda r: (r.n_samples, -(r.fade_out_seconds or 0.0)))


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


def measure(held, system, seed, out_dir, n, n_pitch, self_test):
    """Measures one run and keeps what the page shows of it.

    Args:
      held: Held.
      system: `System`.
      seed: Of the run.
      out_dir: Folder for evaluation.json and .md, pairs, and shown.npz; what is in it, of a
        measurement that was interrupted, is removed.
      n: How many sounds are generated.
      n_pitch: How many the pitch tracker hears.
      self_test: Figures of the measures' own test, or None.
    """
    shutil.rmtree(out_dir, ignore_errors=True)
    run = sources.Run(system.run_dirs[seed], ends=held.recordings)
    said = session.repaired_parts(held.parts, [run])[1]
    warnings = list(dict.fromkeys([*held.warnings, *said]))
    material = session.Material(held.parts, warnings, held.recordings, [run])
    sounds, ceiling, said = session.sounds_to_measure(material, run, n, seed)
    report = session.new_report(material, out_dir, sounds, run, seed, said)
    report.facts["name"] = system.name
    report.self_test = self_test
    made = held.reference.measured(sounds)
    for _ in session.measure(held.reference, made, ceiling, run, report, n_pitch=n_pitch):
        pass  # The report keeps it.
    report.facts["curve"] = curve(held, run, seed, made)
    _keep_shown(held, run, seed, made, pathlib.Path(out_dir) / "shown.npz")
    report.write(complete=True)


def why_again(folder, run_dir, held):
    """Why a run that `measure` wrote the figures of is to be measured again.

    Args:
      folder: What `measure` wrote.
      run_dir: Folder of the run.
      held: Held.

    Returns:
      LOST, CHANGED, or None: the figures are of the run as it is now, and of these recordings.
    """
    from noisygan.training.runs import RunFolder

    try:
        facts = read_json(folder / "evaluation.json", MAX_BYTES)
        of = [
            facts["step"],
            facts["reference"]["fingerprint"],
            facts["n_samples"],
            facts["n"]["train"],
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return LOST
    parts = held.parts
    now = [
        RunFolder.open(run_dir).step,
        parts.fingerprint,
        parts.test.audio.shape[1],
        len(parts.train),
    ]
    return None if of == now else CHANGED


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


def results_of(folders, marks):
    """Results of a system's measured seeds, joined.

    Args:
      folders: Folders that `measure` wrote.
      marks: As of `self_test.marks`; empty where the measures were not tested.

    Returns:
      (list of Result, list of the seeds' evaluation.json as dicts).

    Raises:
      UsageError: if a folder holds something else.
    """
    lists, found = [], []
    for folder in folders:
        path = folder / "evaluation.json"
        try:
            data = read_json(path, MAX_BYTES)
            lists.append([_result(entry, marks) for entry in data["metrics"]])
            list(data["curve"]), list(data["warnings"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path} holds no figures of a measurement ({type(error).__name__}); remove "
                f"{folder} and go on with the comparison, and it is measured again"
            ) from error
        found.append(data)
    try:
        return joined(lists), found
    except (ValueError, TypeError) as error:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(
            f"the figures in {folders[0].parent} of {names} can't be joined "
            f"({type(error).__name__}); remove these folders, and they are measured again"
        ) from error


def _result(entry, marks):
    names = [field.name for field in dataclasses.fields(Metric)]
    metric = Metric(**{name: entry[name] for name in names})
    rest = {key: value for key, value in entry.items() if key not in names}
    return Result(metric, **{**rest, "wrong_order": marks.get(metric.name)})
