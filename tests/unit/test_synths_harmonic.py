"""Harmonic synthesizer: controls in physical units."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from synths import (
    Harmonic,
    exp_sigmoid,
    harmonic_synthesis,
)


def raw(n_frames=6, n_harmonics=5, f0=440.0):
    rng = np.random.default_rng(0)
    amplitudes = rng.normal(size=(2, n_frames, 1)).astype(np.float32)
    distribution = rng.normal(size=(2, n_frames, n_harmonics)).astype(np.float32)
    return amplitudes, distribution, np.full((2, n_frames, 1), f0, np.float32)


def test_controls_are_in_physical_units():
    amplitudes, distribution, f0_hz = raw()
    controls = Harmonic(1000).get_controls(amplitudes, distribution, f0_hz)
    np.testing.assert_allclose(controls["amplitudes"], exp_sigmoid(amplitudes))
    np.testing.assert_array_equal(controls["f0_hz"], f0_hz)
    weights = exp_sigmoid(distribution).numpy()
    expected = weights / weights.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(controls["harmonic_distribution"], expected, rtol=1e-5)


def test_a_negative_pitch_is_silent_above_nyquist_as_a_positive_one_is(native):
    f0_hz = np.linspace(1500.0, 4500.0, 6).reshape(1, 6, 1)
    shares = np.ones((1, 6, 5))
    synth = Harmonic(600, scale_fn=None)
    for dtype in (np.float32, np.float64):
        inputs = [np.ones((1, 6, 1), dtype), shares.astype(dtype), f0_hz.astype(dtype)]
        controls = synth.get_controls(*inputs)
        below = synth.get_controls(*inputs[:2], -inputs[2])
        np.testing.assert_array_equal(
            controls["harmonic_distribution"], below["harmonic_distribution"]
        )
        sound = harmonic_synthesis(inputs[2], inputs[0], None, inputs[1], 600)
        turned = harmonic_synthesis(-inputs[2], inputs[0], None, inputs[1], 600)
        np.testing.assert_allclose(turned, -sound, atol=1e-5)


def test_a_pitch_that_is_not_a_number_is_heard(native):
    f0_hz = np.full((2, 6, 1), 700.0, np.float32)
    f0_hz[1, 3] = np.nan
    audio = harmonic_synthesis(f0_hz, tf.ones([2, 6, 1]), None, tf.ones([2, 6, 20]), 600).numpy()
    assert np.isfinite(audio[0]).all()
    assert np.isfinite(audio[1, :200]).all()
    assert np.isnan(audio[1, 301:]).all()


@pytest.mark.parametrize(("f0", "n_audible"), [(1000.0, 5), (2000.0, 3), (7999.0, 1), (8000.0, 0)])
def test_harmonics_above_nyquist_have_no_share(f0, n_audible):
    controls = Harmonic(1000).get_controls(*raw(f0=f0))
    distribution = controls["harmonic_distribution"].numpy()
    assert (distribution[:, :, :n_audible] > 0).all()
    assert (distribution[:, :, n_audible:] == 0).all()
    total = 1.0 if n_audible else 0.0
    np.testing.assert_allclose(distribution.sum(axis=2), total, rtol=1e-5)


def test_normalising_all_harmonics():
    synth = Harmonic(1000, normalize_below_nyquist=False)
    distribution = synth.get_controls(*raw(f0=4000.0))["harmonic_distribution"].numpy()
    assert (distribution > 0).all()
    np.testing.assert_allclose(distribution.sum(axis=2), 1.0, rtol=1e-5)


def test_controls_of_a_stiff_string():
    b = np.full((2, 1, 1), 0.02, np.float32)
    synth = Harmonic(2000, amp_resample_method="linear")
    controls = synth.get_controls(*raw(f0=1200.0), inharmonicity=b)
    np.testing.assert_array_equal(controls["inharmonicity"], b)
    # Partial 5 lies at 7348 Hz, and at 6000 Hz without stiffness; with more of it above Nyquist.
    assert (controls["harmonic_distribution"].numpy() > 0).all()
    stiffer = synth.get_controls(*raw(f0=1200.0), inharmonicity=b * 2)
    assert (stiffer["harmonic_distribution"].numpy()[..., 4] == 0).all()


def test_a_policy_of_half_precision_leaves_the_pitch_alone():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        audio = Harmonic(300)(*raw(f0=441.37))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(audio, Harmonic(300)(*raw(f0=441.37)))
