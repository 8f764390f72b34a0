"""Play a MIDI file on trained runs, into one WAV file.

Every note is rendered at its own pitch, velocity and length, with pitch bend, tuning, pedals,
volume and expression. The run of --run_dir plays all channels but 10; --program and --channel give
some to others. Channel 10 is General MIDI's drums, which --drums plays: a run of classes such as
kick, snare, tom, cymbal.
"""

import argparse
import functools
import pathlib
import re

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "play a MIDI file on trained runs"
EXAMPLE = """\
noisygan play --run_dir runs/flute --midi song.mid --out song.wav
noisygan play --run_dir runs/flute --drums runs/kit --midi song.mid --out song.wav
noisygan play --run_dir runs/flute --program 57-64=runs/brass --midi song.mid --out song.wav
noisygan play --run_dir runs/flute --channel 2=runs/flute:7 --midi song.mid --out song.wav"""

_ASSIGNMENT = re.compile(r"(\d+)(?:-(\d+))?=(.+?)(?::(\d+))?")


def add_arguments(parser):
    """Add the arguments of this command."""
    parser.add_argument("--midi", required=True, metavar="FILE.mid", help="the song")
    parser.add_argument("--out", required=True, metavar="FILE.wav", help="the WAV file to write")
    parser.add_argument("--run_dir", metavar="DIR", help="run that plays what no other one does")
    parser.add_argument("--drums", metavar="DIR", help="run that plays channel 10")
    for name, most in (("channel", 16), ("program", 128)):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            type=_assignment(most),
            metavar="N=DIR[:Z]",
            help=f"run that plays {name} N (1 to {most}, or a range such as 1-8), and the number "
            "of the z that all its notes share; may be given several times",
        )
    arguments.add_tags(parser, "NAME=V", ", for all runs that have it")
    arguments.add_seed(parser, "another seed gives other notes")
    parser.add_argument(
        "--sample_rate",
        type=arguments.whole_number(1),
        metavar="R",
        help="Hz (default: the highest one of the runs' recordings)",
    )


def _assignment(most):
    def parse(text):
        match = _ASSIGNMENT.fullmatch(text)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r}, expected a number of 1 to {most} and a run, such as 2=runs/flute"
            )
        return range(first, last + 1), match[3], int(match[4]) if match[4] else None

    return parse


def run(args):
    """Play the song."""
    from noisygan.audio_io import audio_files
    from noisygan.rendering.song import play_midi

    audio_files.check_sample_rate(args.sample_rate)
    out = pathlib.Path(args.out)
    if out.suffix != ".wav":
        raise UsageError(f"--out {out}: expected a name that ends in .wav")
    if out.exists():
        raise UsageError(f"{out} exists already; choose another name or remove it")
    if not (args.run_dir or args.drums or args.channel or args.program):
        raise UsageError("no run to play on; expected --run_dir, --drums, --program or --channel")
    load = functools.cache(noisygan.load)
    runs = [folder and load(folder) for folder in (args.run_dir, args.drums)]
    channels, programs = (
        {number: (load(folder), z) for numbers, folder, z in given[::-1] for number in numbers}
        for given in (args.channel, args.program)
    )
    with progress.CountedProgress("playing", None) as count:
        settings = {"progress": count, "tags": arguments.single_tags(args.tag)}
        notes = play_midi(
            args.midi, *runs, channels, programs, args.sample_rate, args.seed, **settings
        )
    notes.names = [out.stem]
    notes.save(out.parent)
    seconds = notes.audio.shape[1] / notes.sample_rate
    print(f"{out}: {seconds:.1f} s at {notes.sample_rate} Hz")
    for remark in notes.remarks:
        print(remark)
    for lowered in notes.lowered_db.values():
        print(f"brought down by {lowered:.1f} dB, so that nothing is cut")
    return 0
