"""Onset, note-off and end of notes with known envelopes."""

import numpy as np
import pytest

from noisygan.metrics.note_timing import level_db, note_timing

RATE = 16000


def note(level_db, hz=220.0, seconds=4.0, seed=None):
    """A tone, or noise, with a level in dB over time: points (seconds, dB), linear between."""
    times = np.arange(round(seconds * RATE)) / RATE
    sound = np.sin(2 * np.pi * hz * times)
    if seed is not None:
        sound = np.random.default_rng(seed).normal(size=len(times)) / 3
    points = np.transpose(level_db)
    return (0.5 * sound * 10 ** (np.interp(times, *points) / 20)).astype(np.float32)


HELD = [(0, -120), (0.1, -60), (0.15, 0), (2.5, -2), (2.8, -70), (3, -120)]
PLUCKED = [(0, 0), (4, -60)]


@pytest.mark.parametrize("hz", [33.0, 220.0, 3000.0])
def test_a_held_note(hz):
    found = note_timing(note(HELD, hz), RATE)
    np.testing.assert_allclose(found[:3], (0.115, 2.5, 2.7), atol=0.03)
    assert not found.is_cut


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(0, 0), (0.3, -12), (2, -14), (2.2, -60), (4, -99)], 2.0),  # a plateau after the attack
        ([(0, 0), (1.5, -20), (1.6, -60), (4, -99)], 1.5),  # damped while it decays
        ([(0, -10), (2, 0), (2.9, -30), (4, -120)], 2.0),  # a slow release after a crescendo
        ([(0, 0), (3, 0), (3.01, -120), (4, -120)], 3.0),  # at once
    ],
)
def test_releases(points, expected):
    for seed in (None, 0):
        assert note_timing(note(points, seed=seed), RATE).note_off == pytest.approx(
            expected, abs=0.08
        )


@pytest.mark.parametrize(
    "points",
    [
        PLUCKED,
        [(0, 0), (0.1, -10), (4, -40)],
        [(0, 0), (0.5, -25), (4, -45)],  # two stages, as a piano's
        [(0, 0), (2, -45), (2.3, -90), (4, -90)],  # faded out where it is hardly heard
    ],
)
def test_notes_that_ring_out(points):
    audio = note(points)
    audio *= np.minimum(np.arange(len(audio))[::-1] / (0.5 * RATE), 1)  # as makers end their files
    assert note_timing(audio, RATE).note_off == np.inf


def test_a_cut_note_is_released_where_its_file_ends():
    found = note_timing(note([(0, 0), (4, -3)]), RATE)
    assert found.is_cut
    assert found.note_off == pytest.approx(4.0, abs=0.03)
    assert found.end == pytest.approx(4.0, abs=0.03)


def test_silence_and_very_short_notes():
    assert note_timing(np.zeros(RATE), RATE) == (0.0, np.inf, 0.0, False)
    for n in (1, 50, 500):
        for rate in (1, RATE):
            assert np.isfinite(note_timing(np.ones(n, np.float32), rate).onset)


def test_moments_do_not_depend_on_level_and_sample_rate():
    audio = note(HELD)
    found = note_timing(audio, RATE)
    np.testing.assert_allclose(note_timing(0.01 * audio, RATE), found)
    np.testing.assert_allclose(note_timing(np.repeat(audio, 3), 3 * RATE), found, atol=0.011)


def test_level_is_relative_to_the_peak():
    level = level_db(note([(0, 0), (2, 0), (2.001, -20), (4, -20)]), RATE)
    assert level.max() == 0.0
    np.testing.assert_allclose(level[[100, 300]], [0, -20], atol=0.2)
