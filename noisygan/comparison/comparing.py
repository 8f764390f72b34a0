"""Compare systems, from configs to a page: train, measure, write; a begun comparison is resumed."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import pathlib
from collections.abc import Callable, Sequence

from noisygan.archives import read_arrays
from noisygan.comparison import measuring, report_data, table, training
from noisygan.comparison.systems import Progress, systems_of
from noisygan.errors import NoisyganError, RunError, UsageError
from noisygan.evaluation.report import html_table, number
from noisygan.reports import comparison_report, page
from noisygan.run import Run
from noisygan.training import run_files

BUDGETS = ("minutes", "steps", "examples")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Metrics of several systems. In a notebook it shows itself as a table.

    Example:
      >>> found = noisygan.compare(["drums", "wavegan"], "my_drums", "compared", minutes=60)
      >>> found.systems, found.value("drums", "MMD^2 x 1000, log-mel")
      (['drums', 'wavegan'], 14.2)

    Attributes:
      folder: Path with index.html, table.csv, table.json, report.md.
      data: dict, what table.json contains.
    """

    folder: pathlib.Path
    data: dict

    @property
    def systems(self) -> list[str]:
        """Names of the systems, the best by the headline metric first."""
        return [system["name"] for system in self.data["systems"]]

    @property
    def verdict(self) -> list[str]:
        """Sentences: which system is best by which metric."""
        return self.data["verdict"]

    def value(self, system: str, metric: str) -> float | None:
        """Value of a metric, None if it was not computed; KeyError names an unknown one.

        Example:
          >>> found.value("drums", "diversity")
          0.86
        """
        metrics = {entry["name"]: entry for entry in self.data["metrics"]}
        return metrics[metric]["values"][system]["value"]

    def _repr_html_(self):
        rows = [["", *self.systems]]
        for metric in self.data["metrics"]:
            if metric["headline"]:
                values = [self.value(name, metric["name"]) for name in self.systems]
                cells = ["" if value is None else number(value) for value in values]
                rows.append([f"{metric['name']} {metric['unit']}".strip(), *cells])
        return html_table(rows)


