"""The reverb: its own response or a given one, the dry level, other sample rates."""

import numpy as np
import pytest
import tensorflow as tf

from synths import Reverb
from synths.effects import response_at_rate


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_response_starts_as_decaying_noise_of_the_gain():
    ir = Reverb(reverb_length=8000, decay_seconds=0.25, gain=0.05).ir.numpy()
    np.testing.assert_allclose(np.sqrt(np.sum(ir**2)), 0.05, rtol=0.05)
    early, late = np.sqrt(np.mean(ir[:400] ** 2)), np.sqrt(np.mean(ir[4000:4400] ** 2))
    np.testing.assert_allclose(20 * np.log10(late / early), -60.0, atol=2.0)


def test_dry_and_wet_are_summed_and_tap_0_is_left_out():
    audio, ir = noise(2, 300), noise(2, 40, seed=1)
    reverb = Reverb(trainable=False)
    wet = reverb.get_signal(**reverb.get_controls(audio, ir))
    taps = ir.copy()
    taps[:, 0] = 1.0
    expected = [np.convolve(a, h)[:300] for a, h in zip(audio, taps, strict=True)]
    np.testing.assert_allclose(wet, expected, atol=1e-4)


def test_wet_alone():
    audio, ir = noise(1, 300), noise(1, 40, seed=1)
    wet = Reverb(trainable=False, add_dry=False)(audio, ir)
    np.testing.assert_allclose(wet[0], np.convolve(audio[0], ir[0])[:300], atol=1e-4)


def test_its_own_response_is_trained():
    reverb = Reverb(reverb_length=50)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(reverb(noise(2, 300)) ** 2)
    assert [v.path for v in reverb.trainable_variables] == ["reverb/ir"]
    slope = tape.gradient(loss, reverb.trainable_variables)[0].numpy()
    assert (slope[1:] != 0).all()
    assert slope[0] == 0


def test_a_sound_rings_on_but_not_before():
    audio = np.zeros((1, 400), np.float32)
    audio[0, 100] = 1.0
    wet = Reverb(reverb_length=200)(audio)[0].numpy()
    assert np.abs(wet[:100]).max() < 1e-6
    np.testing.assert_allclose(wet[100], 1.0, atol=1e-6)
    assert np.abs(wet[101:300]).min() >= 0
    assert np.std(wet[101:200]) > 1e-5
    assert np.abs(wet[301:]).max() < 1e-6


@pytest.mark.parametrize("trainable", [True, False])
def test_one_response_is_needed_and_only_one(trainable):
    ir = tf.zeros([1, 10]) if trainable else None
    with pytest.raises(ValueError, match="ir: a Reverb with trainable=True has its own"):
        Reverb(trainable=trainable, reverb_length=10).get_controls(tf.zeros([1, 5]), ir)


def test_a_response_at_another_rate_has_the_same_gain_and_timing():
    # A smooth bump at 20 ms.
    times = np.arange(1600) / 16000
    bump = np.exp(-(((times - 0.02) / 0.002) ** 2)).astype(np.float32)[None]
    for rate in (48000, 8000):
        ir = response_at_rate(bump, 16000, rate).numpy()
        np.testing.assert_allclose(ir.sum(), bump.sum(), rtol=1e-3)
        assert abs(np.argmax(ir[0]) / rate - 0.02) <= 1 / rate
