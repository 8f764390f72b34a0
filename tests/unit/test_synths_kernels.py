"""Compilation cache of the kernels, and results that are equal bit by bit at any alignment."""

import numpy as np
import pytest

caching = pytest.importorskip("numba.core.caching")

from synths.kernels import filter_cpu, harmonic_cpu, spectrum_cpu  # noqa: E402
from synths.kernels.compiling import compiled  # noqa: E402

RNG = np.random.default_rng(0)
N_FRAMES, N_SAMPLES = 25, 4000


def numbers(*shape, low=0.0, high=1.0):
    return RNG.uniform(low, high, shape).astype(np.float32)


F0 = numbers(2, N_FRAMES, low=200.0, high=900.0)
BANK = numbers(2, N_FRAMES, 6)
PHASE = np.zeros(2)
STRETCH = numbers(2, low=1e-3, high=1e-2)
SOUND = numbers(2, N_SAMPLES, low=-1.0)
MAGNITUDES = numbers(2, N_FRAMES, 9)
TAPS = numbers(9, 9, low=-1.0)
WINDOW = np.hanning(256).astype(np.float32)
SPECTRA = numbers(2, 63, 129)

CALLS = {
    "harmonic": lambda g: harmonic_cpu.backward(F0, BANK, PHASE, 16000.0, 2, g),
    "stretched": lambda g: harmonic_cpu.backward(F0, BANK, PHASE, 16000.0, 2, g, STRETCH),
    "filter": lambda g: [
        filter_cpu.backward_magnitudes(SOUND, MAGNITUDES.shape, TAPS, 160, 25, 0, g)
    ],
    "spectrum": lambda g: [spectrum_cpu.backward(g, SPECTRA, WINDOW, 64, 128)],
}


@pytest.mark.parametrize("kernel", CALLS)
def test_results_do_not_depend_on_alignment(kernel):
    call = CALLS[kernel]
    expected = call(SOUND)
    rng = np.random.default_rng(2)
    # Allocations of random sizes move the next arrays in memory.
    kept = []
    for _ in range(150):
        gradient = SOUND.copy()
        for value, wanted in zip(call(gradient), expected, strict=True):
            np.testing.assert_array_equal(value, wanted)
        kept.append(np.empty(int(rng.integers(100, 400)), np.float32))
        kept += [gradient] if rng.random() < 0.3 else []
        while len(kept) > 60:
            kept.pop(int(rng.integers(60)))


def test_without_a_folder_that_can_be_written_to_they_are_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    monkeypatch.delenv("NUMBA_CACHE_LOCATOR_CLASSES", raising=False)

    @compiled(fastmath=True)
    def double(x):
        return 2.0 * x

    assert double(3.0) == 6.0
    assert double.stats.cache_path is None


def test_with_one_they_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(caching.config, "CACHE_DIR", str(tmp_path))

    @compiled()
    def half(x):
        return 0.5 * x

    assert half(3.0) == 1.5
    assert list(tmp_path.rglob("*.nbi"))
