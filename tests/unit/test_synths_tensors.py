"""Tensor functions: values, axes, gradients."""

import numpy as np
import pytest
import tensorflow as tf

import synths


def test_float32():
    for x in (1, [1.0, 2.0], np.float64([1.0]), tf.constant([1], tf.int64)):
        assert synths.tf_float32(x).dtype == tf.float32
    assert (synths.DB_RANGE, synths.F0_RANGE) == (80.0, 127.0)


def test_no_numbers():
    x = tf.constant([1.0, np.nan, np.inf])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = synths.nan_to_num(x, 5.0)
    np.testing.assert_array_equal(y, [1.0, 5.0, np.inf])
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 0.0, 1.0])
    assert synths.nan_to_num(np.float64([np.nan])).numpy() == [0.0]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_differences(axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(synths.diff(x, axis), np.diff(x, axis=axis))


@pytest.mark.parametrize("axis", [3, 4, -4])
def test_differences_along_an_axis_that_is_not_there(axis):
    expected = rf"axis: got {axis}, expected one of the 3 axes of \(2, 3, 4\)"
    with pytest.raises(ValueError, match=expected):
        synths.diff(np.zeros((2, 3, 4)), axis)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_padding_of_an_axis(axis):
    x = np.ones((2, 3, 4), np.float32)
    padded = synths.pad_axis(x, (1, 2), axis, constant_values=7.0)
    shape = list(x.shape)
    shape[axis] += 3
    assert padded.shape == shape
    assert np.sum(padded == 7.0) == padded.numpy().size - x.size


def test_a_gradient_is_reversed():
    x = tf.constant([1.0, -2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = synths.gradient_reversal(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(tape.gradient(y, x), [-1.0, -1.0])


def test_cropping():
    audio = np.arange(10, dtype=np.float32)[None]
    np.testing.assert_array_equal(synths.center_crop(audio, 5), audio[:, 2:-2])
    np.testing.assert_array_equal(synths.center_crop(audio, 1), audio)
