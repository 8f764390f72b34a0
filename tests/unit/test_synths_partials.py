"""Frequencies and weights of partials."""

import numpy as np
import pytest
import tensorflow as tf

from synths import (
    get_harmonic_frequencies,
    normalize_distribution,
    normalize_harmonics,
    remove_above_nyquist,
)

F0_HZ = tf.constant([[[100.0], [3000.0]]])


def test_harmonics_are_multiples():
    f_hz = get_harmonic_frequencies(F0_HZ, 3)
    np.testing.assert_allclose(f_hz, [[[100, 200, 300], [3000, 6000, 9000]]])
    wide = get_harmonic_frequencies(np.float64(F0_HZ), 2)
    assert wide.dtype == tf.float64


@pytest.mark.parametrize("shape", [(1, 2, 1), (1, 1, 1)])
def test_partials_of_a_stiff_string(shape):
    b = np.full(shape, 0.01)
    orders = np.arange(1, 4)
    expected = np.float64(F0_HZ) * orders * np.sqrt(1 + 0.01 * orders**2)
    np.testing.assert_allclose(get_harmonic_frequencies(F0_HZ, 3, b), expected, rtol=1e-12)


def test_nothing_is_left_above_nyquist():
    f_hz = tf.constant([[[100.0, 7999.0, 8000.0, 9000.0]]])
    amplitudes = tf.ones_like(f_hz)
    with tf.GradientTape() as tape:
        tape.watch(amplitudes)
        left = remove_above_nyquist(f_hz, amplitudes)
    np.testing.assert_array_equal(left, [[[1, 1, 0, 0]]])
    np.testing.assert_array_equal(tape.gradient(left, amplitudes), [[[1, 1, 0, 0]]])
    np.testing.assert_array_equal(remove_above_nyquist(f_hz, amplitudes, 44100), amplitudes)


def test_shares_sum_to_one():
    weights = tf.constant([[[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]])
    shares = normalize_harmonics(weights, F0_HZ, 16000)
    np.testing.assert_allclose(shares, [[[0.25, 0.25, 0.5], [0.5, 0.5, 0.0]]])
    np.testing.assert_allclose(normalize_distribution(weights, F0_HZ, 8000.0), shares)
    for arguments in ((), (F0_HZ,), (None, 16000)):
        np.testing.assert_allclose(
            normalize_harmonics(weights, *arguments)[0, 1], [0.25, 0.25, 0.5]
        )


def test_stiffness_raises_partials_above_nyquist():
    weights = tf.ones([1, 2, 2])
    b = tf.fill([1, 1, 1], 0.3)
    np.testing.assert_allclose(
        normalize_harmonics(weights, F0_HZ, 16000, b), [[[0.5, 0.5], [1.0, 0.0]]]
    )
