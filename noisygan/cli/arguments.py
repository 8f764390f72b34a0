"""Arguments that several subcommands share, and the types of their values."""

import argparse
import math
import pathlib

import noisygan
from noisygan.errors import UsageError
from noisygan.quiet import import_tensorflow  # noqa: F401

_MIN_N = 8  # as of `noisygan.evaluation.examples`, which takes longer to import


def add_config_arguments(parser, required):
    """Adds --gin_file and --gin_param.

    Args:
      parser: An argparse parser.
      required: Whether at least one --gin_file must be given.
    """
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
    """Adds --allow_module, which `noisygan.cli.main` itself obeys."""
    parser.add_argument(
        "--allow_module",
        action="append",
        default=[],
        metavar="NAME",
        help="a module of yours that configs may import and call, with all below it; only for "
        "configs that you trust; several times",
    )


def add_seed(parser, help):
    """Adds --seed, 0 unless given; help says what it decides."""
    parser.add_argument(
        "--seed",
        type=whole_number(0, 2**31 - 1),
        default=0,
        metavar="S",
        help=f"{help} (default: 0)",
    )


def add_measuring(parser, n_help):
    """Add --data, --train, --n and --max_pitch_samples, which evaluate and compare share.

    Args:
      parser: An argparse parser.
      n_help: What --n counts.
    """
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


def run_folder(folder, option=None):
    """Path of a trained run's folder.

    Raises:
      UsageError: if it holds no run, or none with a checkpoint; names the option that it was given
        by.
    """
    from noisygan.training import checkpoints, run_files

    if not run_files.is_run(folder):
        named = f"{option} {folder}" if option else f"{folder}"
        raise UsageError(f"{named} holds no run; expected a folder that `noisygan train` made")
    checkpoints.check_saved(folder)
    return pathlib.Path(folder)


def load_run(folder):
    """The Run of a folder.

    Raises:
      UsageError: if it holds no run, or none with a checkpoint.
      RunError: if its files can't be read.
    """
    return noisygan.load(run_folder(folder))


def check_asked(run_dir, pitches=(), labels=(), sample_rate=None):
    """Refuses what a run's run.json says that it can't be asked for, before TensorFlow is loaded.

    Args:
      run_dir: Of `run_folder`.
      pitches: MIDI numbers; None among them stands for none.
      labels: Names; likewise.
      sample_rate: Hz, or None: that of the run's recordings.

    Raises:
      UsageError: for a pitch that the rate can't hold, or a label that the run doesn't know.
      RunError: if run.json can't be read.
    """
    from noisygan.rendering import requests

    run = noisygan.load(run_dir)
    pitches = [pitch for pitch in pitches if pitch is not None]
    requests.check_pitches(pitches, sample_rate or run.sample_rate)
    labels = [label for label in labels if label is not None]
    if labels:
        requests.check_labels(run.label_names, labels)


def new_wav(out):
    """Path of a WAV file that --out asks for.

    Raises:
      UsageError: if it is called otherwise, or is there already.
    """
    path = pathlib.Path(out)
    if path.suffix != ".wav":
        raise UsageError(f"--out {path}: expected a name that ends in .wav")
    if path.exists():
        raise UsageError(f"{path} exists already; choose another name or remove it")
    return path


def whole_number(low, high=None):
    """An argparse type: a whole number within limits.

    Args:
      low: Lowest, included.
      high: Highest, included, or None.

    Returns:
      A function from text to int.
    """

    def parse(text):
        expected = f"a whole number from {low}" + (f" to {high}" if high is not None else " on")
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}, expected {expected}") from None
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text}, expected {expected}")
        return value

    return parse


def positive(text):
    """An argparse type: a number above 0 and below infinity."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number above 0")
    return value


def number(low, high):
    """An argparse type: a number within limits, both included; a function from text to float."""

    def parse(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r}, expected a number from {low:g} to {high:g}"
            )
        return value

    return parse


def midi_list(text):
    """An argparse type: MIDI numbers with commas between, such as 60,64,67."""
    return _midi_numbers(
        text, int, "whole MIDI numbers 0 to 127 with commas between, such as 60,64,67"
    )


def pitch_list(text):
    """An argparse type: MIDI numbers, between keys too, with commas between; each once."""
    values = _midi_numbers(
        text, float, "MIDI numbers 0 to 127 with commas between, such as 60,64,67.5"
    )
    values = [int(value) if value.is_integer() else value for value in values]
    # Each once, as far as names of files tell pitches apart.
    return list({round(value, 3): value for value in reversed(values)}.values())[::-1]


def _midi_numbers(text, kind, expected):
    values = []
    for part in text.split(","):
        try:
            value = kind(part)
        except ValueError:
            value = -1
        if not 0 <= value <= 127:
            raise argparse.ArgumentTypeError(f"{part.strip() or text!r}, expected {expected}")
        values.append(value)
    return values


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
