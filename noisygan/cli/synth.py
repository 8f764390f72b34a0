"""Make sound from a controls file; no trained model is needed.

At the rate and length of the file this is the sound that `noisygan render --controls` wrote
beside it, to 16-bit rounding. The curves can be written as CSV, edited, and read again: a row for
each moment, columns time_seconds, loudness_db, harmonic/f0_hz ... (see docs/instruments.md).
"""

import pathlib

from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "make sound from a controls file, edit its curves as CSV"
EXAMPLE = """\
noisygan synth --controls notes/flute-060-100-000.npz --out note.wav --sample_rate 48000
noisygan synth --controls notes/flute-060-100-000.npz --out note.csv
noisygan synth --controls notes/flute-060-100-000.npz --curves note.csv --out edited.wav"""

_OUT = (".wav", ".csv", ".npz")


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("--controls", required=True, metavar="FILE", help="a controls file (.npz)")
    parser.add_argument(
        "--curves",
        metavar="FILE.csv",
        help="curves in place of the file's own; which ones and how often is up to you",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="what is written: .wav sound, .csv its curves, .npz the controls with the new curves",
    )
    parser.add_argument(
        "--sample_rate",
        type=arguments.whole_number(1),
        metavar="R",
        help="Hz; where absent, that of the file",
    )
    parser.add_argument(
        "--seconds",
        type=arguments.positive,
        metavar="S",
        help="length; where absent, that of the file",
    )
    parser.add_argument(
        "--stems",
        action="store_true",
        help="write the parts too, harmonic.wav, noise.wav ..., into a folder of the sound's name",
    )


def run(args):
    """Renders the controls into the WAV file, or writes them or their curves."""
    from noisygan.audio_io import audio_files, controls
    from noisygan.files import make_folder
    from noisygan.rendering import note_files

    audio_files.check_sample_rate(args.sample_rate)
    audio_files.check_seconds(args.seconds)
    out = _checked_out(args)
    if not pathlib.Path(args.controls).is_file():
        is_folder = pathlib.Path(args.controls).is_dir()
        came = f"{args.controls} is a folder" if is_folder else f"no such file: {args.controls}"
        raise UsageError(f"{came}; expected a file that `noisygan render --controls` wrote")
    loaded = controls.load_controls(args.controls)
    if args.curves:
        from noisygan.audio_io.curves_csv import read_curves

        loaded = read_curves(args.curves, loaded)
    if out.suffix.lower() != ".wav":
        _write_controls(out, loaded)
        return 0
    arguments.import_tensorflow()
    from noisygan.rendering.synthesis import render_in_blocks

    sample_rate = args.sample_rate or int(loaded["sample_rate"])
    make_folder(out.parent)

    def blocks_at(factor):
        scaled = controls.scale_controls(loaded, factor)
        return render_in_blocks(scaled, args.sample_rate, args.seconds)

    _, lowered = note_files.write_turned_down(out, blocks_at, sample_rate, stems=args.stems)
    import soundfile

    n_samples = soundfile.info(out).frames
    print(f"{out}: {n_samples / sample_rate:g} s at {sample_rate} Hz")
    if lowered:
        print(f"turned down by {lowered:.1f} dB, so that nothing is cut")
    return 0


def _checked_out(args):
    """Path of --out."""
    out = pathlib.Path(args.out)
    suffix = out.suffix.lower()
    if suffix not in _OUT:
        raise UsageError(f"--out {out}: expected a name that ends in {', '.join(_OUT)}")
    if out.exists():
        raise UsageError(f"{out} exists already; choose another name or remove it")
    if suffix == ".wav" and args.stems and out.with_suffix("").exists():
        raise UsageError(f"{out.with_suffix('')} exists already; choose another name or remove it")
    for option in ("sample_rate", "seconds", "stems"):
        if suffix != ".wav" and getattr(args, option):
            raise UsageError(
                f"--{option} is about sound; leave it out, or name --out something.wav"
            )
    return out


def _write_controls(out, loaded):
    from noisygan.audio_io import controls, curves_csv
    from noisygan.files import make_folder

    make_folder(out.parent)
    if out.suffix.lower() == ".csv":
        curves_csv.write_curves(out, loaded)
    else:
        controls.save_controls(out, loaded)
    seconds = int(loaded["n_samples"]) / float(loaded["sample_rate"])
    print(f"{out}: {seconds:g} s, {float(loaded['frame_rate']):g} frames a second")
