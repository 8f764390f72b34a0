"""Raw outputs to frequencies: ranges, closed forms, shapes."""

import numpy as np
import pytest
import tensorflow as tf

from synths import (
    ShapeError,
    frequencies_critical_bands,
    frequencies_sigmoid,
    frequencies_softmax,
    hz_to_bark,
    hz_to_mel,
)
from tests.finite_differences import assert_gradients

ALL = [frequencies_softmax, frequencies_sigmoid, frequencies_critical_bands]


def raw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_depth_as_an_axis_or_unrolled(function, depth):
    x = raw(2, 3, 4, depth)
    f_hz = function(x)
    assert f_hz.shape == (2, 3, 4)
    np.testing.assert_array_equal(function(x.reshape(2, 3, 4 * depth), depth), f_hz)
    assert (f_hz.numpy() > 0).all()
    assert (f_hz.numpy() < 9000).all()


def test_softmax_is_a_mean_of_pitches():
    x = np.log(np.float64([[[[1.0, 2.0, 1.0]], [[1.0, 0.001, 0.001]], [[0.001, 0.001, 1.0]]]]))
    f_hz = frequencies_softmax(x, hz_min=100.0, hz_max=1600.0)
    assert f_hz.dtype == tf.float64
    np.testing.assert_allclose(f_hz[0, :, 0], [400.0, 100.0, 1600.0], rtol=5e-3)


def test_sigmoid_goes_from_end_to_end():
    x = np.float64([[[-50.0, 0.0, 50.0]]])
    f_hz = frequencies_sigmoid(x, hz_min=100.0, hz_max=1700.0)
    np.testing.assert_allclose(f_hz, [[[100.0, 400.0, 1600.0]]], rtol=1e-6)
    # All of a depth at their upper ends: the whole range.
    top = frequencies_sigmoid(np.full((1, 1, 1, 3), 50.0), hz_min=100.0, hz_max=1700.0)
    np.testing.assert_allclose(top, [[[1600.0]]], rtol=1e-6)


def test_of_a_depth_each_sigmoid_has_a_smaller_range():
    alone = np.where(np.eye(3), 50.0, -50.0)[None, None]
    f_hz = frequencies_sigmoid(alone, hz_min=0.0, hz_max=1000.0)
    # As in ddsp a range from 0 Hz begins at pitch 0: so do the two others.
    expected = np.array([900.0, 90.0, 10.0]) + 2 * 440.0 * 2 ** (-69 / 12)
    np.testing.assert_allclose(f_hz[0, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("depth_scale", [10.0, 4.0])
def test_each_further_number_moves_a_band_less(depth_scale):
    freqs = tf.zeros([1, 1, 5, 3], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(freqs)
        f_hz = frequencies_critical_bands(freqs, depth_scale=depth_scale)
    slope = tape.gradient(f_hz, freqs)[0, 0].numpy()
    assert (slope[1:-1, 0] > 10.0).all()
    expected = slope[:, :1] / depth_scale ** np.arange(3)
    np.testing.assert_allclose(slope, expected, rtol=1e-9)


@pytest.mark.parametrize(("scale", "there"), [("bark", hz_to_bark), ("mel", hz_to_mel)])
def test_critical_bands_lie_evenly_on_their_scale(scale, there):
    middles = frequencies_critical_bands(
        np.zeros((1, 1, 9)), hz_min=0.0, hz_max=8000.0, scale=scale
    )
    steps = np.diff(there(middles[0, 0, 1:-1]))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
    one = frequencies_critical_bands(np.zeros((1, 1, 1)), hz_min=50.0, scale=scale)
    # As in ddsp the soft limit adds hz_min once more.
    np.testing.assert_allclose(one, [[[50.0 + 50.0]]], rtol=1e-6)


@pytest.mark.parametrize("function", ALL)
def test_gradients_by_finite_differences(function):
    assert_gradients(function, {"freqs": raw(1, 2, 3, 2)})


def test_what_is_unknown_or_wrong_is_said():
    unknown = tf.TensorSpec([None, None, None, None])
    with pytest.raises(ShapeError, match="freqs: expected a known depth"):
        tf.function(frequencies_sigmoid, input_signature=[unknown]).get_concrete_function()
    with pytest.raises(ValueError, match="scale: got 'erb', expected"):
        frequencies_critical_bands(tf.zeros([1, 1, 2]), scale="erb")
