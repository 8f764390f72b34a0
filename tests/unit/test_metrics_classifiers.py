"""Two-sample accuracy and inception-style score on pictures with a known answer."""

import numpy as np
import pytest

from noisygan.metrics import classifiers
from noisygan.metrics.classifiers import inception_style, two_sample_accuracy


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(classifiers, "N_STEPS", 60)


def pictures(n, seed, band=10):
    """Noise with a bright band."""
    found = np.random.default_rng(seed).normal(-60.0, 6.0, (n, 64, 40)).astype(np.float32)
    found[:, :, band] += 20.0
    return found


def each(n, name):
    return np.array([f"{name}{i}" for i in range(n)])


def test_equal_sets_are_at_chance_and_different_ones_are_separated():
    real, equal, other = pictures(60, 0), pictures(60, 1), pictures(90, 2, band=14)
    same = two_sample_accuracy(real, equal, each(60, "r"), each(60, "f"))
    assert 33 <= same.value <= 67
    assert same.interval[0] < same.value < same.interval[1]
    assert two_sample_accuracy(real, other, each(60, "r"), each(90, "f")).value > 95


def test_memorised_examples_do_not_raise_the_accuracy():
    # Twelve pictures five times each in both sets: only duplicates could separate them.
    real, fake = (np.repeat(pictures(12, seed), 5, 0) for seed in (0, 1))
    groups = [np.repeat(each(12, name), 5) for name in "rf"]
    assert two_sample_accuracy(real, fake, *groups).value <= 75
    with pytest.raises(ValueError, match="one pitch"):
        two_sample_accuracy(real, fake, np.full(60, "a"), groups[1])
    with pytest.raises(ValueError, match="24 examples"):
        two_sample_accuracy(real[:24], fake, groups[0][:24], groups[1])


def test_the_inception_style_score_of_known_probabilities():
    sure = inception_style(np.eye(4)[np.arange(40) % 4])
    unsure = inception_style(np.full([40, 4], 0.25))
    for found, values in ((sure, (4.0, 1.0, 0.0)), (unsure, (1.0, 1.0, 1.0))):
        assert [e.value for e in found.values()] == pytest.approx(values, abs=1e-6)
    # Two kinds: exp(mean KL) by hand.
    odds = np.array([[0.9, 0.1], [0.2, 0.8]])
    expected = np.exp((odds * np.log(odds / odds.mean(0))).sum(1).mean())
    found = inception_style(np.repeat(odds, 10, 0))
    assert found["inception-style score"].value == pytest.approx(expected)
