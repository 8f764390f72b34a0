"""Sum, crossfade and crop: equal power, equal lengths."""

import numpy as np
import pytest
import tensorflow as tf

from synths import Add, Crop, Mix, ShapeError, equal_power_gains
from tests.finite_differences import assert_gradients


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_gains_are_of_equal_power_and_have_bounded_slopes():
    level = tf.linspace(0.0, 1.0, 101)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(level)
        one, two = equal_power_gains(level)
    np.testing.assert_allclose(one**2 + two**2, 1.0, atol=1e-6)
    np.testing.assert_allclose([one[0], one[-1], two[0], two[-1]], [0, 1, 1, 0], atol=1e-6)
    for gain in (one, two):
        assert np.abs(tape.gradient(gain, level)).max() < 1.58


def test_a_mix_of_unrelated_sounds_keeps_their_power():
    one, two = noise(1, 80000), noise(1, 80000, seed=1)
    level = np.float32([[[-9.0], [-2.0], [0.0], [2.0], [9.0], [9.0]]])
    power = (Mix()(one, two, level).numpy()[0].reshape(20, -1) ** 2).mean(1)
    np.testing.assert_allclose(power, 1.0, rtol=0.1)


def test_channels_are_mixed_alike():
    one, two, level = noise(2, 50), noise(2, 50, seed=1), noise(2, 5, 1, seed=2)
    mixed = Mix()(one[..., None], two[..., None], level)
    np.testing.assert_allclose(mixed[..., 0], Mix()(one, two, level), atol=1e-6)


def test_gradients():
    pair = {"signal_one": noise(2, 12), "signal_two": noise(2, 12, seed=1)}
    assert_gradients(Add(), pair)
    assert_gradients(Mix(), pair | {"nn_out_mix_level": noise(2, 3, 1, seed=2)})


@pytest.mark.parametrize("kind", [Add, Mix])
def test_sounds_of_different_lengths_are_refused(kind):
    more = {} if kind is Add else {"nn_out_mix_level": noise(2, 3, 1)}
    with pytest.raises(ShapeError, match="signal_one, signal_two"):
        kind()(noise(2, 12), noise(2, 13), **more)


@pytest.mark.parametrize("frame_size", [0, 1, 4, 5])
def test_crop(frame_size):
    audio = noise(2, 20)
    cut = frame_size // 2 * 2
    ends = {
        "front": audio[:, cut:],
        "back": audio[:, : 20 - cut],
        "center": audio[:, cut // 2 : 20 - cut // 2],
    }
    for location, expected in ends.items():
        np.testing.assert_array_equal(Crop(frame_size, location)(audio), expected)
