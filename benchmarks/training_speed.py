"""Training speed of configs on this machine, in steps a second.

    python benchmarks/training_speed.py [--gin_file runs/notes.gin ...] [--steps 120] [--data DIR]

Each config is trained in a process of its own by `noisygan train`, on the bundled notes unless
others are given. The rate is the median over the lines of metrics.jsonl after the first
`--warm_up` steps (they build the graphs), so that a pause of the machine does not count. Prints a
table and writes it, with the machine's facts, to runs/bench/training_speed.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from noisygan.benchmarks import machine  # noqa: E402
from noisygan.demo import notes_folder  # noqa: E402


def steps_per_second(lines, warm_up):
    """Median rate between neighbouring lines of metrics.

    Args:
      lines: Dicts with `step` and `seconds`, in order.
      warm_up: Steps at the beginning that do not count.

    Returns:
      Steps a second.

    Raises:
      ValueError: if fewer than two lines are left.
    """
    points = np.array([(line["step"], line["seconds"]) for line in lines if line["step"] > warm_up])
    if len(points) < 2:
        raise ValueError(f"too few steps after the {warm_up} of the warm-up; raise --steps")
    steps, seconds = np.diff(points, axis=0).T
    return float(np.median(steps / seconds))


def measure(gin_file, data, steps, warm_up, threads):
    """Trains one config for some steps. Returns a dict of what was measured."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    if threads:
        environment.update(
            TF_NUM_INTRAOP_THREADS=str(threads),
            TF_NUM_INTEROP_THREADS="1",
            NUMBA_NUM_THREADS=str(threads),
            OMP_NUM_THREADS=str(threads),
        )
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        command = [sys.executable, "-m", "noisygan", "train", "--gin_file", gin_file]
        command += ["--data", str(data), "--run_dir", str(run_dir), "--steps", str(steps)]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        text = (run_dir / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return {
        "config": gin_file,
        "steps_per_second": steps_per_second(lines, warm_up),
        "first_step_seconds": lines[0]["seconds"],
        "steps": steps,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gin_file", action="append", help="default: runs/notes.gin")
    parser.add_argument("--data", type=Path, default=notes_folder())
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--warm_up", type=int, default=20)
    parser.add_argument("--threads", type=int, help="cores to use; default: all")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/bench/training_speed.json")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if arguments.steps < arguments.warm_up + 30:
        parser.error(f"--steps {arguments.steps}: expected at least --warm_up + 30")
    rows = []
    for gin_file in arguments.gin_file or ["runs/notes.gin"]:
        row = measure(
            gin_file, arguments.data, arguments.steps, arguments.warm_up, arguments.threads
        )
        rows.append(row)
        print(
            f"{gin_file:32s} {row['steps_per_second']:6.2f} steps/s"
            f"   first step after {row['first_step_seconds']:.0f} s",
            flush=True,
        )
    result = {"machine": machine.facts(), "threads": arguments.threads, "rows": rows}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"{result['machine']['processor']}, {result['machine']['cores']} cores: {arguments.out}")


if __name__ == "__main__":
    main()
