"""Modes: closed forms, mallets, onsets between samples, gradients."""

import numpy as np
import pytest
import tensorflow as tf

from synths import Modal, decays_sigmoid, exp_sigmoid, modal_synthesis, strike_gains
from tests.finite_differences import assert_gradients


def modes(n_modes=5, batch=2, low=50.0, high=3000.0, dtype=np.float32):
    """Frequencies, amplitudes and times of decay, [batch, n_modes]."""
    rng = np.random.default_rng(0)
    shape = (batch, n_modes)
    found = rng.uniform(low, high, shape), rng.uniform(0.1, 1.0, shape), rng.uniform(0.02, 2, shape)
    return [x.astype(dtype) for x in found]


def reference(frequencies, amplitudes, decays, n_samples, rate, onset=0.0):
    """The closed form in float64."""
    f, a, d = (np.asarray(x, np.float64)[:, None] for x in (frequencies, amplitudes, decays))
    onset = np.broadcast_to(np.asarray(onset, np.float64), (len(f), 1))
    t = np.arange(n_samples) / rate - onset
    struck = t >= 0
    t = np.where(struck, t, 0.0)[..., None]
    waves = a * np.exp(-np.log(1000.0) * t / d) * np.sin(2 * np.pi * ((f * t) % 1.0))
    return np.where(struck, waves.sum(axis=2), 0.0)


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("n_samples", [1, 255, 256, 257, 5000])
def test_it_is_its_closed_form(rate, n_samples):
    inputs = modes(high=0.49 * rate)
    audio = modal_synthesis(*inputs, n_samples, rate)
    assert audio.dtype == tf.float32
    np.testing.assert_allclose(audio, reference(*inputs, n_samples, rate), atol=5e-6)


def test_parts_are_the_whole_also_hours_later():
    frequencies, amplitudes, decays = modes()
    onset = np.float32([[0.01], [-0.02]])
    whole = modal_synthesis(frequencies, amplitudes, decays, 1000, 16000, onset)
    parts = [
        modal_synthesis(
            frequencies, amplitudes, decays, 100, 16000, onset, first_sample=tf.constant(i)
        )
        for i in range(0, 1000, 100)
    ]
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, atol=1e-5)
    decays[:] = 1e6
    late = 16000 * 3600 * 10
    audio = modal_synthesis(frequencies, amplitudes, decays, 300, 16000, first_sample=late)
    t = ((late + np.arange(300)) / 16000)[:, None]
    f, a, d = (np.float64(x)[:, None] for x in (frequencies, amplitudes, decays))
    waves = a * np.exp(-np.log(1000.0) * t / d) * np.sin(2 * np.pi * ((f * t) % 1.0))
    np.testing.assert_allclose(audio, waves.sum(axis=2), atol=1e-5)


@pytest.mark.parametrize("onset", [-0.1, 0.0, 0.00001, 0.01, 0.0123456, 5.0])
def test_it_is_struck_at_any_time(onset):
    inputs = modes()
    audio = modal_synthesis(*inputs, 1000, 16000, np.float64([[onset], [onset]]))
    np.testing.assert_allclose(audio, reference(*inputs, 1000, 16000, onset), atol=1e-9)


def test_gradients_by_finite_differences():
    frequencies, amplitudes, decays = modes(3, dtype=np.float64)
    inputs = {
        "frequencies": frequencies,
        "amplitudes": amplitudes,
        "decay_seconds": decays,
        "onset_seconds": np.array([[0.00312], [0.00471]]),
        "contact_seconds": np.array([[1e-4], [3e-4]]),
        "position": np.array([[0.3], [0.12]]),
    }
    synth = Modal(600, amp_scale_fn=None, freq_scale_fn=None, decay_scale_fn=None)
    assert_gradients(lambda **controls: synth(**controls), inputs)
    raw = {name: np.random.default_rng(1).normal(size=(2, 3)) for name in list(inputs)[:3]}
    assert_gradients(lambda **controls: Modal(600)(**controls), raw)


@pytest.mark.parametrize(("frequency", "decay"), [(8000.0, 1.0), (9000.0, 1.0), (100.0, 0.0)])
def test_above_nyquist_or_without_ringing_there_is_silence(frequency, decay):
    tensors = [tf.constant([[x, 1.0]]) for x in (frequency, 1.0, decay)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        audio = modal_synthesis(*tensors, 500)
    one = modal_synthesis([[1.0]], [[1.0]], [[1.0]], 500)
    np.testing.assert_allclose(audio, one, atol=1e-6)
    for slope in tape.gradient(audio, tensors):
        assert slope[0, 0] == 0.0
        assert slope[0, 1] != 0.0


# The blow


def test_a_soft_blow_leaves_high_modes_alone():
    frequencies = np.float32([[10.0, 1000.0, 5000.0]])
    contact = 1e-3
    gains = strike_gains(frequencies, [[contact]]).numpy()
    # The spectrum of t exp(-t / contact), over what it is at 0 Hz.
    step = contact / 1000
    t = np.arange(30000) * step
    force = t * np.exp(-t / contact)
    turns = np.exp(-2j * np.pi * np.float64(frequencies)[0, :, None] * t)
    expected = np.abs(turns @ force) / force.sum()
    np.testing.assert_allclose(gains[0], expected, rtol=1e-3)
    np.testing.assert_array_equal(strike_gains(frequencies, [[0.0]]), 1.0)


def test_a_blow_at_a_node_leaves_its_mode_alone():
    frequencies = tf.ones([1, 4])
    gains = strike_gains(frequencies, position=[[0.5]]).numpy()
    np.testing.assert_allclose(gains, [[1.0, 0.0, -1.0, 0.0]], atol=1e-6)
    np.testing.assert_array_equal(strike_gains(frequencies), 1.0)


def test_controls_are_in_physical_units():
    rng = np.random.default_rng(0)
    amplitudes, frequencies, decays = (rng.normal(size=(2, 6)).astype(np.float32) for _ in range(3))
    synth = Modal(500, sample_rate=400)
    controls = synth.get_controls(amplitudes, frequencies, decays, position=[[0.2], [0.3]])
    assert set(controls) == {"amplitudes", "frequencies", "decay_seconds", "position"}
    np.testing.assert_array_equal(controls["decay_seconds"], decays_sigmoid(decays))
    hz = controls["frequencies"].numpy()
    assert ((hz > 0.0) & (hz < 8000.0)).all()
    expected = np.where(hz < 200.0, exp_sigmoid(amplitudes), 0.0)
    assert 0 < np.sum(expected == 0.0) < expected.size
    np.testing.assert_array_equal(controls["amplitudes"], expected)
    gains = strike_gains(hz, position=[[0.2], [0.3]])
    audio = reference(hz, gains * expected, controls["decay_seconds"], 500, 400)
    np.testing.assert_allclose(synth.get_signal(**controls), audio, atol=5e-6)
