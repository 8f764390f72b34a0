"""Layers: equal to plain convolutions; equalized layers and norms by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators.equalized import EqualizedConv1D, EqualizedDense, pixel_norm
from discriminators.growing_gan import minibatch_deviation
from discriminators.layers import (
    convolve,
    convolve_along_time,
    convolve_repeated,
    convolve_strided,
)
from tests.finite_differences import assert_gradients


def numbers(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


@pytest.mark.parametrize("n_taps", [3, 4, 25])
@pytest.mark.parametrize("n_steps, channels", [(1024, 3), (1026, 2), (64, 3), (1024, 40)])
def test_a_convolution_in_blocks_is_a_convolution(n_taps, n_steps, channels):
    h, kernel = numbers(2, n_steps, channels), numbers(n_taps, channels, 5, seed=1)
    expected = tf.nn.conv1d(h, kernel, 1, "SAME")
    np.testing.assert_allclose(convolve(h, kernel), expected, atol=1e-4)


@pytest.mark.parametrize("n_taps", [1, 5, 24])
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_repeated_steps_are_convolved_without_repeating_them(n_taps, factor):
    h, kernel = numbers(2, 11, 3), numbers(n_taps, 3, 4, seed=1)
    expected = tf.nn.conv1d(tf.repeat(h, factor, axis=1), kernel, 1, "SAME")
    np.testing.assert_allclose(convolve_repeated(h, kernel, factor), expected, atol=1e-4)


@pytest.mark.parametrize("n_taps", [1, 3, 4, 5, 9, 24, 25])
@pytest.mark.parametrize("stride", [2, 4])
def test_a_stride_takes_every_so_manyth_step(n_taps, stride):
    h, kernel = numbers(2, 24, 3), numbers(n_taps, 3, 4, seed=1)
    expected = tf.nn.conv1d(h, kernel, stride, "SAME")
    np.testing.assert_allclose(convolve_strided(h, kernel, stride), expected, atol=1e-4)


@pytest.mark.parametrize(
    "ours, plain",
    [
        (convolve, lambda h, k: tf.nn.conv1d(h, k, 1, "SAME")),
        (
            lambda h, k: convolve_repeated(h, k, 4),
            lambda h, k: tf.nn.conv1d(tf.repeat(h, 4, axis=1), k, 1, "SAME"),
        ),
        (
            lambda h, k: convolve_strided(h, k, 4),
            lambda h, k: tf.nn.conv1d(h, k, 4, "SAME"),
        ),
    ],
)
def test_gradients_are_those_of_the_plain_convolution(ours, plain):
    h, kernel = numbers(1, 1024, 2), numbers(25, 2, 3, seed=1)

    def slopes(fn):
        """Of the kernel and the map, and of the squared slopes of the map: a penalty's."""
        with tf.GradientTape() as outer:
            outer.watch(kernel)
            with tf.GradientTape() as inner:
                inner.watch([h, kernel])
                loss = tf.reduce_sum(tf.sin(fn(h, kernel)))
            first = inner.gradient(loss, [h, kernel])
            penalty = tf.reduce_sum(first[0] ** 2)
        return [*first, outer.gradient(penalty, kernel)]

    for slope, expected in zip(slopes(ours), slopes(plain), strict=True):
        size = np.abs(expected).max()
        np.testing.assert_allclose(slope, expected, atol=1e-4 * size)


def test_equalized_weights_are_scaled_by_what_comes_in():
    layer = EqualizedConv1D(1, 3)
    layer.build((None, None, 2))
    layer.kernel.assign(np.arange(6.0).reshape(3, 2, 1))
    layer.bias.assign([0.5])
    h = tf.constant([[[1.0, 2.0], [3.0, 4.0]]])
    # Taps (0, 1), (2, 3), (4, 5) by hand; 3 taps times 2 channels.
    scale = np.sqrt(2.0 / 6.0)
    sums = [2 * 1 + 3 * 2 + 4 * 3 + 5 * 4, 0 * 1 + 1 * 2 + 2 * 3 + 3 * 4]
    np.testing.assert_allclose(layer(h)[0, :, 0], scale * np.array(sums) + 0.5, rtol=1e-6)
    dense = EqualizedDense(1)
    dense.build((None, 8))
    dense.kernel.assign(np.ones((8, 1)))
    np.testing.assert_allclose(dense(tf.ones([1, 8])), [[8.0 * np.sqrt(2.0 / 8.0)]])


