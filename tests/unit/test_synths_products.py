"""Products in full precision on devices that round their factors to 10 bits."""

import numpy as np
import pytest
import tensorflow as tf

from synths import products


@pytest.fixture
def rounding(monkeypatch):
    """A device that rounds as TensorFloat-32 does, and is asked for float32."""
    exact = tf.matmul

    def rounded(x):
        bits = tf.bitcast(x, tf.int32) + 2**12
        return tf.bitcast(tf.bitwise.bitwise_and(bits, -(2**13)), tf.float32)

    def matmul(a, b, transpose_b=False):
        return exact(rounded(a), rounded(b), transpose_b=transpose_b)

    monkeypatch.setattr(products.tf, "matmul", matmul)
    monkeypatch.setattr(products, "_is_rounded", lambda: True)
    return matmul


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
    assert error_db(products.matmul(a, b, transpose_b=True).numpy(), expected) < -115
    swapped = tf.linalg.matrix_transpose(b)
    assert error_db(products.matmul(a, swapped).numpy(), expected) < -115


def test_its_gradients_are_the_products(rounding):
    a, b = factors()
    upstream = np.random.default_rng(1).normal(size=(2, 30, 50)).astype(np.float32)
    tensors = [tf.constant(a), tf.constant(b)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = tf.reduce_sum(upstream * products.matmul(*tensors, transpose_b=True))
    to_a, to_b = tape.gradient(loss, tensors)
    g = np.float64(upstream)
    assert error_db(to_a.numpy(), g @ np.float64(b)) < -115
    assert error_db(to_b.numpy(), g.swapaxes(1, 2) @ np.float64(a)) < -115


def test_elsewhere_it_is_tensorflows_own():
    a, b = factors()
    for dtype in (tf.float32, tf.float64):
        tensors = [tf.cast(x, dtype) for x in (a, b)]
        got = products.matmul(*tensors, transpose_b=True)
        np.testing.assert_array_equal(got, tf.matmul(*tensors, transpose_b=True))
