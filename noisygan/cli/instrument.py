"""Make an instrument for samplers from a trained run.

A run with a pitch condition becomes a keyboard instrument: samples of several pitches and
velocities, with round robins from different z, and loops for held notes. Any other run becomes a
drum kit on General MIDI's keys (kick 36, snare 38, toms 41 to 50, cymbals 49 and 51 ...). Formats:
`sfz` (sforzando, sfizz, LinuxSampler ...), `folder` (WAV files with their key and loop).
"""

import noisygan
from noisygan import progress
from noisygan.cli import arguments

SUMMARY = "make an instrument for samplers (SFZ, or a folder of WAV files)"
EXAMPLE = """\
noisygan instrument --run_dir runs/flute --out_dir flute --format sfz
noisygan instrument --run_dir runs/flute --out_dir flute --pitch 60,66,72 --velocity 50,127
noisygan instrument --run_dir runs/kit --out_dir kit --round_robins 4 --tag mic=close"""


def add_arguments(parser):
    """Add the arguments of this command."""
    formats, subtypes = ("sfz", "folder"), ("PCM_16", "PCM_24", "FLOAT")
    robins = arguments.whole_number(1, 16)
    add = parser.add_argument
    arguments.add_run_dir(parser)
    add("--out_dir", required=True, metavar="DIR", help="a new folder")
    add("--format", choices=formats, default="sfz", help="(default: sfz)")
    text = "sampled MIDI numbers or names (default: every third one of the recordings')"
    add("--pitch", type=_list_of(arguments.key), metavar="60,64,67", help=text)
    text = "sampled velocities (default: 42,84,127)"
    velocities = _list_of(arguments.whole_number(0, 127))
    add("--velocity", type=velocities, metavar="50,127", help=text)
    text = "samples of each pitch and velocity that take turns (default: 2)"
    add("--round_robins", type=robins, default=2, metavar="N", help=text)
    add("--label", metavar="NAME", help="which instrument, of a run with several and pitches")
    arguments.add_tags(parser, "NAME=V")
    arguments.add_seed(parser, "another seed gives another instrument")
    arguments.add_length_and_rate(parser, "length of the samples (default: that of the recordings)")
    text = "sample format of the WAV files (default: PCM_16)"
    add("--subtype", choices=subtypes, default="PCM_16", help=text)


def _list_of(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def run(args):
    """Make the instrument."""
    names = ("out_dir", "format", "pitch", "velocity", "round_robins", "label", "seed")
    names += ("seconds", "sample_rate", "subtype")
    settings = {name: getattr(args, name) for name in names}
    settings["tags"] = arguments.single_tags(args.tag)
    with progress.CountedProgress("rendering", None) as count:
        made = noisygan.load(args.run_dir).instrument(**settings, progress=count)
    zones = [sample.zone for sample in made.samples]
    counts = (
        progress.counted(len({zone.key for zone in zones}), "key"),
        progress.counted(len({zone.velocities for zone in zones}), "velocity layer"),
        progress.counted(made.n_turns, "round robin"),
    )
    print(
        f"{made.path}: {progress.counted(len(zones), 'sample')} ({', '.join(counts)}), and "
        "preview.wav"
    )
    n_loops = sum(sample.loop is not None for sample in made.samples)
    if not made.is_kit and n_loops < len(zones):
        print(f"{progress.counted(len(zones) - n_loops, 'sample')} without a loop: decay or noise")
    return 0
