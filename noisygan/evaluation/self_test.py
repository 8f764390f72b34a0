"""Are the measures any good: each must put recordings that are spoilt more and more in order."""

from __future__ import annotations

import numpy as np
from scipy import signal

from noisygan.evaluation import measures
from noisygan.evaluation.evaluating import attempt
from noisygan.evaluation.sounds import Sounds
from noisygan.metrics import features

SEED = 0
# A rung may be better than the one below by so much of the whole ladder: chance.
SLACK = 0.02
N_MODES = 8


def noisy(sounds, snr_db):
    """White noise at a level below each sound's own."""
    if snr_db is None:
        return sounds
    rng = np.random.default_rng(SEED)
    level = np.sqrt((sounds.audio**2).mean(1, keepdims=True)) * 10.0 ** (-snr_db / 20.0)
    noise = rng.standard_normal(sounds.audio.shape, np.float32)
    return sounds.with_audio(np.clip(sounds.audio + level * noise, -1.0, 1.0))


def low_passed(sounds, share):
    """Without what lies above a share of half the sample rate."""
    if share is None:
        return sounds
    sections = signal.butter(6, share, "lowpass", output="sos")
    return sounds.with_audio(signal.sosfiltfilt(sections, sounds.audio, axis=1))


def detuned(sounds, cents):
    """Played faster, and silent at the end for what is missing."""
    if not cents:
        return sounds
    n = sounds.audio.shape[1]
    places = np.arange(n) * 2.0 ** (cents / 1200.0)
    # Cubic between samples; what lies past the end is silence.
    from scipy.interpolate import CubicSpline

    inside = places <= n - 1
    audio = np.zeros_like(sounds.audio)
    audio[:, inside] = CubicSpline(np.arange(n), sounds.audio, axis=1)(places[inside])
    return sounds.with_audio(audio)


def dropped_modes(sounds, n_kept):
    """Only the sounds of the largest of eight clusters and of those nearest to it, repeated."""
    from sklearn.cluster import KMeans

    vectors = features.extract(sounds).vectors["log-mel"]
    n_modes = min(N_MODES, len(sounds) // 2)
    found = KMeans(n_modes, n_init=3, random_state=SEED).fit(vectors)
    centres = found.cluster_centers_
    largest = np.argmax(np.bincount(found.labels_, minlength=n_modes))
    nearest = np.argsort(np.linalg.norm(centres - centres[largest], axis=1), kind="stable")
    kept = np.flatnonzero(np.isin(found.labels_, nearest[: min(n_kept, n_modes)]))
    return _repeated(sounds, kept)


def duplicated(sounds, share):
    """Only a share of the sounds, each repeated."""
    n_kept = max(2, round(share * len(sounds)))
    return _repeated(sounds, np.sort(np.random.default_rng(SEED).permutation(len(sounds))[:n_kept]))


def _repeated(sounds: Sounds, rows):
    return sounds.take(np.resize(rows, len(sounds)))


LADDERS = {
    "noise": (noisy, {"clean": None, "30 dB": 30, "20 dB": 20, "10 dB": 10, "0 dB": 0}),
    "low-pass": (
        low_passed,
        {"clean": None, "1/2": 0.5, "1/4": 0.25, "1/8": 0.125, "1/16": 0.0625},
    ),
    "detuning": (detuned, {"clean": 0, "100": 100, "300": 300, "600": 600, "1000 cents": 1000}),
    "dropped modes": (dropped_modes, {"8 of 8": 8, "4": 4, "2": 2, "1": 1}),
    "duplicates": (duplicated, {"all": 1.0, "1/4": 0.25, "1/16": 0.0625, "1/64": 1 / 64}),
}


def self_test(train, test, say=None, groups=None):
    """Every measure on every ladder.

    All recordings are dealt into two random halves: one is the reference, the other is spoilt.

    Args:
      train, test: Sounds, recordings.
      say: Called with the name of the rung that is next, or None.
      groups: Groups of metrics that are tested; None: all of them.

    Returns:
      dict: "ladders": name -> names of rungs; "metrics": metric -> ladder -> dict of "values" (a
      number a rung, None where it was not run) and "ordered".
    """
    both = _joined(train, test)
    order = np.random.default_rng(SEED).permutation(len(both))
    half = len(both) // 2
    reference = measures.Reference(both.take(order[:half]), both.take(order[:half]))
    clean = both.take(order[half:])
    families = [
        family
        for family in measures.families(reference, n_pitch=0)
        if family.ceiling and (groups is None or family.metrics[0].group in groups)
    ]
    metrics = {m.name: m for family in families for m in family.metrics}
    found = {}
    for ladder, (spoil, rungs) in LADDERS.items():
        values = {name: [] for name in metrics}
        for rung, amount in rungs.items():
            if say:
                say(f"{ladder}: {rung}")
            spoilt = reference.measured(spoil(clean, amount))
            own = {}
            for family in families:
                own |= attempt(family, reference, reference.test, spoilt)[0]
            for name in metrics:
                value = own[name].value if name in own else np.nan
                values[name].append(float(value) if np.isfinite(value) else None)
        for name, metric in metrics.items():
            if any(v is not None for v in values[name]):
                found.setdefault(name, {})[ladder] = {
                    "values": values[name],
                    "ordered": ordered(values[name], metric.higher_is_better),
                }
    return {"ladders": {k: list(rungs) for k, (_, rungs) in LADDERS.items()}, "metrics": found}


def ordered(values, higher_is_better):
    """Whether values get worse from rung to rung.

    Args:
      values: One a rung, the first of what is not spoilt; None: could not be measured.
      higher_is_better: As of `Metric`; None: away from the first is worse.

    Returns:
      bool. A rung may be better than the last by 2 % of the whole ladder; a ladder on which
      nothing happens is not ordered.
    """
    if any(v is None for v in values):
        return False
    values = np.asarray(values, float)
    if higher_is_better is None:
        values = np.abs(values - values[0])
    elif higher_is_better:
        values = -values
    whole = values[-1] - values[0]
    return bool(whole > 0.0 and (np.diff(values) >= -SLACK * whole).all())


def _joined(a, b):
    return Sounds(
        np.concatenate([a.audio, b.audio]),
        a.sample_rate,
        np.concatenate([a.pitch, b.pitch]),
        np.concatenate([a.labels, b.labels]),
        [*a.names, *b.names],
        np.concatenate([a.velocity, b.velocity]),
    )


def marks(found):
    """For each metric the ladders that it does not order: dict name -> list."""
    return {
        name: [ladder for ladder, one in own.items() if not one["ordered"]]
        for name, own in found["metrics"].items()
    }
