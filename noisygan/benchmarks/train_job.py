"""A config's training step, measured in a process of its own.

    python -m noisygan.benchmarks.train_job '{"gin_file": ["runs/notes.gin"], ...}'

is how `noisygan.benchmarks.training` calls this module; the answer is the last line it prints.
"""

import json
import math
import statistics
import sys
import time

import numpy as np

from noisygan import config


def main(job):
    """Does one job.

    Args:
      job: dict: gin_file and gin_param (lists); allow_modules, as `config.allow_modules` takes
        them; data, a folder, or None for sounds made here;
        n_turns; parts, whether the step is taken apart; naive, a config whose naive step is
        measured in turn, or None.

    Returns:
      dict: facts of the config, `step`, `parts`, `naive` and `memory`.
    """
    import tensorflow as tf

    from noisygan.benchmarks import measures, naive_step, train_parts

    tf.get_logger().setLevel("ERROR")
    config.allow_modules(job["allow_modules"])
    trainer, notes = build(job["gin_file"], job["gin_param"], job["data"])
    before = measures.resident_bytes()
    # A whole cycle has each lazy regularizer once.
    cycle = math.lcm(*(r.interval for r in trainer.gan.regularizers), 1)
    batches = trainer.batches(notes, 0)
    began = time.perf_counter()
    trainer.train_step(batches, 0)
    if cycle > 1:
        trainer.train_step(batches, 1)
    waited = []

    def timed_batches():
        while True:
            asked = time.perf_counter()
            batch = next(batches)
            waited.append(time.perf_counter() - asked)
            yield batch

    given = timed_batches()
    own = (trainer._run_critic, trainer._run_step)
    programs = getattr(trainer._run_step, "programs", own)

    def steps():
        for step in range(cycle):
            float(trainer.train_step(given, step)["g_loss"])

    calls = {"step": steps}
    first_seconds = time.perf_counter() - began
    steps()
    n_traces = [program.experimental_get_tracing_count() for program in programs]
    peak = measures.peak_bytes()
    if job["parts"]:
        found = train_parts.parts(trainer, next(batches))
        for call in found.values():
            call()
        calls |= found
        if cycle > 1:
            calls["without regularizers"] = lambda: float(trainer.train_step(given, 1)["g_loss"])
    if job["naive"]:
        other, other_notes = build([job["naive"]], job["gin_param"], job["data"])
        naive, other_batches = naive_step.naive_step(other), other.batches(other_notes, 0)

        def naive_steps():
            for step in range(cycle):
                float(naive(next(other_batches), step)["g_loss"])

        naive_steps()
        calls["naive"] = naive_steps
    seconds = measured(calls, job["n_turns"])
    per_cycle = {name: cycle if name in ("step", "naive") else 1 for name in calls}
    seconds = {
        name: {kind: value / per_cycle[name] for kind, value in found.items()}
        for name, found in seconds.items()
    }
    now = [program.experimental_get_tracing_count() for program in programs]
    return {
        "batch_size": trainer.batch_size,
        "n_critic": trainer.n_critic,
        "sample_rate": trainer.generator.sample_rate,
        "sound_seconds": float(trainer.generator.seconds),
        "n_recordings": len(notes),
        "cycle": cycle,
        "hybrid": hasattr(trainer.generator, "get_controls"),
        "parameters": {
            phase.name: int(sum(np.prod(v.shape) for v in phase.variables))
            for phase in (trainer.g_phase, trainer.d_phase)
        },
        "step": seconds.pop("step"),
        "naive": seconds.pop("naive", None),
        "parts": seconds,
        "waiting_seconds": statistics.median(waited),
        "first_seconds": first_seconds,
        "retraces": sum(now) - sum(n_traces),
        "memory": {"peak_bytes": peak, "step_bytes": max(peak - before, 0)},
    }


def build(gin_file, gin_param, data):
    """(Trainer, AudioDataset): built by a config for recordings, or for sounds made here."""
    from noisygan import config
    from noisygan.data.dataset import Recordings
    from noisygan.training.trainer import Trainer

    config.parse(gin_file, gin_param)
    trainer, recordings = config.configured(Trainer)(), config.configured(Recordings)()
    notes = recordings.read(data) if data else made_recordings(trainer.generator)
    trainer.build(notes)
    return trainer, notes


def made_recordings(generator, n=32):
    """Recordings as a generator wants them: decaying harmonics of known pitch, with noise."""
    from noisygan.data.dataset import AudioDataset

    rate, n_samples = generator.sample_rate, round(generator.seconds * generator.sample_rate)
    rng = np.random.default_rng(0)
    pitch = np.linspace(50.0, 80.0, n)
    times = np.arange(n_samples) / rate
    f0 = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    audio = sum(np.sin(2.0 * np.pi * k * f0[:, None] * times) / k for k in range(1, 5))
    audio = 0.2 * audio * np.exp(-times) + 0.001 * rng.normal(size=(n, n_samples))
    return AudioDataset(
        folder="made here",
        names=[f"made-{i}" for i in range(n)],
        paths=[f"made-{i}.wav" for i in range(n)],
        sample_rate=rate,
        n_samples=n_samples,
        pitch=pitch,
        velocity=np.linspace(30.0, 120.0, n),
        label=np.arange(n) % 4,
        label_names=["a", "b", "c", "d"],
        fingerprint="made here",
        audio=audio.astype(np.float32),
    )


def measured(calls, n_turns):
    """Calls in turn, each n_turns times: {name: medians of wall time and of the process's CPU}."""
    found = {name: [] for name in calls}
    for _ in range(n_turns):
        for name, call in calls.items():
            began = time.perf_counter(), time.process_time()
            call()
            found[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    medians = {name: np.median(pairs, axis=0) for name, pairs in found.items()}
    return {
        name: {"seconds": float(wall), "cpu_seconds": float(cpu)}
        for name, (wall, cpu) in medians.items()
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
