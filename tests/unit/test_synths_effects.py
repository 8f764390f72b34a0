"""Reverbs, filters and delays: trained or given responses, any rate, any length."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from synths import ExpDecayReverb, FilteredNoiseReverb, FIRFilter, ModDelay, Reverb
from synths.effects import response_at_rate, variable_length_delay
from tests.finite_differences import assert_gradients


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_a_delay_that_is_not_a_number_is_heard_there_alone():
    audio = noise(1, 40)
    phase = np.full((1, 40, 1), 0.3, np.float32)
    expected = variable_length_delay(phase, audio, 10).numpy()
    phase[0, 17] = np.nan
    delayed = variable_length_delay(phase, audio, 10).numpy()
    assert np.isnan(delayed[0, 17])
    expected[0, 17] = delayed[0, 17]
    np.testing.assert_array_equal(delayed, expected)


def test_the_response_starts_as_decaying_noise_of_the_gain():
    ir = Reverb(trainable=True, reverb_length=8000, decay_seconds=0.25, gain=0.05).ir.numpy()
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
    audio, ir = noise(2, 4000), noise(2, 6000, seed=1)
    wet = Reverb(trainable=False, add_dry=False)(audio, ir)
    expected = scipy.signal.fftconvolve(audio, ir, axes=1)[:, :4000]
    np.testing.assert_allclose(wet, expected, atol=1e-3)


@pytest.mark.parametrize("add_dry", [True, False])
def test_ways_to_give_a_response(add_dry):
    audio, ir = noise(2, 300), noise(1, 40, seed=1)
    reverb = Reverb(add_dry=add_dry)
    expected = reverb(audio, np.tile(ir, [2, 1]))
    for given in (ir, ir[0], ir[..., None]):
        np.testing.assert_allclose(reverb(audio, given), expected, atol=1e-5)
        np.testing.assert_allclose(reverb.get_signal(audio, given), expected, atol=1e-5)


@pytest.mark.parametrize("trainable", [True, False])
def test_one_response_is_needed_and_only_one(trainable):
    ir = tf.zeros([1, 10]) if trainable else None
    with pytest.raises(ValueError, match="ir: Reverb takes none with trainable=True"):
        Reverb(trainable=trainable, reverb_length=10).get_controls(tf.zeros([1, 5]), ir)


def test_a_response_at_another_rate_has_the_same_gain_and_timing():
    # A smooth bump at 20 ms.
    times = np.arange(1600) / 16000
    bump = np.exp(-(((times - 0.02) / 0.002) ** 2)).astype(np.float32)[None]
    for rate in (48000, 8000):
        ir = response_at_rate(bump, 16000, rate).numpy()
        np.testing.assert_allclose(ir.sum(), bump.sum(), rtol=1e-3)
        assert abs(np.argmax(ir[0]) / rate - 0.02) <= 1 / rate


GIVEN = {
    "ir": (Reverb(), {"ir": noise(2, 30, seed=1)}),
    "decay": (
        ExpDecayReverb(reverb_length=30),
        {"gain": noise(2, 1, seed=1), "decay": noise(2, 1, seed=2)},
    ),
    "bands": (FilteredNoiseReverb(reverb_length=30), {"magnitudes": noise(2, 3, 9, seed=1)}),
    "filter": (FIRFilter(), {"magnitudes": noise(2, 3, 9, seed=1)}),
    "delay": (
        ModDelay(center_ms=1.03, depth_ms=0.6),
        {"gain": noise(2, 4, 1, seed=1), "phase": noise(2, 4, 1, seed=2)},
    ),
}


@pytest.mark.parametrize("name", GIVEN)
def test_gradients_and_precision(name):
    effect, controls = GIVEN[name]
    assert_gradients(effect, {"audio": noise(2, 40)} | controls, tolerance=1e-5)
    assert effect(noise(2, 40), **controls).dtype == tf.float32
    np.testing.assert_allclose(
        effect(noise(2, 40), **controls),
        effect(noise(2, 40).astype(np.float64), **controls),
        atol=1e-5,
    )


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("n_samples", [0, 37])
def test_any_length_also_unknown(name, n_samples):
    effect, controls = GIVEN[name]
    known = effect(noise(2, n_samples), **controls)
    assert known.shape == (2, n_samples)

    @tf.function
    def unknown(audio, controls):
        return effect(audio, **controls)

    specs = {n: tf.TensorSpec([None] * c.ndim) for n, c in controls.items()}
    traced = unknown.get_concrete_function(tf.TensorSpec([None, None]), specs)
    np.testing.assert_allclose(traced(tf.constant(noise(2, n_samples)), controls), known, atol=1e-5)


@pytest.mark.parametrize("kind", [ExpDecayReverb, FilteredNoiseReverb])
def test_noise_responses_are_the_same_at_each_call_and_in_each_row(kind):
    reverb = kind(trainable=True, reverb_length=500)
    audio = np.tile(noise(1, 300), [3, 1])
    wet = reverb(audio).numpy()
    np.testing.assert_array_equal(wet, reverb(audio))
    np.testing.assert_allclose(wet[1:], wet[:1].repeat(2, 0), atol=1e-6)
    other = kind(trainable=True, reverb_length=500, seed=1)(audio)
    assert np.abs(other - wet).max() > 1e-3
    assert len(reverb.trainable_variables) >= 1
    with pytest.raises(ValueError, match=f"{kind.__name__} takes none with trainable=True"):
        kind(reverb_length=500)(audio)


def test_an_exponential_decay_is_one():
    gain, decay = np.float32([[0.3]]), np.float32([[1.0]])
    reverb = ExpDecayReverb(reverb_length=16000, scale_fn=None)
    ir = reverb.get_controls(noise(1, 5), gain, decay)["ir"][0].numpy()
    level = np.sqrt((ir.reshape(16, -1) ** 2).mean(1))
    time = (np.arange(16) + 0.5) / 16
    expected = 0.3 / np.sqrt(3.0) * np.exp(-(2 + np.e) * time)
    np.testing.assert_allclose(level, expected, rtol=0.08)


def test_a_delay_of_whole_samples_and_halves():
    audio = noise(1, 50)
    for delay in (0.0, 7.0, 7.5, 16.0):
        phase = np.full((1, 50, 1), delay / 16.0, np.float32)
        late = variable_length_delay(phase, audio, max_length=16)[0]
        padded = np.concatenate([np.zeros(17), audio[0]])
        earlier = padded[17 - int(delay) : 67 - int(delay)]
        before = padded[16 - int(delay) : 66 - int(delay)]
        expected = earlier + (delay % 1.0) * (before - earlier)
        np.testing.assert_allclose(late, expected, atol=1e-5)


@pytest.mark.parametrize("rate", [16000, 44100, 48000, 96000])
def test_delays_last_what_they_say_at_any_rate(rate):
    effect = ModDelay(
        2.5, 3.3, rate, gain_scale_fn=None, phase_scale_fn=None, add_dry=False, name="delay"
    )
    audio = np.zeros((1, rate // 20))
    audio[0, 5] = 1.0
    for phase in (0.0, 0.37, 1.0):
        wet = effect(audio, np.ones((1, 1, 1)), np.full((1, 1, 1), phase))[0].numpy()
        mean = np.sum(wet * np.arange(len(wet))) / wet.sum() - 5
        np.testing.assert_allclose(wet.sum(), 1.0, rtol=1e-9)
        np.testing.assert_allclose(mean, rate * (2.5 + 3.3 * phase) / 1000, rtol=1e-6)


@pytest.mark.parametrize("ends", [(0.0, 0.0), (1.0, -2.0), (-1.0, 5.0)])
def test_delays_into_the_future_or_of_no_length_are_refused(ends):
    with pytest.raises(ValueError, match=f"got {ends[0]} and {ends[1]}; expected delays of 0 ms"):
        ModDelay(*ends)
