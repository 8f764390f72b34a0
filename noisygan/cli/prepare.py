"""Make recordings ready for training: read, check, convert and cut them, and say what was done.

KIND is nsynth, notes, drums, speech or songs; each has its own length, rate and steps, which the
options below change. A preset sets the steps of one of the systems (docs/baselines.md) as its
document has them: falini, drysdale (drums), netzer, wisnewski (songs), nsynth.

The recordings: a folder of audio files, class folders, NSynth (json+wav, TFRecords or TFDS's),
Speech Commands, or any files that a --table names. What can't be used is left out and counted at
the end; files.jsonl in --out has a line for every file. `noisygan train --data` reads --out.

A run that was stopped goes on by the same command; a finished one does nothing.
"""

import argparse
import functools
import math

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import RunError, UsageError

SUMMARY = "make recordings ready for training"
EXAMPLE = """\
noisygan prepare drums --data my_samples --out prepared/drums
noisygan prepare drums --preset drysdale --data my_samples --out prepared/drums --test 0.1
noisygan prepare notes --data my_notes --table my_notes.csv --out prepared/notes --only label=flute
noisygan prepare songs --preset netzer --data music --out prepared/songs --processes 4
noisygan prepare nsynth --data nsynth --out prepared/nsynth --runner DirectRunner"""


def _none_or(parse):
    def parsed(text):
        return None if text == "none" else parse(text)

    return parsed


