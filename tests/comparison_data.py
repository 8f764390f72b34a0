"""A small comparison that was never run, with everything that its page can show."""

import numpy as np

from noisygan.reports.plots import heat_map
from noisygan.reports.sounds import Sound

RATE, SECONDS = 16000, 0.6
# (name, distance from the recordings)
SYSTEMS = (
    ("hybrid", 0.05),
    ('WaveGAN <small> & "co"', 0.3),
    ("progressive DCGAN", 0.5),
    ("sample-GAN", 1.0),
)
# (name, group, value of a distance, whether higher is better, unit, floor)
METRICS = (
    ("MMD^2 x 1000, log-mel", "distance: log-mel", lambda d: 900 * d**1.3, False, "", 1.3),
    ("recall, log-mel", "distance: log-mel", lambda d: max(0.0, 0.9 - d), True, "", 0.93),
    ("coverage, log-mel", "distance: log-mel", lambda d: max(0.0, 0.8 - d**0.5), True, "", 0.9),
    ("descriptor distance", "descriptors", lambda d: 2 * d, False, "spreads", 0.08),
    ("two-sample accuracy", "two-sample", lambda d: 60 + 40 * min(1, d), False, "%", 51.0),
    ("within 50 cents", "pitch", lambda d: 100 - 70 * d, True, "%", 97),
    ("diversity", "diversity", lambda d: 1.1 - d, None, "", 1.0),
    ("Frechet, mfcc", "distance: mfcc", lambda d: 300 * d, False, "", 4.0),
    ("spectral centroid", "descriptors", lambda d: 2000 * d, False, "Hz", None),
    ("steps", "cost", lambda d: 1000 * d, None, "", None),
)
N_HEADLINES = 7


def comparison(systems=SYSTEMS, n_columns=3, n_points=12):
    """What `noisygan.reports.comparison_report.write` takes.

    Args:
      systems: (name, distance from the recordings, 0 to 1) pairs, the nearest first.
      n_columns: Sounds of the grid.
      n_points: Points of each system on the map.
    """
    rng = np.random.default_rng(0)

    def clip(pitch, off, title, picture=True):
        times = np.arange(int(SECONDS * RATE)) / RATE
        f0_hz = 440.0 * 2 ** ((pitch - 69) / 12) * (1 + 0.05 * off * rng.normal())
        tone = sum(np.sin(2 * np.pi * k * f0_hz * times) / k for k in (1, 2, 3, 4, 5))
        audio = tone * np.exp(-4 * times) + off * rng.normal(size=len(times))
        audio = 0.5 * audio * np.minimum(1, times / 0.01) / np.abs(audio).max()
        sound = Sound(audio, RATE, title)
        return {
            "title": title,
            "audio": sound.address,
            "gain_db": round(float(rng.normal(0, 3)), 1),
            "peaks": [[float(c.min()), float(c.max())] for c in np.array_split(audio, 120)],
            "spectrogram": heat_map(sound.log_mel.T, -80, 0) if picture else None,
        }

    def metric(index, name, group, of, better, unit, floor):
        values = {}
        for system, off in systems:
            value, spread = of(off), 0.15 * abs(of(off)) + 0.01
            seeds = [value * 0.97, value * 1.03]
            known = {"value": value, "interval": [value - spread, value + spread], "seeds": seeds}
            values[system] = {**known, "ceiling": of(1.5), "not_run": None}
        if name == "steps":
            values = {n: {**v, "interval": None, "ceiling": None} for n, v in values.items()}
        if name == "within 50 cents":
            values[systems[-1][0]] = {
                "value": None, "interval": None, "ceiling": None, "seeds": [None, None],
                "not_run": "no <sound> was voiced",
            }  # fmt: skip
        return {
            "name": name,
            "group": group,
            "unit": unit,
            "floor": floor,
            "values": values,
            "higher_is_better": better,
            "headline": index < N_HEADLINES,
            "explained": f"What {name} says, in a sentence.",
        }

    def curve(off):
        times = np.geomspace(20, 600, 12)
        noise = 1 + 0.2 * rng.normal(size=12)
        values = 900 * off**1.3 + 800 * np.exp(-times / 60) * noise - 2
        return [
            {"seconds": t, "step": int(4 * t), "value": v}
            for t, v in zip(times.tolist(), values.tolist(), strict=True)
        ]

    def losses(off):
        steps = range(0, 200, 10)
        return [{"step": k, "d_loss": 1.4 - off, "g_loss": off * rng.normal()} for k in steps]

    def shares(off):
        bumps = np.exp(-0.5 * ((np.arange(24) - 10 - 8 * off) / (3 + 2 * off)) ** 2)
        return (bumps / bumps.sum()).tolist()

    def histogram(name, unit, sign):
        own = {system: shares(off * sign) for system, off in systems}
        edges = np.geomspace(100, 8000, 25).tolist()
        real = {"edges": edges, "recordings": shares(0.0)}
        return {"name": name, "unit": unit, "systems": own, **real}

    def point(i, name, off, k):
        x, y = rng.normal(4 * off, 0.5), rng.normal(2 * off * (-1) ** i, 0.5)
        sound = clip(60 + k, off, f"pitch {60 + k}, velocity 100", False)
        return {"x": float(x), "y": float(y), "system": name, "clip": sound}

    titles = {60 + 4 * i: f"pitch {60 + 4 * i}, velocity 100" for i in range(n_columns)}
    first, second = systems[0][0], systems[1][0]
    return {
        "id": "3f9a0c",
        "title": "flute notes: some systems & <one> more",
        "made": "2026-11-21T18:00:00+00:00",
        "noisygan": "0.2.0",
        "command": 'noisygan compare --data "my <notes>" --minutes 10',
        "facts": [["recordings for training", "145"], ["budget of each", "10 minutes"]],
        "warnings": ["Only 20 recordings were held out; expected <500>."],
        "verdict": [
            f"Nearest to the recordings: {first} (MMD^2 x 1000: 18; next {second}, 188).",
            f"Most varied: {second}.",
        ],
        "systems": [
            {"name": name, "description": f"{name}: what its config says first.", "seeds": [0, 1]}
            | {"curves": [curve(off), curve(off)], "conditions": ["pitch"] if off < 0.9 else []}
            for name, off in systems
        ],
        "losses": {name: [losses(off), losses(2 * off)] for name, off in systems[:-1]},
        "curve_title": "MMD^2 x 1000, log-mel",
        "curve_floor": 1.3,
        "metrics": [metric(i, *own) for i, own in enumerate(METRICS)],
        "grid": {
            "columns": [{"title": t, "recording": clip(p, 0.0, t)} for p, t in titles.items()],
            "rows": {name: [clip(p, off, t) for p, t in titles.items()] for name, off in systems},
        },
        "spectrogram_axes": {"seconds": SECONDS, "high_hz": 8000},
        "interpolations": {
            name: [clip(60, off, f"{i} of 4 on the way", False) for i in range(5)]
            for name, off in systems
        },
        "histograms": [
            histogram("spectral centroid", "Hz", 1),
            histogram("log attack time", "", -1),
            histogram("harmonic-to-noise ratio", "dB", 0.5),
        ],
        "map": {
            "points": [
                point(i, name, off, k)
                for i, (name, off) in enumerate([(None, 0.0), *systems])
                for k in range(n_points)
            ],
            "explained": "Two principal components of log-mel features.",
        },
    }
