"""Loops of held notes: found where sounds repeat, and gone round without a click."""

import numpy as np
import pytest
import scipy.signal

from noisygan.rendering.loops import Loop, crossfade_loop, find_loop, play_loop

RATE = 16000


def note(seconds=3.0, hz=261.6, noise=0.01, decay_db=0.0, seed=0):
    """Harmonics with vibrato, and noise."""
    times = np.arange(round(seconds * RATE)) / RATE
    cycles = hz * times + 0.3 * np.sin(2 * np.pi * 5.3 * times)
    sound = sum(0.3 / k**2 * np.sin(2 * np.pi * k * cycles) for k in range(1, 7))
    sound += noise * np.random.default_rng(seed).uniform(-1, 1, len(times))
    return (sound * 10 ** (-decay_db * times / 20)).astype(np.float32)


def highs(sound):
    """Level of what lies above 5 kHz, in windows of 2 ms."""
    filtered = scipy.signal.sosfilt(
        scipy.signal.butter(6, 5000, "high", fs=RATE, output="sos"), sound
    )
    return np.sqrt(np.mean(filtered[: len(sound) // 32 * 32].reshape(-1, 32) ** 2, axis=1))


def test_a_loop_goes_round_without_a_click():
    sound = note()
    loop = find_loop(sound, RATE, 6000, 44000)
    assert loop.likeness > 0.98
    assert 6000 <= loop.start < loop.end <= 44000 - loop.fade
    around = play_loop(crossfade_loop(sound, loop), loop, 10 * RATE)
    levels = highs(around)[100:]
    assert levels.max() < 2.0 * np.median(levels)
    # The measure does hear a seam that fits badly.
    worse = Loop(loop.start + 31, loop.end, loop.fade, loop.likeness)
    levels = highs(play_loop(sound, worse, 10 * RATE))[100:]
    assert levels.max() > 4.0 * np.median(levels)


def test_pitch_and_level_stay_while_it_goes_round():
    sound = note(hz=440.0)
    loop = find_loop(sound, RATE, 6000, 44000)
    around = play_loop(crossfade_loop(sound, loop), loop, 12 * RATE)[2 * RATE :]
    power = np.abs(np.fft.rfft(around * np.hanning(len(around)))) ** 2
    hz = np.arange(len(power)) * RATE / len(around)
    power[(hz < 350) | (hz > 530)] = 0.0
    assert np.sum(hz * power) / np.sum(power) == pytest.approx(440.0, abs=0.5)
    frames = around.reshape(-1, 800).std(axis=1)
    assert 20 * np.log10(frames.max() / frames.min()) < 1.5


def test_the_loop_begins_and_ends_where_it_is_said_to():
    sound = np.arange(100, dtype=np.float32)
    loop = Loop(20, 50, 4, 1.0)
    around = play_loop(sound, loop, 120)
    np.testing.assert_array_equal(around[:50], sound[:50])
    np.testing.assert_array_equal(around[50:80], sound[20:50])
    np.testing.assert_array_equal(around[80:110], sound[20:50])
    np.testing.assert_array_equal(play_loop(sound, None, 120)[100:], 0.0)
    np.testing.assert_array_equal(play_loop(sound, None, 60), sound[:60])


def test_the_seam_is_that_of_the_start_and_the_rest_is_left_alone():
    sound = note()
    loop = Loop(12000, 36000, 1280, 0.0)
    smooth = crossfade_loop(sound, loop)
    np.testing.assert_allclose(smooth[35992:36008], sound[11992:12008], atol=1e-6)
    for kept in (slice(0, 36000 - 1280), slice(36000 + 1280, None)):
        np.testing.assert_array_equal(smooth[kept], sound[kept])
    assert smooth.dtype == np.float32


def test_sound_that_has_nothing_in_common_keeps_its_level_in_the_fade():
    sound = np.random.default_rng(1).normal(size=48000).astype(np.float32)
    smooth = crossfade_loop(sound, Loop(8000, 36000, 4000, 0.0))
    for part in (slice(32500, 34000), slice(34000, 35500)):
        assert smooth[part].std() == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(
    "sound",
    [
        np.random.default_rng(0).uniform(-1, 1, 48000),
        note(decay_db=40.0, noise=0.0),
        np.zeros(48000),
    ],
    ids=["noise", "dying away", "silence"],
)
def test_what_does_not_hold_still_has_no_loop(sound):
    assert find_loop(sound, RATE, 6000, 44000) is None


def test_too_short_a_stretch_has_no_loop():
    assert find_loop(note(), RATE, 6000, 6100) is None
    assert find_loop(note(), RATE, 6000, 2000) is None
