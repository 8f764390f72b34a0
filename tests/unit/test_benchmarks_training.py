"""`bench train`: what is measured, and the naive step that ours is measured against."""

import json

import numpy as np
import pytest

from noisygan.benchmarks import naive_step, train_job, train_parts, training
from noisygan.losses import R1, R2
from noisygan.losses.matching import TextureMatch
from tests import toys


@pytest.fixture
def trainers():
    """Two equal ones, not trained."""
    both = []
    for _ in range(2):
        matching = [TextureMatch(n_fft=256, hop_length=64, modulation_seconds=0.2)]
        trainer = toys.trainer([R1(2.0, 2), R2(2.0, 2)], matching=matching)
        trainer.build(toys.notes(), seed=3)
        both.append(trainer)
    return both


def test_the_naive_step_is_the_same_step(trainers):
    ours, plain = trainers
    batches = list(toys.notes().batches(3, 0).take(2))
    naive = naive_step.naive_step(plain)
    for number, batch in enumerate(batches):
        a = {k: float(v) for k, v in ours.train_step(iter([batch]), number).items()}
        b = {k: float(v) for k, v in naive(batch, number).items()}
        for name in ("d_adversarial", "d_loss", "g_adversarial", "g_loss", "g_texturematch"):
            assert b[name] == pytest.approx(a[name], rel=2e-3, abs=1e-4), (number, name)
        if number == 0:
            # Behind an update of Adam's, gradients of nearly nothing count as large ones.
            for name in ("d_gradient", "g_gradient"):
                assert b[name] == pytest.approx(a[name], rel=5e-3), name


def test_the_parts_of_a_step(trainers):
    trainer, _ = trainers
    found = train_parts.parts(trainer, next(iter(toys.notes().batches(3, 0))))
    assert list(found) == [
        "generator",
        "synth",
        "front end",
        "discriminator",
        "judging",
        "matching",
    ]
    for call in found.values():
        call()


def test_sounds_are_made_as_a_generator_wants_them():
    generator = toys.hybrid()
    notes = train_job.made_recordings(generator)
    assert notes.sample_rate == generator.sample_rate
    assert notes.n_samples == round(generator.seconds * generator.sample_rate)
    assert notes.has_pitch and notes.has_velocity and notes.has_label
    sounds = np.stack([notes.audio(i) for i in range(len(notes))])
    assert 0.05 < np.abs(sounds).max() <= 1.0


RESULT = {
    "date": "2026-01-01",
    "machine": {"processor": "P", "cores": 2, "accelerators": [], "tensorflow": "2.21"},
    "config": {"gin_file": ["runs/notes.gin"], "gin_param": []},
    "n_turns": 3,
    "cycle": 8,
    "batch_size": 16,
    "n_critic": 2,
    "sample_rate": 16000,
    "sound_seconds": 4.0,
    "step": {"seconds": 0.2, "cpu_seconds": 0.3},
    "naive": {"seconds": 1.0, "cpu_seconds": 1.8},
    "parts": {
        "generator": {"seconds": 0.05, "cpu_seconds": 0.1},
        "without regularizers": {"seconds": 0.15, "cpu_seconds": 0.25},
    },
    "waiting_seconds": 1e-4,
    "first_seconds": 20.0,
    "retraces": 0,
    "memory": {"peak_bytes": 2**30, "step_bytes": 2**29},
    "growth": [
        {
            "what": "batch",
            "values": [8, 16],
            "seconds": [0.1, 0.2],
            "peak_bytes": [2**29, 2**30],
            "power": 1.0,
        }
    ],
}


def test_tables(tmp_path):
    text = training.tables(RESULT)
    for row in (
        "| steps a second | 5 |",
        "| sounds a second | 160 |",
        "| naive / ours, by the clock | 5 |",
        "| naive / ours, CPU time | 6 |",
        "| generator | 50 | 100 | 33 % |",
        "| regularizers | 50 | 50 | 17 % |",
        "| batch | 8, 16 | 100, 200 | 512, 1024 | 1.00 |",
    ):
        assert row in text, row
    figures, tables = training.save(RESULT, tmp_path / "new")
    assert json.loads(figures.read_text()) == RESULT
    assert tables.read_text() == text


def test_what_grows():
    found = RESULT | {"hybrid": True}
    grown = training._values(found, (0.5, 2.0))
    assert [value for value, _ in grown["batch"]] == [8, 16, 32]
    assert grown["sample rate"][2] == (32000, ["sample_rate = 32000", "n_samples = 128000"])
    assert grown["seconds"][1] == (4.0, None)
    assert list(training._values(RESULT | {"hybrid": False}, (2.0,))) == ["batch"]
    assert training._values(found, ()) == {}
