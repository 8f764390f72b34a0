"""Pages of web instruments in tests: a model without a network, played by a stand-in engine."""

import pathlib

import numpy as np

from noisygan.web import assemble

LATENT_DIM = 6
NAMES = [["brightness", "dark", "bright"], ["breath", "pure", "noisy"]]
N_SEEDS = 8
# In place of the engine's worklet.js.
STAND_IN = (pathlib.Path(__file__).parent / "browser/stand_in_worklet.js").read_text("utf-8")


def model(**changes):
    """Facts of a pitched instrument."""
    rng = np.random.default_rng(0)
    return {
        "name": "flute", "kind": "pitched", "sample_rate": 16000, "pitches": [60, 84],
        "classes": [], "tags": {}, "conditions": ["pitch", "velocity"],
        "latents": {
            "size": LATENT_DIM,
            "directions": np.eye(LATENT_DIM)[: len(NAMES)].tolist(),
            "names": NAMES,
            "seeds": rng.normal(size=[N_SEEDS, LATENT_DIM]).round(4).tolist(),
        },
    } | changes  # fmt: skip


def kit(**changes):
    """Facts of a drum instrument; its snare has two keys."""
    classes = [{"name": "snare", "keys": [38, 40]}, {"name": "kick", "keys": [36]}]
    return model(name="kit", kind="drums", classes=classes, pitches=[]) | changes


def text(monkeypatch, facts=None):
    """The page of a model, with the stand-in in place of the engine."""
    read = assemble.read
    own = {"worklet.js": STAND_IN}
    monkeypatch.setattr(assemble, "read", lambda name: own.get(name) or read(name))
    return assemble.page(facts or model())
