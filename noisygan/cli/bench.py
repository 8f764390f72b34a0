"""Measure the synthesizers beside ddsp 3.7.0 on this machine: time, memory and error.

Writes tables (Markdown), plots and all figures (JSON). It takes some minutes; let nothing else run
meanwhile. Without ddsp its columns stay empty.
"""

import pathlib

from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "measure the synthesizers beside ddsp"
EXAMPLE = "noisygan bench synths --out runs/bench"


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=["synths"], help="what to measure")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="sizes that say nothing about speed, to see that it runs",
    )
    parser.add_argument(
        "--out",
        default="runs/bench",
        metavar="DIR",
        help="folder for the tables, plots and figures (default: runs/bench)",
    )


def run(args):
    """Measures, prints the tables and writes everything."""
    out = pathlib.Path(args.out)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; expected a folder")
    arguments.import_tensorflow()
    from noisygan.benchmarks import synth_report, synths_vs_ddsp

    plan = synths_vs_ddsp.QUICK if args.quick else synths_vs_ddsp.Plan()
    result = synths_vs_ddsp.measure(plan, say=lambda line: print(line, flush=True))
    paths = [synths_vs_ddsp.save(result, out), *synth_report.write(result, out)]
    print(f"\n{synth_report.tables(result)}")
    print("\n".join(f"written: {path}" for path in paths))
    return 0
