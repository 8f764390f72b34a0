"""Sizes, times and differences of exported models, beside the Python generator.

    python benchmarks/export.py --run_dir runs/flute [--run_dir runs/kit ...] [--notes 6]
        [--repeat 10]

Each run is exported as whole notes of the run's length and rate in every format whose tools are
installed, and played in that format's runtime on one thread: `difference` is the largest one
between its samples and those of the Python generator (TensorFlow's own operations), over some
notes from the lowest to the highest pitch of the run; `CPU ms` the processor's time for one note
alone, after a first one, and `wall ms` the median time by the clock, which other programs on the
machine lengthen. Python is the generator as commands use it, with compiled kernels. Prints a table
in Markdown.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import common  # noqa: E402


def asked(run, n):
    """Inputs of n notes, NumPy arrays by name."""
    pitches = run.pitches or (60,)
    return {
        "z": run.generator.prior(n, seed=1).numpy(),
        "pitch": np.linspace(pitches[0], pitches[-1], n).round().astype(np.float32),
        "velocity": np.linspace(30, 120, n).astype(np.float32),
        "label": (np.arange(n) % max(len(run.label_names), 1)).astype(np.int32),
        "seed": np.arange(n, dtype=np.int32),
    }


def in_python(generator):
    """(function from inputs to audio, bytes)."""
    import tensorflow as tf

    def play(notes):
        given = {name: tf.constant(value) for name, value in notes.items()}
        return generator(given["z"], given, seed=given["seed"]).audio.numpy()

    return play, 4 * sum(int(np.prod(weight.shape)) for weight in generator.weights)


def in_saved_model(folder, facts, lengths):
    import tensorflow as tf

    model = tf.saved_model.load(folder)

    def play(notes):
        given = {s["name"]: (notes | lengths)[s["name"]] for s in facts["forms"]["audio"]}
        given = {name: tf.constant(value) for name, value in given.items()}
        return model.signatures["audio"](**given)["audio"].numpy()

    return play, size(folder)


def in_onnx(folder, facts, lengths):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "audio.onnx", options)
    names = [each.name for each in session.get_inputs()]
    return lambda notes: session.run(["audio"], {k: notes[k] for k in names})[0], size(folder)


def in_litert(folder, facts, lengths):
    from ai_edge_litert.interpreter import Interpreter

    runtime = Interpreter(model_path=str(folder / "model.tflite"), num_threads=1)
    play = runtime.get_signature_runner("audio")
    names = list(play.get_input_details())
    return lambda notes: play(**{name: notes[name] for name in names})["audio"], size(folder)


RUNTIMES = {"saved_model": in_saved_model, "onnx": in_onnx, "litert": in_litert}


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def times(play, notes, repeat):
    """(CPU ms, wall ms) of one note."""
    one = {name: value[:1] for name, value in notes.items()}
    play(one)
    walls, began = [], time.process_time()
    for _ in range(repeat):
        start = time.perf_counter()
        play(one)
        walls.append(time.perf_counter() - start)
    return 1e3 * (time.process_time() - began) / repeat, 1e3 * float(np.median(walls))


def measure(run_dir, n_notes, repeat):
    """Prints the rows of one run."""
    import synths
    from noisygan.export.export import export
    from noisygan.generators.hybrid import Hybrid
    from noisygan.run import load

    run = load(run_dir)
    generator = run.generator
    notes = asked(run, n_notes)
    rate = generator.sample_rate
    lengths = {
        "n_samples": np.int32(round(generator.seconds * rate)),
        "sample_rate": np.int32(rate),
    }
    if not isinstance(generator, Hybrid):
        lengths = {}
    name = f"{run.name}, {generator.seconds:.3g} s at {rate:g} Hz"

    def row(format, n_bytes, seconds, difference, cpu, wall):
        print(
            f"| {name} | {format} | {n_bytes / 1e6:.1f} | {seconds} | {difference} | {cpu:.1f} | "
            f"{wall:.1f} |",
            flush=True,
        )

    play, n_bytes = in_python(generator)
    row("Python", n_bytes, "", "", *times(play, notes, repeat))
    synths.set_native_kernels(False)
    expected = play(notes)
    for format, runtime in RUNTIMES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            began = time.process_time()
            try:
                facts = export(run, folder, format)
                seconds = time.process_time() - began
                play, n_bytes = runtime(folder, facts, lengths)
            except (ImportError, ValueError, RuntimeError) as error:
                print(f"| {name} | {format} | {' '.join(str(error).split())[:80]} | | | | |")
                continue
            difference = f"{np.abs(play(notes) - expected).max():.1e}"
            row(format, n_bytes, f"{seconds:.0f}", difference, *times(play, notes, repeat))
    synths.set_native_kernels(None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run_dir", action="append", required=True, type=Path)
    parser.add_argument("--notes", type=int, default=6)
    parser.add_argument("--repeat", type=int, default=10)
    args = parser.parse_args()
    print("; ".join(f"{k} {v}" for k, v in common.facts().items() if v), "\n")
    print("| run | format | MB | CPU s to export | difference | CPU ms a note | wall ms a note |")
    print("|---|---|---|---|---|---|---|")
    for run_dir in args.run_dir:
        measure(run_dir, args.notes, args.repeat)


if __name__ == "__main__":
    main()
