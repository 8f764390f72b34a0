"""The distance that is reported, the loss that is minimized, and the descent."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.matching.descent import Parameter, minimize
from noisygan.matching.distance import Objective, log_spectral_distance

RATE = 16000
NOISE = np.random.default_rng(0).normal(size=8000).astype(np.float32) * 0.05
SILENCE = np.zeros(8000, np.float32)


def sine(hz):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(8000) / RATE)).astype(np.float32)


def test_the_distance_of_a_gain_is_its_decibels_and_silence_is_at_most_the_range_away():
    for gain_db in (-12.0, 0.0, 3.0):
        distance = log_spectral_distance(NOISE, NOISE * 10 ** (gain_db / 20), RATE)
        assert distance == pytest.approx(abs(gain_db), abs=0.01)
    near = log_spectral_distance(sine(1000), SILENCE, RATE, range_db=40.0)
    assert 0.0 < near <= 40.0
    assert log_spectral_distance(sine(1000), 1e-9 * NOISE, RATE, range_db=40.0) == near
    assert log_spectral_distance(SILENCE, SILENCE, RATE) == 0.0


def test_bins_that_are_silent_in_both_do_not_count():
    a, b = sine(1000), sine(2000)
    apart = log_spectral_distance(a, b, RATE)
    longer = [np.concatenate([x, SILENCE]) for x in (a, b)]
    assert log_spectral_distance(*longer, RATE) == pytest.approx(apart, rel=0.2)
    a, b = a * np.hanning(8000).astype(np.float32), b * np.hanning(8000).astype(np.float32)
    more, less = log_spectral_distance(a, a + b, RATE), log_spectral_distance(a + b, a, RATE)
    assert more > 10.0 and more == pytest.approx(less, rel=1e-3)


def test_the_objective_is_least_at_the_target_and_independent_of_its_level():
    losses = []
    for level in (1.0, 0.01):
        objective = Objective(sine(1000) * level, RATE)
        assert float(objective(tf.constant(sine(1000) * level)[None])) == 0.0
        losses.append(float(objective(tf.constant(sine(1200) * level)[None])))
    assert losses[0] > 0.1 and losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_unknowns_of_different_scales_are_found():
    parameters = {
        "large": Parameter(np.zeros(3, np.float32), 100.0),
        "small": Parameter(np.float32(1.0), 1e-3),
        "idle": Parameter(np.float32(7.0), 1.0),
    }

    def loss(values):
        large = tf.reduce_sum((values["large"] / 1000.0 - [1.0, 2.0, -1.0]) ** 2)
        return large + (1000.0 * (values["small"] - 1.01)) ** 2

    done = []
    found, losses = minimize(parameters, loss, 150, done.append)
    np.testing.assert_allclose(found["large"], [1000.0, 2000.0, -1000.0], atol=30.0)
    assert found["small"] == pytest.approx(1.01, abs=3e-4) and found["idle"] == 7.0
    assert done == list(range(1, 151)) and losses[-1] < 1e-2 * losses[0]
