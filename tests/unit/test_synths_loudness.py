"""Level: the standard's A-weighting, sines, frames at any rate, gradients at silence."""

import librosa
import numpy as np
import pytest
import tensorflow as tf

from synths import ShapeError, a_weighting_db, compute_loudness, compute_power, compute_rms_energy
from synths.loudness import get_framed_lengths
from tests.finite_differences import assert_gradients

NOISE = np.random.default_rng(0).normal(size=(2, 4000)).astype(np.float32) * 0.1


def sine(hz, rate=16000, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate).astype(np.float32)[None]


def test_a_weighting_is_that_of_the_standard():
    # IEC 61672-1, table 2, at the exact frequencies 10^(n / 10) Hz.
    table = {15: -39.4, 18: -26.2, 21: -16.1, 24: -8.6, 30: 0.0, 36: 1.0, 42: -6.6}
    exact_hz = 10.0 ** (np.array(list(table)) / 10.0)
    np.testing.assert_allclose(a_weighting_db(exact_hz), list(table.values()), atol=0.06)
    hz = np.linspace(0.0, 24000.0, 100)
    np.testing.assert_allclose(a_weighting_db(hz), librosa.A_weighting(hz), atol=1e-6)


def test_the_level_of_a_sine():
    middle = compute_rms_energy(0.5 * sine(500), frame_size=1024)[0, 10:-10]
    np.testing.assert_allclose(middle, 0.5 / np.sqrt(2), rtol=1e-3)
    power = compute_power(0.5 * sine(500), frame_size=1024)[0, 10:-10]
    np.testing.assert_allclose(power, 20 * np.log10(0.5 / np.sqrt(2)), atol=0.01)


def test_rms_is_librosas():
    ours = compute_rms_energy(NOISE, 16000, 250, 512)[1]
    theirs = librosa.feature.rms(y=NOISE[1], frame_length=512, hop_length=64)[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def held_loudness(audio):
    return float(tf.reduce_mean(compute_loudness(audio, n_fft=2048, range_db=120.0)[0, 60:-60]))


def test_loudness_weighs_as_the_ear_does():
    reference = held_loudness(sine(1000.0))
    for hz in (125.0, 250.0, 4000.0):
        np.testing.assert_allclose(
            held_loudness(sine(hz)) - reference, a_weighting_db(hz), atol=0.15
        )
    np.testing.assert_allclose(held_loudness(0.1 * sine(1000.0)) - reference, -20.0, atol=0.01)


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
@pytest.mark.parametrize(("rate", "frame_rate"), [(16000, 250), (44100, 250), (48000, 100)])
def test_frames_stand_where_they_should_at_any_rate(rate, frame_rate, padding):
    # A click every tenth of a second: the loudest frames are those around it.
    audio = np.zeros((1, rate), np.float32)
    audio[0, :: rate // 10] = 1.0
    size = 256
    rms = compute_rms_energy(audio, rate, frame_rate, size, padding)[0].numpy()
    start = np.arange(len(rms)) * rate // frame_rate - (size // 2 if padding == "center" else 0)
    for i, s in enumerate(start):
        inside = audio[0, max(s, 0) : max(s + size, 0)]
        np.testing.assert_allclose(rms[i], np.sqrt(np.sum(inside**2) / size), atol=1e-5)
    if rate % frame_rate == 0:
        assert len(rms) == get_framed_lengths(rate, size, rate // frame_rate, padding)[0]


@pytest.mark.parametrize("function", [compute_rms_energy, compute_power, compute_loudness])
def test_one_sound_alone_unknown_lengths_and_precision(function):
    alone = function(NOISE[0])
    both = function(NOISE)
    np.testing.assert_allclose(alone, both[0], atol=1e-5)
    traced = tf.function(function).get_concrete_function(tf.TensorSpec([None, None]))
    np.testing.assert_allclose(traced(tf.constant(NOISE)), both, atol=1e-4)
    wide = function(NOISE.astype(np.float64))
    assert wide.dtype == tf.float64
    np.testing.assert_allclose(wide, both, atol=1e-3)


@pytest.mark.parametrize("function", [compute_rms_energy, compute_power, compute_loudness])
def test_gradients_also_at_silence(function):
    assert_gradients(function, {"audio": NOISE[:, :600]}, tolerance=1e-5)
    silence = tf.zeros([1, 600])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        level = function(silence)
    assert np.isfinite(level).all()
    assert np.isfinite(tape.gradient(level, silence)).all()


def test_silence_is_at_the_floor_and_numpy_is_numpy():
    level = compute_loudness(np.zeros(1000, np.float32), use_tf=False, range_db=70.0, ref_db=5.0)
    assert isinstance(level, np.ndarray)
    np.testing.assert_allclose(level, -70.0, atol=1e-3)
    silence = np.zeros(1000, np.float32)
    for function in (compute_loudness, compute_power):
        level = function(silence, ref_db=20.7, range_db=120.0)
        np.testing.assert_allclose(level, -120.0, atol=1e-3)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ShapeError, match=r"audio: expected \[batch, n_samples\]"):
        compute_power(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="padding: got 'full', expected one of center, same"):
        compute_power(NOISE, padding="full")
    with pytest.raises(ValueError, match=r"got 16000 and 62.5, expected whole"):
        compute_power(NOISE, frame_rate=62.5)
