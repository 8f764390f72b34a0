"""Voices that the block-wise form of a hybrid plays at once on one core, and their jitter.

    python benchmarks/streaming.py --run_dir runs/flute [--voices 20] [--sample_rate 48000]
        [--blocks 64,128,256,512,1024] [--seconds 4]

The form `play` (a note in, curves drawn, harmonics and noise sounded) is exported to ONNX for each
size of block and run by onnxruntime on one thread, all voices in one call, for some seconds of
sound: notes of different pitches held throughout. `CPU ms` is the thread's processor time for a
block - mean, 99th percentile, longest: its spread is the jitter that the form itself has - and
`real time` how many voices the mean would fill it with; `by the clock` are median and 99th
percentile, in which whatever else the machine does is seen. `latency` is what the form adds beside
the host's own block. `step` is the same without the networks: controls in. Prints a table in
Markdown.
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


def session(path):
    """An onnxruntime session of one thread, in which numbers too small to matter are 0."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return onnxruntime.InferenceSession(path, options)


def inputs(specs, generator, n_voices):
    """The first call's inputs, NumPy arrays by name."""
    rng = np.random.default_rng(0)
    values = {
        "z": generator.prior(n_voices, seed=1).numpy(),
        "pitch": np.linspace(48, 84, n_voices).astype(np.float32),
        "velocity": np.full(n_voices, 100, np.float32),
        "seed": np.arange(n_voices, dtype=np.int32),
        "note_off_seconds": np.full(n_voices, 1e9, np.float32),
        "f0_hz": np.linspace(130, 1047, n_voices).astype(np.float32)[:, None],
        "amplitudes": np.full((n_voices, 1), 0.1, np.float32),
    }
    for spec in specs:
        if spec["name"] not in values:
            shape = [n_voices, *spec["shape"][1:]]
            fresh = np.zeros(shape, spec["type"])
            if not spec["name"].startswith("state_") and spec["type"] == "float32":
                fresh = rng.uniform(0.0, 0.01, shape).astype(np.float32)
            values[spec["name"]] = fresh
    return {spec["name"]: values[spec["name"]] for spec in specs}


def played(model, given, n_blocks):
    """(CPU seconds, seconds by the clock) of each block, two arrays [n_blocks]."""
    outputs = [each.name for each in model.get_outputs()]
    names = {name: name.replace("next_", "state_") for name in outputs if name != "audio"}
    spent = []
    for _ in range(20 + n_blocks):
        cpu, wall = time.thread_time(), time.perf_counter()
        made = dict(zip(outputs, model.run(None, given), strict=True))
        spent.append((time.thread_time() - cpu, time.perf_counter() - wall))
        given = given | {state: made[name] for name, state in names.items()}
    return np.array(spent[20:]).T


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run_dir", required=True, type=Path)
    parser.add_argument("--voices", type=int, default=20)
    parser.add_argument("--sample_rate", type=int, default=48000)
    parser.add_argument("--blocks", default="64,128,256,512,1024")
    parser.add_argument("--seconds", type=float, default=4.0)
    args = parser.parse_args()

    from noisygan.export.export import export
    from noisygan.run import load

    run = load(args.run_dir)
    generator = run.generator
    print("; ".join(f"{k} {v}" for k, v in common.facts().items() if v), "\n")
    print(
        "| form | block | lasts ms | latency ms | CPU ms: mean | p99 | max | real time, voices | "
        "by the clock ms: median | p99 |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for block in map(int, args.blocks.split(",")):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            facts = export(run, folder, "onnx", sample_rate=args.sample_rate, block=block)
            models = {form: session(folder / f"{form}.onnx") for form in facts["forms"]}
        lasts = block / args.sample_rate
        for form, model in models.items():
            given = inputs(facts["forms"][form], generator, args.voices)
            cpu, wall = 1e3 * played(model, given, max(100, round(args.seconds / lasts)))
            print(
                f"| {form} | {block} | {1e3 * lasts:.2f} | "
                f"{1e3 * facts['latency'] / args.sample_rate:.1f} | {cpu.mean():.2f} | "
                f"{np.percentile(cpu, 99):.2f} | {cpu.max():.2f} | "
                f"{args.voices * 1e3 * lasts / cpu.mean():.0f} | {np.median(wall):.2f} | "
                f"{np.percentile(wall, 99):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
