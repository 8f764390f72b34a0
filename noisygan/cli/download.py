"""Download a data set and unpack it: NSynth (78 GB, as TFRecords) or Speech Commands (2.4 GB).

Size and checksum are verified. The same command resumes a download that was stopped. Then
`noisygan prepare nsynth --data OUT ...` or `noisygan prepare speech --data OUT/... ...`.
"""

from noisygan import progress
from noisygan.errors import UsageError

SUMMARY = "download NSynth or Speech Commands"
EXAMPLE = "noisygan download nsynth --split test --out data/nsynth"


def add_arguments(parser):
    """Add the arguments of this command."""
    parser.add_argument("set", metavar="SET", help="nsynth or speech_commands")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder that is written")
    parser.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="NAME",
        help="of nsynth: train (74 GB), valid (3.3 GB) or test (1.1 GB); may be given several "
        "times (default: all)",
    )


def run(args):
    """Fetch and unpack what is not there yet."""
    # Not at the top: importing the data package takes NumPy and soundfile, which --help needs not.
    from noisygan.data import download

    if args.set not in download.SETS:
        raise UsageError(f"no data set {args.set}; expected {' or '.join(download.SETS)}")
    archives = download.SETS[args.set]
    for name in args.split:
        if name not in archives:
            raise UsageError(
                f"--split {name}: {args.set} has {', '.join(archives)}; expected one of them"
            )
    for name in args.split or archives:
        archive = archives[name]
        print(f"{archive.name}: {archive.n_bytes / 1e9:.1f} GB from {archive.url}", flush=True)
        try:
            with progress.CountedProgress("downloading", None, is_bytes=True) as count:
                folder, is_new = download.get(archive, args.out, count)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; the same command resumes where it stopped") from None
        print(f"{folder}: {'unpacked' if is_new else 'is there already'}", flush=True)
    return 0
