"""Pitch and level before a fit."""

import numpy as np
import pytest

from noisygan.matching.analysis import UNSURE, analyse, in_one_octave, level_of, pitch_name

RATE = 16000
TIMES = np.arange(6400) / RATE


def tone(*hz):
    waves = [0.1 / k * np.sin(2 * np.pi * f * k * TIMES) for f in hz for k in (1, 2, 3, 4)]
    return np.sum(waves, axis=0).astype(np.float32)


def test_pitch_and_confidence():
    one = analyse(np.concatenate([np.zeros(1600), tone(392.0)]).astype(np.float32), RATE)
    assert one.pitch == pytest.approx(67.0, abs=0.25) and one.confidence > 0.8
    assert len(one.f0_hz) == len(one.level) == 50
    np.testing.assert_allclose(one.f0_hz, 392.0, rtol=0.01)  # in the silence too
    assert analyse(tone(261.6, 311.1, 370.0), RATE).confidence < UNSURE
    noise = analyse(np.random.default_rng(0).normal(size=6400).astype(np.float32), RATE)
    assert noise.pitch is None and np.all(np.isfinite(noise.f0_hz))
    # A known pitch decides the octave.
    assert analyse(tone(392.0), RATE, pitch=55).pitch == pytest.approx(55.0, abs=0.25)


def test_a_known_pitch_decides_where_the_tracker_is_unsure():
    noise = analyse(np.random.default_rng(0).normal(size=6400).astype(np.float32), RATE, 108)
    np.testing.assert_allclose(noise.f0_hz, 4186.01, rtol=1e-4)
    assert noise.pitch == pytest.approx(108.0, abs=1e-3) and not noise.remarks
    for pitch in (105, 108):
        hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        c8 = analyse((0.1 * np.sin(2 * np.pi * hz * TIMES)).astype(np.float32), RATE, pitch)
        assert c8.pitch == pytest.approx(pitch, abs=0.15) and not c8.remarks


def test_level_is_the_root_mean_square():
    level = level_of(0.5 * np.sin(2 * np.pi * 400 * TIMES), RATE, 40)
    np.testing.assert_allclose(level[3:-3], 0.5 / np.sqrt(2), rtol=0.01)


def test_octave_leaps_and_slips_are_removed():
    low, high = np.full(20, 100.0), np.full(30, 202.0)
    for track in ([low, high], [high, low], [high, low, high]):
        np.testing.assert_allclose(in_one_octave(np.concatenate(track)), 100.5, rtol=0.006)
    np.testing.assert_allclose(in_one_octave(np.concatenate([high, low[:2], high])), 202.0)
    fifth = np.concatenate([low, 1.5 * low])
    np.testing.assert_allclose(in_one_octave(fifth), fifth)


def test_names_of_pitches():
    assert pitch_name(69.0) == "A4 (440.0 Hz)"
    assert pitch_name(68.88) == "A4 -12 cents (437.0 Hz)"
    assert pitch_name(21.3) == "A0 +30 cents (28.0 Hz)"
