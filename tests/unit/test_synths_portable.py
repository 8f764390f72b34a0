"""Portable operations: equal audio without unsupported operations."""

import numpy as np
import pytest
import tensorflow as tf

from synths import Transient, fft_convolve, frequency_filter, modal_synthesis, white_noise
from synths.harmonic_bank import harmonic_bank
from synths.portable import portable_operations, portable_operations_used

RNG = np.random.default_rng(0)
# What ONNX or LiteRT has no operation for.
FOREIGN = {
    "Bitcast",
    "BitwiseOr",
    "BitwiseAnd",
    "RFFT",
    "IRFFT",
    "Complex",
    "PyFunc",
    "EagerPyFunc",
}


def uniform(low, high, *shape):
    return tf.constant(RNG.uniform(low, high, shape), tf.float32)


NOISE = uniform(-1.0, 1.0, 2, 400)
GAINS = uniform(0.0, 1.0, 2, 10, 17)
F0 = uniform(100.0, 3000.0, 2, 10)
SHARES = uniform(0.0, 0.1, 2, 10, 12)
STRETCH = tf.constant([1e-4, 8e-3])
SEED = tf.constant([3, -7])
LONG = uniform(-0.1, 0.1, 1, 1500)
LEVELS, DECAYS = uniform(0.0, 0.1, 2, 10), uniform(0.1, 2.0, 2, 10)
PHASE = tf.zeros([2], tf.float64)
BURST = Transient(2000, 16000, 0.02, scale_fn=None, decay_scale_fn=None)
SOUNDS = {
    "white noise": lambda: white_noise(tf.constant([0, -3, 2**31 - 1, -(2**31)]), 1000),
    "noise from elsewhere": lambda: white_noise(SEED, 100, -50),
    "noise past 2**32 samples": lambda: white_noise(SEED, 100, 2**32 - 50),
    "harmonics": lambda: harmonic_bank(F0, SHARES, PHASE, 1600, 16000, "linear"),
    "windowed": lambda: harmonic_bank(F0, SHARES, PHASE, 1600, 16000, "window"),
    "strings": lambda: harmonic_bank(F0, SHARES, PHASE, 1600, 16000, "linear", STRETCH),
    "strings, windowed": lambda: harmonic_bank(F0, SHARES, PHASE, 1600, 16000, "window", STRETCH),
    "a filter in frames": lambda: frequency_filter(NOISE, GAINS),
    "short responses": lambda: frequency_filter(NOISE, GAINS, window_size=9),
    "responses of three taps": lambda: frequency_filter(NOISE, GAINS, window_size=3),
    "frames beside the grid": lambda: frequency_filter(NOISE[:, :393], GAINS),
    "one filter": lambda: frequency_filter(NOISE, GAINS[:, 0]),
    "a long response": lambda: fft_convolve(NOISE, LONG, "valid", 0),
    "a response of one tap": lambda: fft_convolve(NOISE, tf.ones([1, 1]), "valid", 0),
    "modes": lambda: modal_synthesis(F0, LEVELS, DECAYS, 20000),
    "a burst": lambda: BURST.get_signal(GAINS[:, 0], tf.constant([[0.01], [0.1]]), seed=SEED),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_the_sound_is_the_same(name):
    expected = SOUNDS[name]().numpy()
    with portable_operations():
        traced = tf.function(SOUNDS[name]).get_concrete_function()
    assert np.abs(expected).max() > 0.01
    assert not {op.type for op in traced.graph.get_operations()} & FOREIGN
    # Noise is the same bit by bit.
    atol = 0.0 if name.startswith(("white", "noise")) else 2e-5
    # Ratios to F0 are float32.
    atol = 2e-4 if name.startswith("strings") else atol
    np.testing.assert_allclose(traced(), expected, rtol=0.0, atol=atol)


def test_a_phase_does_not_drift():
    # Three minutes of one pitch: a running sum in float32 would be out by far.
    f0 = tf.fill([1, 18000], 1234.5678)
    shares = tf.ones([1, 18000, 1])
    with portable_operations():
        audio = harmonic_bank(f0, shares, None, 18000 * 160, 16000, "linear")
    cycles = float(f0[0, 0]) * np.arange(18000 * 160) / 16000
    np.testing.assert_allclose(audio[0], np.sin(2 * np.pi * cycles), atol=1e-4)


def test_they_are_used_inside_only():
    with pytest.raises(KeyError), portable_operations():
        assert portable_operations_used()
        raise KeyError
    assert not portable_operations_used()
