"""Envelopes: exact linear interpolation for any number of frames and samples."""

import numpy as np
import pytest
import tensorflow as tf

from synths import ShapeError, resample
from synths.resample import frame_positions

RATIOS = [(250, 64000), (250, 44100), (1001, 64000), (7, 5), (1, 10), (10, 1), (1, 1), (3, 1000)]


def expected(frames, n_samples):
    """Linear interpolation in float64, the last frame held."""
    n_frames = frames.shape[1]
    place = np.arange(n_samples) * n_frames / n_samples
    rows = [
        np.stack([np.interp(place, np.arange(n_frames), c) for c in row.T], axis=1)
        for row in frames.astype(np.float64)
    ]
    return np.stack(rows)


@pytest.mark.parametrize(("n_frames", "n_samples"), RATIOS)
def test_any_ratio(n_frames, n_samples):
    frames = np.random.default_rng(n_frames).normal(size=(2, n_frames, 3)).astype(np.float32)
    envelope = resample(frames, n_samples)
    assert envelope.shape == (2, n_samples, 3)
    np.testing.assert_allclose(envelope, expected(frames, n_samples), atol=1e-6)


def test_frames_stand_at_their_samples():
    frames = np.random.default_rng(0).normal(size=(1, 25, 1)).astype(np.float32)
    envelope = resample(frames, 100).numpy()
    np.testing.assert_array_equal(envelope[:, ::4], frames)
    np.testing.assert_array_equal(envelope[0, 96:, 0], np.full(4, frames[0, -1, 0]))


def test_a_constant_stays_constant():
    envelope = resample(tf.fill([1, 1001, 1], 0.3), 64000).numpy()
    np.testing.assert_array_equal(envelope, np.full([1, 64000, 1], 0.3, np.float32))


def test_positions_of_long_sounds_are_exact():
    n_frames, n_samples = 75_000, 9_600_000
    frame, weight = frame_positions(n_frames, n_samples)
    assert (frame[-1], frame[n_samples // 2]) == (n_frames - 1, n_frames // 2)
    np.testing.assert_array_equal(weight[-128:], np.arange(128) / 128)


def test_float64():
    frames = np.random.default_rng(1).normal(size=(1, 250, 1))
    envelope = resample(frames, 44100)
    assert envelope.dtype == tf.float64
    np.testing.assert_allclose(envelope, expected(frames, 44100), atol=1e-12)


def test_the_gradient_shares_each_sample_between_its_frames():
    frames = tf.zeros([1, 3, 1])
    with tf.GradientTape() as tape:
        tape.watch(frames)
        total = tf.reduce_sum(resample(frames, 12) * tf.range(12.0)[None, :, None])
    matrix = expected(np.eye(3)[None], 12)[0]
    np.testing.assert_allclose(tape.gradient(total, frames)[0, :, 0], np.arange(12) @ matrix)


def test_sizes_that_are_known_only_when_it_runs():
    function = tf.function(
        resample,
        input_signature=[tf.TensorSpec([None, None, None]), tf.TensorSpec([], tf.int32)],
    )
    for n_frames, n_samples in [(4, 10), (5, 3)]:
        frames = np.random.default_rng(2).normal(size=(2, n_frames, 1)).astype(np.float32)
        np.testing.assert_allclose(
            function(frames, n_samples), expected(frames, n_samples), atol=1e-6
        )


def test_a_wrong_shape_is_named():
    with pytest.raises(ShapeError, match=r"frames: expected \[batch, n_frames, channels\].*\(3,\)"):
        resample(tf.zeros([3]), 10)
