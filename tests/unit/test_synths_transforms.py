"""Transforms of many sequences side by side, and the spectra made of them, against NumPy's."""

import numpy as np
import pytest

pytest.importorskip("numba")

from synths.kernels import spectrum_cpu
from synths.kernels.transforms import (
    LANES,
    LENGTHS,
    rows_of,
    transform,
    transform_back,
    turns,
)


def sequences(n):
    rng = np.random.default_rng(n)
    return (rng.normal(size=(LANES, n)) + 1j * rng.normal(size=(LANES, n))).astype(np.complex64)


def block_of(x):
    return np.stack([x.real.T, x.imag.T], axis=1).astype(np.float32).reshape(-1)


def unblocked(block, n):
    parts = block.reshape(n, 2, LANES)
    return (parts[:, 0] + 1j * parts[:, 1]).T


@pytest.mark.parametrize("n", LENGTHS)
def test_there(n):
    x = sequences(n)
    block = block_of(x)
    transform(block, n, turns(n))
    wanted = np.fft.fft(x, axis=1)
    np.testing.assert_allclose(unblocked(block, n)[:, rows_of(n)], wanted, atol=1e-6 * n)


@pytest.mark.parametrize("n", LENGTHS)
def test_there_and_back(n):
    x = sequences(n)
    block = block_of(x)
    transform(block, n, turns(n))
    transform_back(block, n, turns(n))
    np.testing.assert_allclose(unblocked(block, n) / n, x, atol=1e-5)


@pytest.mark.parametrize("n_fft", LENGTHS)
@pytest.mark.parametrize(
    ("hop", "n_samples", "before"), [(64, 5000, 128), (7, 900, 0), (600, 4000, 50)]
)
def test_magnitudes_and_their_gradient(n_fft, hop, n_samples, before):
    rng = np.random.default_rng(hop)
    audio = rng.normal(size=(3, n_samples)).astype(np.float32)
    window = np.hanning(n_fft).astype(np.float32)
    n_frames = -(-n_samples // hop)
    padded = np.pad(audio.astype(np.float64), [(0, 0), (before, n_fft + hop)])
    starts = hop * np.arange(n_frames)[:, None] + np.arange(n_fft)
    spectra = np.fft.rfft(padded[:, starts] * window, axis=2)
    size = spectrum_cpu.forward(audio, window, hop, before, n_frames)
    np.testing.assert_allclose(size, np.abs(spectra), atol=1e-5 * np.abs(spectra).max())

    upstream = rng.normal(size=size.shape).astype(np.float32)
    shares = upstream * spectra / np.maximum(np.abs(spectra), 1e-12)
    k = np.arange(n_fft // 2 + 1)
    weight = np.where((k == 0) | (k == n_fft // 2), 1.0, 0.5) * n_fft
    frames = np.fft.irfft(shares * weight, n_fft, axis=2) * window
    wanted = np.zeros_like(padded)
    for row in range(3):
        np.add.at(wanted[row], starts, frames[row])
    slope = spectrum_cpu.backward(audio, upstream, window, hop, before)
    wanted = wanted[:, before : before + n_samples]
    np.testing.assert_allclose(slope, wanted, atol=3e-5 * np.abs(wanted).max())
