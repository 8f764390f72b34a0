"""Adversarial pairs against the formulas of their papers, written out in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.losses import BCE, Hinge, LeastSquares, Relativistic, Wasserstein

REAL = np.array([2.0, -0.5, 0.3])
FAKE = np.array([-1.0, 0.7, 1.5])


def log_sigmoid(x):
    return np.log(1 / (1 + np.exp(-np.asarray(x))))


D_BCE = -log_sigmoid(REAL).mean() - np.log(1 - 1 / (1 + np.exp(-FAKE))).mean()

PAIRS = [
    (BCE(), D_BCE, -log_sigmoid(FAKE).mean()),
    (BCE(saturating=True), D_BCE, np.log(1 - 1 / (1 + np.exp(-FAKE))).mean()),
    (
        LeastSquares(),
        0.5 * ((REAL - 1) ** 2).mean() + 0.5 * (FAKE**2).mean(),
        0.5 * ((FAKE - 1) ** 2).mean(),
    ),
    # max(0, 1 - real) = 0, 1.5, 0.7; max(0, 1 + fake) = 0, 1.7, 2.5.
    (Hinge(), 2.2 / 3 + 4.2 / 3, -1.2 / 3),
    # Means: real 0.6, fake 0.4.
    (Wasserstein(), -0.2, -0.4),
    (Relativistic(), -log_sigmoid(REAL - FAKE).mean(), -log_sigmoid(FAKE - REAL).mean()),
]
NAMES = ["bce", "bce-saturating", "least-squares", "hinge", "wasserstein", "relativistic"]


@pytest.mark.parametrize(("pair", "d_loss", "g_loss"), PAIRS, ids=NAMES)
def test_values(pair, d_loss, g_loss):
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    np.testing.assert_allclose(pair.d_loss(real, fake), d_loss, rtol=1e-6)
    np.testing.assert_allclose(pair.g_loss(real, fake), g_loss, rtol=1e-6)
    assert pair.d_loss(real, fake).shape == pair.g_loss(real, fake).shape == ()


@pytest.mark.parametrize("pair", [p for p, _, _ in PAIRS], ids=NAMES)
def test_each_side_pulls_its_own_way(pair):
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d_loss, g_loss = pair.d_loss(real, fake), pair.g_loss(real, fake)
    # Logits beyond a target are drawn back to it by least squares only: look at the fakes.
    wants_fake_down = tape.gradient(d_loss, fake).numpy()
    wants_fake_up = tape.gradient(g_loss, fake).numpy()
    if not isinstance(pair, LeastSquares):
        assert (wants_fake_down >= 0).all()
        assert (wants_fake_up < 0).all()
        assert (tape.gradient(d_loss, real).numpy() <= 0).all()
    assert wants_fake_down.sum() > 0
    assert wants_fake_up.sum() < 0


@pytest.mark.parametrize("pair", [p for p, _, _ in PAIRS], ids=NAMES)
@pytest.mark.parametrize("extreme", [1e4, -1e4])
def test_extreme_logits_stay_finite(pair, extreme):
    real = tf.constant([extreme, 0.0])
    fake = tf.constant([-extreme, extreme])
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        total = pair.d_loss(real, fake) + pair.g_loss(real, fake)
    assert np.isfinite(total)
    for slope in tape.gradient(total, [real, fake]):
        assert slope is None or np.isfinite(slope).all()


def test_a_saturating_generator_learns_little_from_fakes_that_are_found_out():
    fake = tf.constant([-8.0])
    slopes = []
    for pair in (BCE(saturating=True), BCE()):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            loss = pair.g_loss(tf.zeros(1), fake)
        slopes.append(abs(float(tape.gradient(loss, fake)[0])))
    assert slopes[0] < 1e-3
    assert slopes[1] > 0.99
