"""Evaluate runs, or audio of any origin, against held-out recordings."""

from __future__ import annotations

import datetime
import itertools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from noisygan.errors import UsageError
from noisygan.evaluation import cost, generate, measures, splits
from noisygan.evaluation.examples import Examples, check_alike, repaired
from noisygan.evaluation.report import Report, Result, join_reports
from noisygan.metrics import bootstrap

if TYPE_CHECKING:
    from noisygan.data.dataset import AudioDataset
    from noisygan.run import Run

MIN_PER_CLASS = 10
UNTRAINED = "the same generator, untrained"
NOISE = "white noise at the recordings' levels (there is no generator)"


def evaluate(
    run: Run | Sequence[Run] | None,
    data: str | pathlib.Path | AudioDataset,
    train: str | pathlib.Path | AudioDataset | None = None,
    audio: str | pathlib.Path | Examples | None = None,
    n: int = 500,
    seed: int = 0,
    n_pitch: int = 40,
    embeddings: Mapping[str, Callable] | None = None,
    callback: Callable[[Report, Result], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Evaluate a run, several seeds of one system, or audio against held-out recordings.

    Args:
      run: Run, list of Runs of one config and several seeds, or None if `audio` is given.
      data: Folder or `AudioDataset` of recordings, held-out or with splits; see
        `splits.read_splits`.
      train: Folder or `AudioDataset` of the training recordings; then all of `data` is held out.
      audio: Folder or `Examples` to evaluate in place of generated examples. A `run` then only
        defines how recordings are read.
      n: Number of generated examples.
      seed: Of the latents.
      n_pitch: Number of examples for the pitch tracker, which is slow; 0: none.
      embeddings: dict name -> function(audio [n, n_samples], sample_rate) -> vectors [n, d]:
        further feature spaces.
      callback: Called as callback(report, result) after each metric.
      progress: Called as progress(done, total) while recordings are read and examples are
        generated.

    Returns:
      Report.

    Raises:
      UsageError: for recordings or runs that can't be compared, and if there is nothing to measure.

    Example:
      >>> report = noisygan.evaluate(noisygan.load("runs/flute"), "my_notes")
      >>> report["note distance"].value
      0.82
      >>> report.save("evaluated")
    """
    runs = list(run) if isinstance(run, (list, tuple)) else [run] if run is not None else []
    if not runs and audio is None:
        raise UsageError("nothing to measure; expected a run or audio")
    if len(runs) > 1 and audio is not None:
        raise UsageError(f"audio with {len(runs)} runs; expected at most one")
    is_folder = audio is not None and not isinstance(audio, Examples)
    if is_folder:
        splits.check_audio(audio)
    _check_one_system(runs)
    if runs:
        recordings = generate.recordings_of(runs[0])
    else:
        given = [x for x in (data, train, audio) if isinstance(x, (str, pathlib.Path))]
        recordings = splits.recordings_for(given) if given else None
    parts = splits.read_splits(recordings, data, train, progress)
    if is_folder:
        recordings.tags = []  # Files of generated audio have none.
        dataset = recordings.read(audio)
        parts.warnings.extend(splits.left_out(dataset, "example"))
        audio = generate.some_examples(dataset, n), pathlib.Path(audio).name
    elif audio is not None:
        audio = audio, "audio"
    reference = measures.Reference(parts.train, parts.test, embeddings)
    reports = [
        evaluate_one(
            reference, parts, one, n, seed, audio,
            n_pitch=n_pitch, callback=callback, progress=progress,
        )
        for one in runs or [None]
    ]  # fmt: skip
    return reports[0] if len(reports) == 1 else join_reports(reports)


def _check_one_system(runs):
    if len({run.config for run in runs}) > 1:
        raise UsageError(
            f"the {len(runs)} runs have different configs; several runs are seeds of one system: "
            "evaluate different systems one by one"
        )
    seeds = [run.metadata["seed"] for run in runs]
    if len(set(seeds)) < len(seeds):
        raise UsageError(
            f"several runs have seed {max(seeds, key=seeds.count)}; expected different seeds"
        )


def evaluate_one(
    reference, parts, run, n, seed, audio=None,
    recordings=None, n_pitch=40, callback=None, progress=None,
):  # fmt: skip
    """Evaluate one run, or audio, against a reference that is shared by several.

    Args:
      reference: `measures.Reference`.
      parts: The `splits.Splits` of the reference.
      run: Run, or None.
      n, seed, n_pitch, callback, progress: As of `evaluate`.
      audio: (Examples, name) in place of generated examples, or None.
      recordings: As of `generate.generate`.

    Returns:
      Report.
    """
    name = run.path.resolve().name if audio is None else audio[1]
    who = f"examples of {name}"

    def make(first, generator=None):
        count = progress and (lambda done: progress(first + done, 2 * n))
        return generate.generate(run, parts.test, n, seed, recordings, generator, count)

    generated = audio[0] if audio else make(0)
    check_alike({"recordings": parts.test, who: generated})
    generated, warnings = repaired(generated, who)
    if run is None:
        ceiling = generate.noise_like(parts.test, len(generated), seed)
    else:
        n = len(generated)
        ceiling = make(n, generate.untrained_generator(run))
        ceiling = repaired(ceiling, "examples of the untrained generator")[0]
    report = Report(_facts(parts, run, name, generated, seed, reference, bool(audio)))
    report.generated = generated
    if report.facts["reference"]["seen_by_run"]:
        warnings.append(
            f"{run.path.name} was trained on the held-out recordings too, so its metrics are too "
            "good; train it on one split only, and name both splits here"
        )
    report.facts["warnings"] += warnings
    results = _results(reference, generated, ceiling, n_pitch, report)
    costs = cost.cost(run) if run is not None and not audio else ()
    for result in itertools.chain(results, costs):
        report.results.append(result)
        if callback:
            callback(report, result)
    report.complete = True
    return report


def _facts(parts, run, name, generated, seed, reference, is_audio):
    from noisygan import __version__

    test = parts.test
    seeds = {"generation": seed, "bootstrap": bootstrap.SEED}
    if run is not None:
        seeds["training"] = [run.metadata["seed"]]
    return {
        "noisygan": __version__,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "name": name,
        "step": run.step if run is not None else None,
        "conditions": list(run.condition_names) if run is not None else [],
        "n": {"generated": len(generated), "test": len(test), "train": len(parts.train)},
        "seeds": seeds,
        "reference": {
            "fingerprint": parts.fingerprint,
            "seen_by_run": run is not None and parts.seen_by(run),
        },
        "sample_rate": test.sample_rate,
        "n_samples": test.audio.shape[1],
        "seconds": test.audio.shape[1] / test.sample_rate,
        "weights": "averaged (EMA)" if run is not None and not is_audio else None,
        "ceiling": UNTRAINED if run is not None else NOISE,
        "embeddings": reference.embedding_names,
        "warnings": list(parts.warnings),
    }


def _results(reference, generated, ceiling, n_pitch, report):
    """Yield the Result of each metric, the headline ones first. Adds the pairs to the report."""
    rows = np.random.default_rng(bootstrap.SEED).permutation(len(reference.others))
    others = reference.others.take(np.sort(rows[: len(generated)]))
    for family in measures.families(reference, n_pitch):
        yield from _of_family(family, reference, generated, ceiling, others)
    try:
        results, report.pairs, report.pair_audio = measures.memorisation(reference, generated)
    except Exception as error:
        for metric in (measures.COPIES, measures.NEARNESS):
            yield Result(metric, not_run=_failure(error))
        return
    for metric, (estimate, floor) in results.items():
        yield Result(metric, estimate.value, estimate.interval, floor, note=estimate.note)


def _of_family(family, reference, generated, ceiling, others):
    values, reason = attempt(family, reference, reference.test, generated)
    key = (family.metrics[0].name, len(others))
    if key not in reference.floors:
        floor = family._replace(compute=family.floor or family.compute)
        reference.floors[key] = attempt(floor, reference, reference.test, others)[0]
    floors, ceilings = reference.floors[key], {}
    if family.ceiling:
        ceilings = attempt(family, reference, reference.test, ceiling)[0]
    classes = _by_class(family, reference, generated, others) if family.by_class else {}
    for metric in family.metrics:
        estimate = values.get(metric.name)
        if estimate is not None and not np.isfinite(estimate.value):
            reason, estimate = estimate.note or "not a number", None
        ends = {"floor": _value(floors, metric), "ceiling": _value(ceilings, metric)}
        if estimate is None:
            yield Result(metric, **ends, not_run=reason)
            continue
        per_class = {
            name: {
                "value": own[metric.name].value,
                "interval": own[metric.name].interval,
                "floor": _value(own_floors, metric),
            }
            for name, (own, own_floors) in classes.items()
            if _value(own, metric) is not None
        }
        yield Result(
            metric, estimate.value, estimate.interval,
            **ends, note=estimate.note, per_class=per_class,
        )  # fmt: skip


def _value(found, metric):
    estimate = found.get(metric.name)
    return None if estimate is None or not np.isfinite(estimate.value) else estimate.value


def attempt(family, reference, recordings, generated):
    """Compute the metrics of a family; an error becomes the reason that they are not run.

    Args:
      family: `measures.Family`.
      reference: `measures.Reference`.
      recordings, generated: Examples.

    Returns:
      (dict name -> Estimate, None), or ({}, the reason).
    """
    try:
        # On such small matrices threads wait for each other longer than they work.
        with threadpool_limits(1):
            return family.compute(reference, recordings, generated), None
    except ValueError as error:
        return {}, str(error)
    except Exception as error:  # the other metrics must not be lost
        return {}, _failure(error)


def _failure(error):
    return f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _by_class(family, reference, generated, others):
    names, found = reference.test.classes, {}
    for name in names if len(names) > 1 else []:
        test, own, own_floor = (
            x.take(np.flatnonzero(x.labels == name)) for x in (reference.test, generated, others)
        )
        if len(test) >= MIN_PER_CLASS:
            found[name] = tuple(
                attempt(family, reference, test, x)[0] if len(x) >= MIN_PER_CLASS else {}
                for x in (own, own_floor)
            )
    return found