def test_pixel_norm_by_hand():
    h = tf.constant([[[3.0, 4.0], [0.0, 0.0], [-2.0, 2.0]]])
    root = np.sqrt(12.5)
    expected = [[3 / root, 4 / root], [0.0, 0.0], [-1.0, 1.0]]
    np.testing.assert_allclose(pixel_norm(h)[0], expected, rtol=1e-6)
    large = tf.constant([[[300.0, 400.0]]], tf.float16)
    np.testing.assert_allclose(pixel_norm(large)[0], [expected[0]], rtol=2e-3)


def test_minibatch_deviation_by_hand():
    # Two groups of two; each step and channel by itself, then the mean.
    h = tf.constant([[[0.0, 1.0]], [[2.0, 5.0]], [[7.0, 7.0]], [[7.0, 7.0]]])
    out = minibatch_deviation(h, 2).numpy()
    np.testing.assert_array_equal(out[:, :, :2], h)
    np.testing.assert_allclose(out[:, 0, 2], [1.5, 1.5, 1e-4, 1e-4], rtol=1e-5)
    whole = minibatch_deviation(h, 4).numpy()[:, 0, 2]
    np.testing.assert_allclose(whole, np.mean([np.std([0, 2, 7, 7]), np.std([1, 5, 7, 7])]))


def test_recordings_and_generated_sounds_are_not_compared():
    real, fake = numbers(4, 3, 2), 10.0 * numbers(4, 3, 2, seed=1)
    both = minibatch_deviation(tf.concat([real, fake], axis=0), 4)
    np.testing.assert_allclose(both[:4], minibatch_deviation(real, 4))
    np.testing.assert_allclose(both[4:], minibatch_deviation(fake, 4))


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_minibatch_deviation_wants_whole_groups(batch):
    with pytest.raises(ValueError, match=f"got a batch of {batch}, .* 4 or 8 would work"):
        minibatch_deviation(tf.zeros([batch, 3, 2]), 4)


def test_a_gradient_penalty_through_minibatch_deviation_has_the_gradient_of_its_formula():
    def penalty(h, weights):
        with tf.GradientTape() as tape:
            tape.watch(h)
            logits = tf.reduce_sum(weights * tf.tanh(minibatch_deviation(h, 2)), axis=[1, 2])
        slope = tape.gradient(logits, h)
        norms = tf.sqrt(tf.reduce_sum(slope**2, axis=[1, 2]) + 1e-12)
        return (norms - 1.0) ** 2

    inputs = {"h": numbers(4, 3, 2), "weights": numbers(4, 3, 3, seed=1)}
    assert_gradients(penalty, inputs, tolerance=1e-5)


def test_sounds_that_are_all_the_same_have_finite_slopes_of_both_orders():
    h = tf.ones([4, 3, 2])
    with tf.GradientTape() as outer:
        outer.watch(h)
        with tf.GradientTape() as inner:
            inner.watch(h)
            logits = tf.reduce_sum(minibatch_deviation(h, 2) ** 2)
        slope = inner.gradient(logits, h)
        penalty = tf.reduce_sum(slope**2)
    assert np.isfinite(slope).all()
    assert np.isfinite(outer.gradient(penalty, h)).all()


@pytest.mark.parametrize("kernel_size", [(5, 5), (9, 1), (2, 3)])
@pytest.mark.parametrize("strides", [(2, 2), (2, 1), (3, 2), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_convolution_along_time_is_keras_own(kernel_size, strides, channels):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(4, kernel_size, strides, "same", bias_initializer="normal")
    h = numbers(2, 13, 6, channels)
    exchanged = tf.transpose(h, [0, 2, 1, 3])
    expected = layer(h)
    ours = tf.transpose(convolve_along_time(layer, exchanged), [0, 2, 1, 3])
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_a_convolution_along_time_has_its_gradients():
    layer = keras.layers.Conv2D(2, 3, 2, "same")
    layer.build((None, 6, 5, 1))

    def penalty(h):
        with tf.GradientTape() as tape:
            tape.watch(h)
            total = tf.reduce_sum(tf.sin(convolve_along_time(layer, h)))
        return tf.reduce_sum(tape.gradient(total, h) ** 2)

    assert_gradients(penalty, {"h": numbers(1, 5, 6, 1)})
