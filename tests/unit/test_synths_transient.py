"""Transients: pulses and noise with one envelope, seeds, onsets."""

import numpy as np
import pytest
import scipy.fft
import tensorflow as tf

from synths import (
    Transient,
    exp_sigmoid,
    frequency_impulse_response,
    short_decays_sigmoid,
    white_noise,
)
from tests.finite_differences import assert_gradients


def envelope(n, rate, decay, attack=0.0, late=0.0, burst=0.1):
    t = np.arange(n) / rate + late
    rise = 1.0 - np.exp(-t / attack) if attack else 1.0
    closing = (1.0 - np.minimum(t / burst, 1.0) ** 2) ** 2
    return rise * np.exp(-np.log(1000.0) * t / decay) * closing


def only_pulse(pulse, n_samples=400, rate=4000, decay=0.05, **options):
    """A transient without noise."""
    pulse = np.asarray(pulse)
    rows = len(pulse)
    synth = Transient(n_samples, rate)
    magnitudes = np.zeros((rows, 9), pulse.dtype)
    return synth.get_signal(magnitudes, np.full((rows, 1), decay, pulse.dtype), pulse, **options)


@pytest.mark.parametrize("rate", [4000, 44100])
@pytest.mark.parametrize("n_coefficients", [1, 37, 400])
def test_a_pulse_is_the_inverse_of_scipys_transform(rate, n_coefficients):
    pulse = np.random.default_rng(0).normal(size=(2, n_coefficients))
    n = round(0.1 * rate)
    audio = only_pulse(pulse, n, rate)
    expected = scipy.fft.idct(pulse, n=n, norm="ortho") * envelope(n, rate, 0.05)
    np.testing.assert_allclose(audio, expected, atol=1e-12)
    audio = only_pulse(pulse.astype(np.float32), n, rate)
    assert audio.dtype == tf.float32
    np.testing.assert_allclose(audio, expected, atol=2e-5)


def test_the_envelope_rises_decays_and_closes():
    pulse = scipy.fft.dct(np.ones((1, 400)), norm="ortho")
    for attack in (0.0, 0.003):
        audio = only_pulse(pulse, 600, attack_seconds=np.array([[attack]]))[0]
        np.testing.assert_allclose(audio[:400], envelope(400, 4000, 0.05, attack), atol=1e-12)
        assert not np.any(audio[400:])


@pytest.mark.parametrize("onset", [-0.01, 0.0, 0.0125, 0.0124, 0.3])
def test_it_begins_at_any_time(onset):
    pulse = scipy.fft.dct(np.ones((1, 400)), norm="ortho")
    audio = only_pulse(pulse, 600, onset_seconds=np.array([[onset]]))[0]
    first = int(np.ceil(onset * 4000))
    burst = envelope(400, 4000, 0.05, late=first / 4000 - onset)
    expected = np.zeros(3000)
    expected[500 + first : 900 + first] = burst
    np.testing.assert_allclose(audio, expected[500:1100], atol=1e-12)


def test_its_noise_begins_before_the_burst():
    rng = np.random.default_rng(1)
    magnitudes = rng.uniform(0.0, 1.0, (2, 33))
    audio = Transient(1600, 16000).get_signal(magnitudes, np.full((2, 1), 0.05), seed=[5, 6])
    noise = white_noise([5, 6], 1900, -150).numpy()
    taps = frequency_impulse_response(magnitudes).numpy()
    filtered = [np.convolve(x, h) for x, h in zip(np.float64(noise), taps, strict=True)]
    begin = 150 + taps.shape[1] // 2
    expected = np.stack(filtered)[:, begin : begin + 1600] * envelope(1600, 16000, 0.05)
    np.testing.assert_allclose(audio, expected, atol=1e-6)


@pytest.mark.parametrize("rate", [16000, tf.constant(16000)], ids=["known", "tensor"])
def test_a_burst_shorter_than_a_sample_is_one_sample_or_falls_between_two(rate):
    gains, decays, pulse = np.zeros((2, 3)), np.ones((2, 1)), np.ones((2, 1))
    synth = Transient(4, rate, burst_seconds=1e-6)
    onset = np.array([[1.0 / 16000], [1.5 / 16000]])
    audio = synth.get_signal(gains, decays, pulse, onset_seconds=onset)
    np.testing.assert_allclose(audio, [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], atol=1e-9)


