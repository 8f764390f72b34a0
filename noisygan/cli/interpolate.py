"""Go from one sound of a run to another through the codes between them.

Writes a WAV file for each step, step-00.wav and on, and morph.wav: one sound that changes from the
first to the last while it lasts (for hybrid runs of held notes). Sounds are counted as `render
--count` does: the sound of number 0 is the one that `render` names 000 at that pitch.
"""

import pathlib

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "go from one sound of a run to another through the codes between"
EXAMPLE = """\
noisygan interpolate --run_dir runs/flute --out_dir between --first 0 --last 5 --steps 8 --pitch 67
noisygan interpolate --run_dir runs/kit --out_dir kicks --label kick --steps 16 --path linear"""


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("--run_dir", required=True, metavar="DIR", help="folder of a trained run")
    parser.add_argument("--out_dir", required=True, metavar="DIR", help="where the files go")
    number = arguments.whole_number(0, 2**31 - 1)
    parser.add_argument("--first", type=number, default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--last", type=number, default=1, metavar="N", help="(default: 1)")
    parser.add_argument(
        "--steps",
        type=arguments.whole_number(2, 1000),
        default=8,
        metavar="N",
        help="sounds, both ends among them (default: 8)",
    )
    parser.add_argument(
        "--path",
        choices=("spherical", "linear"),
        default="spherical",
        help="how codes are drawn between the two (default: spherical, along the arc)",
    )
    parser.add_argument("--pitch", type=arguments.pitch_list, metavar="P", help="MIDI number")
    parser.add_argument(
        "--velocity", type=arguments.whole_number(0, 127), metavar="V", help="(default: 100)"
    )
    parser.add_argument("--label", metavar="NAME", help="which of the labels that the run knows")
    arguments.add_seed(parser, "another seed gives other sounds")
    parser.add_argument(
        "--seconds", type=arguments.positive, metavar="S", help="length of each sound"
    )
    parser.add_argument(
        "--sample_rate",
        type=arguments.whole_number(1),
        metavar="R",
        help="Hz (default: that of the recordings)",
    )


def run(args):
    """Renders the sounds between two."""
    from noisygan.audio_io import audio_files
    from noisygan.files import check_folder, make_folder
    from noisygan.rendering import note_files, notes

    audio_files.check_sample_rate(args.sample_rate)
    audio_files.check_seconds(args.seconds)
    if args.pitch and len(args.pitch) > 1:
        raise UsageError(f"--pitch: got {len(args.pitch)} pitches, expected one")
    if args.label and "," in args.label:
        raise UsageError(f"--label {args.label}: expected one name")
    run_dir = arguments.run_folder(args.run_dir, "--run_dir")
    check_folder(args.out_dir)
    arguments.check_asked(
        run_dir, args.pitch or (), [args.label] if args.label else (), args.sample_rate
    )
    out_dir = pathlib.Path(args.out_dir)
    paths = [out_dir / f"step-{i:02d}.wav" for i in range(args.steps)]
    for path in (*paths, out_dir / "morph.wav"):
        if path.exists():
            raise UsageError(
                f"{path} exists already; nothing was rendered; choose another --out_dir"
            )
    arguments.import_tensorflow()
    from noisygan.rendering import interpolation

    generator, instrument = notes.load(run_dir, args.seconds, args.sample_rate)
    labels = [args.label] if args.label else None
    request = notes.plain_requests(instrument, 1, args.pitch, args.velocity, labels, args.seed)[0]
    sample_rate = args.sample_rate or generator.sample_rate
    if "pitch" in instrument.condition_names:
        notes.check_pitches([request.pitch], sample_rate)
    ends = [
        generator.prior(1, seed=notes.note_seeds(args.seed, number)[0])[0].numpy()
        for number in (args.first, args.last)
    ]
    codes = interpolation.PATHS[args.path](*ends, args.steps)
    same = (generator, codes, request, args.seconds, sample_rate, args.seed)
    make_folder(out_dir)
    with progress.CountedProgress("rendering", args.steps) as count:
        for i, blocks in enumerate(interpolation.steps_in_blocks(*same)):
            note_files.write_blocks(paths[i], blocks, sample_rate)
            count(i + 1)
    try:
        blocks = interpolation.morph_in_blocks(*same)
        note_files.write_blocks(out_dir / "morph.wav", blocks, sample_rate)
    except UsageError as error:
        print(f"{args.steps} steps in {out_dir}; no morph.wav: {error}")
        return 0
    print(f"{args.steps} steps and morph.wav in {out_dir}")
    return 0
