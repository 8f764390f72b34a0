"""Measure this machine: the synthesizers beside ddsp 3.7.0, or the training step of a config.

Writes tables (Markdown) and all figures (JSON), for the synthesizers plots as well. It takes some
minutes; let nothing else run meanwhile. Without ddsp its columns stay empty.

A training step is measured on --data, or on sounds made for the purpose. --naive also measures
the step written the plain way, by a config of the same system that ddsp plays.
"""

import json
import pathlib

from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "measure the synthesizers beside ddsp, or a training step"
EXAMPLE = """\
noisygan bench synths --out runs/bench
noisygan bench train --gin_file runs/notes.gin --out runs/bench
noisygan bench train --gin_file runs/notes.gin --naive ablations/ddsp_synths.gin --json"""


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=["synths", "train"], help="what to measure")
    arguments.add_config_arguments(parser, required=False)
    parser.add_argument("--data", metavar="DIR", help="train: recordings (default: made here)")
    parser.add_argument(
        "--naive",
        metavar="NAME",
        help="train: a config whose step is measured in turn, written the plain way",
    )
    parser.add_argument(
        "--json", action="store_true", help="train: print the figures instead of the tables"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="sizes that say nothing about speed, to see that it runs; train: one turn, no growth",
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
    return (_bench_train if args.what == "train" else _bench_synths)(args, out)


def _bench_synths(args, out):
    for option in ("gin_file", "gin_param", "data", "naive", "json"):
        if getattr(args, option):
            raise UsageError(f"bench synths: got --{option}, which belongs to bench train")
    arguments.import_tensorflow()
    from noisygan.benchmarks import synth_report, synths_vs_ddsp

    plan = synths_vs_ddsp.QUICK if args.quick else synths_vs_ddsp.Plan()
    result = synths_vs_ddsp.measure(plan, say=lambda line: print(line, flush=True))
    paths = [synths_vs_ddsp.save(result, out), *synth_report.write(result, out)]
    print(f"\n{synth_report.tables(result)}")
    print("\n".join(f"written: {path}" for path in paths))
    return 0


def _bench_train(args, out):
    if not args.gin_file:
        raise UsageError(
            "bench train: no --gin_file; expected a config such as runs/notes.gin "
            "(see `noisygan configs`)"
        )
    arguments.import_tensorflow()
    from noisygan import config
    from noisygan.benchmarks import training
    from noisygan.data import layouts
    from noisygan.data.prepare import load

    # Whatever is wrong with config or folder is said here, not by a process behind a pipe.
    for files in (args.gin_file, [args.naive] if args.naive else []):
        if files:
            config.parse(files, args.gin_param)
    if args.data and not load.is_prepared(args.data):
        layouts.list_entries(args.data)
    plan = training.Plan(args.gin_file, args.gin_param, args.data, args.naive)
    if args.quick:
        plan = training.Plan(
            args.gin_file, args.gin_param, args.data, args.naive, n_turns=1, growth=()
        )
    silent = (lambda line: None) if args.json else (lambda line: print(line, flush=True))
    result = training.measure(plan, say=silent)
    paths = training.save(result, out)
    if args.json:
        print(json.dumps(result, indent=1))
        return 0
    print(f"\n{training.tables(result)}")
    print("\n".join(f"written: {path}" for path in paths))
    return 0
