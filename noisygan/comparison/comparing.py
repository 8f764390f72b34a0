"""A comparison from configs to a page: train, measure, write; gone on with where it stopped."""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib

from noisygan.archives import read_arrays
from noisygan.comparison import listening, measuring, report_data, table, training
from noisygan.errors import NoisyganError, RunError, UsageError
from noisygan.evaluation import self_test
from noisygan.files import atomic_write
from noisygan.reports import comparison_report as page

_KEPT_RUNS = "trained"
_SELF_TEST = "self-test"


def train_all(systems, progress, folders, gin_params, budget, say):
    """Trains what is to be trained and is not yet, the first seed of every system first.

    A training that failed is tried again.

    Args:
      systems: list of `System`.
      progress: `systems.Progress`.
      folders: `splits.Folders`.
      gin_params: list of bindings.
      budget: (name, number), as of `training.train`.
      say: Called with lines for the person.
    """
    progress.begin()
    for system, seed in in_turns(systems):
        what = f"{_KEPT_RUNS} {system.name}-{seed}"
        if system.gin_file is None or _succeeded(progress, what):
            continue
        say(f"{system.name}, seed {seed}: training for {budget[1]:g} {budget[0]}")
        failure = training.train(system, seed, folders.train, gin_params, budget)
        if failure:
            say(f"{system.name}, seed {seed}: failed: {failure}")
        progress.set(what, {"failed": failure})


def _succeeded(progress, what):
    kept = progress.get(what)
    return kept is not None and not kept["failed"]


def in_turns(systems):
    """(System, seed) of all runs, the first seed of every system first."""
    seeds = sorted({seed for system in systems for seed in system.run_dirs})
    return [(s, seed) for seed in seeds for s in systems if seed in s.run_dirs]


def failures(systems, progress, kinds=(_KEPT_RUNS, "measured")):
    """Why runs could not be trained or measured: dict (system's name, seed) -> sentence."""
    found = {}
    for system, seed in in_turns(systems):
        for what in kinds:
            kept = progress.get(f"{what} {system.name}-{seed}")
            if kept and kept["failed"]:
                found[system.name, seed] = kept["failed"]
    return found


def measure_all(systems, progress, held, out_dir, n, n_pitch, with_self_test, say):
    """Measures what is trained and not measured yet, for the tables to be written after each.

    What was measured against other recordings or a part of them, or has been trained further
    since, is measured again.

    Args:
      systems, progress, say: As of `train_all`.
      held: `measuring.Held`.
      out_dir: Folder of the comparison.
      n: Sounds of each run.
      n_pitch: How many of them the pitch tracker hears.
      with_self_test: Whether the measures are tested first.

    Yields:
      (System, seed) after each run.

    Raises:
      RunError: if no run is left.
    """
    untrained = failures(systems, progress, (_KEPT_RUNS,))
    runs = [(s, seed) for s, seed in in_turns(systems) if (s.name, seed) not in untrained]
    if not runs:
        raise RunError(f"nothing to measure: {next(iter(untrained.values()))}")
    for system, seed in runs:
        name = f"{system.name}-{seed}"
        what = f"measured {name}"
        folder = folder_of(out_dir, name)
        run_dir = system.run_dirs[seed]
        why = _succeeded(progress, what) and measuring.why_again(folder, run_dir, held)
        if why:
            say(f"{system.name}, seed {seed}: {why}")
            progress.drop(what)
        if why == measuring.CHANGED:
            progress.drop(_SELF_TEST)
    tested = progress.get(_SELF_TEST)
    if with_self_test and tested is None:
        say("testing the measures on spoilt recordings")
        tested = self_test.self_test(held.parts.train, held.parts.test)
        progress.set(_SELF_TEST, tested)
    for system, seed in runs:
        name = f"{system.name}-{seed}"
        if not _succeeded(progress, f"measured {name}"):
            say(f"{system.name}, seed {seed}: measuring")
            failure = None
            try:
                measuring.measure(held, system, seed, folder_of(out_dir, name), n, n_pitch, tested)
            except NoisyganError as error:
                failure = str(error)
            except Exception as error:
                # The other systems must not be lost to a fault of one.
                failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            if failure:
                say(f"{system.name}, seed {seed}: failed: {failure}")
            progress.set(f"measured {name}", {"failed": failure})
        yield system, seed


