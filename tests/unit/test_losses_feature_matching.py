"""Feature matching by hand, and the road of a discriminator's features to it."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.losses.generator import FeatureMatch, SpectralMatch, TextureMatch
from tests import toys


def maps(*rows):
    return [[tf.constant(rows, tf.float32)]]


def test_by_hand():
    # Means over the batch: (2, 0) and (1, 1); distance 1; mean size of the recordings' map 1.5.
    real = maps([1.0, -2.0], [3.0, 2.0])
    fake = maps([1.0, 0.0], [1.0, 2.0])
    np.testing.assert_allclose(FeatureMatch()(real, fake), (1.0 + 1.0) / 2 / 2.0, rtol=1e-5)


def test_the_mean_over_maps_and_scales():
    real = [[tf.ones([2, 3]), 10.0 * tf.ones([2, 4, 5])], [2.0 * tf.ones([2, 6])]]
    fake = [[tf.zeros([2, 3]), 5.0 * tf.ones([2, 4, 5])], [2.0 * tf.ones([2, 6])]]
    np.testing.assert_allclose(FeatureMatch()(real, fake), (1.0 + 0.5 + 0.0) / 3, rtol=1e-5)


def test_whatever_the_maps_size():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 7)).astype(np.float32)
    one = float(FeatureMatch()([[a]], [[b]]))
    np.testing.assert_allclose(FeatureMatch()([[100 * a]], [[100 * b]]), one, rtol=1e-4)


def test_equal_batches_in_another_order_are_at_no_distance():
    a = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    np.testing.assert_allclose(FeatureMatch()([[a]], [[a[::-1]]]), 0.0, atol=1e-6)


def test_silent_maps_have_a_finite_gradient():
    zeros = tf.zeros([2, 3])
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        value = FeatureMatch()([[tf.zeros([2, 3])]], [[zeros]])
    assert float(value) == 0.0
    assert np.isfinite(tape.gradient(value, zeros)).all()


def test_what_each_match_compares():
    kinds = {kind: kind.compares for kind in (SpectralMatch, TextureMatch, FeatureMatch)}
    assert kinds == {SpectralMatch: "audio", TextureMatch: "notes", FeatureMatch: "features"}


@pytest.fixture(scope="module")
def trained():
    trainer = toys.trainer(generator_losses=[FeatureMatch(0.5), SpectralMatch(2.0, (256,))])
    trainer.build(toys.notes(), seed=3)
    return trainer


def test_the_generators_loss_is_fed_the_discriminators_features(trained):
    gan = trained.gan
    batch = next(iter(toys.notes().batches(3, 1)))
    sounds = gan.generate(batch, tf.constant([3, 8]))
    loss, parts = gan.g_loss(sounds)
    features = trained.condition_encoder(batch)
    real, fake = (trained.discriminator(x, features).features for x in (sounds.real, sounds.fake))
    np.testing.assert_allclose(parts["g_featurematch"], FeatureMatch()(real, fake), rtol=1e-4)
    expected = parts["g_adversarial"] + 0.5 * parts["g_featurematch"]
    np.testing.assert_allclose(loss, expected + 2.0 * parts["g_spectralmatch"], rtol=1e-5)


def test_the_generator_learns_from_it(trained):
    batch = next(iter(toys.notes().batches(3, 1)))
    values = [v.value for v in trained.generator.trainable_variables]
    with tf.GradientTape() as tape:
        sounds = trained.gan.generate(batch, tf.constant([3, 8]))
        value = trained.gan.g_loss(sounds)[1]["g_featurematch"]
    slopes = [s for s in tape.gradient(value, values) if s is not None]
    assert np.isfinite(tf.linalg.global_norm(slopes)) and tf.linalg.global_norm(slopes) > 0
