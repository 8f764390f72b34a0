"""Export a trained run for other programs: SavedModel, ONNX or LiteRT.

Every form takes the inputs of a note (z, and pitch, velocity, label, seed as the run has them) and
returns its sound (`audio`) or, for a hybrid, its curves (`controls`). A SavedModel of a hybrid
makes notes of any length and rate; the others fix both. --block writes a stream for plug-in hosts
instead: a block of samples per call, with its state as input and output. model.json in the folder
lists the inputs. Batches may have any size.
"""

import pathlib

import noisygan
from noisygan.cli import arguments

SUMMARY = "write a trained run as SavedModel, ONNX or LiteRT"
EXAMPLE = """\
noisygan export --run_dir runs/flute --out flute_model --format saved_model
noisygan export --run_dir runs/flute --out flute_onnx --format onnx --seconds 2
noisygan export --run_dir runs/flute --out live --format onnx --block 256 --sample_rate 48000"""


def add_arguments(parser):
    """Add the arguments of this command."""
    parser.add_argument("--run_dir", required=True, metavar="DIR", help="folder of a trained run")
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder that is made")
    parser.add_argument(
        "--format",
        choices=("saved_model", "onnx", "litert"),
        default="saved_model",
        help="(default: saved_model; onnx needs pip install 'noisygan[export]')",
    )
    parser.add_argument(
        "--seconds",
        type=arguments.positive,
        metavar="S",
        help="length of the notes, where the format fixes it (default: that of the recordings)",
    )
    parser.add_argument(
        "--sample_rate",
        type=arguments.whole_number(1),
        metavar="R",
        help="Hz, where the format fixes it (default: that of the recordings)",
    )
    parser.add_argument(
        "--block",
        type=arguments.whole_number(16, 8192),
        metavar="N",
        help="write the block-wise form: N samples a call, with its state in and out",
    )


def run(args):
    """Export a run."""
    from noisygan.audio_io import audio_files
    from noisygan.files import check_folder, check_free_folder

    audio_files.check_sample_rate(args.sample_rate)
    audio_files.check_seconds(args.seconds)
    out = pathlib.Path(args.out)
    check_folder(out, "--out")
    check_free_folder(out)
    run = noisygan.load(args.run_dir)
    settings = {"seconds": args.seconds, "sample_rate": args.sample_rate, "block": args.block}
    facts = run.export(out, args.format, **settings)
    n_bytes = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{', '.join(facts['forms'])} in {out} ({n_bytes / 1e6:.1f} MB)")
    length = (
        f"{facts['n_samples']} samples"
        if "n_samples" in facts
        else f"{facts.get('seconds', 0):g} s"
    )
    fixed = {
        "length": length,
        "sample_rate": f"{facts['sample_rate']:g} Hz",
        "block": f"blocks of {facts.get('block')} samples, {facts.get('latency')} late",
    }
    values = ", ".join(fixed[name] for name in facts["fixed"])
    print(f"fixed: {values or 'nothing'}; open: {', '.join(facts['open'])}")
    return 0
