"""The two-sample test, the judge of classes and the score, on pictures whose answer is known."""

import numpy as np
import pytest

from noisygan.evaluation import networks
from noisygan.evaluation.sounds import make_sounds


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(networks, "N_STEPS", 100)


def pictures(n, seed, band=10, level=0.0):
    """Noise with a bright band."""
    found = np.random.default_rng(seed).normal(-60.0, 6.0, (n, 64, 40)).astype(np.float32)
    found[:, :, band] += 20.0 + level
    return found


def each(n, name):
    return np.array([f"{name}{i}" for i in range(n)])


def test_equal_sets_are_told_apart_by_chance_and_different_ones_always():
    real, equal, other = pictures(60, 0), pictures(60, 1), pictures(90, 2, band=14)
    same = networks.two_sample_accuracy(real, equal, each(60, "r"), each(60, "f"))
    assert 33 <= same.value <= 67 and same.note == "60 of either"
    assert same.interval[0] < same.value < same.interval[1]
    different = networks.two_sample_accuracy(real, other, each(60, "r"), each(90, "f"))
    assert different.value > 95


def test_what_was_learnt_by_heart_does_not_help():
    # Twelve pictures five times each on either side: only their doubles could tell them apart.
    real, fake = (np.repeat(pictures(12, seed), 5, 0) for seed in (0, 1))
    groups = [np.repeat(each(12, name), 5) for name in "rf"]
    assert networks.two_sample_accuracy(real, fake, *groups).value <= 75
    with pytest.raises(ValueError, match="one pitch or kind"):
        networks.two_sample_accuracy(real, fake, np.full(60, "a"), groups[1])
    with pytest.raises(ValueError, match="7 sounds of either kind; 8"):
        networks.two_sample_accuracy(real[:7], fake, groups[0][:7], groups[1])


def sounds_of(labels, pitch=None):
    return make_sounds(np.zeros([len(labels), 4]), 16000, pitch, labels)


def test_the_judge_knows_the_recordings_classes():
    labels = np.repeat(["kick", "snare"], 20)
    train = np.concatenate([pictures(20, 0, 5), pictures(20, 1, 30)])
    judge = networks.train_judge(sounds_of(labels), train)
    assert judge.names == ["kick", "snare"] and judge.what == "labels"
    test = np.concatenate([pictures(10, 2, 5), pictures(10, 3, 30)])
    right = sounds_of(np.repeat(["kick", "snare"], 10))
    wrong = sounds_of(np.repeat(["snare", "kick"], 10))
    assert judge.accuracy(right, test).value == 100.0
    assert judge.accuracy(wrong, test).value == 0.0
    with pytest.raises(ValueError, match="no sound has a class"):
        judge.accuracy(sounds_of(["", ""]), test[:2])


def test_where_there_are_no_labels_pitches_are_classes():
    one = sounds_of(np.full(16, "flute"), np.repeat([60, 61, 64, 71], 4))
    name_of, what = networks.class_names(one)
    assert what == "pitches in steps of 4 semitones"
    assert sorted(set(name_of(one))) == ["pitch 000", "pitch 001", "pitch 002"]
    with pytest.raises(ValueError, match="neither several labels nor several pitches"):
        networks.class_names(sounds_of(np.full(4, "flute"), [60, 60, 61, 61]))
    with pytest.raises(ValueError, match="fewer than two classes"):
        networks.train_judge(sounds_of(["a", "b", "c"]), pictures(3, 0))


def test_the_inception_style_score_of_known_probabilities():
    sure = np.eye(4)[np.arange(40) % 4]
    found = networks.inception_style(sure)
    assert found["inception-style score"].value == pytest.approx(4.0, rel=1e-6)
    assert found["entropy of classes"].value == pytest.approx(1.0)
    assert found["entropy of a sound"].value == pytest.approx(0.0, abs=1e-6)
    unsure = networks.inception_style(np.full([40, 4], 0.25))
    assert unsure["inception-style score"].value == pytest.approx(1.0)
    assert unsure["entropy of a sound"].value == pytest.approx(1.0)
    # Two kinds of sounds: exp(mean KL) by hand.
    odds = np.array([[0.9, 0.1], [0.2, 0.8]])
    marginal = odds.mean(0)
    expected = np.exp((odds * np.log(odds / marginal)).sum(1).mean())
    found = networks.inception_style(np.repeat(odds, 10, 0))
    assert found["inception-style score"].value == pytest.approx(expected)


def test_the_same_seed_learns_the_same():
    x, y = pictures(30, 0), np.arange(30) % 2
    a, b = (networks.PictureNetwork(2).fit(x, y)(x)[0] for _ in range(2))
    np.testing.assert_allclose(a, b, atol=0.02)
