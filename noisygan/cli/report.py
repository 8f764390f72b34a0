"""Write a page about a trained run: real and generated sounds, control curves, losses, progress.

With --data, generated examples are shown with recordings of the same pitch, velocity and label. The
page is one file that opens from disk, without a network.
"""

import pathlib
import webbrowser

import noisygan
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "write a page about a trained run"
EXAMPLE = "noisygan report --run_dir runs/flute --data my_notes --open"


def add_arguments(parser):
    """Add the arguments of this command."""
    add = parser.add_argument
    arguments.add_run_dir(parser)
    add("--data", metavar="DIR", help="folder of recordings to compare with")
    add("--out", metavar="PAGE.html", help="where the page goes (default: RUN_DIR/index.html)")
    add("--open", action="store_true", help="open the page in the browser")


def run(args):
    """Write the page."""
    if args.out is not None and pathlib.Path(args.out).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {args.out}: expected a name that ends in .html")
    page = noisygan.load(args.run_dir).report(args.out, args.data)
    print(page.resolve().as_uri())
    if args.open:
        webbrowser.open(page.resolve().as_uri())
    return 0
