"""Make sound from a controls file; no trained model is needed.

At the rate and length of the file this is the sound that `noisygan render --controls` wrote
beside it, to 16-bit rounding.
"""

import pathlib

from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "make sound from a controls file"
EXAMPLE = "noisygan synth --controls notes/flute-060-100-000.npz --out note.wav --sample_rate 48000"


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("--controls", required=True, metavar="FILE", help="a controls file (.npz)")
    parser.add_argument("--out", required=True, metavar="FILE.wav", help="the WAV file to write")
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


def run(args):
    """Renders the controls into the WAV file."""
    from noisygan.files import make_folder
    from noisygan.rendering import audio_files

    audio_files.check_sample_rate(args.sample_rate)
    audio_files.check_seconds(args.seconds)
    out = arguments.new_wav(args.out)
    if not pathlib.Path(args.controls).is_file():
        raise UsageError(
            f"no such file: {args.controls}; expected a controls file, "
            "as `noisygan render --controls` writes"
        )
    arguments.import_tensorflow()
    from noisygan.rendering import controls

    loaded = controls.load_controls(args.controls)
    sample_rate = args.sample_rate or int(loaded["sample_rate"])
    make_folder(out.parent)
    n_samples = 0
    with audio_files.wav_writer(out, sample_rate) as writer:
        for sound, _ in controls.render_in_blocks(loaded, args.sample_rate, args.seconds):
            writer.write(sound)
            n_samples += len(sound)
    print(f"{out}: {n_samples / sample_rate:g} s at {sample_rate} Hz")
    if writer.n_cut:
        print(f"{writer.n_cut} samples were louder than a WAV file holds and were cut")
    return 0
