"""Train a generator on a folder of recordings.

Recordings are audio files of any format and sample rate, a folder per class, or a folder in the
NSynth json+wav layout. Pitch, velocity and drum class come from names like As3_pp.wav, 060-100.wav,
bd_808.wav; a table says how they were understood. A config selects among them (--gin_param
'Recordings.families = ["flute"]').

Bundled drums, a folder per class:
python -c "from noisygan.demo import drums_folder; print(drums_folder())"

At the end the run gets a page, index.html in its folder: recordings and generated sounds side by
side, curves, losses.

Without --steps, --minutes and --early_stop training continues until Ctrl-C, which saves and prints
how to continue.
"""

import argparse
import shlex
import sys

import noisygan
from noisygan.cli import arguments
from noisygan.errors import UsageError
from noisygan.tensorflow_import import import_tensorflow
from noisygan.training import checkpoints
from noisygan.training.cluster import STRATEGIES
from noisygan.training.signals import stop_with_stdin

SUMMARY = "train a generator on recordings"
EXAMPLE = """\
noisygan train --gin_file runs/notes.gin --data my_notes --run_dir runs/flute --minutes 10
noisygan train --gin_file runs/notes.gin --data my_notes --dry_run
noisygan train --gin_file runs/drums_small.gin --data my_drums --run_dir runs/kit --minutes 10
noisygan train --run_dir runs/flute --data my_notes --resume --minutes 10"""


_FEW_STEPS = 100


def add_arguments(parser):
    """Add the arguments of this command."""
    arguments.add_config_arguments(parser, required=False)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of recordings")
    arguments.add_names(parser)
    parser.add_argument(
        "--run_dir", metavar="DIR", help="folder of the run, new or (with --resume) begun"
    )
    parser.add_argument(
        "--steps", type=arguments.whole_number(1), metavar="N", help="train up to so many steps"
    )
    parser.add_argument(
        "--minutes", type=arguments.positive, metavar="M", help="train for at most so long"
    )
    parser.add_argument(
        "--early_stop",
        action="store_true",
        help="stop once the distance from the recordings does not fall any more",
    )
    parser.add_argument(
        "--snapshot_minutes",
        type=arguments.positive,
        metavar="M",
        help="keep the averaged weights every so many minutes",
    )
    parser.add_argument(
        "--seed",
        type=arguments.whole_number(0, 2**31 - 1),
        metavar="S",
        help="seed of initial weights, latents, noise and order of the recordings (default: 0)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --run_dir; it ends as if it had not stopped",
    )
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="auto",
        help="devices: auto takes the machines of TF_CONFIG, or all GPUs, or one device",
    )
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="bit-equal results in every run on one machine",
    )
    parser.add_argument(
        "--dry_run",
        action="store_true",
        help="check config and data by one step, print tables of both, write nothing",
    )
    parser.add_argument(
        "--no_report", action="store_true", help="write no page about the run at the end"
    )
    # For a process that starts this one and must not leave it behind.
    parser.add_argument("--stop_with_stdin", action="store_true", help=argparse.SUPPRESS)


def run(args):
    """Train, or check that training would work."""
    if args.stop_with_stdin:
        stop_with_stdin()
    if not args.gin_file and not args.resume:
        raise UsageError(
            "no --gin_file; expected a config such as runs/notes.gin (see `noisygan configs`), "
            "or --resume with the --run_dir of a run that was begun"
        )
    for name in ("middle_c", "detect_pitch"):
        if getattr(args, name) is not None:
            args.gin_param.append(f"Recordings.{name} = '{getattr(args, name)}'")
    if args.dry_run:
        return _dry_run(args)
    if args.run_dir is None:
        raise UsageError("no --run_dir; expected a folder for the run, such as runs/flute")
    names = "minutes steps seed resume early_stop deterministic strategy snapshot_minutes"
    settings = {name: getattr(args, name) for name in names.split()}
    settings |= {"overrides": args.gin_param, "command": ["noisygan", *sys.argv[1:]]}
    try:
        run = noisygan.train(args.gin_file, args.data, args.run_dir, **settings)
    except KeyboardInterrupt as stop:
        prefix = checkpoints.newest(args.run_dir)
        if prefix is None:
            raise
        how = str(stop) or f"stopped at once; step {checkpoints.step_of(prefix)} is saved"
        raise KeyboardInterrupt(f"{how}; continue with: {_resume_command(args)}") from None
    print(f"trained: {args.run_dir}" + (f", {run.step} steps" if run else ""))
    if run:
        if run.step < _FEW_STEPS:
            print("too few steps to judge the sound: --resume with more --minutes or --steps")
        if not args.no_report:
            _write_report(run, args.data)
        print(f"listen: noisygan render --run_dir {args.run_dir} --out_dir {args.run_dir}/notes")
    return 0


def _write_report(run, data):
    """Write the page; a run whose page can't be written is trained all the same."""
    try:
        print(f"page: {run.report(data=data)}")
    except Exception as error:
        reason = " ".join(f"{error}".split()) or type(error).__name__
        print(f"note: no page was written: {reason}", file=sys.stderr)


def _dry_run(args):
    if args.resume:
        raise UsageError("--dry_run and --resume: expected one of them")
    import_tensorflow()
    from noisygan.training import train as training

    print(training.describe(args.gin_file, args.data, args.gin_param, args.strategy))
    print("dry run: everything works; nothing was trained and nothing written")
    return 0


def _resume_command(args):
    from noisygan import config

    command = ["noisygan", "train", "--run_dir", args.run_dir, "--data", args.data, "--resume"]
    for name in ("steps", "minutes", "snapshot_minutes"):
        value = getattr(args, name)
        command += [f"--{name}", f"{value:.15g}"] if value is not None else []
    command += ["--strategy", args.strategy] if args.strategy != "auto" else []
    command += [word for m in config.allowed_modules() for word in ("--allow_module", m)]
    command += ["--early_stop"] if args.early_stop else []
    command += ["--no_report"] if args.no_report else []
    return shlex.join(map(str, command))
