"""Show what a folder holds that `noisygan prepare` wrote: counts, levels, what was skipped and why.

--html writes a page with plots and a player for a sound of each class; it opens from disk, without
a network. --verify reads every record and finds what is damaged or missing.
"""

import pathlib

from noisygan import progress
from noisygan.errors import RunError, UsageError

SUMMARY = "show or check prepared recordings"
EXAMPLE = "noisygan data prepared/flute --html flute.html\nnoisygan data prepared/flute --verify"


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("folder", metavar="DIR", help="a folder that `noisygan prepare` wrote")
    parser.add_argument("--html", metavar="OUT.html", help="write a page as well")
    parser.add_argument(
        "--verify", action="store_true", help="read every record; exit code 1 if any is damaged"
    )


def run(args):
    """Prints the tables, writes the page, checks the records."""
    from noisygan.data.prepare import load, tables

    manifest = load.read_manifest(args.folder)
    if args.html is not None and pathlib.Path(args.html).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--html {args.html}: expected a name that ends in .html")
    try:
        print(tables.text(manifest, args.folder))
        if args.html is not None:
            from noisygan.reports import dataset_report

            print(f"\npage: {dataset_report.write(args.folder, args.html)}")
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise RunError(
            f"{args.folder}/manifest.json is not as `noisygan prepare` writes it ({said}); prepare "
            "the recordings again"
        ) from error
    if args.verify:
        _verify(args.folder, manifest)
    return 0


def _verify(folder, manifest):
    from noisygan.data.prepare import verify

    n_problems = 0
    with progress.CountedProgress("verifying", None) as count:
        for problem in verify.problems(folder, count):
            n_problems += 1
            print(problem if n_problems > 1 else f"\n{problem}")
    if n_problems:
        what = "1 problem" if n_problems == 1 else f"{n_problems} problems"
        raise RunError(
            f"--verify: {what} in {folder}, listed above; prepare the recordings again with "
            "--overwrite, or copy the folder again"
        )
    n_shards = sum(len(split["shards"]) for split in manifest["splits"].values())
    print(f"\nverified: {manifest['counts']['records']:,} records in {n_shards:,} shards are whole")
