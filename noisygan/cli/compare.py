"""Train several systems alike, measure them alike, and show them on one page.

Each config is a system. All are trained on the same recordings under the same budget, one after
the other, and measured against the same held-out recordings, as `noisygan evaluate` does. Runs
that were trained before take part by --run_dir; those of one config are its seeds.

--data is a folder with nsynth-train and nsynth-test, a prepared one with a test split, or held-out
recordings with those for training in --train. Any other folder is divided into halves by name.

Written: index.html (one file, opens without a network), table.csv, table.json, report.md; the runs
in runs/. The same command goes on with what is missing, also with more systems or seeds.
"""

import pathlib
import shlex
import sys
import time

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "train and measure several systems alike, on one page"
EXAMPLE = """\
noisygan compare --gin_file drums --gin_file wavegan --data my_drums --minutes 60 --out_dir compared
noisygan compare --run_dir runs/flute --run_dir runs/waves --data my_notes --out_dir compared"""


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument(
        "--gin_file",
        action="append",
        default=[],
        metavar="FILE",
        help="config of a system that is trained; several times",
    )
    parser.add_argument(
        "--gin_param",
        action="append",
        default=[],
        metavar="BINDING",
        help="change of all the configs, such as 'Recordings.families = [\"flute\"]'",
    )
    parser.add_argument(
        "--run_dir",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a run that was trained before; several times",
    )
    arguments.add_measuring(parser, "sounds of each run that are measured")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument(
        "--minutes", type=arguments.positive, metavar="M", help="train each seed for so long"
    )
    budget.add_argument(
        "--steps", type=arguments.whole_number(1), metavar="N", help="or for so many steps"
    )
    budget.add_argument(
        "--sounds",
        type=arguments.whole_number(1),
        metavar="N",
        help="or until it was shown so many recordings",
    )
    parser.add_argument(
        "--seeds",
        type=arguments.whole_number(1, 100),
        default=2,
        metavar="N",
        help="how many seeds of each config are trained (default: 2)",
    )
    parser.add_argument(
        "--answers",
        action="append",
        default=[],
        metavar="FILE",
        help="answers that the page's listening test saved, to be counted; several times",
    )
    parser.add_argument(
        "--out_dir", required=True, metavar="DIR", help="folder of the comparison, new or begun"
    )


def run(args):
    """Trains, measures and writes what is missing."""
    budget = check(args)
    arguments.import_tensorflow()
    from noisygan.comparison import comparing, measuring, training
    from noisygan.comparison.splits import training_and_held_out
    from noisygan.comparison.systems import Progress, systems_of
    from noisygan.training.environment import without_home

    began = time.monotonic()
    out_dir = pathlib.Path(args.out_dir)
    systems = systems_of(args.gin_file, args.run_dir, args.seeds, out_dir)
    if len(systems) < 2 and not args.answers:
        _say("note: one system alone; `noisygan evaluate` says more of it")
    asked = {
        "recordings": pathlib.Path(args.data).resolve().name,
        "recordings for training": pathlib.Path(args.train).resolve().name if args.train else "",
        "bindings": args.gin_param,
        "budget": " ".join(map(str, budget or ())),
        "sounds measured": args.n,
        "sounds heard by the pitch tracker": args.pitch_sounds,
    }
    kept = Progress(out_dir, asked)
    recordings = training.recordings_of(systems, args.gin_param)
    folders = training_and_held_out(args.data, args.train, out_dir)
    # Before anything is trained: what can't be measured is said now.
    held = measuring.read(recordings, folders, args.n)
    facts = {
        "title": f"{pathlib.Path(args.data).resolve().name}: {len(systems)} systems",
        "command": shlex.join(["noisygan", *without_home(sys.argv[1:])]),
        "facts": _facts(args, budget, systems, held),
    }
    try:
        comparing.train_all(systems, kept, folders, args.gin_param, budget, _say)
        for _ in comparing.measure_all(
            systems, kept, held, out_dir, args.n, args.pitch_sounds, args.self_test, _say
        ):
            comparing.write(systems, kept, held, out_dir, facts, with_page=False)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped and saved; the same command goes on") from None
    data = comparing.write(systems, kept, held, out_dir, facts, args.answers)
    for sentence in data["verdict"]:
        print(sentence)
    print(f"written: {out_dir / 'index.html'} ({progress.duration(time.monotonic() - began)})")
    return 0


def check(args):
    """Refuses what cannot work before anything slow is begun.

    Returns:
      (name of the budget, number), or None where nothing is trained.
    """
    if not args.gin_file and not args.run_dir:
        raise UsageError(
            "nothing to compare; expected --gin_file FILE of each system, or --run_dir DIR of "
            "finished runs"
        )
    from noisygan.comparison.systems import systems_of
    from noisygan.data.layouts import list_entries
    from noisygan.files import check_folder

    for run_dir in args.run_dir:
        arguments.run_folder(run_dir, "--run_dir")
    given = [(name, getattr(args, name)) for name in ("minutes", "steps", "sounds")]
    budget = next(((name, number) for name, number in given if number is not None), None)
    if args.gin_file and budget is None:
        raise UsageError(
            "no budget; expected --minutes M, --steps N or --sounds N, the same for all systems"
        )
    for path in args.answers:
        if not pathlib.Path(path).is_file():
            raise UsageError(f"--answers {path} is no file; expected one that the page saved")
    check_folder(args.out_dir)
    for folder in filter(None, (args.data, args.train)):
        if not pathlib.Path(folder).is_dir():
            list_entries(folder)  # which says what is wrong with it
    systems_of(args.gin_file, args.run_dir, args.seeds, pathlib.Path(args.out_dir))
    return budget


def _facts(args, budget, systems, held):
    test = held.parts.test
    found = [
        ["recordings for training", f"{len(held.parts.train)}"],
        ["held-out recordings", f"{len(test)}"],
        ["sounds measured of each seed", f"{args.n}"],
        ["length", f"{test.audio.shape[1] / test.sample_rate:.3g} s at {test.sample_rate} Hz"],
    ]
    if budget:
        found.insert(0, ["budget of each seed", f"{budget[1]:g} {budget[0]}"])
    if args.n < 500:
        found.append(["caution", f"{args.n} sounds are too few to rank systems; 500 are expected"])
    single = [system.name for system in systems if len(system.run_dirs) == 1]
    if single:
        found.append(["caution", f"one seed of {', '.join(single)}: another may rank otherwise"])
    return found


def _say(line):
    print(line, file=sys.stderr, flush=True)
