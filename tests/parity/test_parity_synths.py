"""Sinusoidal, Wavetable and TensorToAudio beside ddsp's, on short sounds of low pitch."""

import numpy as np
import pytest
import tensorflow as tf

import synths
from benchmarks import exact

SAMPLE_RATE = 16000


def random(*shape, seed=0, low=0.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def steady(values, n_frames=10):
    """The same values in every frame."""
    return np.tile(values, [1, n_frames, 1])


class TestSinusoidal:
    """Free partials. ddsp's are one sample early, as its harmonics are."""

    def test_controls(self, ddsp):
        raw = random(2, 5, 30, low=-3.0, high=3.0), random(2, 5, 30, seed=1, low=-3.0, high=3.0)
        for options in ({}, {"sample_rate": 4000}, {"amp_scale_fn": tf.nn.softplus}):
            theirs = ddsp.synths.Sinusoidal(**options).get_controls(*raw)
            ours = synths.Sinusoidal(**options).get_controls(*raw)
            assert set(ours) == set(theirs)
            for name, value in theirs.items():
                np.testing.assert_allclose(ours[name], value, rtol=3e-5, atol=1e-6)

    def test_sound(self, ddsp):
        given = {
            "amplitudes": steady(random(2, 1, 7)),
            "frequencies": steady(random(2, 1, 7, seed=1, low=50.0, high=700.0)),
        }
        theirs = ddsp.synths.Sinusoidal(1000, SAMPLE_RATE).get_signal(**given)
        ours = synths.Sinusoidal(1000, SAMPLE_RATE).get_signal(**given)
        assert exact.signal_to_error_db(ours[:, 1:], theirs[:, :-1]) > 55.0

    @pytest.mark.parametrize("method", ["linear", "window"])
    def test_moving_sound_follows_its_definition(self, ddsp, method):
        given = {
            "amplitudes": random(2, 10, 7),
            "frequencies": random(2, 10, 7, seed=1, low=50.0, high=700.0),
        }
        wanted = (given["frequencies"], given["amplitudes"], 1000, SAMPLE_RATE, method == "window")
        sounds = [
            library.Sinusoidal(1000, SAMPLE_RATE, amp_resample_method=method).get_signal(**given)
            for library in (ddsp.synths, synths)
        ]
        assert exact.signal_to_error_db(exact.sinusoidal_as_ddsp(*wanted), sounds[0]) > 55.0
        assert exact.signal_to_error_db(exact.sinusoidal(*wanted), sounds[1]) > 90.0


class TestWavetable:
    """Tables read at a pitch. ddsp's phase begins at 0 here, as ours does everywhere."""

    def given(self):
        angle = 2.0 * np.pi * np.outer(np.arange(1, 4), np.arange(512)) / 512
        tables = random(2, 10, 3) @ np.sin(angle)
        return {
            "amplitudes": random(2, 10, 1),
            "wavetables": tables.astype(np.float32),
            "f0_hz": random(2, 10, 1, seed=1, low=80.0, high=200.0),
        }

    def test_sound(self, ddsp):
        given = self.given()
        # ddsp goes from table to table along a line, ours along a raised cosine.
        given["wavetables"] = steady(given["wavetables"][:, :1])
        theirs = ddsp.synths.Wavetable(800, SAMPLE_RATE).get_signal(**given)
        ours = synths.Wavetable(800, SAMPLE_RATE).get_signal(**given)
        assert ours.shape == theirs.shape
        # ddsp's frequency is held over a sample, ours is integrated: half a sample's change apart.
        assert exact.signal_to_error_db(theirs, ours) > 35.0

    def test_moving_sound_follows_its_definition(self, ddsp):
        given = self.given()
        theirs = ddsp.synths.Wavetable(800, SAMPLE_RATE).get_signal(**given)
        ours = synths.Wavetable(800, SAMPLE_RATE).get_signal(**given)
        wanted = (given["f0_hz"], given["amplitudes"], given["wavetables"], 800, SAMPLE_RATE)
        assert exact.signal_to_error_db(exact.wavetable_as_ddsp(*wanted), theirs) > 50.0
        assert exact.signal_to_error_db(exact.wavetable(*wanted), ours) > 90.0

    def test_controls_but_for_the_offset(self, ddsp):
        raw = [random(2, 5, n, seed=n, low=-2.0, high=2.0) for n in (1, 64)]
        raw.append(random(2, 5, 1, low=80.0, high=200.0))
        theirs = ddsp.synths.Wavetable(800).get_controls(*raw)
        ours = synths.Wavetable(800).get_controls(*raw)
        assert set(ours) == set(theirs)
        np.testing.assert_allclose(ours["amplitudes"], theirs["amplitudes"], rtol=3e-5)
        # ddsp's default leaves every table positive: an offset beside the wave.
        tables = np.asarray(theirs["wavetables"])
        offset = tables.mean(-1, keepdims=True)
        assert offset.min() > 0.3
        np.testing.assert_allclose(ours["wavetables"], tables - offset, atol=1e-5)

    def test_tables_of_harmonics(self, ddsp):
        shares = random(2, 5, 20)
        theirs = np.asarray(ddsp.core.harmonic_distribution_to_wavetable(shares, 256))
        ours = np.asarray(synths.harmonic_distribution_to_wavetable(shares, 256))
        assert ours.shape == theirs.shape
        # ddsp's are cosines; ours are sines, so that both synths give the same sound.
        spectra = [np.abs(np.fft.rfft(tables)) for tables in (ours, theirs)]
        np.testing.assert_allclose(spectra[0], spectra[1], atol=1e-3)

    def test_lookup(self, ddsp):
        phase = random(2, 300, 1, high=0.999)
        for tables in (random(2, 300, 32, seed=1), random(2, 32, seed=1)):
            theirs = ddsp.core.linear_lookup(phase, tables)
            np.testing.assert_allclose(synths.linear_lookup(phase, tables), theirs, atol=2e-5)


def test_harmonics_of_free_partials(ddsp):
    amplitudes = random(2, 4, 12)
    frequencies = random(2, 4, 12, seed=1, low=100.0, high=2000.0)
    f0_hz = random(2, 4, 1, seed=2, low=100.0, high=300.0)
    for normalize in (False, True):
        theirs = ddsp.core.sinusoidal_to_harmonic(
            amplitudes, frequencies, f0_hz, n_harmonics=20, normalize=normalize
        )
        ours = synths.sinusoidal_to_harmonic(
            amplitudes, frequencies, f0_hz, n_harmonics=20, normalize=normalize
        )
        for mine, reference in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, reference, rtol=1e-4, atol=1e-6)
