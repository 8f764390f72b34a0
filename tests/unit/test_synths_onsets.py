"""Onsets between samples, and audio placed in silence."""

import numpy as np
import pytest
import tensorflow as tf

from synths.onsets import onset_sample, placed
from tests.finite_differences import assert_gradients


@pytest.mark.parametrize(
    ("onset", "sample", "late"),
    [(0.0, 0, 0.0), (1.0, 10, 0.0), (1.04, 11, 0.06), (-0.26, -2, 0.06)],
)
def test_the_first_sample_from_an_onset_on(onset, sample, late):
    found, behind = onset_sample(tf.constant([[onset]], tf.float64), 10)
    assert found == sample
    np.testing.assert_allclose(behind, [[late]], atol=1e-12)


def test_the_later_the_onset_the_less_the_sample_lies_behind_it():
    onset = tf.constant([[0.123]])
    with tf.GradientTape() as tape:
        tape.watch(onset)
        _, late = onset_sample(onset, 16000)
    assert tape.gradient(late, onset) == -1.0


@pytest.mark.parametrize("n_samples", [0, 3, 9])
@pytest.mark.parametrize("size", [0, 1, 4])
def test_sounds_are_placed_in_silence(n_samples, size):
    audio = np.arange(1.0, size + 1)
    firsts = np.arange(-6, 12)
    whole = placed(np.tile(audio, (len(firsts), 1)), firsts[:, None], n_samples)
    for row, first in zip(whole.numpy(), firsts, strict=True):
        expected = np.zeros(100)
        expected[50 + first : 50 + first + size] = audio
        np.testing.assert_array_equal(row, expected[50 : 50 + n_samples])


def test_the_gradient_comes_back_from_where_the_sound_went():
    first = tf.constant([[2], [-1], [5]], tf.int64)
    audio = np.random.default_rng(0).normal(size=(3, 4))
    assert_gradients(lambda audio: placed(audio, first, 7), {"audio": audio})
    tensor = tf.constant(audio)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        with tf.GradientTape() as inner:
            inner.watch(tensor)
            square = tf.reduce_sum(placed(tensor, first, 7) ** 2)
        slope = inner.gradient(square, tensor)
    second = tape.gradient(slope, tensor)
    np.testing.assert_array_equal(second, [[2] * 4, [0, 2, 2, 2], [2, 2, 0, 0]])