def compare(
    systems: Sequence[str | pathlib.Path | Run],
    data: str | pathlib.Path,
    out_dir: str | pathlib.Path,
    train: str | pathlib.Path | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    examples: int | None = None,
    seeds: int = 2,
    overrides: Sequence[str] = (),
    n: int = 500,
    n_pitch: int = 40,
    command: str = "",
    log: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Train systems alike, measure them alike, and write one page. Resumes what was begun.

    Args:
      systems: list of configs (names or paths; each is trained) and of finished runs (Runs or run
        folders; those of one config are its seeds).
      data: Folder of recordings, held-out or with splits.
      out_dir: Folder of the comparison, new or begun.
      train: Folder of the training recordings; then all of `data` is held out.
      minutes, steps, examples: Budget of each training, one of them: time, steps, or recordings
        seen.
      seeds: Number of seeds of each config.
      overrides: Bindings for all the configs, such as 'Trainer.batch_size = 8'.
      n: Number of generated examples of each run.
      n_pitch: Number of examples for the pitch tracker.
      command: Command line for the page, or "".
      log: Called with lines about the progress, or None.
      progress: Called as progress(done, total) while recordings are read, and as progress(done,
        total, what) while runs are measured, or None.

    Returns:
      Comparison.

    Raises:
      UsageError: for systems that can't be compared.
      RunError: if no run is left to measure.

    Example:
      >>> found = noisygan.compare(
      ...     ["drums", "wavegan"], "my_drums", "compared", minutes=60
      ... )
      >>> found.verdict[0]
      'MMD^2 x 1000, log-mel: drums, 14.20 (next wavegan, 85.10; recordings 1.30).'
    """
    log = log or (lambda line: None)
    data, out_dir = pathlib.Path(data), pathlib.Path(out_dir)
    gin_files, run_dirs = _configs_and_runs(systems)
    systems = systems_of(gin_files, run_dirs, seeds, out_dir)
    given = dict(zip(BUDGETS, (minutes and float(minutes), steps, examples), strict=True))
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: expected one budget")
    budget = next(iter(given.items()), None)
    if gin_files and budget is None:
        raise UsageError("no budget; expected minutes, steps or examples, the same for all systems")
    if len(systems) < 2:
        log("note: one system alone; `noisygan evaluate` reports more about it")
    state = Progress(
        out_dir,
        {
            "recordings": data.resolve().name,
            "recordings for training": pathlib.Path(train).resolve().name if train else "",
            "bindings": list(overrides),
            "budget": " ".join(map(str, budget or ())),
            "examples of each run": n,
            "examples for the pitch tracker": n_pitch,
        },
    )
    recordings = training.read_configs(systems, overrides)
    folders = measuring.training_and_held_out(data, train, out_dir)
    # Before anything is trained, so that recordings that can't be measured are reported now.
    held_out = measuring.read(recordings, folders, n, progress)
    facts = {
        "title": f"{data.resolve().name}: {len(systems)} systems",
        "command": command,
        "facts": _facts(budget, systems, held_out, n),
    }
    try:
        train_all(systems, state, folders, overrides, budget, log)
        for _ in measure_all(systems, state, held_out, out_dir, n, n_pitch, log, progress):
            write(systems, state, held_out, out_dir, facts, with_page=False)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped and saved; the same command resumes") from None
    return Comparison(out_dir, write(systems, state, held_out, out_dir, facts))


def _configs_and_runs(systems):
    gin_files, run_dirs = [], []
    for system in systems:
        path = system.path if isinstance(system, Run) else system
        if isinstance(system, Run) and system.checkpoint is not None:
            raise UsageError(f"{path}: a run at a chosen checkpoint; expected the newest")
        is_run = (pathlib.Path(path) / "run.json").is_file()
        (run_dirs if is_run else gin_files).append(path)
    return gin_files, run_dirs


def _facts(budget, systems, held_out, n):
    train, test = held_out.splits.train, held_out.splits.test
    facts = [["budget of each seed", f"{budget[1]:g} {budget[0]}"]] if budget else []
    facts += [
        ["recordings for training", f"{len(train)}"],
        ["held-out recordings", f"{len(test)}"],
        ["examples of each seed", f"{n}"],
        ["length", f"{test.audio.shape[1] / test.sample_rate:.3g} s at {test.sample_rate} Hz"],
    ]
    facts += [["embedding", name] for name in held_out.reference.embedding_names]
    if n < 500:
        facts.append(["caution", f"{n} examples are too few to rank systems; expected 500"])
    single = [system.name for system in systems if len(system.run_dirs) == 1]
    if single:
        facts.append(["caution", f"one seed of {', '.join(single)}: another may rank differently"])
    return facts


def in_turns(systems):
    """(System, seed) of all runs, the first seed of every system first."""
    seeds = sorted({seed for system in systems for seed in system.run_dirs})
    return [(s, seed) for seed in seeds for s in systems if seed in s.run_dirs]


def train_all(systems, state, folders, overrides, budget, log):
    """Train what is not trained yet or has failed, the first seed of every system first."""
    state.write()
    for system, seed in in_turns(systems):
        what = f"trained {system.name}-{seed}"
        if system.gin_file is None or state.succeeded(what):
            continue
        log(f"{system.name}, seed {seed}: training for {budget[1]:g} {budget[0]}")
        failure = training.train(system, seed, folders.train, overrides, budget)
        if failure:
            log(f"{system.name}, seed {seed}: failed: {failure}")
        state.set(what, failure)


def failures(systems, state, kinds=("trained", "measured")):
    """Failed trainings and measurements: dict (name of the system, seed) -> reason."""
    found = {}
    for system, seed in in_turns(systems):
        for kind in kinds:
            done = state.get(f"{kind} {system.name}-{seed}")
            if done and done["failed"]:
                found[system.name, seed] = done["failed"]
    return found


def measure_all(systems, state, held_out, out_dir, n, n_pitch, log, progress=None):
    """Measure what is trained and not measured yet; yields (System, seed) after each run.

    A run that was trained further, or measured against other recordings, is measured again.

    Raises:
      RunError: if no run is left.
    """
    untrained = failures(systems, state, ("trained",))
    runs = [(s, seed) for s, seed in in_turns(systems) if (s.name, seed) not in untrained]
    if not runs:
        raise RunError(f"nothing to measure: {next(iter(untrained.values()))}")
    # All of them first, so that no table is written of old and new metrics.
    for system, seed in runs:
        what = f"measured {system.name}-{seed}"
        why = state.succeeded(what) and measuring.why_again(
            folder_of(out_dir, system, seed), system.run_dirs[seed], held_out
        )
        if why:
            log(f"{system.name}, seed {seed}: {why}")
            state.remove(what)
    for i, (system, seed) in enumerate(runs, start=1):
        what = f"measured {system.name}-{seed}"
        if not state.succeeded(what):
            log(f"{system.name}, seed {seed}: measuring ({i} of {len(runs)})")
            folder, failure = folder_of(out_dir, system, seed), None
            try:
                measuring.measure(held_out, system, seed, folder, n, n_pitch, progress)
            except NoisyganError as error:
                failure = str(error)
            except Exception as error:  # the other systems must not be lost
                failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            if failure:
                log(f"{system.name}, seed {seed}: failed: {failure}")
            state.set(what, failure)
        yield system, seed


def folder_of(out_dir, system, seed):
    """Folder of a run's metrics."""
    return pathlib.Path(out_dir) / "measured" / f"{system.name}-{seed}"


def write(systems, state, held_out, out_dir, facts, with_page=True):
    """Write table.csv, table.json, report.md and index.html.

    Args:
      systems, state, held_out, out_dir: As of `measure_all`.
      facts: dict with title, command and facts (list of pairs).
      with_page: Whether to write the page, too.

    Returns:
      dict, as of `noisygan.reports.comparison_report.write`.
    """
    from noisygan import __version__

    out_dir = pathlib.Path(out_dir)
    failed, known = failures(systems, state), held_out.splits.warnings
    results, folders, curves, conditions, seeds, warnings = {}, {}, {}, {}, {}, []
    for system in systems:
        name = system.name
        measured = [
            seed
            for seed in sorted(system.run_dirs)
            if state.get(f"measured {name}-{seed}") and (name, seed) not in failed
        ]
        if not measured:
            continue
        seeds[name] = measured
        folders[name] = [folder_of(out_dir, system, seed) for seed in measured]
        *results[name], found = measuring.results_of(folders[name])
        curves[name] = [one["curve"] for one in found]
        conditions[name] = found[0]["conditions"]
        own = [warning for one in found for warning in one["warnings"] if warning not in known]
        warnings += [f"{name}: {warning}" for warning in own]
    metrics = table.metrics_of(results)
    main = table.main_metric(metrics, results)
    if main:
        main["headline"] = True  # MMD of notes, where a system has no pitch.
        metrics.sort(key=lambda metric: metric is not main)
    order = table.order_of(results, main)
    by_name = {system.name: system for system in systems}
    identity = json.dumps([order, held_out.splits.fingerprint, sorted(curves.items())])
    data = {
        "id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        **facts,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "noisygan": __version__,
        "warnings": [
            *known,
            *_unequal_times(by_name, curves),
            *warnings,
            *(f"{name}, seed {seed} failed: {why}" for (name, seed), why in failed.items()),
        ],
        "verdict": table.verdict(metrics),
        "systems": [
            {
                "name": name,
                "description": by_name[name].description,
                "conditions": conditions[name],
                "seeds": seeds[name],
                "curves": [
                    [{**point, "value": point["values"].get(main["name"])} for point in curve]
                    for curve in curves[name]
                ],
            }
            for name in order
        ],
        "curve_title": main["name"] if main else "",
        "curve_floor": main["floor"] if main else None,
        "metrics": metrics,
    }
    page.write(out_dir / "table.json", json.dumps(data, indent=1, allow_nan=False) + "\n")
    page.write(out_dir / "table.csv", table.as_csv(data))
    page.write(out_dir / "report.md", table.as_markdown(data))
    if with_page:
        shown = {name: [_load(f / "shown.npz") for f in folders[name]] for name in order}
        losses = {
            name: [run_files.read_metrics(by_name[name].run_dirs[seed]) for seed in seeds[name]]
            for name in order
        }
        content = {**data, "losses": losses, **report_data.shown(held_out, shown)}
        comparison_report.write(content, out_dir / "index.html")
    return data


def _unequal_times(systems, curves):
    """A warning if finished runs were trained longer or shorter than others."""
    times = {
        name: [of_seed[-1]["seconds"] for of_seed in of_seeds if of_seed[-1]["seconds"]]
        for name, of_seeds in curves.items()
    }
    every = sum(times.values(), [])
    if all(systems[n].gin_file for n in curves) or not every or max(every) < 1.1 * min(every):
        return []
    each = ", ".join(
        f"{name} {' and '.join(f'{seconds:.0f} s' for seconds in of_seeds)}"
        for name, of_seeds in times.items()
        if of_seeds
    )
    return [f"the systems were not trained for equal times: {each}"]


def _load(path):
    try:
        return read_arrays(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} can't be read ({error}); remove its folder, and measure again"
        ) from error
