"""The overshoot loss counts samples beyond full scale alone."""

import numpy as np
import tensorflow as tf

from noisygan.losses.generator import ClippingPenalty


def test_only_what_lies_beyond_full_scale_counts():
    real = tf.fill([2, 4], 9.0)
    fake = tf.constant([[0.5, -1.0, 1.0, 0.0], [1.5, -3.0, 0.9, 0.0]])
    assert float(ClippingPenalty()(real, fake)) == (0.5**2 + 2.0**2) / 2
    assert float(ClippingPenalty()(real, fake[:1])) == 0.0


def test_the_gradient_leads_back_into_range():
    fake = tf.constant([[1.5, -3.0, 0.9, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(fake)
        value = ClippingPenalty()(fake, fake)
    np.testing.assert_allclose(tape.gradient(value, fake), [[1.0, -4.0, 0.0, 0.0]], atol=1e-6)


def test_a_limit_below_full_scale():
    assert float(ClippingPenalty(limit=0.5)(None, tf.constant([[1.0, 0.25]]))) == 0.25
