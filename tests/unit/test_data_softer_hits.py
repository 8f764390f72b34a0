"""Softer hits: their spectrum, the velocities of layers, and batches of them."""

import numpy as np
import pytest

from noisygan.data import softer_hits
from noisygan.data.dataset import AudioDataset

RATE = 16000


def test_a_softer_hit_has_the_formulas_spectrum():
    sound = np.zeros(4096, np.float32)
    sound[0] = 1.0
    response = np.abs(np.fft.rfft(softer_hits.soften(sound, 192000, 0)))
    frequencies = np.fft.rfftfreq(4096, 1 / 192000)
    below = frequencies < 16000
    expected = 1.0 / (1.0 + (2 * np.pi * frequencies * 4e-5) ** 2)
    np.testing.assert_allclose(response[below], expected[below], rtol=0.05, atol=1e-3)
    np.testing.assert_array_equal(softer_hits.soften(sound, 192000, 127), sound)
    np.testing.assert_array_equal(softer_hits.soften(sound, 192000, 90, own=80), sound)


def test_layers_share_the_velocities_of_their_class():
    low, high = softer_hits.velocity_ranges([64, 127, 64, 110, 127], [0, 0, 1, 1, 2])
    assert low.tolist() == [10, 64, 10, 64, 10]
    assert high.tolist() == [64, 127, 64, 127, 127]


@pytest.fixture
def kit(tmp_path, write_sound):
    """Two kicks whose names say nothing, and a snare hit softly and hard."""
    rng = np.random.default_rng(0)
    for name in ("kick_a", "kick_b", "snare_soft", "snare_hard"):
        sound = 0.3 * rng.uniform(-1, 1, 4000) * np.exp(-np.arange(4000) / 800)
        write_sound(tmp_path / f"{name}.wav", sound, RATE)
    return tmp_path


def test_batches_of_softer_hits(kit):
    from noisygan.data.dataset import Recordings

    recordings = Recordings(RATE, 4000, peak=1.0, softer_hits=True)
    data = recordings.read(kit)
    assert data.names == ["kick_a", "kick_b", "snare_hard", "snare_soft"]
    assert data.velocity.tolist() == [127, 127, 127, 64] and data.has_velocity
    peaks = [np.abs(data.audio(i)).max() for i in range(4)]
    np.testing.assert_allclose(peaks, [1, 1, 1, (64 / 127) ** 2], rtol=1e-5)
    assert "2 layers: 64 127; unknown in 2, read as 127" in data.table()
    batches = list(data.batches(32, seed=1).take(4).as_numpy_iterator())
    velocity = np.concatenate([batch["velocity"] for batch in batches])
    label = np.concatenate([batch["label"] for batch in batches])
    audio = np.concatenate([batch["audio"] for batch in batches])
    # Of one recording: louder and brighter with velocity.
    kicks = np.argsort(velocity * (label == 0))[-np.sum(label == 0) :]
    assert velocity[kicks].min() < 40 and velocity[kicks].max() > 110
    assert np.all(np.abs(audio[kicks]).max(1) <= softer_hits.gain(velocity[kicks]) + 1e-6)
    spectrum = np.abs(np.fft.rfft(audio)) ** 2
    bright = spectrum[:, 1500:].sum(1) / spectrum.sum(1)
    assert np.corrcoef(velocity[kicks], bright[kicks])[0, 1] > 0.5
    # Batch 2 does not depend on where reading starts.
    again = next(data.batches(32, seed=1, start=2).as_numpy_iterator())
    for name, values in batches[2].items():
        np.testing.assert_array_equal(again[name], values)


def test_without_softer_hits_recordings_stay_as_they_are(kit):
    data = AudioDataset.from_folder(kit, RATE, n_samples=4000, peak=1.0)
    batch = next(data.batches(4, seed=0).as_numpy_iterator())
    assert np.isnan(data.velocity[:2]).all() and set(batch["velocity"]) == {100, 64, 127}
    np.testing.assert_allclose(np.abs(batch["audio"]).max(axis=1), 1.0)