def test_without_decay_it_is_silent_with_gradient_0():
    decays = tf.constant([[0.0], [-0.1], [0.05]])
    with tf.GradientTape() as tape:
        tape.watch(decays)
        audio = Transient(400).get_signal(tf.ones([3, 5]), decays)
    assert not np.any(audio[:2])
    assert np.abs(audio[2]).max() > 0.1
    slopes = tape.gradient(audio, decays).numpy()
    assert not np.any(slopes[:2])
    assert np.isfinite(slopes[2])


def test_seeds_decide_and_nothing_else_does():
    magnitudes, decays = tf.ones([3, 9]), tf.fill([3, 1], 0.05)
    synth = Transient(500, seed=4)
    audio = synth.get_signal(magnitudes, decays).numpy()
    tf.random.set_seed(99)
    np.testing.assert_array_equal(synth.get_signal(magnitudes, decays), audio)
    np.testing.assert_array_equal(synth.get_signal(magnitudes, decays, seed=[4, 5, 6]), audio)
    same = synth.get_signal(magnitudes, decays, seed=5).numpy()
    np.testing.assert_array_equal(same, np.tile(audio[1], (3, 1)))
    assert np.abs(Transient(500, seed=40).get_signal(magnitudes, decays) - audio).max() > 0.1
    alone = synth.get_signal(magnitudes[:1], decays[:1], seed=6)
    np.testing.assert_allclose(alone[0], audio[2], atol=1e-6)


def test_gradients_by_finite_differences():
    rng = np.random.default_rng(0)
    inputs = {
        "magnitudes": rng.normal(size=(2, 5)),
        "decay_seconds": rng.normal(size=(2, 1)),
        "pulse": rng.normal(size=(2, 7)),
        "attack_seconds": np.array([[0.001], [0.004]]),
        "onset_seconds": np.array([[0.00301], [0.00077]]),
    }
    assert_gradients(lambda **raw: Transient(120, 4000, burst_seconds=0.02)(**raw), inputs)


def test_controls_are_in_physical_units():
    rng = np.random.default_rng(0)
    magnitudes, decays, pulse = (
        rng.normal(size=shape).astype(np.float32) for shape in ((2, 5), (2, 1), (2, 3))
    )
    controls = Transient().get_controls(magnitudes, decays, pulse)
    assert set(controls) == {"magnitudes", "decay_seconds", "pulse"}
    np.testing.assert_array_equal(controls["magnitudes"], exp_sigmoid(magnitudes))
    np.testing.assert_array_equal(controls["decay_seconds"], short_decays_sigmoid(decays))
    np.testing.assert_array_equal(controls["pulse"], pulse)
    seconds = short_decays_sigmoid(tf.constant([-50.0, 0.0, 50.0]))
    np.testing.assert_allclose(seconds, [0.001, 0.01, 0.1], rtol=1e-5)
    synth = Transient(scale_fn=None, decay_scale_fn=None)
    np.testing.assert_array_equal(synth.get_controls(magnitudes, decays)["decay_seconds"], decays)


def test_a_block_is_a_part_of_the_whole_burst():
    rng = np.random.default_rng(0)
    magnitudes = rng.uniform(size=(3, 9)).astype(np.float32)
    decays = np.float32([[0.02], [0.05], [0.1]])
    seed = tf.constant([3, -4, 5])
    synth = Transient(600, 4000, scale_fn=None, decay_scale_fn=None)
    whole = np.pad(synth.get_signal(magnitudes, decays, seed=seed), [[0, 0], [100, 0]])
    first = [-90, 7, 380]
    blocks = synth.get_block(tf.constant(first), 64, magnitudes, decays, seed)
    for block, row, begin in zip(blocks, whole, first, strict=True):
        np.testing.assert_allclose(block, row[100 + begin : 164 + begin], atol=1e-6)
