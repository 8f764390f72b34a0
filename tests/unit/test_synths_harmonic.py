"""The harmonic synthesizer: controls in physical units, and errors that name what is wrong."""

import numpy as np
import pytest
import tensorflow as tf

from synths import Harmonic, ShapeError, exp_sigmoid, harmonic_synthesis, normalize_distribution


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


def test_without_a_scale_they_are_taken_as_they_are():
    amplitudes, distribution, f0_hz = (np.abs(x) for x in raw())
    controls = Harmonic(1000, scale_fn=None).get_controls(amplitudes, distribution, f0_hz)
    np.testing.assert_array_equal(controls["amplitudes"], amplitudes)


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


def test_an_empty_distribution_is_silence_with_a_finite_gradient():
    weights = tf.zeros([1, 3, 4])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        shares = normalize_distribution(weights, tf.fill([1, 3, 1], 100.0), 8000.0)
    assert (shares.numpy() == 0).all()
    assert np.isfinite(tape.gradient(shares, weights)).all()


def test_the_signal_is_the_banks():
    synth = Harmonic(n_samples=900, sample_rate=44100)
    controls = synth.get_controls(*raw())
    expected = harmonic_synthesis(
        controls["f0_hz"], controls["amplitudes"], controls["harmonic_distribution"], 900, 44100
    )
    np.testing.assert_array_equal(synth.get_signal(**controls), expected)
    both = synth(*raw(), return_outputs_dict=True)
    np.testing.assert_array_equal(both["signal"], expected)
    assert set(both["controls"]) == set(controls)


@pytest.mark.parametrize(
    ("index", "shape", "message"),
    [
        (0, [2, 6], r"^amplitudes: expected \[batch, n_frames, 1\].*\(2, 6\)"),
        (0, [2, 6, 3], r"^amplitudes: expected \[batch, n_frames, 1\].*\(2, 6, 3\)"),
        (1, [2, 5], r"^harmonic_distribution: expected \[batch, n_frames, n_harmonics\]"),
        (2, [2, 6, 2], r"^f0_hz: expected \[batch, n_frames, 1\]"),
    ],
)
def test_a_wrong_shape_is_named(index, shape, message):
    inputs = list(raw())
    inputs[index] = tf.zeros(shape)
    with pytest.raises(ShapeError, match=message):
        Harmonic(1000).get_controls(*inputs)
