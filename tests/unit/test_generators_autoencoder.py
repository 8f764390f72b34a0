"""The autoencoder: shapes, what passes through the latent, the latents' distribution."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.generators.autoencoder import Autoencoder, gaussian


@pytest.mark.parametrize(
    ("n_samples", "lengths", "n_weights"),
    [
        (500, [500, 125, 32, 8], 112_641),
        (1000, [1000, 250, 63, 16], 178_689),
        (4410, [4410, 1103, 276, 69, 18, 5], 949_569),
    ],
)
def test_lengths_and_counts(n_samples, lengths, n_weights):
    autoencoder = Autoencoder(n_samples)
    autoencoder.build()
    assert autoencoder.lengths == lengths
    in_layers = sum(layer.count_params() for layer in autoencoder.layers)
    assert in_layers == n_weights
    # Behind them the distribution of latents: its mean and Cholesky factor.
    assert autoencoder.count_params() == n_weights + 64 + 64**2
    assert not autoencoder.trainable_variables
    audio = tf.zeros([2, n_samples])
    assert autoencoder.encode(audio).shape == (2, 64)
    assert autoencoder(audio).shape == (2, n_samples)


def test_nothing_passes_beside_the_latent():
    autoencoder = Autoencoder(100, latent_dim=7, units=4)
    audio = tf.random.stateless_normal([3, 100], [0, 1])
    expected = autoencoder(audio)
    np.testing.assert_array_equal(autoencoder.decode(autoencoder.encode(audio)), expected)
    assert np.abs(autoencoder(2.0 * audio) - expected).max() > 1e-4


def test_it_learns_a_few_segments():
    tf.keras.utils.set_random_seed(0)
    autoencoder = Autoencoder(100, latent_dim=8, units=4)
    times = np.arange(100) / 100
    audio = np.float32([0.6 * np.sin(2 * np.pi * f * times) for f in (2, 3, 5)])
    autoencoder.build()
    optimizer = tf.keras.optimizers.Adam(3e-3)

    variables = [v for layer in autoencoder.layers for v in layer.weights]
    values = [v.value for v in variables]

    @tf.function
    def update():
        with tf.GradientTape() as tape:
            tape.watch(values)
            error = tf.reduce_mean((autoencoder(audio) - audio) ** 2)
        optimizer.apply(tape.gradient(error, values), variables)
        return error

    optimizer.build(variables)
    errors = [float(update()) for _ in range(300)]
    assert errors[0] > 0.1
    assert errors[-1] < 0.01


def test_the_gaussian_has_the_codes_moments():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=[500, 3]) @ rng.normal(size=[3, 3]) + [1.0, -2.0, 0.5]
    mean, factor = gaussian(latents)
    np.testing.assert_allclose(mean, latents.mean(axis=0), rtol=1e-5)
    covariance = np.cov(latents.T, bias=True)
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=0.01, atol=0.01)
    assert np.allclose(factor, np.tril(factor))


def test_codes_without_spread_have_a_gaussian():
    mean, factor = gaussian(np.ones([4, 5]))
    np.testing.assert_array_equal(mean, np.ones(5))
    assert np.isfinite(factor).all()
    assert np.abs(factor).max() < 1e-4
