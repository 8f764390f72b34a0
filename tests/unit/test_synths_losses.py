"""Spectral loss: terms by hand, silence, gradients."""

import numpy as np
import pytest
import tensorflow as tf

from synths import SpectralLoss, compute_loudness, compute_mag, mean_difference
from tests.finite_differences import assert_gradients

NOISE = np.random.default_rng(0).normal(size=(2, 900)).astype(np.float32)
OTHER = np.random.default_rng(1).normal(size=(2, 900)).astype(np.float32)

TERMS = {
    "mag": lambda m: m,
    "delta_time": lambda m: np.diff(m, axis=1),
    "delta_freq": lambda m: np.diff(m, axis=2),
    "cumsum_freq": lambda m: np.cumsum(m, axis=2),
    "logmag": lambda m: np.log(m + 1e-5),
}


@pytest.mark.parametrize("kind", ["L1", "L2"])
@pytest.mark.parametrize("term", TERMS)
def test_a_term_by_hand(term, kind):
    loss = SpectralLoss((256, 64), kind, **({"mag_weight": 0.0} | {f"{term}_weight": 0.7}))
    power = {"L1": np.abs, "L2": np.square}[kind]
    expected = 0.0
    for size in (256, 64):
        one, two = (TERMS[term](compute_mag(x, size).numpy()) for x in (NOISE, OTHER))
        expected += 0.7 * power(one - two).mean()
    np.testing.assert_allclose(loss(NOISE, OTHER), expected, rtol=1e-4)


def test_loudness_by_hand_and_weights_of_terms_add():
    loud = SpectralLoss((64,), mag_weight=0.0, loudness_weight=2.0)
    one, two = (compute_loudness(x, n_fft=2048).numpy() for x in (NOISE, 0.5 * NOISE))
    np.testing.assert_allclose(loud(NOISE, 0.5 * NOISE), 2.0 * np.abs(one - two).mean(), rtol=1e-5)
    np.testing.assert_allclose(loud(NOISE, 0.5 * NOISE), 2.0 * 20.0 * np.log10(2.0), rtol=1e-3)
    both = SpectralLoss((64,), mag_weight=3.0, loudness_weight=2.0)
    alone = SpectralLoss((64,), mag_weight=3.0)
    np.testing.assert_allclose(
        both(NOISE, OTHER), alone(NOISE, OTHER) + loud(NOISE, OTHER), rtol=1e-5
    )


def test_equal_sounds_are_at_no_distance_and_weights_scale_rows():
    loss = SpectralLoss((256, 64), logmag_weight=1.0)
    assert float(loss(NOISE, NOISE)) == 0.0
    first = loss(NOISE, OTHER, weights=np.float32([[[2.0]], [[0.0]]]))
    np.testing.assert_allclose(first, loss(NOISE[:1], OTHER[:1]), rtol=1e-5)


def test_the_cosine_is_blind_to_level():
    loss = SpectralLoss((256,), "COSINE")
    np.testing.assert_allclose(loss(NOISE, 3.0 * NOISE), 0.0, atol=1e-6)
    up, right, left = np.float32([[0, 2]]), np.float32([[1, 0]]), np.float32([[-1, 0]])
    np.testing.assert_allclose(mean_difference(up, right, "COSINE"), 1.0, atol=1e-6)
    np.testing.assert_allclose(mean_difference(right, left, "COSINE"), 2.0, atol=1e-6)
    np.testing.assert_allclose(mean_difference(right, left, "COSINE", 3.0), 6.0, atol=1e-6)


@pytest.mark.parametrize("kind", ["L1", "L2", "COSINE"])
def test_silence_is_finite_with_finite_gradients(kind):
    loss = SpectralLoss((256, 64), kind, logmag_weight=1.0, loudness_weight=1.0)
    silence = tf.zeros([2, 900])
    for pair in ((NOISE, silence), (silence, silence)):
        with tf.GradientTape() as tape:
            tape.watch(silence)
            value = loss(*pair)
        assert np.isfinite(value)
        assert np.isfinite(tape.gradient(value, silence)).all()


def test_gradients():
    every = dict.fromkeys([f"{t}_weight" for t in TERMS] + ["loudness_weight"], 0.5)
    loss = SpectralLoss((64, 32), "L2", **every)
    inputs = {"target_audio": NOISE[:, :200], "audio": OTHER[:, :200]}
    assert_gradients(lambda **x: loss(**x)[None], inputs, tolerance=1e-5)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="got 'L3', expected one of L1, L2, COSINE"):
        SpectralLoss(loss_type="L3")
    with pytest.raises(ValueError, match="got 'L3'"):
        mean_difference(NOISE, OTHER, "L3")
