"""Losses beside the adversary: nothing for equals, calibrated gains, blind to a vibrato's phase."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.losses.generator import SpectralMatch, TextureMatch
from synths import spectral

TIMES = np.arange(24000) / 16000
NOISE = np.random.default_rng(0).normal(size=(2, 24000)).astype(np.float32)

TEXTURE = {"moments_seconds": (0.0, 1.0)}


def tremolo(rate_hz, phase=0.0, depth=0.5):
    level = 1 + depth * np.sin(2 * np.pi * rate_hz * TIMES + phase)
    return (0.3 * level * np.sin(2 * np.pi * 500 * TIMES)).astype(np.float32)[None]


@pytest.mark.parametrize("loss", [SpectralMatch(), TextureMatch(**TEXTURE)])
def test_equal_sounds_are_at_no_distance(loss):
    assert float(loss(NOISE, NOISE)) == 0.0
    assert float(loss(NOISE, 0.5 * NOISE)) > 0.1


def test_a_gain_is_its_logarithm():
    distance = SpectralMatch(sizes=(1024,))(NOISE, 0.5 * NOISE)
    np.testing.assert_allclose(distance, np.log(2), rtol=2e-3)
    # Levels of bins, half of the level of all and frames around moments differ by log 2 each, the
    # modulation not at all.
    distance = TextureMatch(**TEXTURE)(NOISE, 0.5 * NOISE)
    np.testing.assert_allclose(distance, 2.5 * np.log(2), rtol=2e-3)


def test_the_texture_does_not_hear_when_a_tremolo_begins_but_how_fast_it_is():
    texture = TextureMatch(moments_seconds=(), level_seconds=1.0)
    shifted = float(texture(tremolo(5.0), tremolo(5.0, phase=np.pi)))
    faster = float(texture(tremolo(5.0), tremolo(8.0)))
    still = float(texture(tremolo(5.0), tremolo(5.0, depth=0.0)))
    assert shifted < 0.35 * faster
    assert shifted < 0.35 * still


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


@pytest.mark.parametrize(("moment", "start", "end"), [(0.0, 0, 6656), (1.0, 15744, 22400)])
def test_frames_around_a_moment_begin_a_frame_before_it(moment, start, end):
    expected = np.log(spectral.magnitude(NOISE[:, start:end], 256, 64) + 1e-6)
    np.testing.assert_allclose(TextureMatch()._around(NOISE, moment), expected, atol=1e-5)


@pytest.mark.parametrize("loss", [SpectralMatch(), TextureMatch(**TEXTURE)])
def test_silence_has_a_finite_gradient(loss):
    silence = tf.zeros([2, 24000])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        distance = loss(NOISE, silence)
    slope = tape.gradient(distance, silence).numpy()
    assert np.isfinite(distance)
    assert np.isfinite(slope).all()


def test_moments_behind_the_end_of_short_sounds_are_left_out():
    short = NOISE[:, :4000]
    both = TextureMatch(moments_seconds=(0.0, 3.0))(short, 0.5 * short)
    one = TextureMatch(moments_seconds=(0.0,))(short, 0.5 * short)
    np.testing.assert_allclose(both, one)
    none = TextureMatch(moments_seconds=(3.0,))(short, 0.5 * short)
    np.testing.assert_allclose(none, 1.5 * np.log(2), rtol=5e-3)


def test_low_bands_count_more_than_high_ones_and_the_level_beside_them():
    texture = TextureMatch()
    n_bins = texture.n_fft // 2 + 1
    distances = np.zeros((3, 2, 2, n_bins + 1), np.float32)
    distances[0, ..., :64] = 1.0  # below 1 kHz
    distances[1, ..., 384:448] = 1.0  # 6 to 7 kHz
    distances[2, ..., -1] = 1.0
    deep, bright, level = (float(texture._mean(tf.constant(d))) for d in distances)
    # 1 / (700 + f), integrated.
    whole = np.log(8700 / 700)
    np.testing.assert_allclose(deep, np.log(1700 / 700) / whole, rtol=0.01)
    np.testing.assert_allclose(bright, np.log(7700 / 6700) / whole, rtol=0.01)
    np.testing.assert_allclose(level, 0.5)
