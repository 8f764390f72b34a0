"""WaveGAN's discriminator: published counts, shapes, phase shuffle by hand."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import waveform
from discriminators.waveform import WaveGANDiscriminator, phase_shuffle
from noisygan.losses import R1, GradientPenalty
from noisygan.losses.regularizers import DiscriminatorContext

NOISE = np.random.default_rng(0).normal(size=(6, 256)).astype(np.float32)


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def shifts_are(monkeypatch, shifts, n):
    """Makes the random shifts of rows known ones, in -n .. n."""
    bits = tf.constant([shift + n for shift in shifts], tf.uint32)
    monkeypatch.setattr(waveform, "rows_bits", lambda h: bits)


def built(n_samples, units):
    """A discriminator whose variables are made without judging a sound."""
    discriminator = WaveGANDiscriminator(n_samples, units)
    shape = (None, n_samples, 1)
    for convolution in discriminator.convolutions:
        convolution.build(shape)
        shape = convolution.compute_output_shape(shape)
    discriminator.decision.build((None, shape[1] * shape[2]))
    return discriminator


@pytest.mark.parametrize(
    ("n_samples", "units", "n"),
    [
        (16384, 64, 17_427_969),
        (65536, 64, 69_875_201),
        (65536, 32, 17_478_401),
        (65536, 16, 4_374_401),
    ],
)
def test_the_published_numbers_of_parameters(n_samples, units, n):
    weights = built(n_samples, units).weights
    assert sum(math.prod(w.shape) for w in weights) == n


@pytest.mark.parametrize("n_samples", [17, 1000, 7500, 16384, 64000])
def test_any_length_ends_in_sixteen_steps_or_fewer(n_samples):
    discriminator = WaveGANDiscriminator(n_samples, units=1, kernel_size=3)
    output = discriminator(tf.zeros([2, n_samples]))
    assert output.logits[0].shape == (2,)
    (features,) = output.features
    assert 8 < features[-1].shape[1] <= 16
    assert len(features) == len(discriminator.convolutions)


def test_phase_shuffle_by_hand(monkeypatch):
    shifts_are(monkeypatch, [2, 1, 0, -1, -2], 2)
    h = tf.repeat(tf.constant([[1.0, 2.0, 3.0, 4.0, 5.0]])[:, :, None], 5, axis=0)
    h = tf.concat([h, 10.0 * h], axis=2)
    expected = np.array(
        [
            [3, 2, 1, 2, 3],  # two later: reflected at the beginning
            [2, 1, 2, 3, 4],
            [1, 2, 3, 4, 5],
            [2, 3, 4, 5, 4],
            [3, 4, 5, 4, 3],  # two earlier: reflected at the end
        ]
    )
    np.testing.assert_array_equal(phase_shuffle(h, 2)[:, :, 0], expected)
    np.testing.assert_array_equal(phase_shuffle(h, 2)[:, :, 1], 10 * expected)


def test_each_sound_has_a_shift_of_its_own_and_all_shifts_occur():
    ramps = tf.range(64.0)[None, :, None] + tf.random.stateless_uniform([500, 1, 1], [1, 2])
    shifted = phase_shuffle(ramps, 2)
    shifts = np.round(ramps[:, 32, 0] - shifted[:, 32, 0]).astype(int)
    values, counts = np.unique(shifts, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    assert counts.min() > 60  # 100 are expected of each
    np.testing.assert_array_equal(phase_shuffle(ramps, 2), shifted)
    np.testing.assert_array_equal(phase_shuffle(ramps, 0), ramps)


def test_layers_but_the_last_are_shuffled(monkeypatch):
    seen = []

    def shuffled(h, n):
        seen.append((h.shape[1], n))
        return h

    monkeypatch.setattr(waveform, "phase_shuffle", shuffled)
    WaveGANDiscriminator(4096, units=1, shuffle=2)(tf.zeros([1, 4096]))
    assert seen == [(1024, 2), (256, 2), (64, 2)]


@pytest.mark.parametrize("regularizer", [GradientPenalty(), R1()])
def test_penalties_go_through_the_shuffle(regularizer):
    discriminator = WaveGANDiscriminator(256, units=2, kernel_size=5)
    real, fake = (tf.constant(NOISE[i : i + 3, :, None]) for i in (0, 3))
    discriminator.score([real], None)

    def value():
        context = DiscriminatorContext(
            discriminator.score, [real], [fake], seed=tf.constant([1, 2])
        )
        return regularizer(context)

    kernel = discriminator.convolutions[0].kernel
    with tf.GradientTape() as tape:
        penalty = value()
    slope = tape.gradient(penalty, kernel.value)
    assert np.isfinite(penalty) and np.isfinite(slope).all() and np.abs(slope).max() > 0


def test_a_stride_of_1_and_audio_of_another_length_are_errors():
    with pytest.raises(ValueError, match="stride: got 1"):
        WaveGANDiscriminator(stride=1)
    with pytest.raises(ValueError, match="got audio of 256 samples, expected 512"):
        WaveGANDiscriminator(512, units=1)(NOISE)
