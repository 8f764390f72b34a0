"""Train on the bundled flute notes for a few minutes and make a page to see and hear the result.

The page opens from disk, without a network.
"""

import pathlib
import webbrowser

from noisygan.cli import arguments, train
from noisygan.errors import UsageError

SUMMARY = "train on the bundled notes and make a page of the result"
EXAMPLE = "noisygan demo --minutes 5 --open"

_CONFIG = "runs/demo.gin"


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
    """Trains (once), and makes the page."""
    from noisygan.demo import notes_folder

    run_dir = pathlib.Path(args.run_dir)
    done = run_dir / "demo-finished"
    page = run_dir / "index.html"
    arguments.import_tensorflow()
    from noisygan import config

    if done.is_file():
        print(f"{run_dir} is trained already; only the page is made again.")
        print(f"To train afresh, remove the folder {run_dir} or choose another --run_dir.")
    else:
        resume = _is_begun(run_dir)
        if resume:
            print(f"Going on with the unfinished run in {run_dir}.")
        config.parse([_CONFIG])
        trainer, recordings = train.build()
        notes = train.read(recordings, notes_folder())
        print(f"Training on {notes.summary()}.")
        minutes = args.minutes or (None if args.steps else 5.0)
        train.fit(trainer, notes, run_dir, args.steps, minutes, 0, resume)
        done.touch()
    from noisygan.demo.page import write_page

    print("Making the page ...", flush=True)
    page = write_page(run_dir, page)
    print(_next_steps(run_dir, page))
    if args.open:
        webbrowser.open(page.resolve().as_uri())
    return 0


def _is_begun(run_dir):
    if run_dir.exists() and not run_dir.is_dir():
        raise UsageError(f"--run_dir {run_dir} is a file; expected a folder")
    if (run_dir / "run.json").is_file():
        return True
    if run_dir.is_dir() and any(run_dir.iterdir()):
        raise UsageError(f"--run_dir {run_dir} is not empty and holds no run; choose another")
    return False


def _next_steps(run_dir, page):
    return f"""
See and hear the result: {page.resolve().as_uri()}

What to try next:
  noisygan render --run_dir {run_dir} --out_dir notes --pitch 60,64,67 --count 4
  noisygan render --run_dir {run_dir} --out_dir notes_48k --seconds 8 --sample_rate 48000
  noisygan train --gin_file runs/notes.gin --data YOUR_NOTES --run_dir runs/mine --minutes 10
  noisygan configs"""
