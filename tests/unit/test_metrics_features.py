"""Features of examples."""

import numpy as np
import pytest

from noisygan.metrics import features, spectrograms

RATE = 16000


def noises(n, seed=0, n_samples=4000):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.normal(size=(n, n_samples))).astype(np.float32)


def extract(audio, rate=RATE, pitch=np.nan):
    return features.extract(audio, rate, np.full(len(audio), pitch), np.full(len(audio), ""))


def test_features_are_rows_of_one_example_each():
    audio = noises(5)
    found = extract(audio, pitch=60.0)
    assert {name: v.shape[1] for name, v in found.vectors.items()} == {
        "log-mel": 16 * 80,
        "temporal log-mel": 10 * 80,
        "mfcc": 40,
    }
    alone = extract(audio[3:4], pitch=60.0)
    for name, values in found.vectors.items():
        np.testing.assert_array_equal(values[3], alone.vectors[name][0])
    np.testing.assert_array_equal(found.pictures[3], alone.pictures[0])
    np.testing.assert_array_equal(found.take([3]).pictures, alone.pictures)


def test_a_distance_is_the_root_mean_square_difference_in_db():
    audio = noises(1)
    found = extract(np.concatenate([audio, 0.5 * audio]))
    for space in ("log-mel", "temporal log-mel"):
        a, b = found.vectors[space]
        # The deviations over time, a tenth of the second space, do not change.
        expected = 20 * np.log10(2) * (1.0 if space == "log-mel" else np.sqrt(0.9))
        assert np.linalg.norm(a - b) == pytest.approx(expected, rel=1e-3)


def test_mfccs_match_librosa():
    import librosa

    log_mel = spectrograms.log_mel_db(noises(1)[0], RATE)
    mfcc = librosa.feature.mfcc(S=log_mel.T, n_mfcc=20)
    expected = np.concatenate([mfcc.mean(1), mfcc.std(1)])
    np.testing.assert_allclose(features.mfcc_statistics(log_mel), expected, rtol=1e-4, atol=1e-3)


def test_attack_sustain_and_release_are_separate():
    log_mel = np.zeros([400, 8])
    log_mel[:25] = 1.0  # 0.25 s of 4 s
    log_mel[300:] = 3.0
    parts = features.temporal_log_mel(log_mel, 4.0).reshape(10, 8)
    np.testing.assert_allclose(parts[:4], 1.0)
    np.testing.assert_allclose(parts[4:6], 0.0)
    np.testing.assert_allclose(parts[6:], 3.0)


def test_the_last_coordinate_of_a_projection_is_the_distance_from_the_components():
    rng = np.random.default_rng(0)
    train = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 50))
    project = features.Projection(train)
    inside = project(train)
    np.testing.assert_allclose(inside[:, -1], 0.0, atol=1e-5)
    d = np.linalg.norm(train[:1] - train[1:2])
    assert np.linalg.norm(inside[0] - inside[1]) == pytest.approx(d, rel=1e-6)
    outside = project(train[:1] + 20.0 * np.linalg.svd(train)[2][-1:])
    assert outside[0, -1] == pytest.approx(20.0, rel=1e-6)


@pytest.mark.parametrize("n_samples", [300, 7500])
def test_short_examples_have_features(n_samples):
    found = extract(noises(3, n_samples=n_samples), 44100)
    assert all(np.isfinite(v).all() for v in [*found.vectors.values(), found.pictures])
