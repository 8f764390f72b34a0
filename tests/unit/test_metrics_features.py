"""Sets of sounds, what is said of bad ones, and their features."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.evaluation.sounds import check_alike, make_sounds, repaired, without_velocity
from noisygan.metrics import features, spectrograms

RATE = 16000


def noises(n, seed=0, n_samples=4000):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.normal(size=(n, n_samples))).astype(np.float32)


def test_features_are_rows_of_one_sound_each():
    sounds = make_sounds(noises(5), RATE, pitch=[60] * 5)
    found = features.extract(sounds)
    assert {name: v.shape[1] for name, v in found.vectors.items()} == {
        "log-mel": 16 * 80,
        "temporal log-mel": 10 * 80,
        "mfcc": 40,
    }
    alone = features.extract(sounds.take([3]))
    for name, values in found.vectors.items():
        np.testing.assert_array_equal(values[3], alone.vectors[name][0])
    np.testing.assert_array_equal(found.pictures[3], alone.pictures[0])


def test_a_distance_is_the_root_mean_square_difference_in_db():
    audio = noises(1)
    found = features.extract(make_sounds(np.concatenate([audio, 0.5 * audio]), RATE))
    for space in ("log-mel", "temporal log-mel"):
        a, b = found.vectors[space]
        # The deviations over time, a tenth of the second space, stay as they are.
        expected = 20 * np.log10(2) * (1.0 if space == "log-mel" else np.sqrt(0.9))
        assert np.linalg.norm(a - b) == pytest.approx(expected, rel=1e-3)


def test_mfcc_are_those_of_librosa():
    import librosa

    log_mel = spectrograms.log_mel_db(noises(1)[0], RATE)
    mfcc = librosa.feature.mfcc(S=log_mel.T, n_mfcc=20)
    expected = np.concatenate([mfcc.mean(1), mfcc.std(1)])
    np.testing.assert_allclose(features.mfcc_statistics(log_mel), expected, rtol=1e-4, atol=1e-3)


def test_attack_sustain_and_release_are_kept_apart():
    log_mel = np.zeros([400, 8])
    log_mel[:25] = 1.0  # 0.25 s of 4 s
    log_mel[300:] = 3.0
    parts = features.temporal_log_mel(log_mel, 4.0).reshape(10, 8)
    np.testing.assert_allclose(parts[:4], 1.0)
    np.testing.assert_allclose(parts[4:6], 0.0)
    np.testing.assert_allclose(parts[6:], 3.0)


def test_what_is_no_recording_at_all_is_far_off_the_components():
    rng = np.random.default_rng(0)
    train = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 50))
    project = features.Projection(train)
    inside = project(train)
    np.testing.assert_allclose(inside[:, -1], 0.0, atol=1e-5)
    d = np.linalg.norm(train[:1] - train[1:2])
    assert np.linalg.norm(inside[0] - inside[1]) == pytest.approx(d, rel=1e-6)
    outside = project(train[:1] + 20.0 * np.linalg.svd(train)[2][-1:])
    assert outside[0, -1] == pytest.approx(20.0, rel=1e-6)


@pytest.mark.parametrize("n_samples", [300, 500, 7500])
def test_short_sounds_have_features(n_samples):
    found = features.extract(make_sounds(noises(3, n_samples=n_samples), 44100))
    assert all(np.isfinite(v).all() for v in [*found.vectors.values(), found.pictures])


def test_faults_are_named_and_repaired():
    audio = noises(20)
    audio[0, 5] = np.nan
    audio[1] = 0.0
    audio[2] *= 40.0
    sounds, said = repaired(make_sounds(audio, RATE), "sounds")
    assert np.isfinite(sounds.audio).all() and np.abs(sounds.audio).max() == 1.0
    for i, what in enumerate(("1 of 20 sounds hold NaN", "silent", "above full scale", "clipped")):
        assert what in said[i]
    assert "only 20 sounds" in said[4] and len(said) == 5
    enough = make_sounds(noises(500, n_samples=600), RATE)
    assert repaired(enough, "sounds")[1] == []


def test_too_few_silent_and_different_sounds_are_refused():
    with pytest.raises(UsageError, match="7 sounds; expected at least 8"):
        repaired(make_sounds(noises(7), RATE), "sounds")
    with pytest.raises(UsageError, match="all 12 sounds are silent"):
        repaired(make_sounds(np.zeros([12, 100]), RATE), "sounds")
    a, b = make_sounds(noises(2), RATE), make_sounds(noises(2), 8000)
    with pytest.raises(UsageError, match="rates can't be compared: a 16000 Hz, b 8000 Hz"):
        check_alike({"a": a, "b": b})
    with pytest.raises(UsageError, match="lengths can't be compared: a 4000 samples, b 10"):
        check_alike({"a": a, "b": a.with_audio(noises(2, n_samples=10))})


def test_velocities_are_taken_off_names():
    assert without_velocity("kick/jazz-35-v127") == without_velocity("kick/jazz-35-v080")
    assert without_velocity("kick/jazz-35-v127") != without_velocity("kick/jazz-36-v127")
