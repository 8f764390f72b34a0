"""Make recordings ready for training: read, check, convert and cut them, and report what was done.

KIND is nsynth, notes, drums, speech or songs; each has its own length, rate and steps, which the
options below change. A preset sets the steps of a paper (docs/baselines.md): falini, drysdale
(drums), netzer, wisnewski (songs), nsynth.

The recordings: a folder of audio files, class folders, NSynth (json+wav or TFRecords), Speech
Commands, or any files that a --table names. Unusable files are skipped and counted at the end;
files.jsonl in --out has a line for every file. `noisygan train --data` reads --out.

The same command resumes a run that was stopped; a finished one does nothing.
"""

import argparse
import functools

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import RunError, UsageError

SUMMARY = "make recordings ready for training"
EXAMPLE = """\
noisygan prepare drums --data my_samples --out prepared/drums
noisygan prepare drums --preset drysdale --data my_samples --out prepared/drums --test 0.1
noisygan prepare notes --data my_notes --table my_notes.csv --out prepared/notes --only label=flute
noisygan prepare songs --preset netzer --data music --out prepared/songs --processes 4"""


def _none_or(parse):
    return lambda text: None if text == "none" else parse(text)


def _number(low, high):
    return arguments.number_type(float, low, high, f"a number from {low:g} to {high:g}")


def _rates(text):
    return tuple(map(_number(10, 384000), text.split(",")))


def _only(text):
    name, sign, values = text.partition("=")
    if not (name and sign and values):
        raise argparse.ArgumentTypeError(
            f"{text!r}, expected a name and values, such as label=kick,snare"
        )
    if name == "pitch":
        from noisygan.data.filenames import parse_pitch
        from noisygan.data.source_files import text_of

        values = values.split(",")
        pitches = map(parse_pitch, values)
        return name, tuple(
            v if p is None else text_of(p) for v, p in zip(values, pitches, strict=True)
        )
    return name, (values,)


# (option, type, metavar, help); `none` removes a step of the kind or preset.
_STEPS = (
    ("sample_rates", _rates, "R,R", "Hz; further, lower ones for growing, each low-passed"),
    ("other_rates", str, "WHAT", "files at another rate: resample or drop"),
    ("max_seconds", _none_or(arguments.positive), "S", "longer files are skipped"),
    ("skip_seconds", _number(0, 86400), "S", "left out at the beginning of each file"),
    (
        "trim_db",
        _none_or(_number(-200, -0.1)),
        "DB",
        "cut silence off both ends, below this under the peak",
    ),
    (
        "n_samples",
        _none_or(arguments.whole_number(1)),
        "N",
        "length of each example",
    ),
    (
        "silence_db",
        _none_or(_number(-200, -0.1)),
        "DB",
        "songs: segments below this are dropped",
    ),
    ("peak", _none_or(_number(0.001, 1)), "P", "level of the highest sample, up to 1"),
    (
        "loudness_db",
        _none_or(_number(-70, 0)),
        "DB",
        "loudness instead (ITU-R BS.1770), such as -20",
    ),
    ("fade_in_seconds", _number(0, 60), "S", "linear fade at the beginning"),
    ("fade_out_seconds", _number(0, 60), "S", "linear fade at the end"),
    ("f0", _none_or(str), "HOW", "store F0 (by pyin, crepe or crepe-full) and --features"),
    ("frame_rate", _number(1, 1000), "R", "frames per second of F0, loudness and RMS"),
    ("split_by", str, "WHAT", "stays in one split: file (default), pitch, instrument, or a tag"),
    ("valid", _number(0, 0.9), "F", "fraction kept for validation, such as 0.1"),
    ("test", _number(0, 0.9), "F", "fraction kept for tests"),
    ("middle_c", str, "NAME", "MIDI note 60 in file names: C3, C4 (default) or C5"),
    ("detect_pitch", str, "HOW", "measure pitches that no name says: pyin, crepe or crepe-full"),
    ("licence", str, "TEXT", "text for the manifest"),
)


def add_arguments(parser):
    """Add the arguments of this command."""
    parser.add_argument("kind", metavar="KIND", help="nsynth, notes, drums, speech or songs")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of recordings")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder that is written")
    parser.add_argument(
        "--preset", metavar="NAME", help="nsynth, falini, drysdale, netzer or wisnewski"
    )
    parser.add_argument(
        "--table",
        metavar="FILE",
        help="CSV or JSON: file, and label, pitch, velocity, split or tags of your own",
    )
    group = parser.add_argument_group("steps (`none` removes a step of the kind or preset)")
    group.add_argument(
        "--only",
        action="append",
        default=argparse.SUPPRESS,
        type=_only,
        metavar="NAME=A,B",
        help="which recordings: by label, family, source, pitch, velocity, split or a tag; "
        "may be given several times",
    )
    for name, parse, metavar, text in _STEPS:
        option = "sample_rate" if name == "sample_rates" else name
        group.add_argument(
            f"--{option}",
            dest=name,
            type=parse,
            default=argparse.SUPPRESS,
            metavar=metavar,
            help=text,
        )
    for option, name, action, text in (
        ("features", "features", "store_true", "store loudness, RMS and onsets"),
        ("keep_dc", "remove_dc", "store_false", "leave a constant offset in the audio"),
        ("keep_start", "trim_start", "store_false", "notes: leave silence before the onset"),
    ):
        group.add_argument(
            f"--{option}", dest=name, action=action, default=argparse.SUPPRESS, help=text
        )
    how = parser.add_argument_group("how it runs")
    how.add_argument(
        "--processes",
        type=arguments.whole_number(1, 1024),
        metavar="N",
        help="on this machine (default: one for each core)",
    )
    how.add_argument(
        "--runner",
        metavar="NAME",
        help="run as an Apache Beam pipeline: DirectRunner, FlinkRunner, DataflowRunner ...",
    )
    how.add_argument(
        "--runner_option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="passed on to the runner, such as flink_master=localhost:8081; several times",
    )
    how.add_argument(
        "--overwrite", action="store_true", help="discard what other options or recordings made"
    )
    how.add_argument("--strict", action="store_true", help="exit with 1 if a recording is skipped")


def run(args):
    """Prepare, and print what came of it."""
    from noisygan.data.prepare import manifest, options, preparing, summary

    names = [name for name, *_ in _STEPS] + ["features", "remove_dc", "trim_start", "only"]
    changes = {name: getattr(args, name) for name in names if hasattr(args, name)}
    try:
        with progress.CountedProgress("preparing", None) as count:
            made, is_new = preparing.prepare(
                args.data,
                args.out,
                options.make_options(args.kind, args.preset, **changes),
                _runner(args),
                {"kind": args.kind, "preset": args.preset},
                args.table,
                args.overwrite,
                count,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; the same command resumes where it stopped") from None
    if not is_new:
        print(f"nothing to do: {args.out} is complete")
    print("\n".join(summary.result_lines(made, args.out)))
    print(f"\n{summary.listing(made, args.out).text()}")
    bad = manifest.bad_files(made)
    if args.strict and bad:
        raise RunError(f"--strict: skipped {bad}; {args.out}/files.jsonl says why")
    return 0


def _runner(args):
    from noisygan.data.prepare import runners

    if args.runner is None:
        if args.runner_option:
            raise UsageError("--runner_option without --runner; expected both, or none")
        return functools.partial(runners.run_pool, n_processes=args.processes)
    if args.processes is not None:
        raise UsageError("--processes has no effect with --runner; expected one of them")
    return functools.partial(
        runners.run_beam, runner=args.runner, runner_options=args.runner_option
    )
