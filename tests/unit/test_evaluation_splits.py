"""Held-out recordings, and examples that need no run."""

import numpy as np
import pytest
import soundfile

from noisygan.data.dataset import Recordings
from noisygan.errors import UsageError
from noisygan.evaluation import splits
from tests import toys

RATE = 16000


def write(path, seed=0, n_samples=2000, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).normal(size=n_samples), rate)


@pytest.fixture
def drums(tmp_path):
    for label in ("kick", "snare"):
        for kit in ("jazz", "room", "rock", "funk"):
            for key in (35, 36, 38):
                for velocity in (80, 127):
                    write(tmp_path / "drums" / label / f"{kit}-{key}-v{velocity:03d}.wav", key)
    return tmp_path / "drums"


def test_a_folder_is_divided_by_name_and_velocities_stay_together(drums):
    recordings = Recordings(n_samples=2000)
    parts = splits.read_splits(recordings, drums)
    kinds = [{n.rsplit("-", 1)[0] for n in s.names} for s in (parts.train, parts.test)]
    assert not kinds[0] & kinds[1] and len(kinds[0]) == len(kinds[1]) == 12
    assert parts.test.classes == ["kick", "snare"]
    assert "a half of it" in parts.warnings[0]
    dataset = recordings.read(drums)
    assert parts.fingerprint == dataset.fingerprint
    assert splits.read_splits(None, dataset).test.names == parts.test.names


def test_two_folders_are_training_and_held_out(tmp_path):
    for first, name in enumerate(("one", "two")):
        for i in range(8):
            write(tmp_path / name / f"x-{60 + i:03d}-100.wav", 10 * first + i)
    recordings = Recordings(n_samples=2000)
    parts = splits.read_splits(recordings, tmp_path / "two", tmp_path / "one")
    assert len(parts.train) == len(parts.test) == 8
    assert parts.fingerprint == recordings.read(tmp_path / "two").fingerprint
    with pytest.raises(UsageError, match="are the same"):
        splits.read_splits(recordings, tmp_path / "two", tmp_path / "two")


def test_held_out_recordings_are_raised_in_level_as_those_for_training(tmp_path):
    for name, level in (("quiet", 0.1), ("quieter", 0.04)):
        for i in range(8):
            path = tmp_path / name / f"x-{60 + i:03d}-100.wav"
            write(path, i)
            audio = soundfile.read(path)[0]
            soundfile.write(path, level * audio / np.abs(audio).max(), RATE)
    recordings = Recordings(n_samples=2000)
    parts = splits.read_splits(recordings, tmp_path / "quieter", tmp_path / "quiet")
    peaks = [np.abs(s.audio).max(axis=1) for s in (parts.train, parts.test)]
    np.testing.assert_allclose(peaks[0], 0.8, rtol=1e-2)
    np.testing.assert_allclose(peaks[1], 0.32, rtol=1e-2)
    # A run says what its recordings were raised by.
    recordings.gain = 4.0
    assert np.abs(recordings.read(tmp_path / "quiet").audio(0)).max() < 0.41


def test_a_prepared_folder_has_its_own_test_split(tmp_path, monkeypatch):
    class Reader:
        split = "train"

        def read(self, folder, progress):
            return toys.notes(
                n=8, fingerprint=self.split, names=[f"{self.split}-{i}" for i in range(8)]
            )

    monkeypatch.setattr(splits, "is_prepared", lambda folder: True)
    manifest = {"splits": {"train": {"n_records": 8}, "test": {"n_records": 8}}}
    monkeypatch.setattr(splits, "read_manifest", lambda folder: manifest)
    parts = splits.read_splits(Reader(), tmp_path)
    assert parts.fingerprint == "test"
    assert (parts.train.names[0], parts.test.names[0]) == ("train-0", "test-0")


def test_one_kind_alone_can_not_be_divided(tmp_path):
    for velocity in (80, 127):
        write(tmp_path / "kick" / f"jazz-35-v{velocity:03d}.wav")
    with pytest.raises(UsageError, match="2 recordings of one kind"):
        splits.read_splits(Recordings(n_samples=2000), tmp_path)


def test_rate_and_length_are_those_of_the_files(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    write(tmp_path / "a" / "long.wav", n_samples=3000)
    write(tmp_path / "b" / "short.wav", n_samples=1000)
    found = splits.recordings_for(folders)
    assert (found.sample_rate, found.n_samples) == (RATE, 1000)
    for name in ("x", "y"):
        write(tmp_path / "b" / f"{name}.wav", rate=8000)
    found = splits.recordings_for(folders)  # the usual rate of b
    assert (found.sample_rate, found.n_samples) == (8000, 1500)


def test_too_few_files_and_stems_are_refused(tmp_path):
    for i in range(7):
        write(tmp_path / f"{i}.wav")
    with pytest.raises(UsageError, match="contains 7 files; expected at least 8"):
        splits.check_audio(tmp_path)
    write(tmp_path / "kick" / "8.wav")  # a class folder, not stems
    splits.check_audio(tmp_path)
    write(tmp_path / "3" / "harmonic.wav")
    with pytest.raises(UsageError, match="such as 3/harmonic.wav"):
        splits.check_audio(tmp_path)
