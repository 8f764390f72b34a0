"""Wavetables: exact harmonics, equal to the oscillators, no aliasing, no offset."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import exact
from synths import (
    Harmonic,
    ShapeError,
    Wavetable,
    exp_sigmoid,
    harmonic_distribution_to_wavetable,
    linear_lookup,
    wavetable_synthesis,
)
from tests.finite_differences import assert_gradients


def controls(n_frames=6, n_wavetable=32, batch=2, low=80.0, high=400.0, dtype=np.float32):
    """F0, amplitudes and tables of any shape."""
    rng = np.random.default_rng(0)
    f0_hz = rng.uniform(low, high, (batch, n_frames, 1))
    amplitudes = rng.uniform(0.2, 1.0, (batch, n_frames, 1))
    tables = rng.normal(size=(batch, n_frames, n_wavetable))
    return [x.astype(dtype) for x in (f0_hz, amplitudes, tables)]


def reference(f0_hz, amplitudes, tables, n_samples, rate):
    """The definition in float64: the tables' harmonics below Nyquist, one by one."""
    f0_hz, amplitudes, tables = (np.float64(x) for x in (f0_hz, amplitudes, tables))
    n_points = tables.shape[2]
    spectrum = np.fft.rfft(tables) / n_points
    phase = exact.integrated_phase(f0_hz[..., 0], n_samples, rate)
    total = exact.at_samples(amplitudes[..., 0] * spectrum[..., 0].real, n_samples, smooth=True)
    for k in range(1, n_points // 2 + 1):
        share = 1.0 if 2 * k == n_points else 2.0
        below = f0_hz[..., 0] * k < rate / 2
        parts = np.where(below, amplitudes[..., 0] * share * spectrum[..., k], 0.0)
        if 2 * k == n_points:
            parts = parts.real
        real, imag = (exact.at_samples(x, n_samples, smooth=True) for x in (parts.real, parts.imag))
        turn = 2 * np.pi * ((k * phase) % 1.0)
        total += real * np.cos(turn) - imag * np.sin(turn)
    return total


@pytest.mark.parametrize(
    ("n_frames", "n_wavetable", "n_samples", "rate"),
    [
        (40, 32, 2560, 16000),
        (30, 33, 1999, 44100),
        (300, 8, 200, 48000),
        (1, 100, 3000, 96000),
        (5, 2, 400, 16000),
        (5, 1, 400, 16000),
    ],
)
def test_it_is_its_definition(n_frames, n_wavetable, n_samples, rate):
    inputs = controls(n_frames, n_wavetable, high=0.1 * rate)
    audio = wavetable_synthesis(*inputs, n_samples, rate)
    assert audio.dtype == tf.float32
    assert exact.signal_to_error_db(reference(*inputs, n_samples, rate), audio) > 100


def test_a_table_goes_through_its_points():
    for n_points in (20, 21):
        table = np.random.default_rng(0).normal(size=(1, n_points)).astype(np.float32)
        f0_hz = np.full((1, 3, 1), 700.0, np.float32)
        audio = wavetable_synthesis(f0_hz, np.ones_like(f0_hz), table, 3 * n_points, 700 * n_points)
        # The harmonic of two points a period lies at Nyquist, where there is silence.
        if n_points % 2 == 0:
            highest = (-1.0) ** np.arange(n_points)
            table = table - highest * np.mean(table * highest)
        np.testing.assert_allclose(audio, np.tile(table, 3), atol=2e-5)


@pytest.mark.parametrize(("n_harmonics", "n_wavetable"), [(20, 64), (100, 512), (1, 3)])
def test_a_distribution_sounds_as_the_oscillators_do(n_harmonics, n_wavetable):
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.0, 1.0, (2, 50, n_harmonics)).astype(np.float32)
    shares /= shares.sum(axis=2, keepdims=True)
    f0_hz, amplitudes, _ = controls(50, high=900.0)
    tables = harmonic_distribution_to_wavetable(shares, n_wavetable)
    assert tables.shape == (2, 50, n_wavetable)
    audio = Wavetable(4000).get_signal(amplitudes, tables, f0_hz)
    expected = Harmonic(4000).get_signal(amplitudes, shares, f0_hz)
    np.testing.assert_allclose(audio, expected, atol=1e-5)


def test_a_thousand_harmonics_stay_exact():
    f0_hz, amplitudes, _ = controls(20, batch=1, low=10.0, high=12.0)
    tables = np.random.default_rng(0).normal(size=(1, 20, 2048)).astype(np.float32)
    expected = reference(f0_hz, amplitudes, tables, 4000, 48000)
    audio = wavetable_synthesis(f0_hz, amplitudes, tables, 4000, 48000)
    assert exact.signal_to_error_db(expected, audio) > 90


@pytest.mark.parametrize("seconds", [4])
def test_it_stays_exact(seconds):
    inputs = controls(50 * seconds, 12, batch=1)
    audio = wavetable_synthesis(*inputs, 16000 * seconds, 16000)
    expected = reference(*inputs, 16000 * seconds, 16000)
    assert exact.signal_to_error_db(expected[:, -8000:], audio[:, -8000:]) > 90


