"""Kernels give the same bits for the same numbers, wherever in memory arrays lie."""

import numpy as np
import pytest

pytest.importorskip("numba")

from synths.kernels import (
    filter_cpu,
    harmonic_cpu,
    sinusoidal_cpu,
    spectrum_cpu,
    wavetable_cpu,
)

RNG = np.random.default_rng(0)
N_FRAMES, N_SAMPLES = 25, 4000


def numbers(*shape, low=0.0, high=1.0):
    return RNG.uniform(low, high, shape).astype(np.float32)


F0 = numbers(2, N_FRAMES, low=200.0, high=900.0)
BANK = numbers(2, N_FRAMES, 6)
PHASE = np.zeros(2)
SOUND = numbers(2, N_SAMPLES, low=-1.0)
MAGNITUDES = numbers(2, N_FRAMES, 9)
TAPS = numbers(9, 9, low=-1.0)
WINDOW = np.hanning(256).astype(np.float32)
SPECTRA = numbers(2, 63, 129)

CALLS = {
    "harmonic": lambda g: harmonic_cpu.backward(F0, BANK, PHASE, 16000.0, 2, g),
    "sinusoidal": lambda g: sinusoidal_cpu.backward(
        300.0 * BANK, BANK, np.zeros([2, 6]), 16000.0, 2, g
    ),
    "wavetable": lambda g: wavetable_cpu.backward(F0, BANK, BANK, PHASE, 16000.0, 2, g),
    "filter": lambda g: [
        filter_cpu.backward_magnitudes(SOUND, MAGNITUDES.shape, TAPS, 160, 25, 0, g)
    ],
    "spectrum": lambda g: [spectrum_cpu.backward(g, SPECTRA, WINDOW, 64, 128)],
}


@pytest.mark.parametrize("kernel", CALLS)
def test_the_same_bits_wherever_arrays_lie(kernel):
    call = CALLS[kernel]
    expected = call(SOUND)
    rng = np.random.default_rng(2)
    # Pieces of many sizes, kept and dropped at random, so that the next ones lie elsewhere.
    kept = []
    for _ in range(1500):
        gradient = SOUND.copy()
        for value, wanted in zip(call(gradient), expected, strict=True):
            np.testing.assert_array_equal(value, wanted)
        kept.append(np.empty(int(rng.integers(100, 400)), np.float32))
        kept += [gradient] if rng.random() < 0.3 else []
        while len(kept) > 60:
            kept.pop(int(rng.integers(60)))
