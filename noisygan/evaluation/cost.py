"""Cost of a run: parameters, training time, and time to render on this machine."""

from __future__ import annotations

import math
import statistics
import time

from noisygan.evaluation.report import Metric, Result

GROUP = "cost"
BATCH_SIZES = (1, 64)
# Timed calls at each batch size, and seconds after which no other one is made.
N_REPEATS = 5
MAX_SECONDS = 20.0
TRAINING = Metric("training time", GROUP, "s")
STEPS = Metric("steps", GROUP, "", None)
PARAMETERS = Metric("generator parameters", GROUP)


def cost(run):
    """Yield the cost of a Run, as Results; times are medians, per example.

    The first call, which may trace, does not count, unless it takes longer than `MAX_SECONDS`.
    """
    import tensorflow as tf

    lines = [line for line in run.metrics() if line.get("step", 0) <= run.step]
    seconds = [line["seconds"] for line in lines if "seconds" in line]
    if seconds:
        yield Result(TRAINING, float(seconds[-1]))
    else:
        yield Result(TRAINING, not_run="not logged")
    yield Result(STEPS, float(run.step))
    n_parameters = sum(math.prod(w.shape) for w in run.generator.trainable_weights)
    yield Result(PARAMETERS, float(n_parameters))
    for n in BATCH_SIZES:
        conditioning = dict.fromkeys(run.condition_names, tf.zeros([n]))
        conditioning |= {
            "pitch": tf.fill([n], 69.0),
            "velocity": tf.fill([n], 100.0),
            "label": tf.zeros([n], tf.int32),
        }
        z, times = run.generator.prior(n, 0), []
        while len(times) <= N_REPEATS and sum(times) < MAX_SECONDS:
            began = time.perf_counter()
            run.generator(z, conditioning, seed=tf.range(n)).audio.numpy()
            times.append(time.perf_counter() - began)
        milliseconds = 1000.0 * statistics.median(times[1:] or times) / n
        yield Result(Metric(f"rendering an example at batch {n}", GROUP, "ms"), milliseconds)
