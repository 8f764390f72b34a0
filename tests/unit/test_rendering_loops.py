"""Loops of held notes: found where sounds repeat, and repeated without a click."""

import numpy as np
import pytest
import scipy.signal

from noisygan.rendering.loops import Loop, crossfade_loop, find_loop, play_loop

RATE = 16000


def note(noise=0.01, decay_db=0.0):
    """Three seconds of harmonics with vibrato, and noise."""
    times = np.arange(3 * RATE) / RATE
    cycles = 261.6 * times + 0.3 * np.sin(2 * np.pi * 5.3 * times)
    sound = sum(0.3 / k**2 * np.sin(2 * np.pi * k * cycles) for k in range(1, 7))
    sound += noise * np.random.default_rng(0).uniform(-1, 1, len(times))
    return (sound * 10 ** (-decay_db * times / 20)).astype(np.float32)


def highs(sound):
    """Level above 5 kHz in windows of 2 ms."""
    high_pass = scipy.signal.butter(6, 5000, "high", fs=RATE, output="sos")
    filtered = scipy.signal.sosfilt(high_pass, sound)
    return np.sqrt(np.mean(filtered[: len(sound) // 32 * 32].reshape(-1, 32) ** 2, axis=1))[100:]


def test_a_loop_repeats_without_a_click_and_keeps_pitch_and_level():
    sound = note()
    loop = find_loop(sound, RATE, 6000, 44000)
    assert loop.likeness > 0.97 and 6000 <= loop.start < loop.end <= 44000 - loop.fade
    looped = play_loop(crossfade_loop(sound, loop), loop, 12 * RATE)
    levels = highs(looped)
    assert levels.max() < 2.0 * np.median(levels)
    # The measure does hear a seam that fits badly.
    worse = Loop(loop.start + 31, loop.end, loop.fade, loop.likeness)
    levels = highs(play_loop(sound, worse, 10 * RATE))
    assert levels.max() > 4.0 * np.median(levels)
    looped = looped[2 * RATE :]
    power = np.abs(np.fft.rfft(looped * np.hanning(len(looped)))) ** 2
    hz = np.arange(len(power)) * RATE / len(looped)
    power[(hz < 200) | (hz > 320)] = 0.0
    assert np.sum(hz * power) / np.sum(power) == pytest.approx(261.6, abs=0.5)
    frames = looped.reshape(-1, 800).std(axis=1)
    assert 20 * np.log10(frames.max() / frames.min()) < 1.5


def test_loop_points_are_exact():
    sound = np.arange(100, dtype=np.float32)
    looped = play_loop(sound, Loop(20, 50, 4, 1.0), 110)
    np.testing.assert_array_equal(looped, np.r_[sound[:50], sound[20:50], sound[20:50]])
    np.testing.assert_array_equal(play_loop(sound, None, 120), np.r_[sound, np.zeros(20)])


def test_the_seam_equals_the_start_and_its_level_stays():
    noise = np.random.default_rng(1).normal(size=48000).astype(np.float32)
    smooth = crossfade_loop(noise, Loop(8000, 36000, 4000, 0.0))
    np.testing.assert_allclose(smooth[35992:36008], noise[7992:8008], atol=1e-6)
    for kept in (slice(0, 32000), slice(40000, None)):
        np.testing.assert_array_equal(smooth[kept], noise[kept])
    for part in (slice(32500, 34000), slice(34000, 35500)):
        assert smooth[part].std() == pytest.approx(1.0, abs=0.06)


def test_decay_noise_and_silence_have_no_loop():
    noise = np.random.default_rng(0).uniform(-1, 1, 48000)
    for sound in (noise, note(decay_db=40.0, noise=0.0), np.zeros(48000)):
        assert find_loop(sound, RATE, 6000, 44000) is None
    for last in (6100, 2000):  # too short
        assert find_loop(note(), RATE, 6000, last) is None
