"""Make sound from a controls file; no trained model is needed.

At the rate and length of the file this is the sound that `noisygan render --controls` wrote
beside it, to 16-bit rounding. The curves can be written as CSV, edited, and read again: a row for
each moment, columns time_seconds, loudness_db, harmonic/f0_hz ... (see docs/instruments.md).
"""

import pathlib

import noisygan
from noisygan.cli import arguments
from noisygan.errors import UsageError
from noisygan.files import make_folder

SUMMARY = "make sound from a controls file, edit its curves as CSV"
EXAMPLE = """\
noisygan synth --controls notes/flute-060-100-000.npz --out note.wav --sample_rate 48000
noisygan synth --controls notes/flute-060-100-000.npz --out note.csv
noisygan synth --controls notes/flute-060-100-000.npz --curves note.csv --out edited.wav"""

_OUT = (".wav", ".csv", ".npz")


def add_arguments(parser):
    """Add the arguments of this command."""
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
    default = "(default: that of the file)"
    arguments.add_length_and_rate(parser, f"length {default}", f"Hz {default}")
    parser.add_argument(
        "--stems",
        action="store_true",
        help="write the parts too, harmonic.wav, noise.wav ..., into a folder of the sound's name",
    )


def run(args):
    """Render the controls into the WAV file, or writes them or their curves."""
    import soundfile

    from noisygan.audio_io import controls, curves_csv

    out = _checked_out(args)
    loaded = controls.load_controls(args.controls)
    if args.curves:
        loaded = curves_csv.read_curves(args.curves, loaded)
    if out.suffix == ".wav":
        notes = noisygan.synthesize(loaded, args.sample_rate, args.seconds)
        notes.names = [out.stem]
        [path] = notes.save(out.parent, stems=args.stems)
        print(f"{out}: {soundfile.info(path).duration:g} s at {notes.sample_rate} Hz")
        for lowered in notes.lowered_db.values():
            print(f"turned down by {lowered:.1f} dB, so that nothing is cut")
        return 0
    make_folder(out.parent)
    write = curves_csv.write_curves if out.suffix == ".csv" else controls.save_controls
    write(out, loaded)
    seconds = int(loaded["n_samples"]) / float(loaded["sample_rate"])
    print(f"{out}: {seconds:g} s, {float(loaded['frame_rate']):g} frames a second")
    return 0


def _checked_out(args):
    """Path of --out."""
    out = pathlib.Path(args.out)
    if out.suffix not in _OUT:
        raise UsageError(f"--out {out}: expected a name that ends in {', '.join(_OUT)}")
    if out.exists():
        raise UsageError(f"{out} exists already; choose another name or remove it")
    for option in ("sample_rate", "seconds", "stems"):
        if out.suffix != ".wav" and getattr(args, option):
            raise UsageError(
                f"--{option} is about sound; leave it out, or name --out something.wav"
            )
    return out
