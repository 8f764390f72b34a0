"""Memorisation by construction: copies are found, however disguised, and fresh sounds are not."""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from noisygan.metrics.copies import (
    find_copies,
    log_mel_distances,
    suspicious,
    waveform_distances,
)

RATE = 44100


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads cost more than they bring in matrices this small."""
    with threadpool_limits(1):
        yield


N = 4000


def bursts(n, seed, n_samples=N):
    """Decaying noise."""
    rng = np.random.default_rng(seed)
    decay = np.exp(-np.arange(n_samples) / rng.uniform(400, 1500, (n, 1)))
    return (0.5 * rng.normal(size=(n, n_samples)) * decay).astype(np.float32)


def tones(n, seed, n_samples=N):
    """Decaying sines that fall in pitch, as a kick's do."""
    rng = np.random.default_rng(seed)
    times = np.arange(n_samples) / RATE
    start, end, rate, decay = (
        rng.uniform(low, high, (n, 1)) for low, high in ((100, 400), (40, 80), (30, 90), (8, 40))
    )
    phase = 2 * np.pi * (end * times + (start - end) * (1 - np.exp(-rate * times)) / rate)
    return (0.8 * np.sin(phase) * np.exp(-decay * times)).astype(np.float32)


def later(sounds, shift):
    if shift < 0:
        return np.pad(sounds[:, -shift:], ((0, 0), (0, -shift)))
    return np.pad(sounds, ((0, 0), (shift, 0)))[:, : sounds.shape[1]]


def names(n):
    return [f"sound-{i}" for i in range(n)]


DISGUISES = {
    "as they are": lambda x: x,
    "quieter": lambda x: 0.1 * x,
    "turned around": lambda x: -0.7 * x,
    "later": lambda x: later(x, 150),
    "earlier": lambda x: later(x, -150),
    "later and quieter": lambda x: 0.3 * later(x, 101),
    "with a little noise": lambda x: (
        x + 1e-3 * np.random.default_rng(5).normal(size=x.shape).astype(np.float32)
    ),
}


@pytest.mark.parametrize("kind", [bursts, tones])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_copies_are_found_and_named(kind, disguise):
    training = kind(25, seed=0)
    copied = [3, 11, 24]
    generated = np.concatenate([DISGUISES[disguise](training[copied]), kind(2, seed=1)])
    found = find_copies(generated, training, names(25), RATE)
    assert found["waveform"].names[:3] == ["sound-3", "sound-11", "sound-24"]
    assert found["waveform"].closer[:3].all()
    assert suspicious(found)[:3].all()
    assert found["waveform"].distances[:3].max() < 0.05


def test_exact_copies_have_no_distance():
    training = bursts(10, seed=0)
    found = find_copies(training[:4], training, names(10), RATE)
    for nearest in found.values():
        assert nearest.names == names(4)
        np.testing.assert_allclose(nearest.distances, 0.0, atol=1e-4)
        assert nearest.share_closer == 1.0


def test_a_copy_with_other_phases_is_found_by_its_spectrum():
    training = bursts(30, seed=0)
    spectrum = np.fft.rfft(training[7])
    # Delayed the more the higher, by up to 1 ms: heard as the same.
    frequency = np.linspace(0.0, 1.0, len(spectrum))
    turned = np.fft.irfft(spectrum * np.exp(-1j * np.pi * 22 * frequency**2), N)
    found = find_copies(turned[None], training, names(30), RATE)
    assert found["waveform"].distances[0] > 0.5
    assert found["log-mel"].names == ["sound-7"]
    assert suspicious(found)[0]


@pytest.mark.parametrize("kind", [bursts, tones])
def test_fresh_sounds_are_flagged_no_more_than_recordings(kind):
    found = find_copies(kind(60, seed=1), kind(60, seed=0), names(60), RATE)
    for nearest in found.values():
        assert nearest.own_share_closer <= 0.08
        assert nearest.share_closer <= 0.2
    noise = np.random.default_rng(2).normal(size=(20, N)).astype(np.float32)
    assert not suspicious(find_copies(noise, kind(60, seed=0), names(60), RATE)).any()


def test_recordings_that_hold_copies_of_each_other_hide_no_copy():
    training = np.repeat(bursts(10, seed=0), 2, axis=0)
    found = find_copies(
        np.concatenate([training[:3], bursts(3, seed=1)]), training, names(20), RATE
    )
    assert suspicious(found).tolist() == [True] * 3 + [False] * 3


def test_recordings_that_are_copies_of_each_other_do_not_set_the_threshold():
    training = tones(40, seed=0)
    before = find_copies(training[:1], training, names(40), RATE)["waveform"]
    doubled = np.concatenate([training, bursts(1, seed=3), bursts(1, seed=3)])
    after = find_copies(training[:1], doubled, names(42), RATE)["waveform"]
    assert before.threshold > 1e-3
    assert after.threshold == pytest.approx(before.threshold)
    assert after.own_share_closer == pytest.approx((before.own_share_closer * 40 + 2) / 42)


def test_sounds_that_were_not_trained_on_set_the_threshold_where_they_are_given():
    training, test = tones(40, seed=0), tones(50, seed=2)
    found = find_copies(tones(10, seed=1), training, names(40), RATE, test=test)
    own = waveform_distances(test, training, round(0.005 * RATE)).min(axis=1)
    np.testing.assert_allclose(found["waveform"].own_distances, own, atol=1e-6)
    assert found["waveform"].threshold == pytest.approx(np.quantile(own, 0.05), rel=1e-4)


def test_the_distance_is_the_smallest_over_shifts_and_gains():
    x, y = bursts(2, seed=0, n_samples=50), bursts(3, seed=1, n_samples=50)
    found = waveform_distances(x, y, 4)
    for i, a in enumerate(x):
        for j in range(3):
            errors = []
            for shift in range(-4, 5):
                b = later(y[j : j + 1], shift)[0].astype(np.float64)
                gain = (a @ b) / (b @ b)
                errors.append(((a - gain * b) ** 2).mean() / (a**2).mean())
            assert found[i, j] == pytest.approx(min(errors), abs=1e-5)


def test_silence_has_nothing_in_common_with_anything_and_is_no_copy():
    training = np.concatenate([bursts(10, seed=0), np.zeros([1, N], np.float32)])
    generated = np.zeros([2, N], np.float32)
    np.testing.assert_array_equal(waveform_distances(generated, training, 50), 1.0)
    assert np.isfinite(log_mel_distances(generated, training, RATE, 50)).all()
    found = find_copies(generated, training[:10], names(10), RATE)
    assert not suspicious(found).any()


def test_very_short_sounds_can_be_compared():
    found = find_copies(bursts(3, 1, 500), bursts(8, 0, 500), names(8), RATE)
    assert np.isfinite(found["log-mel"].distances).all()


def test_sixty_four_sounds_against_two_hundred_take_seconds():
    generated, training = bursts(64, 1, 16384), bursts(220, 0, 16384)
    began = time.process_time()
    find_copies(generated, training, names(220), RATE)
    # Generous: a loop over pairs and shifts would take hours.
    assert time.process_time() - began < 60.0