def _number(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number")
    return value


def _rates(text):
    return tuple(_number(part) for part in text.split(","))


def _only(text):
    name, sign, values = text.partition("=")
    if not (name and sign and values):
        raise argparse.ArgumentTypeError(
            f"{text!r}, expected a name and values, such as label=kick,snare"
        )
    return name, tuple(values.split(","))


_whole = arguments.whole_number(1)

# (option, type, metavar, help); `none` takes a step out that kind or preset have put in.
_STEPS = (
    ("sample_rate", _rates, "R,R", "Hz; lower ones behind the first for growing, each low-passed"),
    ("other_rates", str, "WHAT", "files at another rate: resample or drop"),
    ("channel", _whole, "N", "which channel is taken, from 1 on (default: the average of all)"),
    ("min_seconds", _none_or(_number), "S", "shorter files are skipped"),
    ("max_seconds", _none_or(_number), "S", "longer files are skipped"),
    ("skip_seconds", _number, "S", "left out at the beginning of each file"),
    ("trim_db", _none_or(_number), "DB", "cut silence off both ends, below this under the peak"),
    ("n_samples", _none_or(_whole), "N", "length of each sound: cut, or zeros behind it"),
    ("stride", _whole, "N", "songs: samples from one segment to the next (default: n_samples)"),
    ("silence_db", _none_or(_number), "DB", "songs: segments below this are dropped"),
    ("peak", _none_or(_number), "P", "level of the highest sample, up to 1"),
    ("loudness_db", _none_or(_number), "DB", "loudness instead (ITU-R BS.1770), such as -20"),
    ("fade_in_seconds", _number, "S", "straight fade at the beginning"),
    ("fade_out_seconds", _number, "S", "straight fade at the end"),
    ("encoding", str, "WHAT", "samples in the records: int16 or float32"),
    ("f0", _none_or(str), "HOW", "store F0 and its confidence, by pyin or crepe, with --features"),
    ("frame_rate", _number, "R", "frames a second of F0, loudness and RMS"),
    (
        "split_by",
        str,
        "WHAT",
        "what stays together in a split: file (default), pitch, instrument, or a tag",
    ),
    ("valid", _number, "F", "fraction that is kept for validation, such as 0.1"),
    ("test", _number, "F", "fraction that is kept for tests"),
    ("licence", str, "TEXT", "words for the manifest"),
    ("source", str, "TEXT", "words for the manifest: where the recordings come from"),
)


def add_arguments(parser):
    """Adds the arguments of this command."""
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
    parser.add_argument(
        "--only",
        action="append",
        type=_only,
        metavar="NAME=A,B",
        help="which recordings: by label, family, source, pitch, velocity, split or a tag; "
        "may be given several times",
    )
    steps = parser.add_argument_group("steps (`none` takes out what the kind or preset puts in)")
    for name, parse, metavar, text in _STEPS:
        steps.add_argument(
            f"--{name}", type=parse, default=argparse.SUPPRESS, metavar=metavar, help=text
        )
    steps.add_argument(
        "--features",
        action="store_true",
        default=argparse.SUPPRESS,
        help="store loudness, RMS and onset with each sound",
    )
    steps.add_argument(
        "--keep_dc",
        action="store_false",
        dest="remove_dc",
        default=argparse.SUPPRESS,
        help="leave a constant offset in the samples",
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
        help="passed on to the runner, such as flink_master=localhost:8081; may be given "
        "several times",
    )
    how.add_argument(
        "--overwrite",
        action="store_true",
        help="throw away what an earlier run made with other options or recordings",
    )
    how.add_argument(
        "--strict", action="store_true", help="exit with 1 if a recording had to be skipped"
    )


def run(args):
    """Prepares, and says what came of it."""
    from noisygan.data.prepare import preparing, presets

    options = presets.options(args.kind, args.preset, _changes(args))
    about = {"kind": args.kind, "preset": args.preset}
    try:
        with progress.CountedProgress("preparing", None) as count:
            manifest, is_new = preparing.prepare(
                args.data,
                args.out,
                options,
                _runner(args),
                about,
                args.table,
                args.overwrite,
                count,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; the same command goes on where it was") from None
    if not is_new:
        print(f"nothing to do: {args.out} is complete")
    for line in summary(manifest, args.out):
        print(line)
    if args.strict:
        from noisygan.data.prepare.manifest import bad_files

        bad = bad_files(manifest)
        if bad:
            raise RunError(f"--strict: skipped {bad}; {args.out}/files.jsonl says why")
    return 0


def summary(manifest, out):
    """What a manifest says, in a few lines.

    Args:
      manifest: dict.
      out: Its folder, for telling where more is.

    Returns:
      list of str.
    """
    counts = manifest["counts"]
    splits = ", ".join(f"{name} {each['n_records']}" for name, each in manifest["splits"].items())
    lines = [
        f"{progress.counted(counts['records'], 'sound')} of "
        f"{progress.counted(counts['used'], 'file')}, "
        f"{progress.duration(counts['seconds'])} ({splits}) in {out}"
    ]
    if counts["skipped"]:
        kinds = counts["skipped_by_kind"].items()
        listed = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds, key=lambda each: -each[1]))
        files = progress.counted(counts["skipped"], "file")
        lines.append(f"skipped {files}: {listed}; see {out}/files.jsonl")
    if counts["put_right"]:
        files = progress.counted(counts["put_right"], "file")
        lines.append(f"{files} had something put right; files.jsonl says what")
    for name in ("valid", "test"):
        if manifest["options"].get(name) and name not in manifest["splits"]:
            lines.append(f"no sound fell to --{name} {manifest['options'][name]:g}: ask for more")
    return lines


def _changes(args):
    names = [name for name, *_ in _STEPS] + ["features", "remove_dc"]
    changes = {name: getattr(args, name) for name in names if hasattr(args, name)}
    if "sample_rate" in changes:
        changes["sample_rates"] = changes.pop("sample_rate")
    if args.only:
        changes["only"] = tuple(args.only)
    return changes


def _runner(args):
    if args.runner is None:
        if args.runner_option:
            raise UsageError("--runner_option without --runner; expected both, or none")
        from noisygan import machine
        from noisygan.data.prepare import pool

        return functools.partial(pool.run, n_processes=args.processes or machine.n_cores())
    from noisygan.data.prepare import beam_runner

    if args.processes is not None:
        raise UsageError(
            "--processes has no effect with --runner; expected one of them (Beam's own workers: "
            "--runner_option direct_num_workers=N)"
        )
    return functools.partial(beam_runner.run, runner=args.runner, runner_options=args.runner_option)
