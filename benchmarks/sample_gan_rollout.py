"""How long Sample-GAN's rollout takes for a second of sound, and what rereading its buffer costs.

    python benchmarks/sample_gan_rollout.py [--seconds 1] [--n_samples 500] [--block 1]

The published generator reads the last n samples over again for each new one, on which half an hour
a second was spent. The rollout of `noisygan.generators.sample_gan` goes on from the state it is in.
Prints both, the second from a short stretch, with fresh weights (they do not change the time); and
how far the two sounds are from each other.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Steps of the published way that are timed.
N_REREAD = 40


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S")
    parser.add_argument("--n_samples", type=int, default=500, metavar="N")
    parser.add_argument("--block", type=int, default=1, metavar="B")
    parser.add_argument("--sample_rate", type=int, default=44100, metavar="R")
    args = parser.parse_args()
    import tensorflow as tf

    from noisygan.generators.sample_gan import Rollout, SampleGAN

    generator = SampleGAN(args.n_samples, args.sample_rate, block=args.block)
    z = generator.prior(1, 0)
    generator(z, {})
    times = []
    for _ in range(2):
        began = time.perf_counter()
        audio = generator(z, {}, seconds=args.seconds).audio.numpy()
        times.append(time.perf_counter() - began)
    n_steps = -(-audio.shape[1] // args.block)
    print(f"rollout: {times[0]:.1f} s with tracing, {times[1]:.1f} s again, for {n_steps} steps")

    n_buffer = generator.n_buffer
    buffer = tf.random.stateless_normal([1, n_buffer, args.block], [0, 0], stddev=0.3)
    beside = tf.random.stateless_normal([1, n_buffer + N_REREAD, 1], [0, 1])

    @tf.function
    def say(buffer, beside):
        return generator.blocks(buffer, beside)[0][:, -1:]

    expected = Rollout()(generator, buffer, beside, N_REREAD)
    reread = []
    say(buffer, beside[:, :n_buffer])
    began = time.perf_counter()
    for i in range(N_REREAD):
        reread.append(say(buffer, beside[:, i : i + n_buffer]))
        buffer = tf.concat([buffer[:, 1:], reread[-1]], axis=1)
    step = (time.perf_counter() - began) / N_REREAD
    distance = np.abs(tf.concat(reread, axis=1) - expected).max() / np.abs(expected).max()
    print(
        f"rereading the buffer of {n_buffer} for each step: {1e3 * step:.1f} ms a step, "
        f"{step * n_steps:.0f} s for as much; the sounds differ by {distance:.1e} of the peak"
    )


if __name__ == "__main__":
    main()
