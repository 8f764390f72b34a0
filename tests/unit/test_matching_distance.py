"""The distance that is reported, and the one that is descended."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.matching.distance import Objective, log_spectral_distance

RATE = 16000
NOISE = np.random.default_rng(0).normal(size=8000).astype(np.float32) * 0.05
TIMES = np.arange(8000) / RATE


def sine(hz, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hz * TIMES)).astype(np.float32)


@pytest.mark.parametrize("gain_db", [-12.0, 3.0])
def test_a_gain_is_its_decibels(gain_db):
    louder = NOISE * 10 ** (gain_db / 20)
    assert log_spectral_distance(NOISE, louder, RATE) == pytest.approx(abs(gain_db), abs=0.01)
    assert log_spectral_distance(NOISE, NOISE, RATE) == 0.0


def test_silence_is_the_range_away_and_not_farther():
    near = log_spectral_distance(sine(1000), np.zeros(8000, np.float32), RATE, range_db=40.0)
    assert 0.0 < near <= 40.0
    assert log_spectral_distance(sine(1000), 1e-9 * NOISE, RATE, range_db=40.0) == near
    silent = np.zeros(8000, np.float32)
    assert log_spectral_distance(silent, silent, RATE) == 0.0


def test_what_is_silent_in_both_does_not_count():
    a, b = sine(1000), sine(2000)
    apart = log_spectral_distance(a, b, RATE)
    behind = np.zeros(8000, np.float32)
    longer = [np.concatenate([x, behind]) for x in (a, b)]
    # But for the frames at the new end.
    assert log_spectral_distance(*longer, RATE) == pytest.approx(apart, rel=0.2)
    assert log_spectral_distance(a, b, RATE, silent_bins=True) < apart - 1.0
    # What only one of them has does.
    assert log_spectral_distance(a, a + b, RATE) > 10.0


def test_the_objective_is_least_at_the_target_at_any_level():
    losses = []
    for level in (1.0, 0.01):
        objective = Objective(sine(1000) * level, RATE)
        assert float(objective(tf.constant(sine(1000) * level)[None])) == 0.0
        losses.append(float(objective(tf.constant(sine(1200) * level)[None])))
    assert losses[0] > 0.1
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
