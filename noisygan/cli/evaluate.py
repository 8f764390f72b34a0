"""Measure generated sounds against held-out recordings.

A run's averaged generator makes --n sounds under the conditions of the held-out recordings; or the
sounds of a folder are measured (--audio). Every figure stands beside its floor (training
recordings in their place) and its ceiling (an untrained generator).

--data is a folder with nsynth-train and nsynth-test, or held-out recordings with those for
training in --train, or a folder that is divided by name into halves.

Written as they come: evaluation.json, evaluation.md, pairs/ (closest pairs). What each figure
means: docs/evaluation.md.
"""

import pathlib
import sys
import time

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "measure generated sounds against held-out recordings"
EXAMPLE = """\
noisygan evaluate --run_dir runs/flute --data my_notes --out_dir evaluated
noisygan evaluate --audio some_sounds --data my_notes --out_dir evaluated
noisygan evaluate --self_test --data my_notes --out_dir tested"""


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument(
        "--run_dir",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a trained run; several are seeds of one config",
    )
    parser.add_argument(
        "--audio",
        metavar="DIR",
        help="folder of sounds to be measured instead; with --run_dir, recordings are chosen and "
        "read as by that run's config",
    )
    arguments.add_measuring(parser, "sounds that are measured")
    parser.add_argument(
        "--out_dir", required=True, metavar="DIR", help="where everything is written"
    )
    arguments.add_seed(parser, "of the generated sounds")
    parser.add_argument(
        "--embedding",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="also compare by VGGish, PANNs, CLAP, CREPE or EnCodec, from a SavedModel folder or "
        "an ONNX file that you have; may be given several times",
    )


def run(args):
    """Measures what was asked for."""
    check(args)
    arguments.import_tensorflow()
    from noisygan.evaluation import embeddings, session

    spaces = [embeddings.Embedding(text) for text in args.embedding]
    began = time.monotonic()
    with progress.CountedProgress("reading", None) as count:
        material = session.read(args.run_dir, args.audio, args.data, args.train, count)
    _note(material.warnings)
    out_dir = pathlib.Path(args.out_dir)
    tested = session.test_measures(material, _rung) if args.self_test else None
    subjects = material.runs or ([None] if args.audio else [])
    reference = session.make_reference(material, spaces) if subjects else None
    reports = []
    for run in subjects:
        folder = out_dir / f"seed-{run.facts['seed']}" if len(subjects) > 1 else out_dir
        with progress.CountedProgress("generating", None) as count:
            sounds, ceiling, said = session.sounds_to_measure(
                material, run, args.n, args.seed, count
            )
        _note(said)
        report = session.new_report(material, folder, sounds, run, args.seed, said, spaces)
        report.self_test = tested
        with_cost = args.audio is None
        for result in session.measure(
            reference, sounds, ceiling, run, report, spaces, args.pitch_sounds, with_cost
        ):
            _say(result)
        report.write(complete=True)
        reports.append(report)
    if len(reports) != 1:
        run = subjects[0] if subjects else None
        sounds = sounds if subjects else None
        report = session.new_report(material, out_dir, sounds, run, args.seed, (), spaces)
        report.self_test = tested
        if reports:
            session.join_seeds(reports, report)
        else:
            report.write(complete=True)
    print(f"written: {out_dir / 'evaluation.md'} ({progress.duration(time.monotonic() - began)})")
    return 0


def check(args):
    """Refuses what cannot work before anything slow is begun."""
    if not args.run_dir and not args.audio and not args.self_test:
        raise UsageError(
            "nothing to measure; expected --run_dir DIR of a trained run, --audio DIR of sounds, "
            "or --self_test"
        )
    for run_dir in args.run_dir:
        arguments.run_folder(run_dir, "--run_dir")
    if args.audio and len(args.run_dir) > 1:
        raise UsageError("--audio with several --run_dir; expected at most one beside it")
    out_dir = pathlib.Path(args.out_dir)
    if out_dir.exists() and not out_dir.is_dir():
        raise UsageError(f"--out_dir {out_dir} is a file; expected a folder")
    if out_dir.is_dir() and any(out_dir.iterdir()):
        raise UsageError(f"--out_dir {out_dir} is not empty; name one that is empty or new")


def _note(warnings):
    for warning in warnings:
        print(f"note: {warning}", file=sys.stderr)


def _rung(name):
    print(f"self-test, {name}", file=sys.stderr)


def _say(result):
    from noisygan.evaluation.report import number

    if not result.metric.headline:
        return
    unit = f" {result.metric.unit}" if result.metric.unit else ""
    if result.value is None:
        print(f"{result.metric.name}: not run ({result.not_run})")
        return
    ends = [
        f"{name} {number(value)}"
        for name, value in (("floor", result.floor), ("ceiling", result.ceiling))
        if value is not None
    ]
    print(
        f"{result.metric.name}: {number(result.value)}{unit}"
        + (f" ({', '.join(ends)})" if ends else ""),
        flush=True,
    )
