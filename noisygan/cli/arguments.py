"""Arguments that several subcommands share, and the types of their values."""

import argparse
import math
import sys

from noisygan.errors import UsageError
from noisygan.tensorflow_import import import_tensorflow  # noqa: F401

_MIN_N = 8  # as of `noisygan.evaluation`, which takes longer to import


def add_config_arguments(parser, required):
    """Add --gin_file (required or not) and --gin_param."""
    several = {"action": "append", "default": []}
    text = "a config: a bundled one by its name (see `noisygan configs`) or a path; may be given "
    text += "several times, later ones win"
    parser.add_argument("--gin_file", required=required, metavar="NAME", help=text, **several)
    text = "a binding that wins over the files, such as 'Trainer.batch_size = 8'; may be given "
    text += "several times"
    parser.add_argument("--gin_param", metavar="'X.y = 1'", help=text, **several)


def add_names(parser):
    """Add --middle_c and --detect_pitch, which say how file names are read."""
    text = "MIDI note 60 in file names: C3, C4 or C5 (default: C4)"
    choices = ("C3", "C4", "C5")
    parser.add_argument("--middle_c", choices=choices, default=None, metavar="NAME", help=text)
    text = "measure the pitch of files that do not say it: pyin, crepe or crepe-full"
    methods = ("pyin", "crepe", "crepe-full")
    parser.add_argument("--detect_pitch", choices=methods, default=None, metavar="HOW", help=text)


def add_allow_module(parser):
    """Add --allow_module, for `allow_modules`."""
    text = "a module of yours that configs may import and call, with all below it; only for "
    text += "configs that you trust; several times"
    add = parser.add_argument
    add("--allow_module", action="append", default=[], metavar="NAME", help=text)


def allow_modules(modules):
    """Let configs name these modules, and say so."""
    from noisygan import config

    config.allow_modules(modules)
    for name in modules:
        warning = f"caution: whatever config is loaded may call everything in {name}"
        print(f"noisygan: {warning} (--allow_module)", file=sys.stderr)


def add_run_dir(parser):
    """Add --run_dir, required."""
    parser.add_argument("--run_dir", required=True, metavar="DIR", help="folder of a trained run")


def add_seed(parser, help):
    """Add --seed, 0 unless given; help says what it decides."""
    seeds, text = whole_number(0, 2**31 - 1), f"{help} (default: 0)"
    parser.add_argument("--seed", type=seeds, default=0, metavar="S", help=text)


def add_length_and_rate(parser, length, rate="Hz (default: that of the recordings)"):
    """Add --seconds and --sample_rate, with their help."""
    parser.add_argument("--seconds", type=positive, metavar="S", help=length)
    parser.add_argument("--sample_rate", type=whole_number(1), metavar="R", help=rate)


def add_measuring(parser, n_help):
    """Add the arguments of commands that measure examples; n_help says which ones --n counts."""
    add, text = parser.add_argument, "folder of recordings (see above)"
    add("--data", required=True, metavar="DIR", help=text)
    text = "training recordings; then all of --data is held out"
    add("--train", metavar="DIR", help=text)
    text = f"{n_help} (default: 500, enough to rank systems)"
    add("--n", type=whole_number(_MIN_N), default=500, metavar="N", help=text)
    text = "number of examples for the slow pitch tracker; 0: none (default: 40)"
    add("--max_pitch_samples", type=whole_number(0), default=40, metavar="N", help=text)


def number_type(convert, low, high, expected):
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
    return number_type(int, low, high, f"a whole number from {low} {limits}")


positive = number_type(float, 5e-324, 1.7e308, "a number above 0")


def tag(text):
    """An argparse type: the name of a tag and its values, NAME=V,V, as (name, text)."""
    name, equals, values = text.partition("=")
    if not (name and values):
        raise argparse.ArgumentTypeError(f"{text!r}, expected NAME=VALUE, such as mic=close")
    return name, values


def pitch(text):
    """An argparse type: a MIDI number, between keys too, or a name such as C4, as a number."""
    from noisygan.data.filenames import parse_pitch

    value = parse_pitch(text)
    if value is None:
        expected = "MIDI numbers 0 to 127 or names, such as 60, 67.5 or C4"
        raise argparse.ArgumentTypeError(f"{text!r}, expected {expected}")
    value = round(value, 3)  # as far as file names distinguish pitches
    return int(value) if value.is_integer() else value


def key(text):
    """An argparse type: a `pitch` that is a whole number."""
    value = pitch(text)
    if isinstance(value, float):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a key, such as 60 or C4")
    return value


def add_tags(parser, metavar, more="", absent="that of a recording"):
    """Add --tag, whose values are pairs of `tag`."""
    text = f"value of a tag of the run{more}; may be given for several tags; where absent, {absent}"
    parser.add_argument("--tag", type=tag, action="append", metavar=metavar, help=text)


def single_tags(pairs):
    """dict of the values of --tag, one for each name; UsageError for a name that comes twice."""
    tags = {}
    for name, value in pairs or ():
        if name in tags:
            raise UsageError(f"--tag {name}: got {tags[name]} and {value}, expected one value")
        tags[name] = value
    return tags


def pitch_list(text):
    """An argparse type: `pitch`es with commas between; each once."""
    return list(dict.fromkeys(map(pitch, text.split(","))))
