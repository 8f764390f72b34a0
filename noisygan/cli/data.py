"""Show the pitches, velocities, takes and note-offs read from a folder.

Of a folder that `noisygan prepare` wrote, counts, levels and steps follow. --html writes a page
about it with plots and a player for an example of each class; it opens from disk, without a
network. --verify reads every file and reports what is damaged or missing.
"""

import pathlib

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import RunError, UsageError

SUMMARY = "show how recordings are understood, check prepared ones"
EXAMPLE = """\
noisygan data my_notes
noisygan data prepared/flute --html flute.html
noisygan data prepared/flute --verify"""

# Of runs/notes.gin, in Hz and dB.
_SAMPLE_RATE, _TRIM_DB = 44100, -40.0


def add_arguments(parser):
    """Add the arguments of this command."""
    parser.add_argument(
        "folder", metavar="DIR", help="folder of recordings, as they are or prepared"
    )
    arguments.add_names(parser)
    parser.add_argument("--html", metavar="OUT.html", help="write a page as well")
    parser.add_argument(
        "--verify", action="store_true", help="read every file; exit code 1 if any is damaged"
    )


def run(args):
    """Print the tables, write the page, verify the files."""
    from noisygan.data.prepare import records, summary
    from noisygan.data.prepare.manifest import is_prepared, read_manifest

    if not (args.html or args.verify or is_prepared(args.folder)):
        listing = _dataset(args).listing
        listing.read_as = None  # Known to a run's config alone.
        print(listing.text())
        return 0
    if args.middle_c or args.detect_pitch:
        raise UsageError(
            "--middle_c and --detect_pitch are for recordings as they are; leave them out, or give "
            "them to `noisygan prepare`"
        )
    manifest = read_manifest(args.folder)
    if args.html is not None and pathlib.Path(args.html).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--html {args.html}: expected a name that ends in .html")
    try:
        print(f"{summary.listing(manifest, args.folder).text()}\n")
        print(summary.text(manifest, args.folder))
    except OSError as error:
        raise RunError(f"{args.folder}/files.jsonl cannot be read ({error.strerror})") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _not_as_prepared(args.folder, error) from error
    if args.html is not None:
        from noisygan.reports import dataset_report

        try:
            print(f"\npage: {dataset_report.write(args.folder, args.html)}")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise _not_as_prepared(args.folder, error) from error
    if args.verify:
        with progress.CountedProgress("verifying", None) as count:
            problems = list(records.verify(args.folder, count))
        print("\n" + "\n".join(problems or [_verified(manifest)]))
        if problems:
            raise RunError(
                f"--verify: {progress.counted(len(problems), 'problem')} in {args.folder}, listed "
                "above; prepare the recordings again with --overwrite, or copy the folder again"
            )
    return 0


def _not_as_prepared(folder, error):
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return RunError(
        f"{folder} is not as `noisygan prepare` writes it ({said}); prepare the recordings again"
    )


def _dataset(args):
    from noisygan.data import Recordings

    settings = {"middle_c": args.middle_c or "C4", "detect_pitch": args.detect_pitch}
    with progress.CountedProgress("reading", None) as count:
        return Recordings(_SAMPLE_RATE, trim_db=_TRIM_DB, **settings).read(args.folder, count)


def _verified(manifest):
    n_shards = sum(len(split["shards"]) for split in manifest["splits"].values())
    return f"verified: {manifest['counts']['records']:,} records in {n_shards:,} shards are whole"
