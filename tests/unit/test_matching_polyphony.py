"""Whether several notes sound at once."""

import numpy as np
import pytest

from noisygan.matching.analysis import Analysis
from noisygan.matching.polyphony import is_several

RATE = 16000
TIMES = np.arange(RATE) / RATE


def tone(*hz):
    waves = [0.1 / k * np.sin(2 * np.pi * f * k * TIMES) for f in hz for k in (1, 2, 3, 4)]
    return np.sum(waves, axis=0)


def heard(f0_hz, confidence=0.95):
    return Analysis(np.full(100, f0_hz, np.float32), np.ones(100, np.float32), confidence)


@pytest.mark.parametrize("hz", [82.0, 392.0, 1480.0])
def test_one_note_is_one(hz):
    assert not is_several(tone(hz), RATE, heard(hz))
    vibrato = hz * 2 ** (np.sin(2 * np.pi * 5 * np.arange(100) / 100) / 24)
    phase = np.cumsum(np.interp(TIMES, np.arange(100) / 100, vibrato)) / RATE
    wave = sum(np.sin(2 * np.pi * k * phase) / k for k in (1, 2, 3))
    track = heard(hz)._replace(f0_hz=vibrato.astype(np.float32))
    assert not is_several(wave, RATE, track)


def test_what_sounds_between_the_harmonics_is_another_note():
    assert is_several(tone(392.0, 554.4), RATE, heard(392.0))
    assert not is_several(tone(392.0) + 0.05 * tone(554.4), RATE, heard(392.0))


def test_a_pitch_below_all_that_sounds_is_a_guess():
    several = tone(800.0, 1000.0, 1300.0)
    assert is_several(several, RATE, heard(100.0, confidence=0.8))
    assert not is_several(several, RATE, heard(100.0, confidence=0.95))


def test_a_tracker_that_is_unsure_hears_several():
    assert is_several(tone(392.0), RATE, heard(392.0, confidence=0.3))
