"""White noise: uniform, white, a function of seed and sample number."""

import numpy as np
import pytest
import tensorflow as tf

from synths import white_noise
from synths.noise import seed_of_layer

pytestmark = pytest.mark.usefixtures("native")


def test_uniform():
    noise = white_noise([0, 1, -5, 2**31 - 1], 50_000).numpy()
    assert noise.dtype == np.float32
    assert (noise >= -1).all()
    assert (noise < 1).all()
    for row in noise:
        assert abs(row.mean()) < 0.01
        assert abs(row.var() - 1 / 3) < 0.006
        counts = np.histogram(row, bins=50, range=(-1, 1))[0]
        chi_squared = np.sum((counts - 1000) ** 2 / 1000)
        assert chi_squared < 49 + 5 * np.sqrt(2 * 49)


def test_white():
    noise = white_noise([3, 12345], 2**15).numpy()
    spectrum = np.abs(np.fft.rfft(noise)) ** 2 / (2**15 / 3)
    bands = spectrum[:, 1:].reshape(2, 64, 256).mean(axis=2)
    np.testing.assert_allclose(bands, np.ones_like(bands), atol=5 / np.sqrt(256))


def largest_correlation(a, b):
    """Largest normalised correlation of two rows over all (circular) lags."""
    a, b = (np.fft.rfft((x - x.mean()) / x.std()) for x in (a, b))
    return np.abs(np.fft.irfft(a * np.conj(b))).max() / (2 * (len(a) - 1))


def test_rows_are_decorrelated_at_every_lag():
    noise = white_noise(tf.range(6), 2**14).numpy()
    for i, row in enumerate(noise):
        for other in noise[i + 1 :]:
            assert largest_correlation(row, other) < 6 / np.sqrt(2**14)


def test_no_two_seeds_give_parts_of_one_stream():
    # Two rows that were one stream from different points on would share runs of samples.
    noise = white_noise(tf.range(10_000), 64).numpy()
    steps = np.round((noise.astype(np.float64) + 1) * 2**23).astype(np.int64)
    pairs = steps[:, :-1] * 2**24 + steps[:, 1:]
    assert pairs.size - np.unique(pairs).size <= 1


def test_a_row_does_not_depend_on_its_batch():
    batch = white_noise([7, 8, 7, 9], 1000).numpy()
    np.testing.assert_array_equal(batch[0], batch[2])
    np.testing.assert_array_equal(white_noise([9], 1000)[0], batch[3])


def test_chunks_joined_are_the_whole():
    whole = white_noise([5, 6], 1000).numpy()
    chunks = [white_noise([5, 6], n, first) for first, n in ((0, 17), (17, 600), (617, 383))]
    np.testing.assert_array_equal(np.concatenate(chunks, axis=1), whole)


@pytest.mark.parametrize("first", [2**31 - 5, 2**32 - 5, 10 * 2**32 + 17])
def test_chunks_join_after_many_hours(first):
    whole = white_noise([5, 6], 20, tf.constant(first, tf.int64)).numpy()
    parts = [white_noise([5, 6], 10, first + offset) for offset in (0, 10)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    again = white_noise([5, 6], 20, first % 2**32)
    np.testing.assert_array_equal(again, whole)
    assert np.abs(whole - white_noise([5, 6], 20)).max() > 0.1


def test_nothing():
    assert white_noise([1, 2], 0).shape == (2, 0)
    assert white_noise(tf.zeros([0], tf.int32), 5).shape == (0, 5)


def test_eager_graph_and_xla_agree():
    whole = white_noise([5, -6], 100, 3)
    specs = [tf.TensorSpec([None], tf.int32)] + [tf.TensorSpec([], tf.int32)] * 2
    graph = tf.function(white_noise, input_signature=specs)
    np.testing.assert_array_equal(graph([5, -6], 100, 3), whole)
    xla = tf.function(lambda seed: white_noise(seed, 100, 3), jit_compile=True)
    np.testing.assert_array_equal(xla(tf.constant([5, -6])), whole)


def test_the_same_on_a_later_day():
    # Whole multiples of 2**-23, computed apart from TensorFlow.
    stored = np.array(
        [[10490235, 6451474, 14292919, 4126998], [4516264, 2970645, 12384705, 245095]]
    )
    np.testing.assert_array_equal(white_noise([0, 1], 4), stored / 2**23 - 1)


def test_the_seed_of_a_layer_is_a_hash_of_its_name():
    # A fixed function, also on another machine and in a later version.
    assert seed_of_layer("filtered_noise") == 123425870
    assert len({seed_of_layer(f"noise_{i}") for i in range(30)}) == 30
