"""Float types, and matrix products on devices that round their factors to 10 bits."""

import numpy as np
import pytest
import tensorflow as tf

from synths import compute_mel, log_mel, mfcc, precision, set_native_kernels
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


@pytest.fixture
def rounding(monkeypatch):
    """A device that rounds as TensorFloat-32, without kernels."""
    exact = tf.matmul

    def rounded(x):
        if x.dtype != tf.float32:
            return x
        bits = tf.bitcast(x, tf.int32) + 2**12
        return tf.bitcast(tf.bitwise.bitwise_and(bits, -(2**13)), tf.float32)

    def matmul(a, b, transpose_b=False):
        return exact(rounded(a), rounded(b), transpose_b=transpose_b)

    monkeypatch.setattr(precision.tf, "matmul", matmul)
    monkeypatch.setattr(precision, "_is_rounded", lambda: True)
    set_native_kernels(False)
    yield matmul
    set_native_kernels(None)


def factors():
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for shape in ((2, 30, 40), (2, 50, 40))]


def error_db(got, expected):
    return 10 * np.log10(np.mean((got - expected) ** 2) / np.mean(expected**2))


def test_a_product_of_parts_is_the_product(rounding):
    a, b = factors()
    expected = np.float64(a) @ np.float64(b).swapaxes(1, 2)
    assert error_db(rounding(a, b, transpose_b=True).numpy(), expected) > -75
    a, b = tf.constant(a), tf.constant(b)
    assert error_db(precision.matmul(a, b, transpose_b=True).numpy(), expected) < -115
    swapped = tf.linalg.matrix_transpose(b)
    assert error_db(precision.matmul(a, swapped).numpy(), expected) < -115


def test_its_gradients_are_the_products(rounding):
    a, b = factors()
    upstream = np.random.default_rng(1).normal(size=(2, 30, 50)).astype(np.float32)
    tensors = [tf.constant(a), tf.constant(b)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = tf.reduce_sum(upstream * precision.matmul(*tensors, transpose_b=True))
    to_a, to_b = tape.gradient(loss, tensors)
    g = np.float64(upstream)
    assert error_db(to_a.numpy(), g @ np.float64(b)) < -115
    assert error_db(to_b.numpy(), g.swapaxes(1, 2) @ np.float64(a)) < -115


@pytest.mark.parametrize(
    "feature",
    [
        lambda x: log_mel(x, 16000, floor=1.0),
        lambda x: mfcc(x, 16000, floor=1.0),
        compute_mel,
    ],
    ids=["log_mel", "mfcc", "compute_mel"],
)
def test_mel_bands_are_not_rounded(rounding, feature):
    audio = tf.constant(np.random.default_rng(3).normal(size=(2, 4000)))
    got = feature(tf.cast(audio, tf.float32)).numpy()
    assert error_db(got, feature(audio).numpy()) < -95
