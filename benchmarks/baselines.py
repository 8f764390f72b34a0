"""Trained runs side by side: what they cost, how close they come, whether they copy.

    python benchmarks/baselines.py RUN_DIR [RUN_DIR ...] --data DIR --out_dir DIR [--n 64]
        [--seconds S]

Each run's averaged generator makes `--n` sounds under conditions drawn from the recordings that the
run's config selects in `--data`. Writes to the out_dir: baselines.md (a table), baselines.json (all
figures, the nearest training sound of each generated one included) and a picture a run, NAME.png:
log-mel spectrograms of four recordings over four generated sounds.

- MMD: unbiased squared maximum mean discrepancy x 1000 of log-mel spectrograms pooled over sixteen
  parts of time, to all recordings; beside it what random halves of the recordings have, which is
  0 on average.
- diversity: mean distance between generated sounds in the same features, of the recordings' own.
- copies: share of the generated sounds that lie suspiciously near a training sound
  (`noisygan.metrics.copies`); beside it the same share of the recordings.

Runs on sounds of other lengths or rates can't be compared by MMD; `--seconds` compares the first
so many seconds, which a generator that goes on beyond its training is asked for, too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from noisygan.errors import NoisyganError  # noqa: E402
from noisygan.metrics import copies, distances, spectrograms  # noqa: E402

SEED = 0
N_HALVES = 20
MAX_RECORDINGS = 512
BATCH_SIZE = 16
COLUMNS = {
    "run": "run",
    "G parameters": "g_parameters",
    "D parameters": "d_parameters",
    "steps": "steps",
    "steps/s": "steps_per_second",
    "not finite": "n_not_finite",
    "MMD": "mmd",
    "(halves)": "mmd_of_halves",
    "diversity": "diversity",
    "copies": "copies",
    "(recordings)": "copies_among_recordings",
}

# ---------------------------------------------------------------------------------- what it cost


def training_facts(lines):
    """What the lines of metrics.jsonl tell.

    Args:
      lines: Dicts with `step` and `seconds`, in order.

    Returns:
      dict: steps; steps_per_second, the median between neighbouring lines, so that neither the
      building of graphs nor a pause counts (NaN for fewer than two lines); n_not_finite, the
      lines with a number that is not finite or a step that was left out for that reason.
    """
    points = np.array([(line["step"], line["seconds"]) for line in lines], float).reshape(-1, 2)
    steps, seconds = np.diff(points, axis=0).T
    usable = seconds > 0
    rate = float(np.median(steps[usable] / seconds[usable])) if usable.any() else math.nan

    def is_bad(line):
        left_out = min(line.get("d_finite", 1.0), line.get("g_finite", 1.0)) < 1.0
        return left_out or not all(math.isfinite(value) for value in line.values())

    return {
        "steps": int(points[-1, 0]) if len(points) else 0,
        "steps_per_second": rate,
        "n_not_finite": sum(map(is_bad, lines)),
    }


# ------------------------------------------------------------------------------- how it sounds


def log_mels(sounds, sample_rate):
    """Log-mel spectrograms of sounds [n, n_samples], a list of [n_frames, n_mels] in dB."""
    return [spectrograms.log_mel_db(sound, sample_rate) for sound in sounds]


def pooled(log_mels):
    """Features [n, d]: means over up to sixteen equal parts of time."""
    n_parts = min(16, len(log_mels[0]))
    return np.stack([spectrograms.pooled_log_mel(x, n_parts) for x in log_mels]).astype(float)


def closeness(real, fake):
    """MMD and diversity of generated features against recordings'.

    Args:
      real: [m, d], m >= 4.
      fake: [n, d], n >= 2.

    Returns:
      dict of floats: mmd and mmd_of_halves (x 1000), diversity.
    """
    bandwidth = max(distances.median_bandwidth(real), 1e-9)
    rng = np.random.default_rng(SEED)
    halves = []
    for _ in range(N_HALVES):
        order = rng.permutation(len(real))
        first, second = real[order[: len(real) // 2]], real[order[len(real) // 2 :]]
        halves.append(distances.mmd2_unbiased(first, second, bandwidth))

    def spread(x):
        return distances.pairwise_distances(x, x)[np.triu_indices(len(x), 1)].mean()

    return {
        "mmd": 1000.0 * distances.mmd2_unbiased(fake, real, bandwidth),
        "mmd_of_halves": 1000.0 * float(np.mean(halves)),
        "diversity": float(spread(fake) / max(spread(real), 1e-9)),
    }


def copying(generated, recordings, names, sample_rate):
    """Shares of suspicious sounds and the nearest recording of each generated one, as a dict."""
    found = copies.find_copies(generated, recordings, names, sample_rate)
    own = np.any([kind.own_distances <= kind.threshold for kind in found.values()], axis=0)
    facts = {
        "copies": float(copies.suspicious(found).mean()),
        "copies_among_recordings": float(own.mean()),
    }
    for kind, result in found.items():
        facts[f"nearest by {kind}"] = [
            {"name": name, "distance": float(distance), "suspicious": bool(closer)}
            for name, distance, closer in zip(
                result.names, result.distances, result.closer, strict=True
            )
        ]
    return facts


def generate(generator, notes, chosen, seconds=None):
    """Sounds under the conditions of recordings.

    Args:
      generator: By the generator contract.
      notes: An `AudioDataset`.
      chosen: Indices into it.
      seconds: Length; None: the generator's own. Longer notes are cut, not let go earlier.

    Returns:
      float32 [len(chosen), n_samples].
    """
    import tensorflow as tf

    z = generator.prior(len(chosen), SEED)
    asked = None if seconds is None else max(seconds, generator.seconds)
    sounds = []
    for start in range(0, len(chosen), BATCH_SIZE):
        some = chosen[start : start + BATCH_SIZE]
        conditioning = {
            "pitch": tf.constant(np.nan_to_num(notes.pitch[some]), tf.float32),
            "velocity": tf.constant(np.nan_to_num(notes.velocity[some]), tf.float32),
            "label": tf.constant(notes.label[some], tf.int32),
        }
        seeds = tf.range(start, start + len(some))
        output = generator(z[start : start + len(some)], conditioning, seconds=asked, seed=seeds)
        sounds.append(output.audio.numpy()[:, : notes.n_samples])
    return np.concatenate(sounds)


def draw(real, fake, sample_rate, title, path):
    """Log-mel spectrograms, [n_frames, n_mels] each: recordings over generated sounds."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        2, len(real), figsize=(3.2 * len(real), 5.4), dpi=90, sharex=True, sharey=True
    )
    top = max(x.max() for x in real)
    milliseconds = 1000.0 * spectrograms.HOP_LENGTH / sample_rate
    for row, (name, shown) in enumerate((("recording", real), ("generated", fake))):
        for axis, spectrogram in zip(axes[row], shown, strict=True):
            axis.imshow(
                spectrogram.T,
                origin="lower",
                aspect="auto",
                extent=(0, len(spectrogram) * milliseconds, 0, spectrogram.shape[1]),
                vmin=top - 80.0,
                vmax=top,
                cmap="magma",
            )
            axis.set_title(name, fontsize=8)
            axis.tick_params(labelsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("ms", fontsize=8)
    for axis in axes[:, 0]:
        axis.set_ylabel("mel band", fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


# ------------------------------------------------------------------------------------ one by one


def n_parameters(network):
    """Numbers in a network's trainable weights."""
    return sum(math.prod(w.shape) for w in network.trainable_weights)


def measure(run_dir, data, n, picture, seconds=None):
    """All figures of one run, as a dict; draws its picture."""
    from noisygan import config
    from noisygan.data.dataset import Recordings
    from noisygan.run import load
    from noisygan.training.trainer import Trainer

    run = load(run_dir)
    generator = run.generator
    recordings = config.configured(Recordings)()
    notes = recordings.read(data)
    facts = run.metadata
    if notes.fingerprint != facts["data"]["fingerprint"]:
        print(f"note: {run_dir} was trained on other recordings than {data}", file=sys.stderr)
    trainer = config.configured(Trainer)()
    trainer.build(notes, facts["seed"])
    if seconds is not None:
        recordings.n_samples = round(seconds * recordings.sample_rate)
        recordings.segments = False
        notes = recordings.read(data)
    result = {
        "g_parameters": n_parameters(generator),
        "d_parameters": n_parameters(trainer.discriminator),
        **training_facts(run.metrics()),
        # The state that is measured; metrics are not written at every step.
        "steps": run.step,
        "n_recordings": len(notes),
        "n_generated": n,
        "sample_rate": notes.sample_rate,
        "n_samples": notes.n_samples,
    }
    order = np.random.default_rng(SEED).permutation(len(notes))
    # The same conditions as often as recordings have them, whatever n is.
    chosen = np.concatenate([order] * -(-n // len(order)))[:n]
    generated = generate(generator, notes, chosen, seconds)
    kept = np.sort(order[:MAX_RECORDINGS])
    real_sounds = np.stack([notes.audio(i) for i in kept])
    names = [notes.names[i] for i in kept]
    rate = notes.sample_rate
    real, fake = log_mels(real_sounds, rate), log_mels(generated, rate)
    result |= closeness(pooled(real), pooled(fake))
    result |= copying(generated, real_sounds, names, rate)
    shown = log_mels([notes.audio(i) for i in chosen[:4]], rate)
    draw(shown, fake[:4], rate, f"{Path(run_dir).name}, step {result['steps']}", picture)
    return result


def table(results):
    """Results, dicts with the entries of COLUMNS, as a Markdown table."""

    def cell(value):
        if isinstance(value, str):
            return value
        return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"

    rows = [[cell(result[key]) for key in COLUMNS.values()] for result in results]
    rule = ["---"] + ["---:"] * (len(COLUMNS) - 1)
    lines = [list(COLUMNS), rule, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dirs", nargs="+", type=Path, metavar="RUN_DIR")
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--out_dir", type=Path, required=True)
    parser.add_argument("--n", type=int, default=64, help="sounds to generate of each; from 4")
    parser.add_argument("--seconds", type=float, help="length to compare; else the run's own")
    asked = parser.parse_args(arguments)
    if asked.n < 4:
        parser.error(f"--n {asked.n}: expected 4 or more")
    # Two runs may have folders of the same name.
    paths = [path.resolve() for path in asked.run_dirs]
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        above = Path(os.path.commonpath([path.parent for path in paths]))
        names = [str(path.relative_to(above)).replace(os.sep, "_") for path in paths]
    results = []
    try:
        asked.out_dir.mkdir(parents=True, exist_ok=True)
        for path, name in zip(paths, names, strict=True):
            with threadpool_limits(1, user_api="blas"):
                picture = asked.out_dir / f"{name}.png"
                result = measure(path, asked.data, asked.n, picture, asked.seconds)
            results.append({"run": name, **result})
            text = table(results)
            (asked.out_dir / "baselines.md").write_text(text, encoding="utf-8")
            (asked.out_dir / "baselines.json").write_text(json.dumps(results, indent=2) + "\n")
    except NoisyganError as error:
        print(f"baselines: {error}", file=sys.stderr)
        return error.exit_code
    print(text, end="")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
