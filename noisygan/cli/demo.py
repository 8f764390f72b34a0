"""Train on the bundled flute notes for a few minutes and make a page to see and hear the result.

The page opens from disk, without a network.
"""

import pathlib
import sys
import webbrowser

from noisygan.cli import arguments, train
from noisygan.errors import UsageError

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
    from noisygan import config
    from noisygan.demo import notes_folder
    from noisygan.training.runs import RunFolder

    begun = RunFolder.open(run_dir) if _is_begun(run_dir) else None
    if begun:
        print(f"Going on with the unfinished run in {run_dir}.")
        config.parse([begun.config])
    else:
        config.parse([CONFIG])
    trainer, recordings = train.build()
    notes = train.read(recordings, notes_folder())
    if begun and begun.facts["data"]["fingerprint"] != notes.fingerprint:
        raise UsageError(
            f"--run_dir {run_dir} holds a run on other recordings than the bundled ones; choose "
            "another folder, or go on with it by `noisygan train --resume`"
        )
    print(f"Training on {notes.summary()}.", flush=True)
    minutes = args.minutes or (None if args.steps else 5.0)
    train.fit(trainer, notes, run_dir, notes_folder(), args.steps, minutes, 0, begun)


def _is_begun(run_dir):
    if run_dir.exists() and not run_dir.is_dir():
        raise UsageError(f"--run_dir {run_dir} is a file; expected a folder")
    if (run_dir / "run.json").is_file():
        return True
    if run_dir.is_dir() and any(run_dir.iterdir()):
        raise UsageError(f"--run_dir {run_dir} is not empty and holds no run; choose another")
    return False


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
