"""Memorisation: disguised copies are found, and fresh examples are not flagged."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from noisygan.metrics.copies import find_copies, log_mel_distances, suspicious, waveform_distances

RATE = 44100
N = 4000


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):  # faster for small matrices
        yield


def bursts(n, seed, n_samples=N):
    """Decaying noise."""
    rng = np.random.default_rng(seed)
    decay = np.exp(-np.arange(n_samples) / rng.uniform(400, 1500, (n, 1)))
    return (0.5 * rng.normal(size=(n, n_samples)) * decay).astype(np.float32)


def tones(n, seed, n_samples=N):
    """Decaying sines that fall in pitch like a kick."""
    rng = np.random.default_rng(seed)
    times = np.arange(n_samples) / RATE
    start, end, rate, decay = (
        rng.uniform(low, high, (n, 1)) for low, high in ((100, 400), (40, 80), (30, 90), (8, 40))
    )
    phase = 2 * np.pi * (end * times + (start - end) * (1 - np.exp(-rate * times)) / rate)
    return (0.8 * np.sin(phase) * np.exp(-decay * times)).astype(np.float32)


def shifted(audio, shift):
    if shift < 0:
        return np.pad(audio[:, -shift:], ((0, 0), (0, -shift)))
    return np.pad(audio, ((0, 0), (shift, 0)))[:, : audio.shape[1]]


DISGUISES = (
    lambda x: -0.7 * x,
    lambda x: 0.3 * shifted(x, 150),
    lambda x: shifted(x, -150),
    lambda x: x + 1e-3 * np.random.default_rng(5).normal(size=x.shape).astype(np.float32),
)


@pytest.mark.parametrize("kind", [bursts, tones])
def test_disguised_copies_are_found(kind):
    training, test = kind(25, seed=0), kind(25, seed=2)
    copied = [disguise(training[[3, 11, 24]]) for disguise in DISGUISES]
    generated = np.concatenate([*copied, kind(2, seed=1)])
    found = find_copies(generated, training, test, RATE)
    assert found["waveform"].rows[:12].tolist() == 4 * [3, 11, 24]
    assert found["waveform"].closer[:12].all() and suspicious(found)[:12].all()
    assert found["waveform"].distances[:12].max() < 0.05


def test_a_copy_with_other_phases_is_found_by_its_spectrum():
    training = bursts(30, seed=0)
    spectrum = np.fft.rfft(training[7])
    # A delay that grows with the frequency up to 1 ms is inaudible.
    frequency = np.linspace(0.0, 1.0, len(spectrum))
    turned = np.fft.irfft(spectrum * np.exp(-1j * np.pi * 22 * frequency**2), N)
    found = find_copies(turned[None], training, bursts(30, seed=2), RATE)
    assert found["waveform"].distances[0] > 0.5
    assert found["log-mel"].rows == [7] and suspicious(found)[0]


@pytest.mark.parametrize("kind", [bursts, tones])
def test_fresh_examples_are_flagged_no_more_than_recordings(kind):
    found = find_copies(kind(60, seed=1), kind(60, seed=0), kind(60, seed=2), RATE)
    for nearest in found.values():
        assert nearest.own_closer.mean() <= 0.12
        assert nearest.closer.mean() <= 0.2


def test_held_out_recordings_set_the_threshold_but_for_copies_among_them():
    training, test = tones(40, seed=0), tones(50, seed=2)
    found = find_copies(tones(10, seed=1), training, test, RATE)["waveform"]
    own = waveform_distances(test, training, round(0.005 * RATE)).min(axis=1)
    np.testing.assert_allclose(found.own_distances, own, atol=1e-6)
    assert found.threshold == pytest.approx(np.quantile(own, 0.05), rel=1e-4)
    copied = np.concatenate([test, training[:5]])
    again = find_copies(training[:1], training, copied, RATE)["waveform"]
    assert again.threshold == pytest.approx(found.threshold) and found.threshold > 1e-3
    assert again.closer[0]


def test_few_candidates_find_the_same_copies():
    training, test = tones(40, seed=0), tones(20, seed=2)
    generated = np.concatenate([0.3 * training[[3, 9]], tones(6, seed=1)])
    every, few = (find_copies(generated, training, test, RATE, n_candidates=n) for n in (None, 5))
    for kind in ("waveform", "log-mel"):
        assert every[kind].rows[:2].tolist() == few[kind].rows[:2].tolist() == [3, 9]


def test_the_distance_is_the_smallest_over_shifts_and_gains():
    x, y = bursts(2, seed=0, n_samples=50), bursts(3, seed=1, n_samples=50)
    found = waveform_distances(x, y, 4)
    for i, a in enumerate(x):
        for j in range(3):
            errors = []
            for shift in range(-4, 5):
                b = shifted(y[j : j + 1], shift)[0].astype(np.float64)
                gain = (a @ b) / (b @ b)
                errors.append(((a - gain * b) ** 2).mean() / (a**2).mean())
            assert found[i, j] == pytest.approx(min(errors), abs=1e-5)


def test_silence_is_no_copy_and_short_examples_can_be_compared():
    training = np.concatenate([bursts(10, seed=0), np.zeros([1, N], np.float32)])
    silence = np.zeros([2, N], np.float32)
    np.testing.assert_array_equal(waveform_distances(silence, training, 50), 1.0)
    assert np.isfinite(log_mel_distances(silence, training, RATE, 50)).all()
    assert not suspicious(find_copies(silence, training[:10], bursts(9, 2), RATE)).any()
    found = find_copies(bursts(3, 1, 500), bursts(8, 0, 500), bursts(8, 2, 500), RATE)
    assert np.isfinite(found["log-mel"].distances).all()
