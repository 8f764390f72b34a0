"""Samples as audio."""

import numpy as np
import pytest
import tensorflow as tf

from synths import ShapeError, TensorToAudio


@pytest.mark.parametrize("shape", [(2, 7, 1), (0, 7, 1), (2, 0, 1), (1, 1, 1)])
def test_samples_are_audio(shape):
    samples = np.random.default_rng(0).normal(size=shape)
    for dtype in (np.float32, np.float64):
        both = TensorToAudio()(samples.astype(dtype), return_outputs_dict=True)
        np.testing.assert_array_equal(both["signal"], samples[..., 0].astype(dtype))
        np.testing.assert_array_equal(both["controls"]["samples"], samples.astype(dtype))
        assert both["signal"].dtype == dtype


def test_the_gradient_is_the_sounds():
    samples = tf.ones([2, 7, 1])
    weight = np.random.default_rng(0).normal(size=(2, 7)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(samples)
        loss = tf.reduce_sum(weight * TensorToAudio()(samples))
    np.testing.assert_array_equal(tape.gradient(loss, samples), weight[..., None])


@pytest.mark.parametrize("shape", [(2, 7), (2, 7, 2)])
def test_a_wrong_shape_is_named(shape):
    for function in (TensorToAudio().get_controls, TensorToAudio().get_signal):
        with pytest.raises(ShapeError, match=r"^samples: expected \[batch, n_samples, 1\].*got"):
            function(tf.ones(shape))
