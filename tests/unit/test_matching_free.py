"""Analysis by synthesis of a sound whose controls are known."""

import numpy as np
import pytest

from noisygan.matching import free
from noisygan.matching.analysis import analyse
from noisygan.matching.distance import log_spectral_distance
from noisygan.rendering.controls import (
    check_controls,
    load_controls,
    render_controls,
    save_controls,
)

RATE = 16000
N_SAMPLES = 8000


@pytest.fixture(scope="module")
def known():
    """Controls of half a second: a falling tone of a few harmonics, and some breath."""
    times = np.arange(50) / 100
    shares = np.tile(np.array([0.6, 0.1, 0.25, 0.05], np.float32), (50, 1))
    controls = free.start_controls(
        analyse(np.sin(2 * np.pi * 300 * np.arange(N_SAMPLES) / RATE), RATE), N_SAMPLES, RATE
    )
    return controls | {
        "harmonic/f0_hz": (300.0 * 2 ** (-0.05 * times)).astype(np.float32),
        "harmonic/amplitudes": (0.4 * np.exp(-3 * times)).astype(np.float32),
        "harmonic/harmonic_distribution": shares,
        "noise/magnitudes": np.full((50, 65), 2e-3, np.float32),
    }


@pytest.fixture(scope="module")
def fitted(known):
    """(target, controls at the start, controls that were found, losses)."""
    target = render_controls(known)
    start = free.start_controls(analyse(target, RATE), N_SAMPLES, RATE, noise_seed=5)
    return target, start, *free.fit_controls(start, target, 80)


def test_the_start_is_at_the_targets_pitch_and_level(known, fitted):
    target, start, _, _ = fitted
    check_controls(start)
    np.testing.assert_allclose(start["harmonic/f0_hz"], known["harmonic/f0_hz"], rtol=0.01)
    sound = render_controls(start)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(target**2)), rel=0.1)
    shares = start["harmonic/harmonic_distribution"]
    assert shares.shape[1] in (26, 27)
    for row in shares:
        np.testing.assert_allclose(row[row > 0.0], 1.0 / np.sum(row > 0.0), rtol=1e-6)


def test_the_descent_finds_the_sound_and_its_controls(known, fitted):
    target, start, found, losses = fitted
    before, after = (
        log_spectral_distance(target, render_controls(c), RATE) for c in (start, found)
    )
    assert after < before - 10.0
    assert losses[-1] < 0.2 * losses[0]
    within = slice(5, 45)
    wanted = known["harmonic/amplitudes"][within, None] * [0.6, 0.1, 0.25]
    parts = found["harmonic/amplitudes"][:, None] * found["harmonic/harmonic_distribution"]
    error_db = 20 * np.log10(parts[within, :3] / wanted)
    assert np.median(np.abs(error_db)) < 1.0
    cents = 1200 * np.log2(found["harmonic/f0_hz"] / known["harmonic/f0_hz"])[within]
    assert np.median(np.abs(cents)) < 5.0


def test_what_is_found_is_a_controls_file_that_renders_the_same(fitted, tmp_path):
    _, _, found, _ = fitted
    save_controls(tmp_path / "a.npz", found)
    again = load_controls(tmp_path / "a.npz")
    np.testing.assert_array_equal(render_controls(again), render_controls(found))
    assert int(again["noise_seed"]) == 5
