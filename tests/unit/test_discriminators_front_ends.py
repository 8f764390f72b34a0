"""Views and read-outs: shapes, rates, values by hand."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators import MFCC, LogMel
from discriminators.readout import Flatten, Statistics
from synths import spectral

AUDIO = np.random.default_rng(0).normal(size=(2, 3000)).astype(np.float32)


def test_mfcc():
    view = MFCC(16000, n_fft=256, hop_length=128, n_mels=40, n_mfcc=12, floor=1e-3)
    assert view.frame_rate == 125.0
    expected = spectral.mfcc(AUDIO, 16000, 256, 128, 40, 12, floor=1e-3)
    assert expected.shape == (2, 24, 12)
    np.testing.assert_array_equal(view(AUDIO), expected)


def test_log_mel():
    view = LogMel(16000, n_fft=512, hop_length=256, n_mels=30, floor=1e-3)
    assert view.frame_rate == 62.5
    expected = spectral.log_mel(AUDIO, 16000, 512, 256, 30, floor=1e-3)
    assert expected.shape == (2, 12, 30)
    np.testing.assert_array_equal(view(AUDIO), expected)


MAP = np.random.default_rng(1).normal(size=(2, 10, 3, 4)).astype(np.float32)


def test_flatten():
    np.testing.assert_array_equal(Flatten()(tf.constant(MAP), 50.0), MAP.reshape(2, -1))


def test_statistics():
    read = Statistics(n_parts=2, moments_seconds=(0.0, 0.1))(tf.constant(MAP), 50.0).numpy()
    flat = MAP.reshape(2, 10, 12)
    expected = [
        flat.mean(axis=1),
        np.sqrt(flat.var(axis=1) + 1e-6),
        MAP[:, :5].mean(axis=(1, 2)),
        MAP[:, 5:].mean(axis=(1, 2)),
        flat[:, 0],
        flat[:, 5],
    ]
    np.testing.assert_allclose(read, np.concatenate(expected, axis=1), atol=1e-5)


def test_statistics_around_the_note_off_of_each_row():
    # Note-offs at 4.5 and 9 of 10 steps; step i lasts from i - 0.5 to i + 0.5.
    held = tf.constant([0.09, 0.18, np.inf])
    h = tf.constant(np.concatenate([MAP, MAP[:1]]))
    read_out = Statistics(n_parts=2, note_off_edges_seconds=(-0.04, 0.0, 0.02, 9.0))
    read = read_out(h, 50.0, held).numpy()
    a, b = MAP.reshape(2, 10, 12)
    expected = [
        [a[3:5].mean(axis=0), a[5], a[6:].mean(axis=0)],
        [0.25 * b[7] + 0.5 * b[8] + 0.25 * b[9], b[9], np.zeros(12)],
        np.zeros([3, 12]),
    ]
    np.testing.assert_allclose(
        read[:, -36:], np.reshape(expected, [3, 36]).astype(np.float32), atol=1e-5
    )
    unknown = read_out(h, 50.0).numpy()
    np.testing.assert_array_equal(unknown[:, :-36], read[:, :-36])
    np.testing.assert_array_equal(unknown[:, -36:], 0.0)


@pytest.mark.parametrize("n_steps", [1, 3])
def test_statistics_of_few_steps(n_steps):
    h = tf.constant(MAP[:, :n_steps])
    read = Statistics(n_parts=8, moments_seconds=(0.0, 9.0))(h, 50.0).numpy()
    assert read.shape == (2, 2 * 12 + 8 * 4 + 2 * 12)
    assert np.isfinite(read).all()
    np.testing.assert_array_equal(read[:, -12:], MAP[:, n_steps - 1].reshape(2, 12))


def test_the_deviation_of_a_still_map_has_a_finite_gradient():
    h = tf.ones([2, 10, 3, 4])
    with tf.GradientTape() as tape:
        tape.watch(h)
        read = Statistics()(h, 50.0)
    assert np.isfinite(tape.gradient(read, h)).all()
