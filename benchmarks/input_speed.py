"""Input pipeline: batches a second beside what training steps consume.

    python benchmarks/input_speed.py [--sounds 256] [--seconds 10] [--configs NAME,NAME]

For each config, noisy tones of its rate and length are prepared (`noisygan prepare`) and read as
training reads them: from memory, and from memory-mapped shards, as sets are that do not fit. First
batches alone, then training steps, each for `--seconds` after the first few. `times` is how many
batches came for each one that a step eats. Prints a table and writes it, with the machine's facts,
to runs/bench/input_speed.json.
"""

import argparse
import functools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402

from benchmarks import common  # noqa: E402
from noisygan import config  # noqa: E402
from noisygan.data import dataset as recordings_of  # noqa: E402
from noisygan.data.prepare import preparing, runners  # noqa: E402
from noisygan.data.prepare.options import Options  # noqa: E402
from noisygan.metrics.note_analysis import midi_to_hz  # noqa: E402
from noisygan.training import train  # noqa: E402

# Small and quick ones: the larger the networks, the longer the pipeline may take.
CONFIGS = (
    "runs/demo.gin",
    "runs/drums_small.gin",
    "runs/drum_dcgan_small.gin",
    "runs/wavegan_small.gin",
    "runs/sample_gan_small.gin",
)
WARM_UP = 3


def make(folder, n_sounds, rate, n_samples):
    """Writes decaying noisy tones of two classes, with pitch and velocity in their names."""
    rng = np.random.default_rng(0)
    times = np.arange(n_samples) / rate
    for i in range(n_sounds):
        pitch = 40 + i % 48
        tone = np.sin(2 * np.pi * midi_to_hz(pitch) * times)
        sound = 0.5 * (tone + 0.2 * rng.normal(size=n_samples)).clip(-1, 1) * np.exp(-times)
        path = folder / ("kick", "snare")[i % 2] / f"x-{pitch:03}-100-{i:05}.wav"
        path.parent.mkdir(exist_ok=True, parents=True)
        soundfile.write(path, sound, rate)


def prepare(folder, out, recordings):
    """Prepares the tones in the form that a config wants."""
    options = Options(sample_rates=(float(recordings.sample_rate),), n_samples=recordings.n_samples)
    preparing.prepare(folder, out, options, functools.partial(runners.run_pool, n_processes=1))


def per_second(advance, seconds):
    """Calls of a function per second, after the first few."""
    for _ in range(WARM_UP):
        advance()
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        advance()
        n += 1
    return n / (time.perf_counter() - began)


def measure(name, n_sounds, seconds):
    """A row of the table for one config: dict."""
    config.parse([name])
    trainer, recordings = train.build()
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        make(data, n_sounds, recordings.sample_rate, recordings.n_samples)
        prepare(data, out, recordings)
        kept = recordings.read(out)
        limit = recordings_of.MAX_BYTES_IN_MEMORY
        try:
            recordings_of.MAX_BYTES_IN_MEMORY = 0
            mapped = recordings.read(out)
        finally:
            recordings_of.MAX_BYTES_IN_MEMORY = limit
        row = {"config": name, "batch": trainer.batch_size, "n_samples": recordings.n_samples}
        for kind, notes in (("memory", kept), ("mapped", mapped)):
            batches = iter(notes.batches(trainer.batch_size, seed=0))
            row[kind] = per_second(functools.partial(next, batches), seconds)
        trainer.build(kept, 0)
        batches, steps = trainer.batches(kept, 0), iter(range(10**9))

        def step():
            # Reading a number waits until the step is done.
            float(next(iter(trainer.train_step(batches, next(steps)).values())))

        row["eaten"] = per_second(step, seconds) * trainer.n_critic
    for kind in ("memory", "mapped"):
        row[f"times_{kind}"] = row[kind] / row["eaten"]
    return row


def table(rows):
    """The rows as Markdown."""
    heads = ["config", "batch", "samples", "steps eat", "from memory", "times", "mapped", "times"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row["config"], row["batch"], row["n_samples"], f"{row['eaten']:.3g}/s"]
        for kind in ("memory", "mapped"):
            cells += [f"{row[kind]:.3g}/s", f"{row[f'times_{kind}']:.3g}"]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def main():
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sounds", type=int, default=256, help="prepared sounds")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each measurement")
    parser.add_argument("--configs", default=",".join(CONFIGS), help="with commas between")
    args = parser.parse_args()
    rows = []
    for name in args.configs.split(","):
        rows.append(measure(name, args.sounds, args.seconds))
        print(table(rows).splitlines()[-1], flush=True)
    path = Path("runs/bench/input_speed.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": common.facts(), "rows": rows}, indent=1))
    print(f"\n{table(rows)}\n\nwritten: {path}")


if __name__ == "__main__":
    main()
