"""Make an instrument for samplers from a trained run.

A run that is told pitches becomes a keyboard instrument: samples of several pitches and velocities,
with round robins from different z, and loops for notes that are held. Any other run becomes a drum
kit on General MIDI's keys (kick 36, snare 38, toms 41 to 50, cymbals 49 and 51 ...). Formats: `sfz`
(sforzando, sfizz, LinuxSampler ...), `decent` (Decent Sampler), `folder` (WAV files that say their
key and loop themselves).
"""

import noisygan
from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "make an instrument for samplers (SFZ, Decent Sampler, a folder)"
EXAMPLE = """\
noisygan instrument --run_dir runs/flute --out_dir flute --format sfz
noisygan instrument --run_dir runs/flute --out_dir flute --pitch 60,66,72 --velocity 50,127
noisygan instrument --run_dir runs/kit --out_dir kit --format decent --round_robins 4"""

# A sample of a pitched note needs no more; a bound on what is held in memory.
_MAX_SECONDS = 30.0
_VELOCITIES = (42, 84, 127)


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("--run_dir", required=True, metavar="DIR", help="folder of a trained run")
    parser.add_argument("--out_dir", required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--format", choices=("sfz", "folder", "decent"), default="sfz", help="(default: sfz)"
    )
    parser.add_argument(
        "--pitch",
        type=arguments.midi_list,
        metavar="60,64,67",
        help="MIDI numbers that are sampled (default: every third one of the recordings')",
    )
    parser.add_argument(
        "--velocity",
        type=arguments.midi_list,
        metavar="50,127",
        help="velocities that are sampled (default: 42,84,127)",
    )
    parser.add_argument(
        "--round_robins",
        type=arguments.whole_number(1, 16),
        default=2,
        metavar="N",
        help="samples of each pitch and velocity that take turns (default: 2)",
    )
    parser.add_argument(
        "--label", metavar="NAME", help="which instrument, of a run that knows several and pitches"
    )
    arguments.add_seed(parser, "another seed gives another instrument")
    parser.add_argument(
        "--seconds",
        type=arguments.positive,
        metavar="S",
        help="length of the samples (default: that of the recordings)",
    )
    parser.add_argument(
        "--sample_rate",
        type=arguments.whole_number(1),
        metavar="R",
        help="Hz (default: that of the recordings)",
    )
    parser.add_argument(
        "--subtype",
        choices=("PCM_16", "PCM_24", "FLOAT"),
        default="PCM_16",
        help="sample format of the WAV files (default: PCM_16)",
    )


def run(args):
    """Makes the instrument."""
    from noisygan.audio_io import audio_files, sampler_formats
    from noisygan.rendering import instruments

    audio_files.check_sample_rate(args.sample_rate)
    audio_files.check_seconds(args.seconds)
    if args.seconds is not None and args.seconds > _MAX_SECONDS:
        raise UsageError(f"{args.seconds:g} seconds: expected {_MAX_SECONDS:g} or less a sample")
    if 0 in (args.velocity or ()):
        raise UsageError("--velocity: velocity 0 lets a note go; expected 1 to 127")
    run_dir = arguments.run_folder(args.run_dir, "--run_dir")
    out_dir = sampler_formats.check_out_dir(args.out_dir)
    arguments.import_tensorflow()
    trained = noisygan.load(run_dir)
    generator = trained.generator
    if args.seconds and hasattr(generator, "check_seconds"):
        generator.check_seconds(args.seconds, args.sample_rate or generator.sample_rate)
    sample_rate = args.sample_rate or generator.sample_rate
    make = _keyboard if "pitch" in trained.condition_names else _kit
    made = instruments.without_clipping(make(args, generator, trained, sample_rate))
    opened = sampler_formats.write_instrument(made, out_dir, args.format, args.subtype)
    print(f"{opened}: {_counts(made)}, and preview.wav")
    if not made.is_kit:
        n_loops = sum(sample.loop is not None for sample in made.samples)
        if n_loops < len(made.samples):
            short = progress.counted(len(made.samples) - n_loops, "sample")
            print(f"{short} without a loop, as the sound does not hold still")
    return 0


def _keyboard(args, generator, instrument, sample_rate):
    """A keyboard instrument of a run that is told pitches."""
    from noisygan.rendering import instruments, requests

    label = args.label
    if label is None and "label" in instrument.condition_names and len(instrument.label_names) > 1:
        raise UsageError(
            f"--label is missing: this run knows {', '.join(instrument.label_names)}; name the one "
            "to make an instrument of"
        )
    if args.velocity and "velocity" not in instrument.condition_names:
        raise UsageError(
            f"--velocity has no effect: this run's generator is told "
            f"{', '.join(instrument.condition_names)}; leave it out"
        )
    pitches = args.pitch or instruments.sampled_pitches(instrument)
    requests.check_pitches(pitches, sample_rate)
    velocities = args.velocity or _VELOCITIES
    zones = instruments.note_zones(instrument, pitches, velocities, args.round_robins, label)
    name = zones[0].request.name
    with progress.CountedProgress("rendering", len(zones)) as count:
        return instruments.render_notes(
            generator, zones, name, args.seconds, sample_rate, args.seed, count
        )


def _kit(args, generator, instrument, sample_rate):
    """A drum kit of a run that is told no pitches."""
    from noisygan.rendering import kits

    for option in ("pitch", "label"):
        if getattr(args, option) is not None:
            told = ", ".join(instrument.condition_names) or "nothing"
            raise UsageError(
                f"--{option} has no effect: this run's generator is told {told} and becomes a drum "
                "kit of all that it knows; leave it out"
            )
    velocities = args.velocity or _VELOCITIES
    n_keys = sum(len(keys) for keys in kits.keys_of_labels(instrument).values())
    n_samples = n_keys * len(set(velocities)) * args.round_robins
    with progress.CountedProgress("rendering", n_samples) as count:
        return kits.render_kit(
            *(instrument, velocities, args.round_robins),
            *(args.seconds, sample_rate, args.seed, count),
        )


def _counts(made):
    """`36 samples: 6 keys, 3 velocities, 2 round robins`."""
    zones = [sample.zone for sample in made.samples]
    n_keys = len({zone.key for zone in zones})
    n_layers = len({zone.velocities for zone in zones})
    counts = (
        progress.counted(n_keys, "key"),
        progress.counted(n_layers, "velocity layer"),
        progress.counted(made.n_turns, "round robin"),
    )
    return f"{progress.counted(len(zones), 'sample')} ({', '.join(counts)})"
