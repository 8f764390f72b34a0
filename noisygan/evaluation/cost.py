"""What a run costs: parameters, training, and making a sound, measured in a process of its own.

    python -m noisygan.evaluation.cost RUN_DIR

prints one line of JSON; `cost` calls it, so that neither the memory nor the threads of what has
run before count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from noisygan import config
from noisygan.evaluation.results import Metric, Result

GROUP = "cost"
BATCH_SIZES = (1, 64)
N_TURNS = 5
PARAMETERS = Metric("generator's parameters", GROUP)
SECONDS = Metric("training", GROUP, "s")
STEPS = Metric("steps", GROUP, "", None)
PEAK = Metric("peak memory at batch 64", GROUP, "MiB")
MILLISECONDS = {n: Metric(f"making a sound at batch {n}", GROUP, "ms") for n in BATCH_SIZES}


def cost(run_dir, step, metrics):
    """The results of cost.

    Args:
      run_dir: Folder of the run.
      step: Of its newest checkpoint.
      metrics: Lines of its metrics.jsonl, dicts.

    Yields:
      Result.
    """
    until = [line for line in metrics if line.get("step", 0) <= step]
    trained = [line["seconds"] for line in until if "seconds" in line]
    if trained:
        yield Result(SECONDS, float(trained[-1]), note="until the last line of metrics.jsonl")
    else:
        yield Result(SECONDS, not_run="no line of metrics.jsonl tells it yet")
    yield Result(STEPS, float(step))
    environment = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(path for path in sys.path if path),
        TF_CPP_MIN_LOG_LEVEL="3",
        CUDA_VISIBLE_DEVICES="-1",
    )
    command = [sys.executable, "-m", __name__, str(run_dir), *config.allowed_modules()]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    metrics = [PARAMETERS, *MILLISECONDS.values(), PEAK]
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
        for metric in metrics:
            yield Result(metric, not_run=f"the process that measures it failed: {said[-1][:200]}")
        return
    found = json.loads(done.stdout.splitlines()[-1])
    for metric in metrics:
        yield Result(metric, float(found[metric.name]))


def main(run_dir):
    """Measures one run; see `cost`. Returns a dict from a metric's name to its value."""
    import math
    import resource
    import statistics
    import time

    import tensorflow as tf

    from noisygan.training.runs import load_generator

    generator = load_generator(run_dir)
    n_parameters = sum(math.prod(w.shape) for w in generator.trainable_weights)
    found = {PARAMETERS.name: n_parameters}
    for n, metric in MILLISECONDS.items():
        z = generator.prior(n, 0)
        conditioning = {
            "pitch": tf.fill([n], 69.0),
            "velocity": tf.fill([n], 100.0),
            "label": tf.zeros([n], tf.int32),
        }
        seeds = tf.range(n)
        turns = []
        for _ in range(N_TURNS + 1):
            began = time.perf_counter()
            generator(z, conditioning, seed=seeds).audio.numpy()
            turns.append(time.perf_counter() - began)
        found[metric.name] = 1000.0 * statistics.median(turns[1:]) / n
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    found[PEAK.name] = peak / (1024.0 if sys.platform != "darwin" else 1024.0**2)
    return found


if __name__ == "__main__":
    config.allow_modules(sys.argv[2:])
    print(json.dumps(main(sys.argv[1])))
