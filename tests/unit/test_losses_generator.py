"""Losses beside the adversary: nothing for equals, calibrated gains, blind to a vibrato's phase."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.losses.generator import SpectralMatch, TextureMatch
from synths import spectral

TIMES = np.arange(24000) / 16000
NOISE = np.random.default_rng(0).normal(size=(2, 24000)).astype(np.float32)


def tremolo(rate_hz, phase=0.0, depth=0.5):
    level = 1 + depth * np.sin(2 * np.pi * rate_hz * TIMES + phase)
    return (0.3 * level * np.sin(2 * np.pi * 500 * TIMES)).astype(np.float32)[None]


@pytest.mark.parametrize("loss", [SpectralMatch(), TextureMatch()])
def test_equal_sounds_are_at_no_distance(loss):
    assert float(loss(NOISE, NOISE)) == 0.0
    assert float(loss(NOISE, 0.5 * NOISE)) > 0.1


def test_a_gain_is_its_logarithm():
    distance = SpectralMatch(sizes=(1024,))(NOISE, 0.5 * NOISE)
    np.testing.assert_allclose(distance, np.log(2), rtol=2e-3)
    # Levels of bins and half of the level of all, of stretches and of frames after onset and
    # note-off, differ by log 2 each, the modulation not at all.
    for held in (None, tf.constant([0.5, 1.0])):
        distance = TextureMatch()(NOISE, 0.5 * NOISE, held)
        np.testing.assert_allclose(distance, 3.0 * np.log(2), rtol=2e-3)


def test_the_texture_does_not_hear_when_a_tremolo_begins_but_how_fast_it_is():
    texture = TextureMatch(level_seconds=1.0)
    shifted = float(texture(tremolo(5.0), tremolo(5.0, phase=np.pi)))
    faster = float(texture(tremolo(5.0), tremolo(8.0)))
    still = float(texture(tremolo(5.0), tremolo(5.0, depth=0.0)))
    # Frames after the onset are compared one by one.
    onset = 0.22
    assert shifted - onset < 0.35 * (faster - onset)
    assert shifted - onset < 0.35 * (still - onset)


@pytest.mark.parametrize("n_frames", [4, 5, 9, 61, 62, 63, 94, 130])
def test_the_modulation_is_that_of_windows_half_over_each_other(n_frames):
    texture = TextureMatch()
    curves = np.random.default_rng(n_frames).normal(size=(2, n_frames, 3))
    n = min(62, n_frames)  # 1 s at 62.5 frames a second
    window = np.hanning(n + 1)[:n]
    rates = range(2, max(3, min(n // 2, round(11.0 * n / 62.5))))
    expected = []
    for rate in rates:
        wave = window * np.exp(2j * np.pi * rate * np.arange(n) / n) * 4.0 / n
        windows = [
            np.abs(np.tensordot(curves[:, start : start + n], wave, axes=(1, 0)))
            for start in range(0, n_frames - n + 1, n // 2)
        ]
        expected.append(np.mean(windows, axis=0))
    found = texture._modulation(tf.constant(curves, tf.float32))
    np.testing.assert_allclose(found, np.stack(expected, axis=1), atol=2e-4)


def test_stretches_and_windows_are_never_shorter_than_what_can_be_measured():
    texture = TextureMatch(level_seconds=1e-3, modulation_seconds=1e-3)
    assert (texture.level_frames, texture.modulation_frames) == (1, 4)
    texture = TextureMatch(level_seconds=0.5, modulation_seconds=2.0)
    assert (texture.level_frames, texture.modulation_frames) == (31, 125)


def test_frames_after_a_note_off_are_those_of_each_row():
    held = tf.constant([0.5, 1.0])
    found = TextureMatch()._after(NOISE, held)
    for row, start in enumerate((8000 - 256, 16000 - 256)):
        audio = NOISE[row : row + 1, start : start + 6656]
        expected = np.log(spectral.magnitude(audio, 256, 64) + 1e-6)
        np.testing.assert_allclose(found[row : row + 1, :, :-1], expected, atol=1e-5)


@pytest.mark.parametrize("loss", [SpectralMatch(), TextureMatch()])
def test_silence_has_a_finite_gradient(loss):
    silence = tf.zeros([2, 24000])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        distance = loss(NOISE, silence)
    slope = tape.gradient(distance, silence).numpy()
    assert np.isfinite(distance)
    assert np.isfinite(slope).all()


def test_notes_that_are_not_released_have_no_term_of_a_release():
    quieter = np.concatenate([NOISE[:, :16000], 0.5 * NOISE[:, 16000:]], axis=1)
    texture = TextureMatch(modulation_weight=0.0)
    none, half, both = (
        float(texture(NOISE, quieter, tf.constant(held)))
        for held in ([np.inf, 9.0], [1.0, np.inf], [1.0, 1.0])
    )
    np.testing.assert_allclose(both - none, 0.75 * np.log(2), rtol=0.06)
    np.testing.assert_allclose(half - none, 0.5 * (both - none), rtol=0.05)


def test_an_attack_counts_more_than_what_follows():
    texture = TextureMatch(modulation_weight=0.0)
    early, late = (NOISE.copy() for _ in range(2))
    early[:, :800] *= 0.5
    late[:, 4000:4800] *= 0.5
    at_first, later = (float(texture(NOISE, x)) for x in (early, late))
    assert at_first > 1.5 * later


def test_low_bands_count_more_than_high_ones_and_the_level_beside_them():
    texture = TextureMatch()
    n_bins = texture.n_fft // 2 + 1
    distances = np.zeros((3, 2, 2, n_bins + 1), np.float32)
    distances[0, ..., :64] = 1.0  # below 1 kHz
    distances[1, ..., 384:448] = 1.0  # 6 to 7 kHz
    distances[2, ..., -1] = 1.0
    deep, bright, level = texture._by_frame(tf.constant(distances.reshape(3, 4, -1)))[:, 0]
    # 1 / (700 + f), integrated.
    whole = np.log(8700 / 700)
    np.testing.assert_allclose(deep, np.log(1700 / 700) / whole, rtol=0.01)
    np.testing.assert_allclose(bright, np.log(7700 / 6700) / whole, rtol=0.01)
    np.testing.assert_allclose(level, 0.5)
