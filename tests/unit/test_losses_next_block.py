"""NextBlockLoss: a share of each sound's own power."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.losses.generator import NextBlockLoss

WAVE = np.sin(0.1 * np.arange(400))[None].astype(np.float32)


@pytest.mark.parametrize(("said", "share"), [(1.0, 0.0), (0.0, 1.0), (0.9, 0.01), (-1.0, 4.0)])
def test_it_is_a_share_of_the_power(said, share):
    np.testing.assert_allclose(NextBlockLoss()(WAVE, said * WAVE), share, atol=1e-3)


def test_quiet_sounds_count_as_loud_ones_do():
    real = np.concatenate([WAVE, 0.1 * WAVE])
    one_is_wrong = [real * np.array([[a], [b]], np.float32) for a, b in ((0.0, 1.0), (1.0, 0.0))]
    loud, quiet = (float(NextBlockLoss()(real, said)) for said in one_is_wrong)
    np.testing.assert_allclose([loud, quiet], 0.5, rtol=0.03)


def test_silence_has_a_finite_gradient():
    said = tf.Variable(tf.zeros([2, 30]))
    with tf.GradientTape() as tape:
        loss = NextBlockLoss()(tf.zeros([2, 30]), said)
    assert float(loss) == 0.0
    assert np.isfinite(tape.gradient(loss, said)).all()
