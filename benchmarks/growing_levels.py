"""Cost of the growing GAN's levels: building, a training step, memory; and of making a song.

Each level is measured in a process of its own, so that peak memory is its own. A step is one update
of the discriminator with its gradient penalty and one of the generator; tracing it counts as
building. Processor seconds, of all cores together, are printed beside the clock's, which counts
what else the machine does too.

    python benchmarks/growing_levels.py --levels 0 4 8 --policies float32 mixed_bfloat16
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

BATCH_SIZES = (16, 16, 8, 4, 8, 8, 4, 4, 4)


def networks():
    """The full-size pair, as published."""
    import tensorflow_probability as tfp

    from discriminators.growing_gan import GrowingGANDiscriminator
    from noisygan.generators.growing_gan import GrowingGAN

    generator = GrowingGAN(prior=tfp.distributions.Uniform(-1.0, 1.0))
    generator.build()
    generator.seed_map.build((None, generator.latent_dim))
    discriminator = GrowingGANDiscriminator()
    discriminator.build()
    return generator, discriminator


def measure_level(level, batch_size, n_steps):
    """Seconds and memory of training at one level, as a dict."""
    import tensorflow as tf

    from noisygan.losses import Wasserstein
    from noisygan.losses.regularizers import Drift, GradientPenalty
    from noisygan.training.optimizers import Adam, Phase
    from noisygan.training.step import EMA, GANLosses, train_step

    start = time.perf_counter()
    generator, discriminator = networks()
    generator.level = level
    for network in (generator, discriminator):
        network.alpha.assign(0.5 if level else 1.0)
    losses = Wasserstein(), [GradientPenalty(), Drift()]
    gan = GANLosses(generator, discriminator, *losses)
    d_phase, g_phase = (
        Phase(name, n.trainable_variables, Adam().build(n.trainable_variables))
        for name, n in (("d", discriminator), ("g", generator))
    )
    ema = EMA(generator, 0.99)

    @tf.function
    def step(real, seed):
        return train_step(gan, d_phase, g_phase, ema, {"audio": real}, seed, (0, 1))

    real = 0.1 * tf.random.stateless_normal([batch_size, generator.length_of(level)], [0, 1])
    run = step.get_concrete_function(real, tf.constant([0, 0]))
    built, processor = time.perf_counter(), time.process_time()
    for i in range(n_steps):
        metrics = run(real, tf.constant([0, 8 * i]))
    finite = bool(metrics["d_finite"] * metrics["g_finite"])
    return {
        "build_seconds": built - start,
        "step_seconds": (time.perf_counter() - built) / n_steps,
        "step_processor_seconds": (time.process_time() - processor) / n_steps,
        "batch_size": batch_size,
        "finite": finite,
    }


def measure_making(n_times):
    """Seconds to make one sound of the full length, as a dict."""
    import tensorflow as tf

    generator, _ = networks()
    make = tf.function(lambda z: generator(z, {}).audio)
    z = generator.prior(1, 0)
    make(z)
    seconds, processor = [], time.process_time()
    for _ in range(n_times):
        start = time.perf_counter()
        make(z)
        seconds.append(time.perf_counter() - start)
    return {
        "fastest_seconds": min(seconds),
        "median_seconds": sorted(seconds)[n_times // 2],
        "processor_seconds": (time.process_time() - processor) / n_times,
    }


def child(arguments):
    """Measures in this process and prints one line of JSON."""
    import keras

    keras.mixed_precision.set_dtype_policy(arguments.policies[0])
    if arguments.child == "making":
        found = measure_making(arguments.steps)
    else:
        level = int(arguments.child)
        found = measure_level(level, BATCH_SIZES[level], arguments.steps)
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found | {"peak_gib": peak}))


def in_a_process(what, policy, steps, seconds):
    """What a child measures, or the last line of what it said when it failed."""
    command = [sys.executable, __file__, "--child", str(what), "--policies", policy]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [*command, "--steps", str(steps)],
            capture_output=True,
            text=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {seconds} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failed": lines[-1][:200]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    """Prints one line a measurement; `--out` keeps them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--levels", type=int, nargs="*", default=list(range(len(BATCH_SIZES))))
    parser.add_argument("--policies", nargs="+", default=["float32", "mixed_bfloat16"])
    parser.add_argument("--steps", type=int, default=2, help="of a measurement")
    parser.add_argument("--seconds", type=float, default=180.0, help="limit of a measurement")
    parser.add_argument("--out", help="a JSON file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(arguments)
        return
    rows = []
    for policy in arguments.policies:
        for what in ["making", *arguments.levels]:
            found = in_a_process(what, policy, arguments.steps, arguments.seconds)
            rows.append({"what": what, "policy": policy} | found)
            print(json.dumps(rows[-1]), flush=True)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
