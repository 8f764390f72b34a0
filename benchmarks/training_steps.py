"""What a training step costs: beside a plain Keras model, and by regularizer.

    python benchmarks/training_steps.py [--units 16] [--batch_size 16] [--turns 15]

WaveGAN of 16384 samples, on sounds made here. First the trainer beside a `keras.Model` with a
`train_step` of its own, as a Keras user would write it: the same layers, WGAN-GP, a critic step and
one generator step. Then the critic's update with each regularizer, relative to none. All turns are
interleaved in one process; medians. Prints two tables and writes them, with the machine's facts, to
runs/bench/training_steps.json.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from discriminators.waveform import WaveGANDiscriminator  # noqa: E402
from noisygan.benchmarks import machine  # noqa: E402
from noisygan.data.dataset import AudioDataset  # noqa: E402
from noisygan.generators.wavegan import WaveGAN  # noqa: E402
from noisygan.losses import R1, R2, Drift, GradientPenalty, Wasserstein  # noqa: E402
from noisygan.training.optimizers import Adam  # noqa: E402
from noisygan.training.trainer import Trainer  # noqa: E402

N_SAMPLES = 16384
LATENT_DIM = 100


def recordings(n=64):
    """Bursts of noise that decay."""
    rng = np.random.default_rng(0)
    times = np.arange(N_SAMPLES) / 44100.0
    audio = 0.3 * rng.normal(size=(n, N_SAMPLES)) * np.exp(-20.0 * times)
    return AudioDataset(
        folder="made",
        names=[f"made-{i}" for i in range(n)],
        paths=[f"made-{i}.wav" for i in range(n)],
        sample_rate=44100,
        n_samples=N_SAMPLES,
        pitch=np.full(n, np.nan),
        velocity=np.full(n, np.nan),
        label=np.zeros(n),
        label_names=["made"],
        fingerprint="made",
        audio=np.clip(audio, -1, 1).astype(np.float32),
    )


def trainer(units, batch_size, regularizers):
    """Ours: WaveGAN against its discriminator, one critic step a generator step."""
    return Trainer(
        WaveGAN(N_SAMPLES, 44100, units, LATENT_DIM),
        WaveGANDiscriminator(N_SAMPLES, units, shuffle=0),
        Wasserstein(),
        regularizers,
        g_optimizer=Adam(1e-4, 0.5, 0.9),
        d_optimizer=Adam(1e-4, 0.5, 0.9),
        batch_size=batch_size,
    )


class PlainGAN(keras.Model):
    """The same networks and losses in Keras' own way."""

    def __init__(self, units, batch_size):
        super().__init__()
        up = [
            keras.layers.Conv1DTranspose(n, 25, 4, "same", activation=activation)
            for n, activation in [(units * 2**i, "relu") for i in (3, 2, 1, 0)] + [(1, "tanh")]
        ]
        first = [
            keras.layers.Dense(256 * units, activation="relu"),
            keras.layers.Reshape([16, 16 * units]),
        ]
        self.generator = keras.Sequential([keras.Input([LATENT_DIM]), *first, *up])
        down = []
        for i in range(5):
            down += [keras.layers.Conv1D(units * 2**i, 25, 4, "same"), keras.layers.LeakyReLU(0.2)]
        last = [keras.layers.Flatten(), keras.layers.Dense(1)]
        self.critic = keras.Sequential([keras.Input([N_SAMPLES, 1]), *down, *last])
        self.batch_size = batch_size
        self.g_optimizer = keras.optimizers.Adam(1e-4, 0.5, 0.9)
        self.d_optimizer = keras.optimizers.Adam(1e-4, 0.5, 0.9)

    def train_step(self, data):
        """One critic step and one generator step."""
        real = data[0]
        z = tf.random.normal([self.batch_size, LATENT_DIM])
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            loss = tf.reduce_mean(self.critic(fake)) - tf.reduce_mean(self.critic(real))
            share = tf.random.uniform([self.batch_size, 1, 1])
            between = real + share * (fake - real)
            with tf.GradientTape() as inner:
                inner.watch(between)
                judged = self.critic(between)
            slope = inner.gradient(judged, between)
            norm = tf.sqrt(tf.reduce_sum(slope**2, axis=[1, 2]))
            loss += 10.0 * tf.reduce_mean((norm - 1.0) ** 2)
        variables = self.critic.trainable_variables
        self.d_optimizer.apply(tape.gradient(loss, variables), variables)
        z = tf.random.normal([self.batch_size, LATENT_DIM])
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.critic(self.generator(z, training=True)))
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(g_loss, variables), variables)
        return {"d_loss": loss, "g_loss": g_loss}


def medians(calls, n_turns):
    """Seconds of each call, turn by turn; {name: median}."""
    taken = {name: [] for name in calls}
    for _ in range(n_turns):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - began)
    return {name: float(np.median(times)) for name, times in taken.items()}


def beside_keras(notes, units, batch_size, n_turns):
    """Seconds of a whole step, ours and Keras'."""
    ours = trainer(units, batch_size, [GradientPenalty()])
    ours.build(notes)
    batches = ours.batches(notes, 0)
    plain = PlainGAN(units, batch_size)
    plain.compile()
    sounds = iter(notes.batches(batch_size, 0))
    calls = {
        "noisygan": lambda: float(ours.train_step(batches, 1)["g_loss"]),
        "keras.Model": lambda: plain.train_on_batch(next(sounds)["audio"][:, :, None]),
    }
    for call in calls.values():
        call(), call()
    return medians(calls, n_turns)


def by_regularizer(notes, units, batch_size, n_turns):
    """Seconds of the critic's update, with each regularizer."""
    kinds = {
        "none": [],
        "drift": [Drift()],
        "R1": [R1()],
        "R1 + R2": [R1(), R2()],
        "R1 + R2, every 8th": [R1(interval=8), R2(interval=8)],
        "gradient penalty": [GradientPenalty()],
    }
    calls = {}
    for name, regularizers in kinds.items():
        t = trainer(units, batch_size, regularizers)
        t.build(notes)
        batch = next(t.batches(notes, 0))
        steps = iter(range(10**6))

        def call(t=t, batch=batch, steps=steps):
            # Eight updates, so that lazy ones come once.
            for _ in range(8):
                step = next(steps)
                float(t._run_critic(batch, t._seed(step), t._active(step), 0)["d_loss"])

        call()
        calls[name] = call
    return {name: value / 8 for name, value in medians(calls, max(n_turns // 3, 3)).items()}


def table(title, seconds, reference):
    """A Markdown table with ratios to one of the rows."""
    lines = [f"| {title} | ms | ratio |", "| --- | ---: | ---: |"]
    for name, value in seconds.items():
        lines.append(f"| {name} | {1e3 * value:.3g} | {value / seconds[reference]:.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--out", default="runs/bench/training_steps.json")
    args = parser.parse_args()
    notes = recordings()
    steps = beside_keras(notes, args.units, args.batch_size, args.turns)
    updates = by_regularizer(notes, args.units, args.batch_size, args.turns)
    print(table("a step of WaveGAN with gradient penalty", steps, "keras.Model"))
    print()
    print(table("the critic's update", updates, "none"))
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine.facts(), "steps": steps, "critic": updates} | vars(args)
    out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
