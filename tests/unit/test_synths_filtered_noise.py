"""Noise synthesizer: gains, seeds, level."""

import numpy as np
import tensorflow as tf

from synths import Add, FilteredNoise, ProcessorGroup, exp_sigmoid, white_noise


def raw(batch=2, n_frames=5, n_bands=9):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, n_frames, n_bands)).astype(np.float32)


def test_controls_are_linear_gains():
    controls = FilteredNoise(1000).get_controls(raw())
    np.testing.assert_allclose(controls["magnitudes"], exp_sigmoid(raw() - 5.0), rtol=1e-5)
    controls = FilteredNoise(1000, scale_fn=None).get_controls(raw())
    np.testing.assert_array_equal(controls["magnitudes"], raw())


def test_gains_of_one_leave_white_noise():
    audio = FilteredNoise(1000).get_signal(tf.ones([2, 5, 9]), seed=[3, 4])
    np.testing.assert_allclose(audio, white_noise([3, 4], 1000), atol=1e-5)


def test_bands_have_their_gains():
    gains = np.concatenate([np.full(33, 0.2), np.full(32, 0.05)])[None, None]
    audio = FilteredNoise(2**15).get_signal(gains)[0].numpy()
    power = np.abs(np.fft.rfft(audio)) ** 2 / (2**15 / 3)
    low, high = power[1000:7000].mean(), power[9500:15500].mean()
    np.testing.assert_allclose(np.sqrt([low, high]), [0.2, 0.05], rtol=0.05)


def test_seeds():
    gains = tf.ones([3, 5, 9])
    synth = FilteredNoise(400, seed=10)
    audio = synth.get_signal(gains).numpy()
    np.testing.assert_array_equal(synth.get_signal(gains), audio)
    np.testing.assert_array_equal(synth.get_signal(gains, seed=[10, 11, 12]), audio)
    same = synth.get_signal(gains, seed=11).numpy()
    for row in same:
        np.testing.assert_allclose(row, audio[1], atol=1e-6)
    assert np.abs(audio[0] - audio[1]).max() > 0.1


def test_one_filter_for_the_whole_sound():
    synth = FilteredNoise(400, scale_fn=None, seed=1)
    alone = np.abs(raw())[:, 0]
    np.testing.assert_allclose(synth(alone), synth(np.repeat(alone[:, None], 5, 1)), atol=1e-5)


def test_the_window_shortens_the_filters():
    audio = [
        FilteredNoise(600, size, scale_fn=None, seed=0).get_signal(np.abs(raw(n_bands=65)))
        for size in (257, 128, 0, 21)
    ]
    np.testing.assert_array_equal(audio[0], audio[1])
    np.testing.assert_array_equal(audio[0], audio[2])
    assert np.abs(audio[0] - audio[3]).max() > 0.01


def test_a_call_may_give_the_seed():
    synth = FilteredNoise(400)
    expected = synth.get_signal(**synth.get_controls(raw()), seed=3)
    np.testing.assert_array_equal(synth(raw(), seed=3), expected)
    np.testing.assert_array_equal(synth(raw(), 3), expected)
    np.testing.assert_array_equal(synth(raw(), tf.constant([3, 3])), expected)
    assert synth.get_controls(raw(), seed=3)["seed"] == 3
    assert np.abs(synth(raw(), seed=4) - expected).max() > 1e-4
    group = ProcessorGroup([(synth, ["gains", "seed"]), (Add(), ["filtered_noise/signal", "dry"])])
    for seed in (3, np.array([3, 3]), tf.constant(3)):
        inputs = {"gains": raw(), "seed": seed, "dry": np.zeros((2, 400), np.float32)}
        np.testing.assert_array_equal(group(inputs), expected)
