"""Stateless random numbers: independent rows, uniform, a function of the input."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators.randomness import dropout, rows_bits

MAPS = tf.constant(np.random.default_rng(0).normal(size=(512, 40, 3)), tf.float32)


def test_a_row_draws_the_same_alone_and_in_any_batch():
    bits, dropped = rows_bits(MAPS), dropout(MAPS, 0.5)
    assert len(np.unique(bits)) == 512
    for i in (0, 7, 511):
        np.testing.assert_array_equal(rows_bits(MAPS[i : i + 1])[0], bits[i])
        np.testing.assert_array_equal(dropout(MAPS[i : i + 1], 0.5)[0], dropped[i])
    np.testing.assert_array_equal(rows_bits(MAPS[::-1]), bits[::-1])
    np.testing.assert_array_equal(tf.function(rows_bits)(MAPS), bits)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_floats_draw_as_the_same_numbers_in_float32_do(dtype):
    halves = tf.cast(MAPS, dtype)
    np.testing.assert_array_equal(rows_bits(halves), rows_bits(tf.cast(halves, tf.float32)))
    assert len(np.unique(rows_bits(halves))) > 500
    dropped = dropout(halves, 0.3)
    assert dropped.dtype == dtype
    assert np.mean(tf.cast(dropped, tf.float32) == 0.0) == pytest.approx(0.3, abs=0.01)


def test_bits_are_even_and_a_hair_changes_them():
    bits = rows_bits(MAPS).numpy()
    for place in (0, 5, 16, 31):
        assert np.mean((bits >> place) & 1) == pytest.approx(0.5, abs=0.1)
    other = rows_bits(MAPS * (1.0 + 2.0**-23)).numpy()
    assert np.mean(bits != other) > 0.99


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_what_is_dropped_is_independent_of_row_step_and_channel(rate):
    kept = (dropout(MAPS, rate) != 0.0).numpy().astype(float)
    assert np.mean(kept) == pytest.approx(1.0 - rate, abs=0.01)
    spread = rate * (1.0 - rate)
    for axis in range(3):
        after = np.roll(kept, 1, axis=axis)
        assert np.mean((kept - kept.mean()) * (after - kept.mean())) < 0.05 * spread
        others = tuple(a for a in range(3) if a != axis)
        shares = kept.mean(axis=others)
        n = kept.size / kept.shape[axis]
        assert np.abs(shares - (1.0 - rate)).max() < 5.0 * np.sqrt(spread / n)


def test_dropout_keeps_the_mean_and_its_gradient_is_its_mask():
    ones = MAPS * 0.0 + 1.0 + 1e-3 * MAPS
    with tf.GradientTape() as tape:
        tape.watch(ones)
        dropped = dropout(ones, 0.3)
    assert np.mean(dropped) == pytest.approx(1.0, abs=0.02)
    slope = tape.gradient(dropped, ones)
    np.testing.assert_allclose(slope, np.where(dropped != 0.0, 1.0 / 0.7, 0.0), rtol=1e-6)
    assert dropout(MAPS, 0.0) is MAPS
