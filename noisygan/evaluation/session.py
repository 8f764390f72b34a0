"""One evaluation from folders to files: what is compared, by which rules, in which order."""

from __future__ import annotations

import dataclasses
import datetime
import os
import pathlib

from noisygan import config
from noisygan.errors import UsageError
from noisygan.evaluation import cost, embeddings, measures, self_test, sources
from noisygan.evaluation.evaluating import evaluate
from noisygan.evaluation.report import Report, joined
from noisygan.evaluation.results import Metric, Result
from noisygan.evaluation.sounds import check_alike, repaired
from noisygan.files import make_folder
from noisygan.metrics import bootstrap

UNTRAINED = "the same generator, untrained"
NOISE = "white noise at the recordings' levels (there is no generator)"


@dataclasses.dataclass
class Material:
    """What is compared.

    Attributes:
      parts: `sources.Parts` of the recordings, repaired.
      warnings: list of sentences, what a reader of the figures must know.
      recordings: `Recordings` that they were read by.
      runs: list of `sources.Run`, of one config and several seeds; may be empty.
      audio: Folder of sounds to be measured instead of a run's, or None.
    """

    parts: sources.Parts
    warnings: list
    recordings: object
    runs: list
    audio: pathlib.Path | None = None


def read(run_dirs, audio, data, train=None, progress=None):
    """Reads runs and recordings, and checks that they can be compared.

    Args:
      run_dirs: Folders of runs; may be empty.
      audio: Folder of sounds, or None.
      data, train, progress: As of `sources.read_parts`.

    Returns:
      Material.

    Raises:
      UsageError: for whatever can't be compared, one line.
    """
    if audio is not None:
        sources.check_audio(audio)
    runs = [sources.Run(path) for path in run_dirs]
    _check_one_system(runs)
    if runs:
        recordings = runs[0].recordings()
    else:
        folders = {"data": data, "train": train, "audio": audio}
        recordings = sources.recordings_for(
            {name: sources.files_of(folder) for name, folder in folders.items() if folder}
        )
    parts = sources.read_parts(recordings, data, train, progress)
    return Material(
        *repaired_parts(parts, runs),
        recordings,
        runs,
        None if audio is None else pathlib.Path(audio),
    )


def repaired_parts(parts, runs):
    """What can be measured of recordings, and what a reader has to know.

    Args:
      parts: `sources.Parts`.
      runs: list of `sources.Run` that are measured against them.

    Returns:
      (Parts, list of sentences).
    """
    warnings = [parts.note] if parts.note else []
    kept = {}
    for name, who in (("train", "training recordings"), ("test", "held-out recordings")):
        kept[name], said = repaired(getattr(parts, name), who)
        warnings += said
    parts = dataclasses.replace(parts, **kept)
    for run in runs:
        if parts.seen_by(run.facts["data"]["fingerprint"]):
            warnings.append(
                f"{run.path.name} was trained on the held-out recordings too: its figures flatter "
                "it; train it on one part (--data PART at `noisygan train`) and name the parts by "
                "--train and --data"
            )
    return parts, warnings


def _check_one_system(runs):
    texts = {config.read(run.folder.config) for run in runs}
    if len(texts) > 1:
        raise UsageError(
            f"the {len(runs)} runs have different configs; several --run_dir are seeds of one "
            "system: evaluate different systems one by one"
        )
    seeds = [run.facts["seed"] for run in runs]
    if len(set(seeds)) < len(seeds):
        raise UsageError(
            f"several runs have seed {max(seeds, key=seeds.count)}; expected runs of different "
            "seeds (noisygan train --seed)"
        )


def sounds_to_measure(material, run, n, seed, progress=None):
    """The sounds, those of the ceiling, and what is wrong with them.

    Args:
      material: Material.
      run: One of its runs, or None.
      n: How many are wanted.
      seed: Of generated ones.
      progress: Called with (sounds made, sounds in all), or None.

    Returns:
      (Sounds, Sounds, list of sentences).
    """
    test = material.parts.test

    def count(first):
        return progress and (lambda done: progress(first + done, 2 * n))

    if material.audio is not None:
        found = sources.sounds_of_folder(material.recordings, material.audio, n)
        who = f"sounds of {material.audio.name}"
    else:
        found = run.sounds(test, n, seed, count(0))
        who = f"sounds of {run.path.name}"
    check_alike({"recordings": test, who: found})
    found, said = repaired(found, who)
    if run is not None:
        ceiling = run.untrained(test, len(found), seed, count(n))
        ceiling = repaired(ceiling, "sounds of the untrained generator")[0]
    else:
        ceiling = sources.noise_like(test, len(found), seed)
    return found, ceiling, said


