"""Arguments that several subcommands share, and the types of their values."""

import argparse
import math

from noisygan.tensorflow_import import import_tensorflow  # noqa: F401

_MIN_N = 8  # as of `noisygan.evaluation`, which takes longer to import


def add_config_arguments(parser, required):
    """Add --gin_file (required or not) and --gin_param."""
    parser.add_argument(
        "--gin_file",
        action="append",
        default=[],
        required=required,
        metavar="NAME",
        help="a config: a bundled one by its name (see `noisygan configs`) or a path; "
        "may be given several times, later ones win",
    )
    parser.add_argument(
        "--gin_param",
        action="append",
        default=[],
        metavar="'X.y = 1'",
        help="a binding that wins over the files, such as 'Trainer.batch_size = 8'; "
        "may be given several times",
    )


def add_allow_module(parser):
    """Add --allow_module, which `noisygan.cli.main` itself obeys."""
    parser.add_argument(
        "--allow_module",
        action="append",
        default=[],
        metavar="NAME",
        help="a module of yours that configs may import and call, with all below it; only for "
        "configs that you trust; several times",
    )


def add_run_dir(parser):
    """Add --run_dir, required."""
    parser.add_argument("--run_dir", required=True, metavar="DIR", help="folder of a trained run")


def add_seed(parser, help):
    """Add --seed, 0 unless given; help says what it decides."""
    parser.add_argument(
        "--seed",
        type=whole_number(0, 2**31 - 1),
        default=0,
        metavar="S",
        help=f"{help} (default: 0)",
    )


def add_length_and_rate(parser, length):
    """Add --seconds and --sample_rate; length is the help of --seconds."""
    parser.add_argument("--seconds", type=positive, metavar="S", help=length)
    parser.add_argument(
        "--sample_rate",
        type=whole_number(1),
        metavar="R",
        help="Hz (default: that of the recordings)",
    )


def add_measuring(parser, n_help):
    """Add the arguments of commands that measure examples; n_help says which ones --n counts."""
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="folder of recordings (see above)"
    )
    parser.add_argument(
        "--train", metavar="DIR", help="training recordings; then all of --data is held out"
    )
    parser.add_argument(
        "--n",
        type=whole_number(_MIN_N),
        default=500,
        metavar="N",
        help=f"{n_help} (default: 500, enough to rank systems)",
    )
    parser.add_argument(
        "--max_pitch_samples",
        type=whole_number(0),
        default=40,
        metavar="N",
        help="number of examples for the slow pitch tracker; 0: none (default: 40)",
    )


def _type(convert, low, high, expected):
    """An argparse type: a number from low to high, both included."""

    def parse(text):
        try:
            value = convert(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r}, expected {expected}")
        return value

    return parse


def whole_number(low, high=math.inf):
    """An argparse type: a whole number within limits, both included."""
    limits = "on" if high == math.inf else f"to {high}"
    return _type(int, low, high, f"a whole number from {low} {limits}")


def number(low, high):
    """An argparse type: a number within limits, both included."""
    return _type(float, low, high, f"a number from {low:g} to {high:g}")


positive = _type(float, 5e-324, 1.7e308, "a number above 0")


def midi_list(text):
    """An argparse type: whole MIDI numbers with commas between, such as 60,64,67."""
    parse = _type(int, 0, 127, "whole MIDI numbers 0 to 127 with commas between, such as 60,64,67")
    return [parse(part) for part in text.split(",")]


def pitch_list(text):
    """An argparse type: MIDI numbers, between keys too, with commas between; each once."""
    parse = _type(float, 0, 127, "MIDI numbers 0 to 127 with commas between, such as 60,64,67.5")
    values = [parse(part) for part in text.split(",")]
    values = [int(value) if value.is_integer() else value for value in values]
    # Each once, as far as file names distinguish pitches.
    return list({round(value, 3): value for value in reversed(values)}.values())[::-1]


def glide(text):
    """An argparse type: SECONDS:SEMITONES with commas between, the seconds rising."""
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
