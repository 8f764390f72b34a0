"""Render notes of a trained run into WAV files.

Files are named <run>-<pitch>-<velocity>-<index>.wav (the label in place of the run's name where
the recordings have one), without a pitch condition <run>-v<velocity>-<index>.wav or
<run>-<index>.wav; tags that were given follow the name. No file is ever overwritten. Notes of one
index, at different pitches, belong together: they share one z. A note too loud for its file is
turned down.
"""

import argparse
import math
import sys

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.files import check_folder

SUMMARY = "render notes of a trained run into WAV files"
EXAMPLE = """\
noisygan render --run_dir runs/flute --out_dir notes --pitch 60,64,67 --count 4
noisygan render --run_dir runs/flute --out_dir long --pitch 72 --seconds 8 --sample_rate 48000
noisygan render --run_dir runs/guitar --out_dir damped --pitch 52 --held_seconds 0.5
noisygan render --run_dir runs/kit --out_dir kicks --label kick --count 8
noisygan render --run_dir runs/kit --out_dir soft --tag mic=close --tag brightness=0.2,0.8
noisygan render --run_dir runs/flute --out_dir again --like my_notes --controls
noisygan render --run_dir runs/flute --out_dir mine --z matched/target-z.npz --pitch 60,64,67"""


def add_arguments(parser):
    """Add the arguments of this command."""
    add = parser.add_argument
    arguments.add_run_dir(parser)
    add("--out_dir", required=True, metavar="DIR", help="where the files go")
    count_help = "notes at each pitch, each with a z of its own (default: 1)"
    add("--count", type=arguments.whole_number(1), default=1, metavar="N", help=count_help)
    pitch_help = "MIDI numbers, such as 60.5 too, or names such as C4; where absent, drawn from "
    pitch_help += "those of the recordings"
    add("--pitch", type=arguments.pitch_list, metavar="60,64,67", help=pitch_help)
    glide_help = "semitones from the pitch at seconds, linear between, such as 0:-2,0.3:0,2:0,3:7"
    add("--glide", type=_glide, metavar="S:N,...", help=glide_help)
    velocity = arguments.whole_number(0, 127)
    add("--velocity", type=velocity, metavar="V", help="MIDI velocity (default: 100)")
    add("--label", metavar="NAME,NAME", help="labels of the run; where absent, each in turn")
    arguments.add_tags(parser, "NAME=V,V", ", several with commas between")
    arguments.add_seed(parser, "another seed gives other notes")
    arguments.add_length_and_rate(
        parser, "length; the note is held longer or shorter, its release stays as it is"
    )
    held_help = "time of the note-off, inf for never; where absent, the release ends with the "
    held_help += "sound, and notes ring out if the recordings do"
    add("--held_seconds", type=float, metavar="S", help=held_help)
    variation_help = "factor on drawn latents (default: 1, as trained): with 3, notes of one pitch "
    variation_help += "differ about as neighbouring recordings do; with 0 they are alike"
    add("--variation", type=float, default=1.0, metavar="X", help=variation_help)
    like_help = "one note for each recording in a folder, at its pitch, velocity, label and "
    like_help += "note-off"
    add("--like", metavar="DATA_DIR", help=like_help)
    z_help = "saved latents: -z.npz of `noisygan match`, with the pitch, velocity, label, length, "
    z_help += "level and noise in it where none is given; or an array in a .npy file"
    add("--z", metavar="FILE", help=z_help)
    controls_help = "write the curves of each note beside it (.npz; see `noisygan synth --help`)"
    add("--controls", action="store_true", help=controls_help)
    stems_help = "write the parts of each note, harmonic.wav, noise.wav ..., into a folder"
    add("--stems", action="store_true", help=stems_help)
    subtype_help = "sample format of the WAV files (default: PCM_16)"
    subtypes = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    add("--subtype", choices=subtypes, default="PCM_16", help=subtype_help)


def _glide(text):
    points = []
    for part in text.split(","):
        try:
            seconds, semitones = map(float, part.split(":"))
        except ValueError:
            seconds = semitones = math.nan
        later = not points or seconds > points[-1][0]
        if not (0.0 <= seconds <= 3600.0 and -127.0 <= semitones <= 127.0 and later):
            raise argparse.ArgumentTypeError(
                f"{part.strip() or text!r}, expected SECONDS:SEMITONES with commas between, the "
                "seconds rising from 0 to 3600, semitones -127 to 127, such as 0:-2,0.3:0,2:0,3:7"
            )
        points.append((seconds, semitones))
    return tuple(points)


def run(args):
    """Render the notes."""
    from noisygan.data.selection import split_known

    check_folder(args.out_dir)
    names = "pitch velocity count seconds sample_rate seed glide like z held_seconds variation"
    settings = {name: getattr(args, name) for name in names.split()}
    run = noisygan.load(args.run_dir)
    label = split_known(args.label, run.label_names) if args.label else None
    tags = {}
    for name, text in args.tag or ():
        tags.setdefault(name, []).extend(split_known(text, run.tag_values.get(name, ())))
    notes = run.render(label=label, tags=tags or None, **settings)
    for remark in notes.remarks:
        print(f"note: {remark}", file=sys.stderr)
    with progress.CountedProgress("rendering", len(notes)) as count:
        paths = notes.save(args.out_dir, args.controls, args.stems, args.subtype, count)
    made = f"{len(paths)} notes" if len(paths) > 1 else paths[0].name
    beside = [word for word in ("controls", "stems") if getattr(args, word)]
    print(f"{made} in {args.out_dir}" + (f", with {' and '.join(beside)}" if beside else ""))
    lowered = notes.lowered_db
    if lowered:
        loudest = max(lowered, key=lowered.get)
        print(
            f"turned down so that nothing is cut: {progress.counted(len(lowered), 'file')}, "
            f"{loudest} by {lowered[loudest]:.1f} dB; --subtype FLOAT keeps their levels"
        )
    return 0
