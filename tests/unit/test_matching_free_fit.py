"""Analysis by synthesis of a sound whose controls are known."""

from pathlib import Path

import numpy as np
import pytest

from noisygan.audio_io.controls import check_controls, load_controls
from noisygan.errors import UsageError
from noisygan.matching import free_fit, matching
from noisygan.matching.analysis import analyse
from noisygan.matching.distance import log_spectral_distance
from noisygan.matching.target import Target
from noisygan.rendering.synthesis import render_controls, render_in_blocks

RATE = 16000
N_SAMPLES = 8000


@pytest.fixture(scope="module")
def known():
    """Controls of half a second: a falling tone of a few harmonics, and some breath."""
    times = np.arange(50) / 100
    shares = np.tile(np.array([0.6, 0.1, 0.25, 0.05], np.float32), (50, 1))
    controls = free_fit.start_controls(
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
    start = free_fit.start_controls(analyse(target, RATE), N_SAMPLES, RATE, noise_seed=5)
    return target, start, *free_fit.fit_controls(start, target, 120)


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
    check_controls(found)
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


@pytest.fixture(scope="module")
def in_room(known):
    """(target, dry sound): a steady tone of a second that is let go, in a room of 0.7 s."""
    n_frames, n_samples = 170, 27200
    held = np.minimum(np.ones(n_frames), 10.0 ** (-0.6 * (np.arange(n_frames) - 100)))
    dry = known | {
        "n_samples": np.array(n_samples),
        "harmonic/f0_hz": np.full(n_frames, 300.0, np.float32),
        "harmonic/amplitudes": (0.3 * held).astype(np.float32),
        "harmonic/harmonic_distribution": np.full((n_frames, 8), 0.125, np.float32),
        "noise/magnitudes": np.full((n_frames, 65), 1e-5, np.float32) * held[:, None],
    }
    times = np.arange(round(0.84 * RATE)) / RATE
    response = np.random.default_rng(4).normal(size=len(times)) * 10.0 ** (-3.0 * times / 0.7)
    response *= np.sqrt(0.25 / np.sum(response**2))
    wet = dry | {
        "reverb/ir": response.astype(np.float32),
        "reverb/sample_rate": np.array(RATE),
        "reverb/add_dry": np.array(True),
    }
    return render_controls(wet), render_controls(dry)


def test_a_reverb_is_fitted_and_kept_with_the_controls(in_room, tmp_path):
    target, dry = in_room
    match = matching.match_free(Target(Path("a.wav"), target, RATE), n_steps=60, room_seconds=0.7)
    found = match.controls
    assert match.remarks == ()
    rest = np.cumsum(found["reverb/ir"][::-1] ** 2)[::-1]
    level = -10.0 * np.log10(rest / rest[0])
    seconds = 3.0 * (np.searchsorted(level, 25.0) - np.searchsorted(level, 5.0)) / RATE
    assert seconds == pytest.approx(0.7, rel=0.25)

    def behind_db(audio):
        """Energy from 0.1 s behind the note's end on, relative to all of it."""
        return 10.0 * np.log10(np.sum(audio[17600:] ** 2) / np.sum(audio**2) + 1e-12)

    blocks = list(render_in_blocks(found))
    parts = {name: np.concatenate([p[name] for _, p in blocks]) for name in blocks[0][1]}
    assert behind_db(dry) < -100.0
    assert behind_db(parts["harmonic"] + parts["noise"]) < behind_db(target) - 10.0
    assert behind_db(parts["reverb"]) > behind_db(target)
    written = match.save(tmp_path, stems=True)
    assert [path.name for path in written] == ["a.wav", "a.npz", "a"]
    assert {path.stem for path in written[2].iterdir()} == {"harmonic", "noise", "reverb"}
    np.testing.assert_array_equal(render_controls(load_controls(written[1])), match.audio)
    with pytest.raises(UsageError, match="exists already"):
        match.save(tmp_path)


def test_a_dry_target_stays_dry(in_room):
    _, dry = in_room
    target = Target(Path("a.wav"), dry[12000:20000], RATE)
    match = matching.match_free(target, n_steps=1, room_seconds=1.0)
    assert "reverb/ir" not in match.controls and "no reverb" in match.remarks[0]


def test_loud_sounds_are_turned_down_with_their_controls():
    noise = np.random.default_rng(0).normal(size=4000)
    noise = (noise / np.abs(noise).max()).astype(np.float32)
    match = matching.match_free(Target(Path("a.wav"), noise, RATE), n_steps=1)
    assert match.lowered_db > 0.0 and 0.9 < np.max(np.abs(match.audio)) <= 1.0
    np.testing.assert_array_equal(render_controls(match.controls), match.audio)
