"""Conditions as features: closed forms, ranges, neighbours."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators import Conditions


def conditioning(pitch=(60.0, 61.0, 90.0), velocity=(0.0, 63.5, 127.0), label=(0, 2, 1)):
    return {
        "pitch": tf.constant(pitch),
        "velocity": tf.constant(velocity),
        "label": tf.constant(label),
    }


def test_pitch_is_a_bump_among_its_neighbours_and_a_number():
    features = Conditions(("pitch",), min_pitch=50, max_pitch=70)(conditioning()).numpy()
    assert features.shape == (3, 22)
    np.testing.assert_allclose(
        features[0, :21], np.exp(-0.5 * ((60 - np.arange(50, 71)) / 1.5) ** 2), atol=1e-6
    )
    np.testing.assert_allclose(features[:, 21], [0.0, 1 / 12, 10 / 12], atol=1e-6)
    near = features[0] @ features[1]
    assert near > 0.8 * features[0] @ features[0]


def test_pitches_beyond_the_range_are_taken_as_the_nearest():
    conditions = Conditions(("pitch",), min_pitch=50, max_pitch=70)
    features = conditions(conditioning(pitch=(70.0, 90.0, 20.0))).numpy()
    np.testing.assert_allclose(features[0], features[1], atol=1e-6)
    lowest = conditions(conditioning((50.0, 50.0, 50.0)))[0]
    np.testing.assert_allclose(features[2], lowest, atol=1e-6)


def test_velocity_enters_straight_and_as_a_logarithm():
    features = Conditions(("velocity",))(conditioning())
    expected = [[-1, np.log(0.05)], [0, np.log(0.55)], [1, np.log(1.05)]]
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_labels_are_one_hot():
    features = Conditions(("label",), n_labels=3)(conditioning())
    np.testing.assert_array_equal(features, np.eye(3)[[0, 2, 1]])


def test_only_what_is_named_is_needed_and_nothing_gives_none():
    features = Conditions(("velocity",))({"velocity": tf.constant([64.0])})
    assert features.shape == (1, 2)
    assert Conditions(())({}) is None
    everything = Conditions(Conditions.NAMES, n_labels=3)(conditioning())
    assert everything.shape == (3, 88 + 1 + 2 + 3)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="got tempo, expected some of pitch, velocity, label"):
        Conditions(("pitch", "tempo"))
