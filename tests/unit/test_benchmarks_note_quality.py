"""The real-or-fake classifier is fooled by equals and names what gives a difference away."""

import numpy as np
import pytest
import soundfile

from benchmarks.analysed_notes import analyse, comparable, find_notes, matching
from benchmarks.two_sample import giveaways, told_apart
from noisygan.errors import UsageError

RATE = 16000


def write_notes(folder, seed, cents=0.0, pitches=range(60, 70)):
    """Short notes of random timbre, one a pitch and velocity."""
    rng = np.random.default_rng(seed)
    times = np.arange(4 * RATE) / RATE
    folder.mkdir()
    for pitch in pitches:
        for velocity in (50, 100):
            f0_hz = 440.0 * 2 ** ((pitch - 69 + (cents + rng.normal()) / 100) / 12)
            gains = 10 ** (rng.normal(-10, 3, size=4) / 20)
            phase = 2 * np.pi * f0_hz * times
            note = sum(g * np.sin((k + 1) * phase) for k, g in enumerate(gains))
            note += 10 ** (rng.normal(-50, 3) / 20) * rng.normal(size=len(times))
            note *= np.clip(times / 0.05, 0, 1) * np.clip(1 - (times - 3) / 0.2, 0, 1)
            path = folder / f"tone-{pitch:03d}-{velocity:03d}-000.wav"
            soundfile.write(path, 0.2 * velocity / 127 * note, RATE)
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    kinds = {"real": (0, 0.0), "same": (1, 0.0), "detuned": (2, 25.0)}
    return {k: analyse(find_notes(write_notes(folder / k, *v))) for k, v in kinds.items()}


def test_names_are_read_label_first(sets):
    assert set(sets["real"].pitch) == set(range(60, 70))
    assert set(sets["real"].velocity) == {50, 100}


def test_equal_sets_are_not_told_apart_and_different_ones_are(sets):
    whole, _ = told_apart(sets["real"], sets["same"], by_family=False)
    assert all(25 <= accuracy <= 75 for accuracy in whole.values())
    whole, by_family = told_apart(sets["real"], sets["detuned"])
    assert by_family["pitch"] > 95
    assert by_family["partials"] < 80
    assert max(whole.values()) > 60  # one telling feature among five hundred, few notes


def test_the_giveaway_is_named_first(sets):
    first = giveaways(sets["real"], sets["detuned"], sets["real"])[0]
    assert first["name"] == "pitch/held [cents]" and first["auc"] > 0.99
    assert first["fake"] - first["real"] == pytest.approx(25.0, abs=2.0)


def test_matching_goes_by_pitch_then_velocity(sets):
    real = sets["real"]
    rows = matching(real, real)
    assert np.array_equal(rows, np.arange(len(real)))
    other = matching(real, real, exclude_self=True)
    assert np.all(np.abs(real.pitch[other] - real.pitch) == 1)
    assert np.array_equal(real.velocity[other], real.velocity)
    assert len(comparable(real, real[:4])) == len(real)  # four are too few to stand for all


def test_the_cache_gives_the_same_numbers(tmp_path):
    paths = find_notes(write_notes(tmp_path / "notes", 0, pitches=(60, 61)))
    first, second = (analyse(paths, tmp_path / "cache.npz") for _ in range(2))
    np.testing.assert_array_equal(first.scalars, second.scalars)
    np.testing.assert_array_equal(first.pooled, second.pooled)


def test_wrong_folders_and_rates_are_named(tmp_path):
    with pytest.raises(UsageError, match="not a folder"):
        find_notes(tmp_path / "none")
    soundfile.write(tmp_path / "tone-060-100.wav", np.zeros(100), 8000)
    with pytest.raises(UsageError, match="8000 Hz"):
        analyse(find_notes(tmp_path))
    with pytest.raises(UsageError, match="flute"):
        find_notes(tmp_path, family="flute")
