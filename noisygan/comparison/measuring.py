"""Evaluation of the runs of a comparison against the same held-out recordings."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
from typing import NamedTuple

import numpy as np

from noisygan.data.layouts import list_entries
from noisygan.errors import UsageError
from noisygan.evaluation import generate, splits
from noisygan.evaluation.evaluating import evaluate_one
from noisygan.evaluation.examples import repaired
from noisygan.evaluation.measures import HEADLINE_SPACE, Reference, families, main_distances
from noisygan.evaluation.report import FORMAT, Result, join_results
from noisygan.files import atomic_write, make_folder, read_json
from noisygan.run import load
from noisygan.training import checkpoints, run_files

# Points of the quality curve, as shares of the training time; the end comes on top.
CURVE_SHARES = (0.125, 0.25, 0.5)
N_CURVE = 100
LOST = "its metrics are lost or damaged"
CHANGED = "it, the recordings, the embedding or the metrics changed after it was measured"
MAX_BYTES = 16 << 20
# What the page shows of each run.
N_COLUMNS, N_MAP, N_BETWEEN = 6, 6, 5
_FULL_SCALE = 32767.0


class Folders(NamedTuple):
    """Folders of training and held-out recordings, and how they were divided, or ""."""

    train: pathlib.Path
    held_out: pathlib.Path
    note: str = ""


def training_and_held_out(data, train, out_dir):
    """`Folders` of held-out and training recordings.

    A folder without splits is divided by name into halves, with all velocities of a drum or pitch
    in one, as links in `out_dir`/parts.

    Args:
      data: Folder of recordings, as of `splits.read_splits`.
      train: Folder of the training recordings, or None.
      out_dir: Folder of the comparison.

    Raises:
      UsageError: if the recordings can't be divided.
    """
    data, parts = pathlib.Path(data), pathlib.Path(out_dir) / "parts"
    if train is not None:
        return Folders(pathlib.Path(train), data)
    if all((data / split).is_dir() for split in splits.SPLITS):
        return Folders(*(data / split for split in splits.SPLITS))
    if splits.has_test_split(data):
        return Folders(data, data)
    folder, entries, _ = list_entries(data)
    if (folder / "examples.json").exists():
        raise UsageError(
            f"{data} has no held-out part; expected nsynth-test beside nsynth-train, or separate "
            "training recordings"
        )
    held_out = splits.in_held_out_half(
        data,
        [entry.name for entry in entries],
        [entry.pitch for entry in entries],
        [entry.label or "" for entry in entries],
    )
    for name, chosen in (("train", ~held_out), ("held_out", held_out)):
        paths = [entries[i].path for i in np.flatnonzero(chosen)]
        links = {parts / name / path.relative_to(folder): path for path in paths}
        for link, path in links.items():
            _link(path, link)
        for path in (parts / name).rglob("*"):
            if path.is_file() and path not in links:
                path.unlink()  # of a recording that is no longer in the folder
    note = f"{data.name} has no held-out part: a half of it, chosen by name, was kept from training"
    return Folders(parts / "train", parts / "held_out", note)


def _link(path, link):
    if link.exists():
        if link.samefile(path):
            return
        link.unlink()  # of a recording that was replaced
    make_folder(link.parent)
    try:
        os.link(path, link)
    except OSError:  # another disk, or a system without links
        with atomic_write(link) as part:
            shutil.copyfile(path, part)


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Recordings that all systems are measured against.

    Attributes:
      splits: `evaluation.splits.Splits`.
      recordings: `Recordings` that they were read by.
      reference: `measures.Reference`.
      columns: Rows of the held-out recordings on the page, each with an example generated like it.
    """

    splits: splits.Splits
    recordings: object
    reference: Reference
    columns: np.ndarray


def read(found, folders, n, progress=None):
    """Read the recordings as the system with the shortest examples does: a `HeldOut`.

    Args:
      found: dict name of a system -> its `Recordings`.
      folders: `Folders`.
      n: Number of examples of each run.
      progress: As of `splits.read_splits`.

    Raises:
      UsageError: for systems that can't be compared, and as of `splits.read_splits`.
    """
    recordings = common_recordings(found)
    train = None if folders.train == folders.held_out else folders.train
    parts = splits.read_splits(recordings, folders.held_out, train, progress)
    if folders.note:
        parts = dataclasses.replace(parts, warnings=[folders.note, *parts.warnings])
    used = np.unique(generate.balanced_rows(len(parts.test), n))
    columns = used[columns_of(parts.test.take(used))]
    return HeldOut(parts, recordings, Reference(parts.train, parts.test), columns)


def common_recordings(found):
    """`Recordings` of the system with the shortest whole examples; UsageError for several rates."""
    rates = {recordings.sample_rate: name for name, recordings in found.items()}
    if len(rates) > 1:
        each = ", ".join(f"{rate} Hz ({name})" for rate, name in sorted(rates.items()))
        raise UsageError(
            f"systems of different sample rates can't be compared: {each}; expected one rate"
        )
    whole = [recordings for recordings in found.values() if not recordings.segments]
    if not whole:
        raise UsageError(
            "every system reads segments; expected one among them that generates whole sounds"
        )
    # Of equally short ones the one with a fade-out, which all examples get.
    chosen = min(whole, key=lambda r: (r.n_samples, -(r.fade_out_seconds or 0.0)))
    chosen.tags = sorted({tag for recordings in found.values() for tag in recordings.tags})
    return chosen


