"""Measure generated examples against held-out recordings.

A run's averaged generator makes --n examples under the conditions of the held-out recordings; or
the files of a folder are measured (--audio). Every metric has a floor (training recordings in place
of the examples) and a ceiling (an untrained generator).

--data is a folder with nsynth-train and nsynth-test, or held-out recordings with those for
training in --train, or a folder that is divided by name into halves.

Written after each metric: evaluation.json, evaluation.md, pairs/ (closest pairs). The metrics are
explained in docs/evaluation.md.
"""

import pathlib
import sys
import time

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.files import check_free_folder

SUMMARY = "measure generated examples against held-out recordings"
EXAMPLE = """\
noisygan evaluate --run_dir runs/flute --data my_notes --out_dir evaluated
noisygan evaluate --audio some_sounds --data my_notes --out_dir evaluated"""


def add_arguments(parser):
    """Add the arguments of this command."""
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
        help="folder of files to measure instead; with --run_dir, recordings are read as by that "
        "run's config",
    )
    arguments.add_measuring(parser, "examples to measure")
    parser.add_argument("--out_dir", required=True, metavar="DIR", help="output folder")
    arguments.add_seed(parser, "of the generated examples")


def run(args):
    """Evaluate and print the main metrics."""
    out_dir = pathlib.Path(args.out_dir)
    runs = [noisygan.load(run_dir) for run_dir in args.run_dir]
    check_free_folder(out_dir)
    arguments.import_tensorflow()

    def show(report, result):
        if len(report.results) == 1:
            for warning in report.facts["warnings"]:
                print(f"note: {warning}", file=sys.stderr)
        seed = report.facts["seeds"].get("training", [0])[0]
        report.save(out_dir / f"seed-{seed}" if len(runs) > 1 else out_dir)
        if result.metric.headline:
            print(_line(result), flush=True)

    began = time.monotonic()
    with progress.CountedProgress("preparing", None) as bar:
        report = noisygan.evaluate(
            runs,
            args.data,
            train=args.train,
            audio=args.audio,
            n=args.n,
            seed=args.seed,
            n_pitch=args.max_pitch_samples,
            callback=show,
            progress=bar,
        )
    report.save(out_dir)
    print(f"written: {out_dir / 'evaluation.md'} ({progress.duration(time.monotonic() - began)})")
    return 0


def _line(result):
    from noisygan.evaluation.report import number

    if result.value is None:
        return f"{result.metric.name}: not run ({result.not_run})"
    ends = (("floor", result.floor), ("ceiling", result.ceiling))
    ends = ", ".join(f"{name} {number(value)}" for name, value in ends if value is not None)
    value = f"{number(result.value)} {result.metric.unit}".rstrip()
    return f"{result.metric.name}: {value}" + (f" ({ends})" if ends else "")
