"""Train on the bundled flute notes for a few minutes and make a page to see and hear the result.

The page opens from disk, without a network.
"""

import pathlib
import sys
import webbrowser

from noisygan import progress
from noisygan.cli import arguments

SUMMARY = "train on the bundled notes and make a page of the result"
EXAMPLE = "noisygan demo --minutes 5 --open"

CONFIG = "runs/demo.gin"


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument(
        "--minutes",
        type=arguments.positive,
        metavar="M",
        help="train for so long (default: 5)",
    )
    parser.add_argument(
        "--steps",
        type=arguments.whole_number(1),
        metavar="N",
        help="train so many steps instead",
    )
    parser.add_argument(
        "--run_dir",
        default="runs/demo",
        metavar="DIR",
        help="folder of the run (default: runs/demo)",
    )
    parser.add_argument(
        "--open", action="store_true", help="open the page in the browser when it is made"
    )


def run(args):
    """Train, unless that is done, and write the page."""
    import noisygan
    from noisygan.demo import held_out_folder
    from noisygan.reports import run_report

    run_dir = pathlib.Path(args.run_dir)
    arguments.import_tensorflow()
    if (run_dir / "index.html").is_file():
        print(f"{run_dir} is trained already; only its page is written again.")
        print(f"To train again, remove the folder {run_dir} or choose another --run_dir.")
    else:
        _train(args, run_dir)
    print("Writing the page ...", flush=True)
    page = run_report.write(noisygan.load(run_dir), data=held_out_folder())
    print(_next_steps(run_dir, page))
    if args.open:
        webbrowser.open(page.resolve().as_uri())
    return 0


def _train(args, run_dir):
    from noisygan.demo import notes_folder
    from noisygan.training import run_files
    from noisygan.training.train import train

    resume = run_files.is_run(run_dir)
    if resume:
        print(f"Continuing the unfinished run in {run_dir}.", flush=True)
    minutes = args.minutes or (None if args.steps else 5.0)
    config = None if resume else CONFIG
    with progress.TrainingProgress() as shown:
        train(config, notes_folder(), run_dir, minutes, args.steps, resume=resume, progress=shown)


def _next_steps(run_dir, page):
    # As it was called: `make demo` calls .venv/bin/noisygan, which need not be on the path.
    called = pathlib.PurePath(sys.argv[0])
    noisygan = called if called.name == "noisygan" and not called.is_absolute() else "noisygan"
    return f"""
See and hear the result: {page.resolve().as_uri()}

What to try next:
  {noisygan} render --run_dir {run_dir} --out_dir notes --pitch 60,64,67 --count 4
  {noisygan} render --run_dir {run_dir} --out_dir notes_48k --seconds 8 --sample_rate 48000
  {noisygan} train --gin_file runs/notes.gin --data YOUR_NOTES --run_dir runs/mine --minutes 10
  {noisygan} configs"""