def test_nothing_is_aliased():
    saw = np.linspace(1.0, -1.0, 256, dtype=np.float32)[None]
    f0_hz = np.full((1, 2, 1), 1300.0, np.float32)
    audio = wavetable_synthesis(f0_hz, np.ones_like(f0_hz), saw, 16000, 16000)
    spectrum = np.abs(np.fft.rfft(audio[0])) / 8000
    wanted = np.zeros(8001, bool)
    wanted[:8000:1300] = True
    assert spectrum[wanted][1:].min() > 0.05
    assert 20 * np.log10(spectrum[~wanted].max()) < -100


@pytest.mark.parametrize(
    ("n_frames", "n_wavetable", "n_samples"), [(4, 9, 130), (1, 8, 20), (3, 5, 2)]
)
def test_gradients_by_finite_differences(n_frames, n_wavetable, n_samples):
    f0_hz, amplitudes, tables = controls(n_frames, n_wavetable, high=1500.0, dtype=np.float64)
    f0_hz[:, -1] = 4500.0  # its second harmonic is silent
    inputs = {"frequencies": f0_hz, "amplitudes": amplitudes, "wavetables": tables}

    def sound(frequencies, amplitudes, wavetables):
        return wavetable_synthesis(frequencies, amplitudes, wavetables, n_samples)

    assert_gradients(sound, inputs)
    inputs["wavetables"] = tables[:, 0]
    assert_gradients(sound, inputs)


def test_tables_of_other_frames_are_interpolated():
    f0_hz, amplitudes, tables = controls()
    between = 0.5 * (tables[:, :1] + tables[:, 1:2])
    spread = np.concatenate([tables[:, :1], between, tables[:, 1:2], tables[:, 1:2]], axis=1)
    audio = wavetable_synthesis(f0_hz[:, :4], amplitudes[:, :4], tables[:, :2], 500)
    expected = wavetable_synthesis(f0_hz[:, :4], amplitudes[:, :4], spread, 500)
    np.testing.assert_allclose(audio, expected, atol=1e-5)


def test_a_phase_to_begin_with():
    f0_hz, amplitudes, tables = controls(4)
    f0_hz[:] = f0_hz[:, :1]
    amplitudes[:] = 1.0
    tables[:] = tables[:, :1]
    whole = wavetable_synthesis(f0_hz, amplitudes, tables, 1000)
    phase = np.float64(f0_hz[:, 0, 0]) * 500 / 16000 + 1e6
    second = wavetable_synthesis(f0_hz, amplitudes, tables, 500, initial_phase=phase)
    np.testing.assert_allclose(second, whole[:, 500:], atol=1e-5)
    with pytest.raises(ShapeError, match=r"^initial_phase: expected \[batch\]"):
        wavetable_synthesis(f0_hz, amplitudes, tables, 500, initial_phase=phase[:, None])


# The synth


def test_controls_have_no_offset():
    f0_hz, amplitudes, tables = controls()
    found = Wavetable(100).get_controls(amplitudes, tables, f0_hz)
    np.testing.assert_allclose(found["amplitudes"], exp_sigmoid(amplitudes))
    np.testing.assert_array_equal(found["f0_hz"], f0_hz)
    scaled = exp_sigmoid(tables).numpy()
    expected = scaled - scaled.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(found["wavetables"], expected, atol=1e-6)
    found = Wavetable(100, scale_fn=None).get_controls(amplitudes, tables, f0_hz)
    np.testing.assert_array_equal(found["amplitudes"], amplitudes)
    np.testing.assert_allclose(tf.reduce_mean(found["wavetables"], axis=2), 0.0, atol=1e-6)


def test_tables_of_harmonics_are_sines():
    shares = np.float32([[[0.5, 0.0, 0.25]]])
    for n_wavetable in (8, 9):
        turn = 2 * np.pi * np.arange(n_wavetable) / n_wavetable
        expected = 0.5 * np.sin(turn) + 0.25 * np.sin(3 * turn)
        table = harmonic_distribution_to_wavetable(shares, n_wavetable)
        np.testing.assert_allclose(table[0, 0], expected, atol=1e-6)


# The lookup


@pytest.mark.parametrize("each", [True, False])
def test_a_lookup_goes_straight_from_point_to_point(each):
    rng = np.random.default_rng(0)
    phase = rng.uniform(0.0, 1.0, (2, 30, 1)).astype(np.float32)
    phase[:, :4, 0] = [0.0, 0.5, np.nextafter(np.float32(1.0), np.float32(0.0)), 1.0]
    tables = rng.normal(size=(2, 30, 7) if each else (2, 7)).astype(np.float32)
    got = linear_lookup(phase, tables).numpy()
    for row in range(2):
        for i in range(30):
            table = tables[row, i] if each else tables[row]
            points = np.append(table, table[0])
            expected = np.interp((phase[row, i, 0] % 1.0) * 7, np.arange(8), points)
            np.testing.assert_allclose(got[row, i], expected, atol=2e-6)
    np.testing.assert_array_equal(linear_lookup(phase[..., 0], tables), got)


def test_gradients_of_the_lookup_by_finite_differences():
    rng = np.random.default_rng(0)
    inputs = {"phase": rng.uniform(0.0, 1.0, (2, 9, 1)), "wavetables": rng.normal(size=(2, 5))}
    assert_gradients(linear_lookup, inputs)
    inputs["wavetables"] = rng.normal(size=(2, 9, 5))
    assert_gradients(linear_lookup, inputs)
    inputs["wavetables"] = rng.normal(size=(2, 1, 5))
    assert_gradients(linear_lookup, inputs)