def folder_of(out_dir, name):
    """Where the figures of a run are kept."""
    return pathlib.Path(out_dir) / "measured" / name


def write(systems, progress, held, out_dir, facts, answers=(), with_page=True):
    """Writes table.csv, table.json, report.md and index.html from what is measured.

    Args:
      systems, progress, out_dir: As of `measure_all`.
      held: `measuring.Held`.
      facts: dict with title, command and facts (list of pairs), as the page shows them.
      answers: Paths of answers of the listening test.
      with_page: Whether the page is written, too.

    Returns:
      dict as of `noisygan.reports.comparison_report.write`.
    """
    from noisygan import __version__

    out_dir = pathlib.Path(out_dir)
    failed = failures(systems, progress)
    tested = progress.get(_SELF_TEST)
    marks = self_test.marks(tested) if tested else {}
    results, kept, curves, seeds, said = {}, {}, {}, {}, []
    for system in systems:
        measured = [
            seed
            for seed in sorted(system.run_dirs)
            if progress.get(f"measured {system.name}-{seed}") and (system.name, seed) not in failed
        ]
        if not measured:
            continue
        seeds[system.name] = measured
        folders = [folder_of(out_dir, f"{system.name}-{seed}") for seed in measured]
        joined, data = measuring.results_of(folders, marks)
        by_seed = [{m["name"]: m["value"] for m in seed["metrics"]} for seed in data]
        results[system.name] = joined, by_seed
        curves[system.name] = [seed["curve"] for seed in data]
        # Of its own sounds; those about the recordings are said once.
        said += [
            f"{system.name}: {warning}"
            for seed in data
            for warning in seed["warnings"]
            if warning not in held.warnings
        ]
        if with_page:
            kept[system.name] = [_load(folder / "shown.npz") for folder in folders]
    metrics = table.metrics_of(results)
    order = table.order_of(results, metrics)
    by_name = {system.name: system for system in systems}
    identity = hashlib.sha256(
        json.dumps([order, held.parts.fingerprint, sorted(curves.items())]).encode()
    ).hexdigest()[:16]
    data = {
        "id": identity,
        **facts,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "noisygan": __version__,
        "warnings": [
            *held.warnings,
            *_unequal_times(by_name, curves),
            *said,
            *(f"{name}, seed {seed} failed: {why}" for (name, seed), why in failed.items()),
        ],
        "verdict": table.verdict(metrics),
        "systems": [
            {
                "name": name,
                "description": by_name[name].description,
                "seeds": seeds[name],
                "curves": curves[name],
            }
            for name in order
        ],
        "curve_title": metrics[0]["name"] if metrics else "",
        "curve_floor": metrics[0]["floor"] if metrics else None,
        "metrics": metrics,
        "listening": _listened(answers, identity, order),
    }
    _write(out_dir / "table.json", json.dumps(data, indent=1, allow_nan=False) + "\n")
    _write(out_dir / "table.csv", table.as_csv(order, metrics))
    _write(out_dir / "report.md", table.as_markdown(data))
    if with_page:
        parts = report_data.shown(held, {name: kept[name] for name in order})
        page.write({**data, **parts}, out_dir / "index.html")
    return data


def _unequal_times(systems, curves):
    """A warning where finished runs were trained longer or shorter than others."""
    if all(systems[name].gin_file for name in curves):
        return []
    times = {
        name: [of_seed[-1]["seconds"] for of_seed in of_seeds if of_seed[-1]["seconds"]]
        for name, of_seeds in curves.items()
    }
    every = [seconds for of_seeds in times.values() for seconds in of_seeds]
    if not every or max(every) < 1.1 * min(every):
        return []
    said = ", ".join(
        f"{name} {' and '.join(f'{seconds:.0f} s' for seconds in of_seeds)}"
        for name, of_seeds in times.items()
        if of_seeds
    )
    return [f"the systems were not trained for equal times: {said}"]


def _listened(answers, identity, order):
    if not answers:
        return None
    given = [answer for path in answers for answer in listening.read_answers(path, identity, order)]
    return listening.count(given)


def _load(path):
    try:
        return read_arrays(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} can't be read ({error}); remove its folder, and measure anew"
        ) from error


def _write(path, text):
    with atomic_write(path, overwrite=True) as part:
        part.write_text(text, encoding="utf-8")
