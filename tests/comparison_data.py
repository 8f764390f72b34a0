"""A small comparison that was never run, with everything that the page of one can show."""

import io

import numpy as np
import soundfile

from noisygan.reports.plots import data_address, heat_map

RATE = 16000
# (name, how far it is from the recordings)
SYSTEMS = (
    ("hybrid", 0.05),
    ('WaveGAN <small> & "co"', 0.3),
    ("progressive DCGAN", 0.5),
    ("sample-GAN", 1.0),
)


def comparison(systems=SYSTEMS, n_columns=3, n_points=12, seconds=0.6, seed=0):
    """What `noisygan.reports.comparison_report.write` takes.

    Args:
      systems: (name, distance from the recordings, 0 to 1) pairs, the nearest first.
      n_columns: Sounds of the grid.
      n_points: Points of each system on the map.
      seconds: Length of a sound.
      seed: Of all that is drawn by chance.
    """
    rng = np.random.default_rng(seed)
    names = [name for name, _ in systems]

    def clip(pitch, off, title, picture=True):
        times = np.arange(int(seconds * RATE)) / RATE
        f0_hz = 440.0 * 2 ** ((pitch - 69) / 12) * (1 + 0.05 * off * rng.normal())
        tone = sum(np.sin(2 * np.pi * k * f0_hz * times) / k for k in (1, 2, 3, 4, 5))
        audio = tone * np.exp(-4 * times) + off * rng.normal(size=len(times))
        audio = 0.5 * audio * np.minimum(1, times / 0.01) / np.abs(audio).max()
        stream = io.BytesIO()
        soundfile.write(stream, audio, RATE, "PCM_16", format="FLAC")
        columns = np.array_split(audio, 120)
        spectrum = np.abs(np.fft.rfft(audio[: len(audio) // 256 * 256].reshape(-1, 256)))
        return {
            "title": title,
            "audio": data_address("audio/flac", stream.getvalue()),
            "gain_db": round(float(rng.normal(0, 3)), 1),
            "peaks": [[float(c.min()), float(c.max())] for c in columns],
            "spectrogram": heat_map(20 * np.log10(spectrum.T + 1e-4), -40, 40) if picture else None,
        }

    def metric(name, group, of, better=False, headline=True, floor=None, **more):
        values = {}
        for i, (system, off) in enumerate(systems):
            value = of(off)
            spread = 0.15 * abs(value) + 0.01
            values[system] = {
                "value": value,
                "interval": [value - spread, value + spread],
                "ceiling": of(1.5),
                "not_run": None,
                "seeds": [value * 0.97, value * 1.03],
            }
            if name == "steps":
                values[system] = {"value": value, "interval": None, "ceiling": None}
            if name == "within 50 cents" and i == len(systems) - 1:
                values[system] = {"value": None, "not_run": "no <sound> was voiced"}
        return {
            "name": name,
            "group": group,
            "unit": "",
            "higher_is_better": better,
            "headline": headline,
            "wrong_order": None,
            "floor": floor,
            "explained": f"What {name} says, in a sentence.",
            "values": values,
            **more,
        }

    distance = "distance: log-mel"
    metrics = [
        metric("MMD^2 x 1000, log-mel", distance, lambda d: 900 * d**1.3, floor=1.3),
        metric("recall, log-mel", distance, lambda d: max(0.0, 0.9 - d), True, floor=0.93),
        metric("coverage, log-mel", distance, lambda d: max(0.0, 0.8 - d**0.5), True, floor=0.9),
        metric("descriptor distance", "descriptors", lambda d: 2 * d, unit="spreads", floor=0.08),
        metric(
            "two-sample accuracy",
            "two-sample test",
            lambda d: 60 + 40 * min(1, d),
            unit="%",
            floor=51.0,
            wrong_order="The self-test found that it does not order duplicates.",
        ),
        metric("within 50 cents", "pitch (pYIN)", lambda d: 100 - 70 * d, True, unit="%", floor=97),
        metric("diversity", "diversity", lambda d: 1.1 - d, None, floor=1.0),
        metric("Frechet, mfcc", "distance: mfcc", lambda d: 300 * d, headline=False, floor=4.0),
        metric(
            "rolloff distance",
            "descriptors",
            lambda d: 2000 * d,
            headline=False,
            unit="Hz",
        ),
        metric("steps", "cost", lambda d: 1000 * d, None, headline=False),
    ]
    pitches = [60 + 4 * i for i in range(n_columns)]
    titles = [f"pitch {pitch}, velocity 100" for pitch in pitches]
    edges = np.geomspace(100, 8000, 25)
    bins = np.arange(24)

    def shares(off):
        bumps = np.exp(-0.5 * ((bins - 10 - 8 * off) / (3 + 2 * off)) ** 2)
        return (bumps / bumps.sum()).tolist()

    times = np.geomspace(20, 600, 12)
    return {
        "id": "3f9a0c",
        "title": "flute notes: some systems & <one> more",
        "made": "2026-11-21T18:00:00+00:00",
        "noisygan": "0.1.0",
        "command": 'noisygan compare --data "my <notes>" --minutes 10',
        "facts": [["recordings for training", "145"], ["budget of each", "10 minutes"]],
        "warnings": ["Only 20 recordings were held out; expected <500>."],
        "verdict": [
            f"Nearest to the recordings: {names[0]} (MMD^2 x 1000: 18; next {names[1]}, 188).",
            f"Most varied: {names[1]}.",
        ],
        "systems": [
            {
                "name": name,
                "description": f"{name}: what its config says first.",
                "seeds": [0, 1],
                "curves": [
                    [
                        {
                            "seconds": float(t),
                            "step": int(4 * t),
                            "value": float(
                                900 * off**1.3
                                + 800 * np.exp(-t / 60) * (1 + 0.2 * rng.normal())
                                - 2
                            ),
                        }
                        for t in times
                    ]
                    for _ in range(2)
                ],
            }
            for name, off in systems
        ],
        "curve_title": "MMD^2 x 1000, log-mel",
        "curve_floor": 1.3,
        "metrics": metrics,
        "grid": {
            "columns": [
                {"title": title, "recording": clip(pitch, 0.0, title)}
                for pitch, title in zip(pitches, titles, strict=True)
            ],
            "rows": {
                name: [
                    clip(pitch, off, title) for pitch, title in zip(pitches, titles, strict=True)
                ]
                for name, off in systems
            },
        },
        "spectrogram_axes": {"seconds": seconds, "low_hz": 30, "high_hz": 8000},
        "interpolations": {
            name: [clip(60, off, f"{i} of 4 on the way", False) for i in range(5)]
            for name, off in systems
        },
        "histograms": [
            {
                "name": name,
                "unit": unit,
                "edges": edges.tolist(),
                "recordings": shares(0.0),
                "systems": {system: shares(off * sign) for system, off in systems},
            }
            for name, unit, sign in (
                ("spectral centroid", "Hz", 1),
                ("log attack time", "", -1),
                ("harmonic-to-noise ratio", "dB", 0.5),
            )
        ],
        "map": {
            "points": [
                {
                    "x": float(rng.normal(4 * off, 0.5)),
                    "y": float(rng.normal(2 * off * (-1) ** i, 0.5)),
                    "system": name,
                    "clip": clip(60 + k, off, f"pitch {60 + k}, velocity 100", False),
                }
                for i, (name, off) in enumerate([(None, 0.0), *systems])
                for k in range(n_points)
            ],
            "explained": "Two principal components of log-mel features.",
        },
        "listening": None,
    }
