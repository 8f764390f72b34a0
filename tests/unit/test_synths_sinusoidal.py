"""Sinusoids: exact phase, gradients, conversion to and from harmonics."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import exact
from synths import (
    Harmonic,
    Sinusoidal,
    harmonic_to_sinusoidal,
    sinusoidal_synthesis,
    sinusoidal_to_harmonic,
)
from tests.finite_differences import assert_gradients


def bank(n_frames, n_sinusoids, batch=2, low=60.0, high=3000.0, seed=0, dtype=np.float32):
    """Frequencies that wander, and amplitudes, [batch, n_frames, n_sinusoids]."""
    rng = np.random.default_rng(seed)
    shape = (batch, n_frames, n_sinusoids)
    frequencies = rng.uniform(low, high, (batch, 1, n_sinusoids)) * rng.uniform(0.9, 1.1, shape)
    return [x.astype(dtype) for x in (frequencies, rng.uniform(0.1, 1.0, shape) / n_sinusoids)]


def with_gradients(inputs, weight, *arguments, **options):
    """The sound, and the gradients of its weighted sum with respect to the inputs."""
    tensors = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        audio = sinusoidal_synthesis(*tensors, *arguments, **options)
        total = tf.reduce_sum(weight * audio)
    return [audio, *tape.gradient(total, tensors)]


def assert_close(got, expected, tolerance):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance * np.abs(other).max())


@pytest.mark.parametrize(
    ("n_frames", "n_samples", "rate"),
    [(40, 2560, 16000), (30, 1999, 44100), (300, 200, 48000), (1, 3000, 96000)],
)
def test_it_is_its_definition(n_frames, n_samples, rate, native):
    inputs = bank(n_frames, 9, high=0.4 * rate)
    for smooth, method in ((False, "linear"), (True, "window")):
        audio = sinusoidal_synthesis(*inputs, n_samples, rate, method)
        expected = exact.sinusoidal(*inputs, n_samples, rate, smooth)
        assert exact.signal_to_error_db(expected, audio) > 100


@pytest.mark.parametrize("seconds", [4, 20])
def test_sixty_sinusoids_stay_exact(seconds):
    n_samples = 16000 * seconds
    frequencies, amplitudes = bank(100 * seconds, 60 if seconds == 4 else 5, batch=1, high=7000.0)
    audio = sinusoidal_synthesis(frequencies, amplitudes, n_samples, 16000, "linear")
    expected = exact.sinusoidal(frequencies, amplitudes, n_samples, 16000)
    assert exact.signal_to_error_db(expected[:, -8000:], audio[:, -8000:]) > 100


@pytest.mark.parametrize("native", ["plain"], indirect=True)
def test_many_blocks_go_through_memory_in_parts(monkeypatch, native):
    import synths.sinusoidal

    inputs = bank(7, 5, batch=2)
    weight = np.random.default_rng(1).normal(size=(2, 1000)).astype(np.float32)
    expected = with_gradients(inputs, weight, 1000)
    for n_sines in (1, 3000):
        monkeypatch.setattr(synths.sinusoidal, "_SINES_AT_ONCE", n_sines)
        assert_close(with_gradients(inputs, weight, 1000), expected, 1e-5)


@pytest.mark.parametrize(
    ("method", "n_frames", "n_samples"),
    [
        ("nearest", 4, 130),
        ("linear", 4, 130),
        ("cubic", 4, 130),
        ("window", 4, 130),
        ("window", 1, 20),
        ("window", 3, 2),
    ],
)
def test_gradients_by_finite_differences(method, n_frames, n_samples):
    frequencies, amplitudes = bank(n_frames, 3, dtype=np.float64)
    frequencies[:, -1, 0] = 9000.0  # silent there

    def sound(frequencies, amplitudes):
        return sinusoidal_synthesis(frequencies, amplitudes, n_samples, 16000, method)

    assert_gradients(sound, {"frequencies": frequencies, "amplitudes": amplitudes})


def test_at_nyquist_and_above_there_is_silence():
    frequencies = np.full((1, 10, 1), 8000.0, np.float32)
    audio, _, slope = with_gradients([frequencies, np.ones_like(frequencies)], 1.0, 640)
    assert not np.any(audio)
    assert not np.any(slope)
    # A rising sine fades out from the last frame below Nyquist to the first above.
    frequencies = np.linspace(6100.0, 9700.0, 10, dtype=np.float32)[None, :, None]
    audio, _, slope = with_gradients([frequencies, np.ones_like(frequencies)], 1.0, 640)
    below = int(np.sum(frequencies < 8000.0))
    assert np.abs(audio[0, : (below - 1) * 64]).max() > 0.99
    assert not np.any(audio[0, below * 64 :])
    assert np.all(slope[0, :below] != 0.0)
    assert not np.any(slope[0, below:])


def test_a_phase_to_begin_with_makes_two_halves_one():
    frequencies, amplitudes = bank(20, 4)
    frequencies[:] = frequencies[:, :1]
    amplitudes[:, 10:] = amplitudes[:, 10:11]
    amplitudes[:, 9] = amplitudes[:, 10]
    whole = sinusoidal_synthesis(frequencies, amplitudes, 2000, 16000)
    first = sinusoidal_synthesis(frequencies[:, :10], amplitudes[:, :10], 1000, 16000)
    phase = np.float64(frequencies[:, 0]) * 1000 / 16000
    second = sinusoidal_synthesis(
        frequencies[:, 10:], amplitudes[:, 10:], 1000, 16000, initial_phase=phase
    )
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, atol=3e-6)


def test_an_hour_later_the_phase_is_as_exact():
    frequencies = np.full((1, 2, 1), 7000.3, np.float32)
    phase = np.float64(frequencies[:, 0]) * 3600.0
    audio = sinusoidal_synthesis(
        frequencies, np.ones_like(frequencies), 400, 16000, initial_phase=phase
    )
    cycles = np.float64(frequencies[0, 0, 0]) * (3600.0 + np.arange(400) / 16000)
    np.testing.assert_allclose(audio[0], np.sin(2 * np.pi * (cycles % 1.0)), atol=1e-5)


# The synth


# Harmonics and free sinusoids


def harmonic_controls(n_harmonics=6, f0=(200.0, 400.0)):
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.1, 1.0, (2, 5, n_harmonics))
    shares /= shares.sum(axis=2, keepdims=True)
    f0_hz = np.tile(np.linspace(*f0, 5)[None, :, None], (2, 1, 1))
    return [x.astype(np.float32) for x in (rng.uniform(0.2, 1.0, (2, 5, 1)), shares, f0_hz)]


def test_harmonics_as_free_sinusoids_sound_the_same():
    amplitudes, shares, f0_hz = harmonic_controls()
    as_free, frequencies = harmonic_to_sinusoidal(amplitudes, shares, f0_hz)
    audio = Sinusoidal(1000).get_signal(as_free, frequencies)
    expected = Harmonic(1000).get_signal(amplitudes, shares, f0_hz)
    np.testing.assert_allclose(audio, expected, atol=1e-5)


def test_there_and_back_again():
    amplitudes, shares, f0_hz = harmonic_controls()
    as_free, frequencies = harmonic_to_sinusoidal(amplitudes, shares, f0_hz)
    for normalize in (False, True):
        total, back = sinusoidal_to_harmonic(
            as_free, frequencies, f0_hz, n_harmonics=6, normalize=normalize
        )
        np.testing.assert_allclose(total, amplitudes, rtol=1e-5)
        np.testing.assert_allclose(back, shares, atol=1e-5)


def test_a_sinusoid_counts_by_its_distance():
    f0_hz = np.full((1, 1, 1), 100.0, np.float32)
    frequencies = np.float32([[[95.0, 105.0, 300.0, 350.0]]])
    amplitudes = np.float32([[[1.0, 0.5, 1.0, 1.0]]])
    near = np.exp(-0.25)
    total, shares = sinusoidal_to_harmonic(amplitudes, frequencies, f0_hz, n_harmonics=3)
    np.testing.assert_allclose(total * shares, [[[1.5 * near, 0.0, 1.0]]], atol=1e-6)
    total, shares = sinusoidal_to_harmonic(
        amplitudes, frequencies, f0_hz, n_harmonics=3, normalize=True
    )
    np.testing.assert_allclose(total * shares, [[[0.75, 0.0, 1.0]]], atol=1e-6)
    # What lies far from its harmonic is not made louder.
    total, shares = sinusoidal_to_harmonic(
        amplitudes[..., 1:2], frequencies[..., 1:2], f0_hz, n_harmonics=3, normalize=True
    )
    np.testing.assert_allclose(total * shares, [[[0.5 * near, 0.0, 0.0]]], atol=1e-6)


def test_no_pitch_and_no_sound_give_finite_gradients():
    for f0, level in ((0.0, 1.0), (100.0, 0.0)):
        inputs = [
            tf.fill([1, 2, 3], level),
            tf.fill([1, 2, 3], 200.0),
            tf.fill([1, 2, 1], f0),
        ]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total, shares = sinusoidal_to_harmonic(*inputs, n_harmonics=4)
            loss = tf.reduce_sum(total) + tf.reduce_sum(shares)
        assert not np.any(total)
        assert all(np.isfinite(slope).all() for slope in tape.gradient(loss, inputs))


def test_gradients_of_the_conversions_by_finite_differences():
    rng = np.random.default_rng(0)
    inputs = {
        "amplitudes": rng.uniform(0.2, 1.0, (1, 2, 4)),
        "frequencies": rng.uniform(90.0, 450.0, (1, 2, 4)),
        "f0_hz": rng.uniform(95.0, 105.0, (1, 2, 1)),
    }

    def to_harmonic(amplitudes, frequencies, f0_hz):
        both = sinusoidal_to_harmonic(amplitudes, frequencies, f0_hz, 0.3, 4, normalize=True)
        return tf.concat(both, axis=2)

    def to_free(amplitudes, frequencies, f0_hz):
        return tf.concat(harmonic_to_sinusoidal(f0_hz, amplitudes, frequencies[..., :1]), axis=2)

    assert_gradients(to_harmonic, inputs)
    assert_gradients(to_free, inputs)
