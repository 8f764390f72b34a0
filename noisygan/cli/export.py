"""Export a trained run for other programs, or as a web page that plays it.

Every form takes the inputs of a note (z, and pitch, velocity, label, seed as the run has them) and
returns its sound (`audio`) or, for a hybrid, its curves (`controls`). A SavedModel of a hybrid
makes notes of any length and rate; the others fix both. --block writes a stream for plug-in hosts
instead: a block of samples per call, with its state as input and output. model.json in the folder
lists the inputs. Batches may have any size.

--format web writes one HTML file that plays a hybrid in the browser, from disk or from any server.
"""

import pathlib

import noisygan
from noisygan.cli import arguments

SUMMARY = "write a trained run as SavedModel, ONNX, LiteRT or a web page that plays it"
EXAMPLE = """\
noisygan export --run_dir runs/flute --out flute_model --format saved_model
noisygan export --run_dir runs/flute --out flute_onnx --format onnx --seconds 2
noisygan export --run_dir runs/flute --out live --format onnx --block 256 --sample_rate 48000
noisygan export --run_dir runs/flute --out flute.html --format web"""


def add_arguments(parser):
    """Add the arguments of this command."""
    formats = ("saved_model", "onnx", "litert", "web")
    add = parser.add_argument
    arguments.add_run_dir(parser)
    add(
        "--out",
        required=True,
        metavar="PATH",
        help="the folder, or with web the file, that is made",
    )
    text = "(default: saved_model; onnx needs pip install 'noisygan[export]')"
    add("--format", choices=formats, default="saved_model", help=text)
    text = "length of the notes, where the format fixes it (default: that of the recordings)"
    add("--seconds", type=arguments.positive, metavar="S", help=text)
    text = "Hz, where the format fixes it (default: that of the recordings)"
    add("--sample_rate", type=arguments.whole_number(1), metavar="R", help=text)
    text = "write the block-wise form: N samples a call, with its state in and out"
    add("--block", type=arguments.whole_number(16, 8192), metavar="N", help=text)


def run(args):
    """Export a run."""
    out = pathlib.Path(args.out)
    settings = {"seconds": args.seconds, "sample_rate": args.sample_rate, "block": args.block}
    facts = noisygan.load(args.run_dir).export(out, args.format, **settings)
    if args.format == "web":
        size = out.stat().st_size / 1e6
        print(f"{out} ({size:.1f} MB): open it in a browser", *facts["remarks"], sep="\n")
        return 0
    n_bytes = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{', '.join(facts['forms'])} in {out} ({n_bytes / 1e6:.1f} MB)")
    lengths = {"n_samples": "{} samples", "seconds": "{:g} s"}
    fixed = {
        "length": "".join(lengths[name].format(facts[name]) for name in lengths if name in facts),
        "sample_rate": f"{facts['sample_rate']:g} Hz",
        "block": f"blocks of {facts.get('block')} samples, {facts.get('latency')} late",
    }
    values = ", ".join(fixed[name] for name in facts["fixed"])
    print(f"fixed: {values or 'nothing'}; open: {', '.join(facts['open'])}")
    return 0
