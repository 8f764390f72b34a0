"""Find the latent, or the controls, that make a synthesizer sound like a recording.

With --run_dir: the z (and the pitch, velocity, length and level) of a trained run. With --free: the
curves themselves, of any sound of one voice; with both: the curves, beginning at those of the z.

For target.wav it writes target.wav (the resynthesis), target.npz (its controls; see `noisygan
synth --help`), target-z.npz (with a run) and target.html (both sounds, spectrograms, curves).
"""

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError
from noisygan.files import atomic_write
from noisygan.matching import N_STEPS

SUMMARY = "find the z, or the curves, that make a given sound"
EXAMPLE = """\
noisygan match target.wav --free --out_dir matched
noisygan match target.wav --run_dir runs/flute --out_dir matched
noisygan match target.wav --run_dir runs/flute --free --pitch 67 --out_dir matched"""


def add_arguments(parser):
    """Add the arguments of this command."""
    steps = arguments.whole_number(1)
    add = parser.add_argument
    add("target", metavar="TARGET", help="audio file of at most 30 seconds")
    add("--run_dir", metavar="DIR", help="folder of a trained run")
    add("--free", action="store_true", help="fit the controls themselves; needs no run")
    add("--out_dir", required=True, metavar="DIR", help="where the files go")
    add(
        "--pitch",
        type=arguments.key,
        metavar="P",
        help="MIDI number or name of the target (default: by pYIN)",
    )
    add("--label", metavar="NAME", help="a label of the run (default: the nearest)")
    arguments.add_tags(parser, "NAME=V", absent="fitted")
    steps_help = f"steps of the descent; half of them for z (default: {2 * N_STEPS})"
    add("--steps", type=steps, default=2 * N_STEPS, metavar="N", help=steps_help)
    room_help = "with --free alone: reverberation time (T60) of the target, whose reverb is fitted"
    add("--room", type=_room_seconds, default=0.0, metavar="S", help=f"{room_help} (default: none)")
    stems_help = "write the parts, harmonic.wav, noise.wav, reverb.wav ..., into a folder"
    add("--stems", action="store_true", help=stems_help)
    arguments.add_seed(parser, "of the noise")


def _room_seconds(text):
    parse = arguments.number_type(float, 0.1, 5.0, "a number from 0.1 to 5")
    return 0.0 if text == "0" else parse(text)


def run(args):
    """Match the target and write the files."""
    if not (args.run_dir or args.free):
        raise UsageError(
            "nothing to match with; expected --run_dir DIR (finds z), --free (finds the curves "
            "without a run), or both"
        )
    if (args.label or args.tag) and not args.run_dir:
        name = "label" if args.label else "tag"
        raise UsageError(f"--{name} names a {name} of a run; add --run_dir or leave it out")
    tags = arguments.single_tags(args.tag)
    if args.room and args.run_dir:
        raise UsageError("--room: a run's sounds have the reverb that it learnt; leave out --room")
    trained = noisygan.load(args.run_dir) if args.run_dir else None
    from noisygan.matching.target import output_paths, read_target

    page_path = output_paths(args.target, args.out_dir, args.stems)["page"]
    target = read_target(args.target)
    if trained:
        trained.check_playable(args.pitch, args.label, tags=tags)
    arguments.import_tensorflow()
    from noisygan.matching.analysis import pitch_name
    from noisygan.matching.matching import match_free
    from noisygan.reports import match_report

    if trained and args.stems and not trained.generator.has_controls:
        raise UsageError("--stems: this run's generator has no stems, it writes samples directly")
    n_steps = max(1, args.steps // 2) if trained else args.steps
    with progress.CountedProgress("matching", n_steps * (1 + bool(trained and args.free))) as count:
        settings = {"pitch": args.pitch, "seed": args.seed, "n_steps": n_steps, "progress": count}
        if trained:
            match = trained.match(target, label=args.label, free=args.free, tags=tags, **settings)
        else:
            match = match_free(target, room_seconds=args.room, **settings)
    written = match.save(args.out_dir, args.stems)
    with atomic_write(page_path) as part:
        part.write_text(match_report.page(match), encoding="utf-8")
    if match.pitch is not None:
        print(f"{args.target}: pitch {pitch_name(match.pitch)}")
    for remark in match.remarks:
        print(f"{args.target}: {remark}")
    print(", ".join(str(path) for path in [*written, page_path]))
    print(
        f"log-spectral distance {match.distance_db:.1f} dB after {len(match.losses)} steps, "
        f"{match.start_db:.1f} dB at the start"
    )
    if match.lowered_db:
        print(f"turned down by {match.lowered_db:.1f} dB to full scale")
    return 0
