"""Blocks: every sample in one place, at its fraction between frames."""

import numpy as np
import pytest
import tensorflow as tf

from synths.blocks import Blocks, neighbour


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("n_frames", "n_samples"),
    [(5, 320), (4, 800), (7, 1000), (9, 5), (9, 8), (3, 5), (1, 130), (3, 0)],
)
def test_every_sample_is_in_its_frame(known, n_frames, n_samples):
    sizes = (n_frames, n_samples) if known else (tf.constant(n_frames), tf.constant(n_samples))
    blocks = Blocks(*sizes)
    size = blocks.weight.shape[2]
    assert blocks.weight.shape[0] == n_frames
    assert size <= 64
    assert np.isfinite(blocks.fraction).all()
    assert np.isfinite(blocks.weight).all()
    frame = tf.range(n_frames, dtype=tf.float64)[:, None, None]
    # Where a sample lies in frames.
    joined = blocks.joined((frame + blocks.weight)[None])
    expected = np.arange(n_samples) * n_frames / max(n_samples, 1)
    np.testing.assert_allclose(joined, expected[None], atol=1e-12)
    inside = blocks.weight[:, :, size // 2].numpy() < 1.0
    np.testing.assert_allclose(
        blocks.fraction.numpy()[inside], blocks.weight[:, :, size // 2][inside]
    )


def test_neighbours_end_with_the_last_there_is():
    frames = tf.constant([[1, 2, 3, 4]])
    for offset, expected in ((1, [2, 3, 4, 4]), (2, [3, 4, 4, 4]), (-1, [1, 1, 2, 3])):
        np.testing.assert_array_equal(neighbour(frames, offset), [expected])
