"""Multi-period discriminators: folding by hand, published counts, receptive fields."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import MultiDiscriminator
from discriminators.periods import MultiPeriodDiscriminator, PeriodDiscriminator, fold

NOISE = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def small(period=3, adapted=NOISE, **changes):
    discriminator = PeriodDiscriminator(period, **({"n_filters": (4, 6)} | changes))
    discriminator.adapt(adapted)
    return discriminator


def n_weights(weights):
    return sum(math.prod(w.shape) for w in weights)


def test_folding_by_hand():
    waveform = tf.range(1.0, 8.0)[None, :, None]
    rows = [[1, 2, 3], [4, 5, 6], [7, 6, 5]]  # the end is reflected
    np.testing.assert_array_equal(fold(waveform, 3)[0, :, :, 0], rows)
    np.testing.assert_array_equal(fold(waveform[:, :6], 3)[0, :, :, 0], rows[:2])
    np.testing.assert_array_equal(fold(waveform, 2)[0, :, :, 0], [[1, 2], [3, 4], [5, 6], [7, 6]])
    np.testing.assert_array_equal(fold(waveform, 1)[0, :, 0, 0], range(1, 8))


@pytest.mark.parametrize("period", [2, 3, 5, 7, 11])
def test_the_published_number_of_parameters(period):
    discriminator = PeriodDiscriminator(period)
    shape, found = (None, -(-16384 // period), period, 1), []
    for layer in [*discriminator.convolutions, discriminator.decision]:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
        found.append(shape[1:])
    n_steps = -(-16384 // period)
    expected = []
    for n_filters in (32, 128, 512, 1024):
        n_steps = -(-n_steps // 3)
        expected.append((n_steps, period, n_filters))
    # HiFi-GAN: 41,092,165 in five of these.
    assert found == [*expected, (n_steps, period, 1024), (n_steps, period, 1)]
    assert n_weights(discriminator.weights) == 8_218_433


def test_columns_do_not_see_each_other():
    discriminator = small(period=3)
    sound = tf.constant(NOISE)
    # A change at sample 150 stands in column 0.
    other = sound + tf.one_hot(150, 300)[None, :]
    for one, changed in zip(
        discriminator(sound).features[0], discriminator(other).features[0], strict=True
    ):
        moved = np.abs(one - changed).max(axis=(0, 1, 3))
        assert moved[0] > 1e-4
        assert np.all(moved[1:] < 1e-6)


def test_recordings_are_brought_to_a_level_of_one():
    for gain in (0.01, 1.0, 20.0):
        (waveform,) = small(adapted=gain * NOISE).front_end(gain * NOISE)
        assert waveform.shape == (4, 300, 1)
        np.testing.assert_allclose(np.sqrt(np.mean(waveform**2)), 1.0, rtol=1e-3)
    discriminator = small()
    discriminator(NOISE)
    n = len(discriminator.weights)
    discriminator.adapt(0.1 * NOISE)
    assert len(discriminator.weights) == n
    assert "level" not in [v.name for v in discriminator.trainable_variables]


def test_judging_before_adapting_says_what_to_do():
    with pytest.raises(ValueError, match=r"adapt\(audio\)"):
        PeriodDiscriminator(2)(NOISE)


def test_one_of_each_period():
    discriminator = MultiPeriodDiscriminator((2, 3, 5), n_filters=(4, 6))
    discriminator.adapt(NOISE)
    output = discriminator(NOISE)
    assert [d.period for d in discriminator.discriminators] == [2, 3, 5]
    assert [m[0].shape[1:3] for m in output.features] == [(50, 2), (34, 3), (20, 5)]
    assert len(discriminator.front_end(NOISE)) == len(output.logits) == 3
    assert [d.period for d in MultiPeriodDiscriminator().discriminators] == [2, 3, 5, 7, 11]


def test_several_among_several_stand_for_their_parts():
    inner = MultiPeriodDiscriminator((2, 3), n_filters=(4, 6))
    nested = MultiDiscriminator([inner, PeriodDiscriminator(5, n_filters=(4, 6))])
    nested.adapt(NOISE)
    logits = nested(NOISE, tf.one_hot([0, 1, 2, 0], 3)).logits
    assert [d.period for d in nested.discriminators] == [2, 3, 5]
    with pytest.raises(ValueError, match="got audio of 4 samples"):
        nested.check_length(4)
    assert len(logits) == 3
    np.testing.assert_allclose(
        inner(NOISE, tf.one_hot([0, 1, 2, 0], 3)).logits[1], logits[1], atol=1e-5
    )
