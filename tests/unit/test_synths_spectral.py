"""Spectra: centred frames, calibrated levels, agreement with librosa and SciPy."""

import librosa
import numpy as np
import pytest
import scipy.fft
import tensorflow as tf

import synths
from synths import (
    compute_logmag,
    compute_logmel,
    compute_mag,
    compute_mel,
    compute_mfcc,
    spectral,
    stft,
)
from tests.finite_differences import assert_gradients


def sine(hz, n=4000, rate=16000, amplitude=1.0):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(n) / rate)).astype(np.float32)[None]


SIZES = [(256, 64), (1024, 256), (128, 50), (100, 100), (64, 100), (255, 85), (1024, 100)]


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
@pytest.mark.parametrize("n_samples", [1, 777, 3000])
def test_frames_are_centred_on_whole_hops(n_fft, hop, n_samples):
    audio = np.arange(1, n_samples + 1, dtype=np.float32)[None]
    frames = spectral.frame(audio, n_fft, hop)
    n_frames = -(-n_samples // hop)
    assert frames.shape == (1, n_frames, n_fft)
    padded = np.pad(audio[0], (n_fft // 2, n_fft + hop))
    expected = [padded[i * hop : i * hop + n_fft] for i in range(n_frames)]
    np.testing.assert_array_equal(frames[0], expected)


@pytest.mark.parametrize(("n_fft", "hop"), [(256, 64), (128, 50)])
def test_an_impulse_peaks_in_its_own_frame(n_fft, hop):
    for i in (0, 3, 7):
        audio = np.zeros((1, 1000), np.float32)
        audio[0, i * hop] = 1.0
        level = spectral.magnitude(audio, n_fft, hop).numpy()[0].sum(axis=1)
        assert np.argmax(level) == i


@pytest.mark.parametrize(("n_fft", "hop"), [(256, 64), (1024, 200)])
@pytest.mark.parametrize("amplitude", [1.0, 0.01])
def test_a_sine_has_its_amplitude(n_fft, hop, amplitude):
    bin_ = n_fft // 8
    magnitude = spectral.magnitude(
        sine(bin_ * 16000 / n_fft, 6000, amplitude=amplitude), n_fft, hop
    )
    middle = magnitude[0, len(magnitude[0]) // 2].numpy()
    assert np.argmax(middle) == bin_
    np.testing.assert_allclose(middle[bin_], amplitude, rtol=1e-4)


def test_magnitude_is_librosas_on_another_scale():
    audio = np.random.default_rng(0).normal(size=(1, 2000)).astype(np.float32)
    expected = np.abs(librosa.stft(audio[0], n_fft=256, hop_length=64, pad_mode="constant"))
    magnitude = spectral.magnitude(audio, 256, 64)[0].numpy()
    np.testing.assert_allclose(magnitude, expected.T[: len(magnitude)] * 4 / 256, atol=1e-5)


@pytest.mark.parametrize("analysis", [spectral.magnitude, spectral.log_mel, spectral.mfcc])
def test_gradients_are_finite_at_silence_and_at_full_scale(analysis):
    arguments = () if analysis is spectral.magnitude else (16000,)
    for audio in (np.zeros((1, 2000), np.float32), sine(440, 2000), 1e4 * sine(440, 2000)):
        audio = tf.constant(audio)
        with tf.GradientTape() as tape:
            tape.watch(audio)
            value = analysis(audio, *arguments)
        assert np.isfinite(value).all()
        assert np.isfinite(tape.gradient(value, audio)).all()


def test_mel_filters_are_librosas_where_these_are_wider_than_a_bin():
    ours = spectral.mel_matrix(40, 1025, 16000, f_min=20.0)
    theirs = librosa.filters.mel(sr=16000, n_fft=2048, n_mels=40, fmin=20.0, norm=1).T
    hz = librosa.mel_frequencies(42, fmin=20.0, fmax=8000.0)
    wide = np.minimum(np.diff(hz)[:-1], np.diff(hz)[1:]) > 16000 / 2048
    assert wide.sum() > 30
    np.testing.assert_allclose(ours[:, wide], theirs[:, wide], atol=1e-6)


@pytest.mark.parametrize(("n_mels", "n_bins", "rate"), [(128, 129, 16000), (80, 513, 48000)])
def test_no_mel_band_is_empty(n_mels, n_bins, rate):
    filters = spectral.mel_matrix(n_mels, n_bins, rate)
    assert filters.dtype == np.float32
    assert (filters >= 0).all()
    np.testing.assert_allclose(filters.sum(axis=0), np.ones(n_mels), rtol=1e-5)
    centres = np.argmax(filters, axis=0)
    assert (np.diff(centres) >= 0).all()


@pytest.mark.parametrize(("n_in", "n_out"), [(128, 30), (20, 20), (1, 1)])
def test_the_dct_is_scipys(n_in, n_out):
    rows = np.random.default_rng(2).normal(size=(5, n_in))
    expected = scipy.fft.dct(rows, type=2, norm="ortho", axis=1)[:, :n_out]
    np.testing.assert_allclose(rows @ spectral.dct_matrix(n_in, n_out), expected, atol=1e-5)


def test_mfcc_is_the_dct_of_log_mel():
    audio = np.random.default_rng(3).normal(size=(2, 500)).astype(np.float32)
    bands = spectral.log_mel(audio, 16000, 256, 64, 128)
    expected = scipy.fft.dct(bands.numpy(), type=2, norm="ortho", axis=2)[:, :, :30]
    answer = spectral.mfcc(audio, 16000)
    assert answer.shape == (2, 8, 30)
    np.testing.assert_allclose(answer, expected, atol=1e-3)


def test_ddsp_named_spectra_in_both_precisions():
    audio = np.random.default_rng(0).normal(size=(2, 3000))
    for function in (compute_mag, compute_logmag, compute_mel, compute_logmel, compute_mfcc, stft):
        wide, narrow = function(audio), function(audio.astype(np.float32))
        assert wide.dtype in (tf.float64, tf.complex128)
        np.testing.assert_allclose(narrow, wide, rtol=1e-5, atol=2e-3)
        np.testing.assert_array_equal(function(audio[..., None]), wide)
    # One frame a hop, begun at the hop, also where the transform is longer than the frame.
    for size in (512, 511, 300):
        expected = np.abs(stft(audio, size))
        assert expected.shape[1] == -(-3000 // (size // 4))
        np.testing.assert_allclose(compute_mag(audio, size), expected, atol=1e-5)


@pytest.mark.parametrize("function", [compute_mag, compute_logmel, compute_mfcc])
def test_gradients_of_ddsp_named_spectra(function):
    audio = np.random.default_rng(0).normal(size=(1, 1500))
    assert_gradients(function, {"audio": audio}, tolerance=1e-5)


@pytest.mark.parametrize("function", [spectral.log_mel, spectral.mfcc])
def test_gradients_of_centred_features(function):
    audio = np.random.default_rng(0).normal(size=(1, 900))
    assert_gradients(lambda audio: function(audio, 16000), {"audio": audio}, tolerance=1e-5)


SPECTRA = {
    "magnitude": lambda x: spectral.magnitude(x, 256, 64),
    "uneven": lambda x: spectral.magnitude(x, 128, 50),
    "mag": lambda x: compute_mag(x, 256),
    "whole": lambda x: compute_mag(x, 256, pad_end=False),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("n_samples", [1, 640, 3001])
def test_the_kernel_is_the_plain_path(name, n_samples):
    audio = tf.constant(np.random.default_rng(0).normal(size=(3, n_samples)) * 0.05, tf.float32)
    found = []
    for native in (True, False):
        synths.set_native_kernels(native)
        try:
            with tf.GradientTape() as second:
                second.watch(audio)
                with tf.GradientTape() as tape:
                    tape.watch(audio)
                    size = SPECTRA[name](audio)
                    total = tf.reduce_sum(size**2 + tf.sin(size))
                slope = tape.gradient(total, audio)
                bend = tf.reduce_sum(tf.sin(slope))
            found.append((size, slope, second.gradient(bend, audio)))
        finally:
            synths.set_native_kernels(None)
    for one, other in zip(*found, strict=True):
        largest = np.abs(other).max() if other.shape.num_elements() else 0.0
        np.testing.assert_allclose(one, other, atol=1e-5 * max(largest, 1e-3))


def test_the_kernel_takes_unknown_lengths():
    traced = tf.function(SPECTRA["magnitude"], input_signature=[tf.TensorSpec([None, None])])
    for n in (64, 999):
        audio = tf.constant(np.random.default_rng(0).normal(size=(2, n)), tf.float32)
        np.testing.assert_allclose(traced(audio), SPECTRA["magnitude"](audio), atol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        synths.stft,
        synths.compute_mag,
        synths.compute_logmag,
        synths.compute_mel,
        synths.compute_logmel,
        synths.compute_mfcc,
        lambda audio: synths.compute_mag(audio, 600),
    ],
)
def test_one_sound_alone(function):
    audio = np.random.default_rng(0).normal(size=(1, 4000)).astype(np.float32)
    alone, batch = function(audio[0]), function(audio)
    assert alone.shape == batch.shape[1:]
    np.testing.assert_allclose(alone, batch[0], rtol=1e-5, atol=1e-5)
