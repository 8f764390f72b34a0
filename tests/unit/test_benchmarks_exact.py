"""The float64 definitions that errors are measured against, each against a closed form."""

import itertools

import numpy as np
import pytest
from scipy import integrate

from benchmarks import exact

RATE = 16000


def test_frames_are_held_behind_the_last():
    values = exact.at_samples(np.array([[0.0, 1.0]]), 8)
    np.testing.assert_allclose(values[0], [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0])
    smooth = exact.at_samples(np.array([[0.0, 1.0]]), 8, smooth=True)
    np.testing.assert_allclose(smooth[0, [0, 2, 4, 7]], [0.0, 0.5, 1.0, 1.0], atol=1e-15)
    assert smooth[0, 1] == pytest.approx(0.5 - 0.5 * np.cos(np.pi / 4))


@pytest.mark.parametrize(("n_frames", "n_samples"), [(10, 400), (7, 100), (3, 100), (1, 5)])
def test_phase_is_the_integral_of_the_frequency(n_frames, n_samples):
    f_hz = np.random.default_rng(0).uniform(50.0, 400.0, [1, n_frames, 1])
    phase = exact.integrated_phase(f_hz, n_samples, RATE)[0, :, 0]
    places = np.arange(n_frames) * n_samples / n_frames
    for sample in {0, 1, n_samples // 2, n_samples - 1}:
        corners = [*(place for place in places if place < sample), sample]
        wanted = sum(
            integrate.quad(lambda t: np.interp(t, places, f_hz[0, :, 0]), low, high)[0] / RATE
            for low, high in itertools.pairwise(corners)
        )
        assert phase[sample] == pytest.approx(wanted, abs=1e-12)


def test_negative_frequencies_are_as_silent_as_positive_ones():
    f_hz, amplitudes = np.array([[[5000.0], [9000.0]]]), np.ones((1, 2, 1))
    for function in (
        exact.harmonic,
        exact.harmonic_as_ddsp,
        exact.sinusoidal,
        exact.sinusoidal_as_ddsp,
    ):
        sound = function(f_hz, amplitudes, 100, RATE)
        np.testing.assert_allclose(function(-f_hz, amplitudes, 100, RATE), -sound, atol=1e-12)


def test_a_running_sum_stays_exact():
    # Steps of 440 / 16000 cycles: exact in fractions, which float64 sums without end lose.
    steps = np.full([1, 9_600_000], 440.0 / 16000.0)
    wanted = (np.arange(9_600_000) * 11 % 400) / 400.0
    off = exact.running_sum(steps)[0] - wanted
    assert np.abs(off - np.round(off)).max() < 1e-8
    few = exact.running_sum(np.array([[0.25, 0.5, 0.75]]))
    np.testing.assert_allclose(few, [[0.0, 0.25, 0.75]])


def test_the_summed_phase_is_a_sample_ahead():
    f_hz = np.full([1, 4, 1], 100.0)
    ours = exact.integrated_phase(f_hz, 100, RATE)
    theirs = exact.summed_phase(f_hz, 100, RATE)
    np.testing.assert_allclose(ours[:, 1:], theirs[:, :-1], atol=1e-12)


def test_a_steady_bank_is_a_sum_of_sines():
    amplitudes = np.broadcast_to([0.5, 0.25, 0.125], [1, 5, 3])
    f0_hz = np.full([1, 5, 1], 3000.0)
    times = np.arange(200) / RATE
    wanted = 0.5 * np.sin(2 * np.pi * 3000.0 * times) + 0.25 * np.sin(2 * np.pi * 6000.0 * times)
    np.testing.assert_allclose(exact.harmonic(f0_hz, amplitudes, 200, RATE)[0], wanted, atol=1e-9)
    theirs = exact.harmonic_as_ddsp(f0_hz, amplitudes, 200, RATE)[0]
    np.testing.assert_allclose(theirs[:-1], wanted[1:], atol=1e-9)
    part = exact.harmonic(f0_hz, amplitudes, 200, RATE, slice(150, None))[0]
    np.testing.assert_allclose(part, wanted[150:], atol=1e-9)


def test_free_sinusoids_have_frequencies_of_their_own():
    f_hz = np.broadcast_to([440.0, 1000.0, 9000.0], [1, 5, 3])
    amplitudes = np.ones([1, 5, 3])
    times = np.arange(200) / RATE
    wanted = np.sin(2 * np.pi * 440.0 * times) + np.sin(2 * np.pi * 1000.0 * times)
    ours = exact.sinusoidal(f_hz, amplitudes, 200, RATE)[0]
    np.testing.assert_allclose(ours, wanted, atol=1e-9)
    theirs = exact.sinusoidal_as_ddsp(f_hz, amplitudes, 200, RATE)[0]
    np.testing.assert_allclose(theirs[:-1], wanted[1:], atol=1e-9)


def test_a_table_is_the_sum_of_its_harmonics():
    places = 2.0 * np.pi * np.arange(64) / 64
    wave = np.sin(places) + 0.5 * np.cos(3.0 * places)
    tables = np.broadcast_to(wave, [1, 5, 64])
    f0_hz, ones = np.full([1, 5, 1], 250.0), np.ones([1, 5, 1])
    angle = 2.0 * np.pi * 250.0 * np.arange(200) / RATE
    wanted = np.sin(angle) + 0.5 * np.cos(3.0 * angle)
    ours = exact.wavetable(f0_hz, ones, tables, 200, RATE)[0]
    np.testing.assert_allclose(ours, wanted, atol=1e-12)
    # 250 Hz reads every point of 64 at 16 kHz, where a line between points is exact as well.
    theirs = exact.wavetable_as_ddsp(f0_hz, ones, tables, 200, RATE)[0]
    np.testing.assert_allclose(theirs, wanted, atol=1e-9)
    between = exact.wavetable_as_ddsp(0.5 * f0_hz, ones, tables, 200, RATE)[0]
    np.testing.assert_allclose(between[1::2], 0.5 * (wave + np.roll(wave, -1))[np.arange(100) % 64])


def test_modes_fall_by_60_db():
    sound = exact.modal([[RATE / 4.0]], [[0.5]], [[0.1]], 1602, RATE)[0]
    assert sound[1] == pytest.approx(0.5 * 1000.0 ** (-1 / 1600))
    assert sound[1601] == pytest.approx(0.0005 * 1000.0 ** (-1 / 1600))
    np.testing.assert_allclose(sound[::2], 0.0, atol=1e-12)
    late = exact.modal([[RATE / 4.0]], [[0.5]], [[0.1]], 10, RATE, first_sample=100)[0]
    np.testing.assert_allclose(late, sound[100:110], atol=1e-12)


def test_signal_to_error():
    sound = np.sin(np.arange(1000.0))
    assert exact.signal_to_error_db(sound, 1.01 * sound) == pytest.approx(40.0)
    assert exact.signal_to_error_db(sound, sound) == np.inf
    assert exact.signal_to_error_db(sound, -sound) == pytest.approx(-6.02, abs=0.01)
