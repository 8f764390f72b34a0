"""Train on the bundled flute notes for a few minutes and write a page to see and hear the result.

The page opens from disk, without a network.
"""

import pathlib
import sys
import webbrowser

import noisygan
from noisygan.cli import arguments

SUMMARY = "train on the bundled notes and write a page of the result"
EXAMPLE = "noisygan demo --minutes 5 --open"

CONFIG = "runs/demo.gin"
MINUTES = 5.0


def add_arguments(parser):
    """Add the arguments of this command."""
    add = parser.add_argument
    minutes, steps = arguments.positive, arguments.whole_number(1)
    add("--minutes", type=minutes, metavar="M", help="train for so long (default: 5)")
    add("--steps", type=steps, metavar="N", help="train so many steps instead")
    run_dir_help = "folder of the run (default: runs/demo)"
    add("--run_dir", default="runs/demo", metavar="DIR", help=run_dir_help)
    add("--open", action="store_true", help="open the page in the browser")


def run(args):
    """Train, unless that is done, and write the page."""
    from noisygan.demo import held_out_folder, notes_folder

    run_dir = pathlib.Path(args.run_dir)
    if (run_dir / "index.html").is_file():
        print(f"{run_dir} is trained already; only its page is written again.")
        print(f"To train again, remove the folder {run_dir} or choose another --run_dir.")
        run = noisygan.load(run_dir)
    else:
        resume = (run_dir / "run.json").is_file()
        if resume:
            print(f"Resuming the run in {run_dir}.")
        config = None if resume else CONFIG
        minutes = args.minutes or (None if args.steps else MINUTES)
        run = noisygan.train(config, notes_folder(), run_dir, minutes, args.steps, resume=resume)
    print("Writing the page ...", flush=True)
    page = run.report(data=held_out_folder())
    print(_next_steps(run_dir, page))
    if args.open:
        webbrowser.open(page.resolve().as_uri())
    return 0


def _next_steps(run_dir, page):
    # As it was called: `make demo` calls .venv/bin/noisygan, which need not be on the path.
    called = pathlib.PurePath(sys.argv[0])
    command = called if called.name == "noisygan" and not called.is_absolute() else "noisygan"
    return f"""
See and hear the result: {page.resolve().as_uri()}

What to try next:
  {command} render --run_dir {run_dir} --out_dir notes --pitch 60,64,67 --count 4
  {command} render --run_dir {run_dir} --out_dir notes_48k --seconds 8 --sample_rate 48000
  {command} train --gin_file runs/notes.gin --data YOUR_NOTES --run_dir runs/mine --minutes 10
  {command} configs"""
