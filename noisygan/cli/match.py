"""Find what a synthesizer, or a trained run, would have to play to sound like a recording.

With --run_dir: the z (and the pitch, velocity, length and level) that come nearest. With --free:
the curves themselves, of any one-voiced sound; with both: the curves, from those of the z on.

Of target.wav it writes target.wav (the resynthesis), target.npz (its controls; see `noisygan synth
--help`), target-z.npz (where there is a run) and target.html (both, to hear and see).
"""

import argparse
import pathlib

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "find the z, or the curves, that make a given sound"
EXAMPLE = """\
noisygan match target.wav --free --out_dir matched
noisygan match target.wav --run_dir runs/flute --out_dir matched
noisygan match target.wav --run_dir runs/flute --free --pitch 67 --out_dir matched"""

STEPS = 300
SHORTEST_ROOM, LONGEST_ROOM = 0.1, 5.0


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("target", metavar="TARGET", help="audio file of at most 30 seconds")
    parser.add_argument("--run_dir", metavar="DIR", help="folder of a trained run")
    parser.add_argument(
        "--free", action="store_true", help="seek the controls themselves; needs no run"
    )
    parser.add_argument("--out_dir", required=True, metavar="DIR", help="where the files go")
    parser.add_argument(
        "--pitch",
        type=arguments.whole_number(0, 127),
        metavar="P",
        help="MIDI number of the target (default: found by pYIN)",
    )
    parser.add_argument(
        "--label",
        metavar="NAME",
        help="which of the labels that the run knows; where absent, whichever comes nearest",
    )
    parser.add_argument(
        "--steps",
        type=arguments.whole_number(1),
        default=STEPS,
        metavar="N",
        help=f"steps of the descent; half of them for z (default: {STEPS})",
    )
    parser.add_argument(
        "--room",
        type=_room_seconds,
        metavar="S",
        help="with --free alone: how long the target's room takes to fall by 60 dB; 0: it stays in "
        "the curves (default: taken apart where the end of the sound tells of one)",
    )
    parser.add_argument(
        "--stems",
        action="store_true",
        help="write the parts, harmonic.wav, noise.wav, reverb.wav ..., into a folder of its name",
    )
    arguments.add_seed(parser, "of the noise")


def _room_seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value != 0.0 and not SHORTEST_ROOM <= value <= LONGEST_ROOM:
        raise argparse.ArgumentTypeError(
            f"{text!r}, expected 0 or {SHORTEST_ROOM:g} to {LONGEST_ROOM:g} seconds"
        )
    return value


def run(args):
    """Matches the target and writes the files."""
    if not (args.run_dir or args.free):
        raise UsageError(
            "nothing to match with; expected --run_dir DIR (finds z), --free (finds the curves "
            "without a run), or both"
        )
    if args.label and not args.run_dir:
        raise UsageError("--label names a label of a run; add --run_dir or leave it out")
    if args.room is not None and args.run_dir:
        raise UsageError("--room: a run's sounds have the room that it learnt; leave out --room")
    target_file = pathlib.Path(args.target)
    if not target_file.is_file():
        what = "is a folder" if target_file.is_dir() else "is missing"
        raise UsageError(f"{args.target} {what}; expected a WAV, FLAC, OGG or MP3 file")
    run_dir = arguments.run_folder(args.run_dir, "--run_dir") if args.run_dir else None
    from noisygan.matching import files
    from noisygan.matching.target import read_target

    paths = files.output_paths(args.target, args.out_dir, args.stems)
    target = read_target(args.target)
    if run_dir is not None:
        arguments.check_asked(run_dir, [args.pitch], [args.label])
    arguments.import_tensorflow()
    from noisygan.matching import matching
    from noisygan.matching.analysis import pitch_told

    settings = {"pitch": args.pitch, "seed": args.seed}
    label_names = ()
    n_steps = args.steps if run_dir is None else max(1, args.steps // 2)
    total = 2 * n_steps if run_dir is not None and args.free else n_steps
    with progress.CountedProgress("matching", total) as count:
        if run_dir is None:
            match = matching.match_free(
                target, n_steps=n_steps, progress=count, room_seconds=args.room, **settings
            )
        else:
            generator = noisygan.load(run_dir).generator
            label_names = generator.label_names
            if args.stems and not hasattr(generator, "get_controls"):
                raise UsageError(
                    "--stems: this run's generator has no stems, it writes samples directly"
                )
            match = matching.match_run(
                target, generator, label=args.label, also_free=args.free, n_steps=n_steps,
                progress=count, **settings
            )  # fmt: skip
    written, lowered = files.write(match, paths, label_names)
    if match.pitch is not None:
        print(f"{args.target}: pitch {pitch_told(match.pitch)}")
    for remark in match.remarks:
        print(f"{args.target}: {remark}")
    print(", ".join(str(path) for path in written))
    print(
        f"log-spectral distance {match.distance_db:.1f} dB after {len(match.losses)} steps, "
        f"{match.start_db:.1f} dB at the start"
    )
    if lowered:
        print(f"turned down by {lowered:.1f} dB, so that nothing is cut")
    return 0
