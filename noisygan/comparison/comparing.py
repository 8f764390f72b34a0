"""A comparison from configs to a page: train, measure, write; gone on with where it stopped."""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib

import numpy as np

from noisygan.comparison import listening, measuring, page, showing, table, training
from noisygan.errors import NoisyganError, RunError
from noisygan.evaluation import self_test
from noisygan.files import written_whole

_KEPT_RUNS = "trained"


def train_all(systems, progress, folders, gin_params, budget, say):
    """Trains what is to be trained and is not yet, the first seed of every system first.

    Args:
      systems: list of `System`.
      progress: `contenders.Progress`.
      folders: `parts.Folders`.
      gin_params: list of bindings.
      budget: (name, number), as of `training.train`.
      say: Called with lines for the person.
    """
    training.check_configs(systems, gin_params)
    for system, seed in in_turns(systems):
        what = f"{_KEPT_RUNS} {system.name}-{seed}"
        if system.gin_file is None or progress.get(what) is not None:
            continue
        say(f"{system.name}, seed {seed}: training for {budget[1]:g} {budget[0]}")
        failure = training.train(system, seed, folders.train, gin_params, budget)
        if failure:
            say(f"{system.name}, seed {seed}: failed: {failure}")
        progress.set(what, {"failed": failure})


def in_turns(systems):
    """(System, seed) of all runs, the first seed of every system first."""
    seeds = sorted({seed for system in systems for seed in system.run_dirs})
    return [(s, seed) for seed in seeds for s in systems if seed in s.run_dirs]


def failures(systems, progress):
    """Why runs could not be trained or measured: dict (system's name, seed) -> sentence."""
    found = {}
    for system, seed in in_turns(systems):
        for what in (_KEPT_RUNS, "measured"):
            kept = progress.get(f"{what} {system.name}-{seed}")
            if kept and kept["failed"]:
                found[system.name, seed] = kept["failed"]
    return found


def measure_all(systems, progress, folders, out_dir, n, n_pitch, with_self_test, say):
    """Measures what is trained and not measured yet, and writes the tables after each.

    Args:
      systems, progress, folders, say: As of `train_all`.
      out_dir: Folder of the comparison.
      n: Sounds of each run.
      n_pitch: How many of them the pitch tracker hears.
      with_self_test: Whether the measures are tested first.

    Yields:
      `measuring.Held`, after each run: what the tables and the page are made from.

    Raises:
      RunError: if no run is left.
    """
    failed = failures(systems, progress)
    runs = [(s, seed) for s, seed in in_turns(systems) if (s.name, seed) not in failed]
    if not runs:
        raise RunError(f"nothing to measure: {next(iter(failed.values()))}")
    held = measuring.read([s.run_dirs[seed] for s, seed in runs], folders)
    tested = None
    if with_self_test:
        tested = progress.get("self-test")
        if tested is None:
            say("testing the measures on spoilt recordings")
            tested = self_test.self_test(held.parts.train, held.parts.test)
            progress.set("self-test", tested)
    for system, seed in runs:
        name = f"{system.name}-{seed}"
        if progress.get(f"measured {name}") is None:
            say(f"{system.name}, seed {seed}: measuring")
            failure = None
            try:
                measuring.measure(
                    held, system, seed, folder_of(out_dir, name), n, n_pitch, tested, _silent
                )
            except NoisyganError as error:
                failure = str(error)
                say(f"{system.name}, seed {seed}: failed: {failure}")
            progress.set(f"measured {name}", {"failed": failure})
        yield held


def folder_of(out_dir, name):
    """Where the figures of a run are kept."""
    return pathlib.Path(out_dir) / "measured" / name


def _silent(result):
    """The tables say it."""


def write(systems, progress, held, out_dir, facts, answers=(), with_page=True):
    """Writes table.csv, table.json, report.md and index.html from what is measured.

    Args:
      systems, progress, out_dir: As of `measure_all`.
      held: `measuring.Held`.
      facts: dict with title, command and facts (list of pairs), as the page shows them.
      answers: Paths of answers of the listening test.
      with_page: Whether the page is written, too.

    Returns:
      dict as of `noisygan.comparison.page.write_page`.
    """
    from noisygan import __version__

    out_dir = pathlib.Path(out_dir)
    failed = failures(systems, progress)
    results, kept, curves = {}, {}, {}
    for system in systems:
        names = [
            f"{system.name}-{seed}"
            for seed in sorted(system.run_dirs)
            if progress.get(f"measured {system.name}-{seed}") and (system.name, seed) not in failed
        ]
        if not names:
            continue
        joined, data = measuring.results_of([folder_of(out_dir, name) for name in names])
        by_seed = [{m["name"]: m["value"] for m in seed["metrics"]} for seed in data]
        results[system.name] = joined, by_seed
        curves[system.name] = [seed["curve"] for seed in data]
        if with_page:
            kept[system.name] = [_load(folder_of(out_dir, name) / "shown.npz") for name in names]
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
            *(f"{name}, seed {seed} failed: {why}" for (name, seed), why in failed.items()),
        ],
        "verdict": table.verdict(metrics),
        "systems": [
            {
                "name": name,
                "description": by_name[name].description,
                "seeds": sorted(by_name[name].run_dirs),
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
        parts = showing.shown(held, {name: kept[name] for name in order})
        page.write_page({**data, **parts}, out_dir / "index.html")
    return data


def _unequal_times(systems, curves):
    """A warning where finished runs were trained for different times."""
    times = {
        name: point["seconds"]
        for name, of_seeds in curves.items()
        for point in [of_seeds[0][-1]]
        if systems[name].gin_file is None and point["seconds"]
    }
    if len(times) < 2 or max(times.values()) < 1.1 * min(times.values()):
        return []
    said = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items())
    return [f"the systems were not trained for equal times: {said}"]


def _listened(answers, identity, order):
    if not answers:
        return None
    given = [answer for path in answers for answer in listening.read_answers(path, identity, order)]
    return listening.count(given)


def _load(path):
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _write(path, text):
    with written_whole(path, overwrite=True) as part:
        part.write_text(text, encoding="utf-8")