def new_report(material, out_dir, sounds, run, seed, said=(), spaces=()):
    """A `Report` with its head filled in.

    Args:
      material: Material.
      out_dir: Folder.
      sounds: The sounds that are measured, or None: only the measures are tested.
      run: The run, or None.
      seed: Of the generated sounds.
      said: Further sentences for the reader.
      spaces: list of `Embedding`.
    """
    from noisygan import __version__

    test, train = material.parts.test, material.parts.train
    name = material.audio.name if material.audio else run.path.resolve().name if run else "measures"
    seen = any(material.parts.seen_by(r.facts["data"]["fingerprint"]) for r in material.runs)
    seeds = {"generation": seed, "bootstrap": bootstrap.SEED}
    if run:
        seeds["training"] = [run.facts["seed"]]
    facts = {
        "noisygan": __version__,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "name": name,
        "step": run.step if run else None,
        "n": {
            "generated": 0 if sounds is None else len(sounds),
            "test": len(test),
            "train": len(train),
        },
        "seeds": seeds,
        "reference": {"fingerprint": material.parts.fingerprint, "seen_by_run": seen},
        "sample_rate": test.sample_rate,
        "n_samples": test.audio.shape[1],
        "seconds": test.audio.shape[1] / test.sample_rate,
        "weights": "averaged (EMA)" if run and not material.audio else None,
        "ceiling": UNTRAINED if run else NOISE,
        "embeddings": {space.name: space.checksum for space in spaces},
        "warnings": [*material.warnings, *said],
    }
    return Report(out_dir, facts)


def test_measures(material, say):
    """The self-test on the recordings; see `noisygan.evaluation.self_test`."""
    return self_test.self_test(material.parts.train, material.parts.test, say)


def measure(reference, sounds, ceiling, run, report, spaces=(), n_pitch=40, with_cost=True):
    """Measures, writing each figure as it comes.

    Args:
      reference: `measures.Reference`.
      sounds: Sounds, or `measures.Measured` by the reference.
      ceiling: Sounds.
      run: The run that made them, or None.
      report: Report.
      spaces: list of `Embedding` that the reference has.
      n_pitch: How many sounds the pitch tracker hears.
      with_cost: Whether the run's cost is measured too.

    Yields:
      Result.
    """
    marks = self_test.marks(report.self_test) if report.self_test else {}

    sounds = reference.measured(sounds)

    def keep(pairs):
        _keep_pairs(pairs, sounds.sounds, reference, report)

    def results():
        yield from evaluate(reference, sounds, ceiling, n_pitch, keep)
        for name in embeddings.RATES:
            if name not in {space.name for space in spaces}:
                metric = Metric(f"MMD^2 x 1000, {name}", "further embeddings")
                yield Result(metric, not_run=f"no --embedding {name}=PATH was given")
        if run is not None and with_cost:
            yield from cost.cost(run.path, run.step, run.folder.read_metrics())

    for result in results():
        result.wrong_order = marks.get(result.metric.name)
        report.add(result)
        yield result


def _keep_pairs(pairs, sounds, reference, report):
    from noisygan.audio_io import audio_files

    folder = report.out_dir / "pairs"
    make_folder(folder)
    train = reference.train.sounds
    for i, pair in enumerate(pairs):
        for what, audio in (
            ("generated", sounds.audio[pair.row]),
            ("training", train.audio[pair.training_row]),
        ):
            audio_files.write_wav(folder / f"{i + 1:02d}-{what}.wav", audio, train.sample_rate)
        report.pairs.append(
            {
                "generated": sounds.names[pair.row],
                "training": train.names[pair.training_row],
                "distance_db": pair.distance,
                "suspicious": pair.suspicious,
            }
        )


def make_reference(material, spaces=()):
    """`measures.Reference` of the material's recordings."""
    spaces = {space.name: space for space in spaces}
    return measures.Reference(material.parts.train, material.parts.test, spaces)


def join_seeds(reports, report):
    """Puts the figures of several seeds of one system into one report, and writes it.

    Args:
      reports: Finished Reports, one a seed.
      report: The Report of all.
    """
    report.results = joined([r.results for r in reports])
    report.self_test = reports[0].self_test
    report.facts["seeds"]["training"] = [
        seed for r in reports for seed in r.facts["seeds"]["training"]
    ]
    said = [sentence for r in reports for sentence in r.facts["warnings"]]
    report.facts["warnings"] = list(dict.fromkeys(said))
    report.facts["one_seed_each"] = [os.path.relpath(r.out_dir, report.out_dir) for r in reports]
    report.write(complete=True)
