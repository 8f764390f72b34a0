"""Audio clips, spectrograms, histograms and a map for the page of a comparison."""

from __future__ import annotations

import numpy as np

from noisygan.evaluation.measures import HEADLINE_SPACE
from noisygan.metrics import descriptors
from noisygan.reports.sounds import Sound

_N_PEAKS = 120
_N_BINS = 24
_N_MAP_RECORDINGS = 12
# Loudness is matched by the loudest tenth of a second.
_LOUDEST_SECONDS, _LEVEL_DB, _MAX_PEAK = 0.1, -18.0, 0.97


def clip(audio, sample_rate, title, with_picture=False):
    """A clip for the page, matched in loudness: dict of title, audio, gain_db, peaks, spectrogram.

    Args:
      audio: [n_samples], float in [-1, 1] or int16.
      sample_rate: Hz.
      title: Its name.
      with_picture: Whether to draw its spectrogram; without it the sound is Ogg Vorbis, not FLAC.
    """
    audio = audio.astype(np.float32) / (32767.0 if audio.dtype == np.int16 else 1.0)
    gain = _gain(audio, sample_rate)
    sound = Sound(gain * audio, sample_rate, title)
    parts = np.array_split(sound.audio, min(_N_PEAKS, len(audio)))
    return {
        "title": title,
        "audio": sound.address if with_picture else sound.small_address,
        "gain_db": round(float(20.0 * np.log10(gain)), 1),
        "peaks": [[round(float(p.min()), 3), round(float(p.max()), 3)] for p in parts],
        "spectrogram": sound.picture() if with_picture else None,
    }


def _gain(audio, sample_rate):
    n = min(len(audio), round(_LOUDEST_SECONDS * sample_rate))
    power = np.convolve(audio.astype(np.float64) ** 2, np.ones(n) / n, "valid").max()
    peak = np.abs(audio).max()
    if peak == 0.0:
        return 1.0
    return float(min(10.0 ** (_LEVEL_DB / 20.0) / np.sqrt(max(power, 1e-12)), _MAX_PEAK / peak))


def condition(examples, row):
    """Title of a recording on the page: class, pitch and velocity, or its name."""
    pitch, velocity, label = (x[row] for x in (examples.pitch, examples.velocity, examples.labels))
    known = [str(label)] if len(set(examples.labels.tolist())) > 1 else []
    known += [f"pitch {pitch:g}"] if np.isfinite(pitch) else []
    known += [f"velocity {velocity:g}"] if np.isfinite(velocity) else []
    return ", ".join(known) or examples.names[row]


def shown(held_out, kept):
    """Grid, interpolations, histograms and map: dict of the page's parts.

    Args:
      held_out: `measuring.HeldOut`.
      kept: dict system -> list (one a seed) of the arrays of shown.npz. Clips are of the first.
    """
    test, rate = held_out.splits.test, held_out.splits.test.sample_rate
    titles = [condition(test, row) for row in held_out.columns]
    first = {name: seeds[0] for name, seeds in kept.items()}

    def row(sounds):
        return [clip(x, rate, title, True) for x, title in zip(sounds, titles, strict=True)]

    def steps(sounds):
        return [clip(x, rate, f"{i} of {len(sounds)}") for i, x in enumerate(sounds, start=1)]

    columns = [
        {"title": recording["title"], "recording": recording}
        for recording in row(test.audio[held_out.columns])
    ]
    return {
        "grid": {"columns": columns, "rows": {n: row(own["grid"]) for n, own in first.items()}},
        "interpolations": {name: steps(own["between"]) for name, own in first.items()},
        "histograms": _histograms(held_out, kept),
        "map": _map(held_out, first),
        "spectrogram_axes": {"seconds": test.audio.shape[1] / rate, "high_hz": rate / 2},
    }


def _histograms(held_out, kept):
    described = held_out.reference.test.features.described
    found = []
    for name, real in described.items():
        real = real[np.isfinite(real)]
        fake = {}
        for system, seeds in kept.items():
            values = np.concatenate([seed[f"described {name}"] for seed in seeds])
            fake[system] = values[np.isfinite(values)]
        if len(real) < 2 or not any(map(len, fake.values())):
            continue
        ends = (np.quantile(v, (0.02, 0.98)) for v in fake.values() if len(v))
        pooled = np.concatenate([real, *ends])
        low, high = float(pooled.min()), float(pooled.max())
        if high - low < 1e-9:
            continue
        edges = np.linspace(low, high, _N_BINS + 1)
        found.append(
            {
                "name": name,
                "unit": descriptors.UNITS[name],
                "edges": [float(f"{edge:.5g}") for edge in edges],
                "recordings": _shares(real, edges),
                "systems": {system: _shares(v, edges) for system, v in fake.items() if len(v)},
            }
        )
    return found


def _shares(values, edges):
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    return [round(float(share), 4) for share in counts / len(values)]


def _map(held_out, first):
    from sklearn.manifold import TSNE

    test, rate = held_out.splits.test, held_out.splits.test.sample_rate
    rows = np.sort(np.random.default_rng(0).permutation(len(test))[:_N_MAP_RECORDINGS])
    points = held_out.reference.vectors(held_out.reference.test, HEADLINE_SPACE)[rows]
    sources = [(None, test.audio[row], test.names[row]) for row in rows]
    vectors = [points]
    for name, own in first.items():
        vectors.append(own["map_vectors"])
        sources += [(name, audio, f"example {i + 1}") for i, audio in enumerate(own["map"])]
    vectors = np.concatenate(vectors).astype(np.float64)
    perplexity = min(15.0, (len(vectors) - 1) / 3.0)
    places = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)
    points = [
        {"x": float(x), "y": float(y), "system": system, "clip": clip(audio, rate, title)}
        for (x, y), (system, audio, title) in zip(places, sources, strict=True)
    ]
    explained = (
        "Similar sounds (pooled log-mel spectra) lie together, by t-SNE; distances across the "
        "whole map mean little."
    )
    return {"points": points, "explained": explained}
