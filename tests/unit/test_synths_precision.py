"""Float types: kept where they are wide, never narrower than float32."""

import numpy as np
import pytest
import tensorflow as tf

from synths.precision import as_float, as_floats


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (3, tf.float32),
        (3.5, tf.float32),
        ([1, 2], tf.float32),
        (np.arange(3), tf.float32),
        (np.ones(3), tf.float64),
        (np.ones(3, np.float32), tf.float32),
        (np.ones(3, np.float16), tf.float32),
        (tf.ones([3], tf.bfloat16), tf.float32),
        (tf.ones([3], tf.float64), tf.float64),
    ],
)
def test_one(value, dtype):
    assert as_float(value).dtype == dtype
    np.testing.assert_array_equal(as_float(value), np.asarray(value, dtype.as_numpy_dtype))


def test_several_have_the_widest():
    one, none, other = as_floats(np.float32([0.1]), None, 2)
    assert (one.dtype, none, other.dtype) == (tf.float32, None, tf.float32)
    one, other = as_floats(np.float32([0.1]), np.float64([0.2]))
    assert (one.dtype, other.dtype) == (tf.float64, tf.float64)


def test_gradients_come_back_in_the_input_s_type():
    for dtype in (tf.float16, tf.float32, tf.float64):
        x = tf.constant([2.0], dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = as_float(x) ** 2
        assert tape.gradient(y, x).dtype == dtype
