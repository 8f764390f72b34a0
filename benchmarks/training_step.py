"""Time and memory of a config's training step, also in turns with another checkout.

    python benchmarks/training_step.py --gin_file runs/notes.gin
    python benchmarks/training_step.py --gin_file runs/notes.gin --against ../noisygan-before
    python benchmarks/training_step.py --gin_file runs/notes.gin --batches 8 16 32

Every setting is a separate process; all of them take turns of `--steps` steps (a multiple of the
intervals of lazy regularizers), so that other programs on the machine disturb all alike. Medians of
the turns by the clock, and in processor time of all cores. `speed` is the median over the turns of
the first row's time to the row's own: above 1 is faster than the first row. With `--batches` it
also fits time = t0 + t1 B, the numbers that docs/scaling.md asks for. Without --data it trains on
tones made for the purpose.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
MIB = 2.0**20


# ---- in the process that trains ----------------------------------------------------------------


def made_recordings(recordings, folder, n=32):
    """Write recordings that a config reads: decaying harmonics of known pitch and velocity."""
    import soundfile

    rate, labels = recordings.sample_rate, recordings.instruments or ["high", "low"]
    times = np.arange(recordings.n_samples) / rate
    rng = np.random.default_rng(0)
    for i in range(n):
        pitch, velocity, label = 50 + 30 * i // n, 30 + 90 * i // n, labels[i % len(labels)]
        angle = 2.0 * np.pi * 440.0 * 2.0 ** ((pitch - 69) / 12) * times
        audio = sum(np.sin(k * angle) / k for k in range(1, 5)) * np.exp(-times)
        path = folder / label / f"{label}-{pitch:03d}-{velocity:03d}-{i:03d}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.2 * audio + 0.001 * rng.normal(size=len(times)), rate)
    return folder


def child(job):
    """Train as a job says: a turn of steps for each line that arrives, a line of JSON for each."""
    sys.path.insert(0, job["checkout"])
    import resource

    from noisygan import config
    from noisygan.training.trainer import Trainer

    try:
        from noisygan.data.dataset import Recordings
    except ImportError:  # noisygan 0.1
        from noisygan.data.recordings import Recordings

    config.parse(job["gin_file"], job["gin_param"])
    trainer, recordings = config.configured(Trainer)(), config.configured(Recordings)()
    with tempfile.TemporaryDirectory() as folder:
        notes = recordings.read(job["data"] or made_recordings(recordings, Path(folder)))
        trainer.build(notes)
        batches, step = trainer.batches(notes, 0), 0

        def turn(n_steps):
            nonlocal step
            began = time.perf_counter(), time.process_time()
            for _ in range(n_steps):
                float(trainer.train_step(batches, step)["g_loss"])
                step += 1
            ended = time.perf_counter(), time.process_time()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            peak *= 1 if sys.platform == "darwin" else 1024
            found = {"seconds": ended[0] - began[0], "cpu_seconds": ended[1] - began[1]}
            print(json.dumps(found | {"peak_bytes": peak}), flush=True)

        turn(job["steps"])  # builds the graphs
        for _ in sys.stdin:
            turn(job["steps"])


# ---- in the process that measures --------------------------------------------------------------


class Contestant:
    """A process that trains by turns."""

    def __init__(self, name, job):
        self.name, self.steps, self.turns = name, job["steps"], []
        command = [sys.executable, __file__, "--child", json.dumps(job)]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": job["checkout"]}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.first = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: the process that trains ended; see above")
        return json.loads(line)

    def turn(self):
        """Take a turn and remember it."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.turns.append(self.answer())

    def per_step(self, what):
        """Seconds a step of each turn."""
        return [turn[what] / self.steps for turn in self.turns]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(jobs, n_turns):
    """Measure jobs in turns.

    Args:
      jobs: dict of name -> job of `child`.
      n_turns: int.

    Returns:
      list of dict: name, seconds and cpu_seconds a step (medians), first_seconds (building graphs
      included), peak_bytes, speed and cpu_speed (medians over the turns, to the first job).
    """
    contestants = [Contestant(name, job) for name, job in jobs.items()]
    for _ in range(n_turns):
        for contestant in contestants:
            contestant.turn()
    rows = []
    for contestant in contestants:
        speeds = {}
        for what in ("seconds", "cpu_seconds"):
            pairs = zip(contestants[0].per_step(what), contestant.per_step(what), strict=True)
            speeds[what] = statistics.median(first / own for first, own in pairs)
        rows.append(
            {
                "name": contestant.name,
                "seconds": statistics.median(contestant.per_step("seconds")),
                "cpu_seconds": statistics.median(contestant.per_step("cpu_seconds")),
                "first_seconds": contestant.first["seconds"],
                "peak_bytes": contestant.turns[-1]["peak_bytes"],
                "speed": speeds["seconds"],
                "cpu_speed": speeds["cpu_seconds"],
            }
        )
        contestant.close()
    return rows


def table(rows):
    """Rows of `measure` as a Markdown table."""
    lines = ["| | ms a step | CPU ms | first turn, s | peak MiB | speed | CPU speed |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        lines.append(
            f"| {row['name']} | {1e3 * row['seconds']:.4g} | {1e3 * row['cpu_seconds']:.4g} | "
            f"{row['first_seconds']:.3g} | {row['peak_bytes'] / MIB:.0f} | {row['speed']:.3f} | "
            f"{row['cpu_speed']:.3f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gin_file", nargs="+", default=["runs/notes.gin"], metavar="FILE")
    parser.add_argument("--gin_param", nargs="*", default=[], metavar="BINDING")
    parser.add_argument("--data", metavar="DIR", help="recordings (default: made here)")
    parser.add_argument("--against", metavar="DIR", help="another checkout, measured in turns")
    parser.add_argument("--batches", type=int, nargs="*", default=[], metavar="B")
    parser.add_argument("--turns", type=int, default=15, metavar="N")
    parser.add_argument("--steps", type=int, default=8, metavar="N", help="of a turn")
    parser.add_argument("--json", action="store_true", help="print figures instead of a table")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.child)
    data = args.data and str(Path(args.data).resolve())
    job = {"checkout": str(ROOT), "data": data, "steps": args.steps}
    job |= {"gin_file": args.gin_file, "gin_param": args.gin_param}
    jobs = {"this checkout": job}
    if args.against:
        other = Path(args.against).resolve()
        jobs = {other.name: job | {"checkout": str(other)}, **jobs}
    for batch in args.batches:
        params = [*args.gin_param, f"Trainer.batch_size = {batch}"]
        jobs[f"batch {batch}"] = job | {"gin_param": params}
    rows = measure(jobs, args.turns)
    print(json.dumps(rows, indent=1) if args.json else table(rows))
    if len(args.batches) > 1 and not args.json:
        seconds = [row["seconds"] for row in rows[-len(args.batches) :]]
        each, fixed = np.polyfit(args.batches, seconds, 1)
        print(f"\ntime of a step = {1e3 * fixed:.3g} ms + {1e3 * each:.3g} ms x batch")
    return None


if __name__ == "__main__":
    sys.exit(main())
