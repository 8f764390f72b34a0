"""Go from one sound of a run to another through the latents between them.

Writes a WAV file for each step (step-00.wav and on), their spectrograms side by side
(interpolation.png) and, for hybrid runs of held notes, one sound that changes from the first to the
last while it lasts (morph.wav). Sounds are counted as `render --count` does: the sound of number 0
is the one that `render` names 000 at that pitch.
"""

import pathlib

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError
from noisygan.files import check_folder

SUMMARY = "go from one sound of a run to another through the latents between"
EXAMPLE = """\
noisygan interpolate --run_dir runs/flute --out_dir between --first 0 --last 5 --steps 8 --pitch 67
noisygan interpolate --run_dir runs/kit --out_dir kicks --label kick --steps 16 --path linear"""


def add_arguments(parser):
    """Add the arguments of this command."""
    arguments.add_run_dir(parser)
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
        help="how latents are interpolated (default: spherical, along the arc)",
    )
    text = "MIDI number or name"
    parser.add_argument("--pitch", type=arguments.pitch, metavar="P", help=text)
    parser.add_argument(
        "--velocity", type=arguments.whole_number(0, 127), metavar="V", help="(default: 100)"
    )
    parser.add_argument("--label", metavar="NAME", help="which of the labels that the run knows")
    arguments.add_tags(parser, "NAME=V")
    arguments.add_seed(parser, "another seed gives other sounds")
    arguments.add_length_and_rate(parser, "length of each sound")


def run(args):
    """Render the sounds between two."""
    check_folder(args.out_dir)
    run = noisygan.load(args.run_dir)
    names = "first last steps path pitch velocity label seconds sample_rate seed"
    settings = {name: getattr(args, name) for name in names.split()}
    settings["tags"] = arguments.single_tags(args.tag)
    out_dir = pathlib.Path(args.out_dir)
    if (out_dir / "morph.wav").exists():
        raise UsageError(f"{out_dir / 'morph.wav'} exists already; choose another --out_dir")
    with progress.CountedProgress("rendering", args.steps) as count:
        run.interpolate(**settings).save(out_dir, progress=count, picture="interpolation.png")
    try:
        run.interpolate(morph=True, **settings).save(out_dir)
    except UsageError as error:
        print(f"{args.steps} steps and interpolation.png in {out_dir}; no morph.wav: {error}")
        return 0
    print(f"{args.steps} steps, interpolation.png and morph.wav in {out_dir}")
    return 0
