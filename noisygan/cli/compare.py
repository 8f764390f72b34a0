"""Train several systems alike, measure them alike, and show them on one page.

Each config is a system. All are trained on the same recordings with the same budget, one after the
other, and measured against the same held-out recordings, as `noisygan evaluate` does. Finished runs
take part by --run_dir; those of one config are its seeds.

--data is a folder with nsynth-train and nsynth-test, a prepared one with a test split, or held-out
recordings with those for training in --train. Any other folder is divided into halves by name.

Written: index.html (one file, opens without a network), table.csv, table.json, report.md; the runs
in runs/. The same command resumes, also with more systems or seeds.
"""

import pathlib
import shlex
import sys
import time

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "train and measure several systems alike, on one page"
EXAMPLE = """\
noisygan compare --gin_file drums --gin_file wavegan --data my_drums --minutes 60 --out_dir compared
noisygan compare --run_dir runs/flute --run_dir runs/waves --data my_notes --out_dir compared"""


def add_arguments(parser):
    """Add the arguments of this command."""
    several = {"action": "append", "default": []}
    parser.add_argument(
        "--gin_file", **several, metavar="FILE", help="config of a system to train; several times"
    )
    parser.add_argument(
        "--gin_param",
        **several,
        metavar="BINDING",
        help="change of all the configs, such as 'Recordings.families = [\"flute\"]'",
    )
    parser.add_argument(
        "--run_dir", **several, metavar="DIR", help="folder of a finished run; several times"
    )
    arguments.add_measuring(parser, "examples of each run")
    budget = parser.add_mutually_exclusive_group()
    whole = arguments.whole_number(1)
    budget.add_argument("--minutes", type=arguments.positive, metavar="M", help="of each training")
    budget.add_argument("--steps", type=whole, metavar="N", help="or steps of each training")
    budget.add_argument("--examples", type=whole, metavar="N", help="or recordings that it sees")
    seeds = arguments.whole_number(1, 100)
    parser.add_argument(
        "--seeds", type=seeds, default=2, metavar="N", help="of each config (default: 2)"
    )
    parser.add_argument(
        "--out_dir", required=True, metavar="DIR", help="folder of the comparison, new or begun"
    )


def run(args):
    """Compare and print the verdict."""
    from noisygan.files import check_folder

    if not args.gin_file and not args.run_dir:
        raise UsageError("nothing to compare; expected --gin_file FILE or --run_dir DIR")
    runs = [noisygan.load(run_dir).path for run_dir in args.run_dir]
    check_folder(args.out_dir)
    arguments.import_tensorflow()
    began = time.monotonic()
    with progress.CountedProgress("preparing", None) as bar:
        found = noisygan.compare(
            [*args.gin_file, *runs],
            args.data,
            args.out_dir,
            train=args.train,
            minutes=args.minutes,
            steps=args.steps,
            examples=args.examples,
            seeds=args.seeds,
            overrides=args.gin_param,
            n=args.n,
            n_pitch=args.max_pitch_samples,
            command=shlex.join(["noisygan", *sys.argv[1:]]).replace(str(pathlib.Path.home()), "~"),
            log=lambda line: print(line, file=sys.stderr, flush=True),
            progress=bar,
        )
    print(*found.verdict, sep="\n")
    page = pathlib.Path(args.out_dir) / "index.html"
    print(f"written: {page} ({progress.duration(time.monotonic() - began)})")
    return 0