def columns_of(test, n=N_COLUMNS):
    """Rows of recordings that differ in class, pitch and velocity, for the page."""
    order = np.lexsort((test.velocity, test.pitch, test.labels))
    names = test.classes
    if len(names) > 1 and not test.has_pitch:
        # The classes in turn, the middle ones of each first.
        by_class = [np.flatnonzero(test.labels == name) for name in names]
        by_class = [r[np.argsort(abs(np.arange(len(r)) - len(r) // 2))] for r in by_class]
        turns = [r[i] for i in range(max(map(len, by_class))) for r in by_class if i < len(r)]
        return np.sort(np.array(turns[:n]))
    places = np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int)
    return order[places]


def measure(held_out, system, seed, out_dir, n, n_pitch, progress=None):
    """Evaluate one run; writes evaluation.json and .md, pairs and shown.npz (for the page)."""
    out_dir = pathlib.Path(out_dir)
    shutil.rmtree(out_dir, ignore_errors=True)
    out_dir.mkdir(parents=True)
    run = load(system.run_dirs[seed])

    n_metrics = sum(len(f.metrics) for f in families(held_out.reference, n_pitch))

    def show(done, total, what):
        if progress:
            progress(done, total, f"{system.name}, seed {seed}: {what}")

    report = evaluate_one(
        held_out.reference,
        held_out.splits,
        run,
        n,
        seed,
        recordings=held_out.recordings,
        n_pitch=n_pitch,
        callback=lambda report, _: show(min(len(report.results), n_metrics), n_metrics, "metrics"),
        progress=lambda done, total: show(done, total, "generating"),
    )
    report.facts["name"] = system.name
    report.facts["curve"] = curve(held_out, run, seed, report.generated, show)
    _keep_shown(held_out, run, seed, report.generated, out_dir / "shown.npz")
    report.save(out_dir)


def why_again(folder, run_dir, held_out):
    """LOST or CHANGED if a run that was measured must be measured again, else None."""
    try:
        facts = read_json(folder / "evaluation.json", MAX_BYTES)
        before = facts["format"], facts["step"], facts["n_samples"], facts["n"]["train"]
        before = *before, facts["embeddings"], facts["reference"]["fingerprint"]
        if "conditions" not in facts:
            return LOST
    except (OSError, ValueError, KeyError, TypeError):
        return LOST
    parts = held_out.splits
    now = FORMAT, load(run_dir).step, parts.test.audio.shape[1], len(parts.train)
    now = *now, held_out.reference.embedding_names, parts.fingerprint
    return None if before == now else CHANGED


def curve(held_out, run, seed, generated, show):
    """Main distances over training time, from the run's snapshots and its `generated` examples.

    `show(done, total, what)` is called as they are measured.

    Returns:
      list of dicts with seconds, step and values, as of `main_distances`.
    """
    snapshots, end = checkpoints.snapshots(run.path), run_files.trained_seconds(run.path)
    wanted = [share * end for share in CURVE_SHARES] if end and snapshots else []
    nearest = {min(snapshots, key=lambda seconds: abs(seconds - at)) for at in wanted}
    points = []
    earlier_ones = sorted(nearest - {max(snapshots, default=0)})
    for i, seconds in enumerate(earlier_ones):
        show(i, len(earlier_ones), "snapshots")
        earlier = load(run.path, snapshots[seconds])
        test = held_out.splits.test
        examples = generate.generate(earlier, test, N_CURVE, seed, held_out.recordings)
        values = main_distances(held_out.reference, repaired(examples, "snapshot examples")[0])
        points.append({"seconds": seconds, "step": earlier.step, "values": values})
    last = generated.take(np.arange(min(N_CURVE, len(generated))))
    values = main_distances(held_out.reference, last)
    return [*points, {"seconds": end, "step": run.step, "values": values}]


def _keep_shown(held_out, run, seed, generated, path):
    test = held_out.splits.test
    conditions = generate.balanced_rows(len(test), len(generated))
    of_column = [int(np.flatnonzero(conditions == row)[0]) for row in held_out.columns]
    on_map = np.sort(np.random.default_rng(0).permutation(len(generated))[:N_MAP])
    vectors = held_out.reference.vectors(generated, HEADLINE_SPACE)
    between = interpolated(held_out, run, int(held_out.columns[0]), N_BETWEEN, seed)
    described = generated.features.described
    np.savez_compressed(
        path,
        grid=_int16(generated.audio[of_column]),
        map=_int16(generated.audio[on_map]),
        map_vectors=vectors[on_map].astype(np.float32),
        between=_int16(between),
        **{f"described {name}": v.astype(np.float32) for name, v in described.items()},
    )


def interpolated(held_out, run, row, n, seed):
    """Interpolation between two latents under the conditions of a row, float32 [n, n_samples]."""
    from noisygan.rendering import interpolation

    like, generator = held_out.splits.test, run.generator
    z = interpolation.spherical(*interpolation.ends(generator, range(2), seed), n)
    (request,) = generate.requests_like(run, generator, like, [row])
    seconds = generate.seconds_for(generator, like)
    notes = interpolation.steps(generator, z, request, seconds, seed=seed)
    fit = generate.fitter(run, like, held_out.recordings)
    return np.stack([fit(each) for each in notes.audio])


def _int16(audio):
    return np.round(_FULL_SCALE * np.clip(audio, -1.0, 1.0)).astype(np.int16)


def results_of(folders):
    """Results of a system's measured seeds: (joined, of each seed, evaluation.json of each).

    Joined ones are a list of Result, those of each seed a list of such lists.

    Raises:
      UsageError: for damaged files.
    """
    try:
        found = [read_json(folder / "evaluation.json", MAX_BYTES) for folder in folders]
        lists = [[Result.from_json(entry) for entry in data["metrics"]] for data in found]
        for data in found:
            list(data["curve"]), list(data["warnings"]), list(data["conditions"])
        return join_results(lists), lists, found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(
            f"evaluation.json in {folders[0].parent} of {names} is damaged "
            f"({type(error).__name__}); remove these folders, and they are measured again"
        ) from error
