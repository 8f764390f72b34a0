"""Do the metrics of `noisygan evaluate` rank degraded recordings correctly?

    python benchmarks/metric_ladders.py --data DIR

All recordings are divided into two halves: one is the reference, the other is degraded more and
more on five ladders. A metric orders a ladder if it gets worse at every rung. Prints a Markdown
table: `yes`, or the values.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import interpolate, signal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from noisygan.evaluation import measures, splits
from noisygan.evaluation.evaluating import attempt
from noisygan.evaluation.examples import Examples
from noisygan.evaluation.report import number

SEED = 0
# A rung may be better than the one before by this share of the whole ladder.
SLACK = 0.02
N_MODES = 8


def noisy(examples, snr_db):
    """Add white noise at a signal-to-noise ratio."""
    if snr_db is None:
        return examples
    level = np.sqrt((examples.audio**2).mean(1, keepdims=True)) * 10.0 ** (-snr_db / 20.0)
    noise = np.random.default_rng(SEED).standard_normal(examples.audio.shape, np.float32)
    return examples.with_audio(np.clip(examples.audio + level * noise, -1.0, 1.0))


def low_passed(examples, share):
    """Remove what lies above a share of half the sample rate."""
    if share is None:
        return examples
    sections = signal.butter(6, share, "lowpass", output="sos")
    return examples.with_audio(signal.sosfiltfilt(sections, examples.audio, axis=1))


def detuned(examples, cents):
    """Resample to a higher pitch; the missing end is silent."""
    n = examples.audio.shape[1]
    places = np.arange(n) * 2.0 ** (cents / 1200.0)
    inside = places <= n - 1
    audio = np.zeros_like(examples.audio)
    curve = interpolate.CubicSpline(np.arange(n), examples.audio, axis=1)
    audio[:, inside] = curve(places[inside])
    return examples.with_audio(audio) if cents else examples


def dropped_modes(examples, n_kept):
    """Keep the largest of eight clusters and the nearest to it, repeated."""
    from sklearn.cluster import KMeans

    n_modes = min(N_MODES, len(examples) // 2)
    found = KMeans(n_modes, n_init=3, random_state=SEED).fit(examples.features.vectors["log-mel"])
    centres = found.cluster_centers_
    largest = np.argmax(np.bincount(found.labels_, minlength=n_modes))
    nearest = np.argsort(np.linalg.norm(centres - centres[largest], axis=1), kind="stable")
    kept = np.flatnonzero(np.isin(found.labels_, nearest[: min(n_kept, n_modes)]))
    return examples.take(np.resize(kept, len(examples)))


def duplicated(examples, share):
    """Keep a share of the examples, each repeated."""
    n_kept = max(2, round(share * len(examples)))
    kept = np.sort(np.random.default_rng(SEED).permutation(len(examples))[:n_kept])
    return examples.take(np.resize(kept, len(examples)))


LADDERS = {
    "noise": (noisy, (None, 30, 20, 10, 0)),
    "low-pass": (low_passed, (None, 0.5, 0.25, 0.125, 0.0625)),
    "detuning": (detuned, (0, 100, 300, 600, 1000)),
    "dropped modes": (dropped_modes, (8, 4, 2, 1)),
    "duplicates": (duplicated, (1.0, 1 / 4, 1 / 16, 1 / 64)),
}


def ladder_values(train, test, ladders=LADDERS):
    """Values of every metric on every rung: dict metric -> dict ladder -> (values, is_ordered)."""
    both = Examples(
        np.concatenate([train.audio, test.audio]),
        train.sample_rate,
        np.concatenate([train.pitch, test.pitch]),
        np.concatenate([train.labels, test.labels]),
        [*train.names, *test.names],
        np.concatenate([train.velocity, test.velocity]),
    )
    order = np.random.default_rng(SEED).permutation(len(both))
    half, clean = (both.take(rows) for rows in np.array_split(order, [len(both) // 2]))
    reference = measures.Reference(half, half)
    families = [f for f in measures.families(reference, n_pitch=0) if f.ceiling]
    found = {}
    for ladder, (degrade, rungs) in ladders.items():
        rows = []
        for amount in rungs:
            print(f"{ladder}: {amount}", file=sys.stderr)
            degraded, row = degrade(clean, amount), {}
            for family in families:
                row |= attempt(family, reference, half, degraded)[0]
            rows.append(row)
        for metric in (metric for family in families for metric in family.metrics):
            values = [row[metric.name].value if metric.name in row else np.nan for row in rows]
            if np.isfinite(values).any():
                is_ordered = ordered(values, metric.higher_is_better)
                found.setdefault(metric.name, {})[ladder] = (values, is_ordered)
    return found


def ordered(values, higher_is_better):
    """True if values get worse from rung to rung; see `Metric` for None."""
    values = np.asarray(values, float)
    if higher_is_better is None:
        values = np.abs(values - values[0])
    elif higher_is_better:
        values = -values
    whole = values[-1] - values[0]
    return bool(whole > 0.0 and (np.diff(values) >= -SLACK * whole).all())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of recordings")
    data = parser.parse_args().data
    parts = splits.read_splits(splits.recordings_for([data]), data)
    print(f"| metric | {' | '.join(LADDERS)} |\n|---|{'---|' * len(LADDERS)}")
    for name, own in ladder_values(parts.train, parts.test).items():
        cells = ["yes" if good else ", ".join(map(number, v)) for v, good in own.values()]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
