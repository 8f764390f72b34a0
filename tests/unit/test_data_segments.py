"""Files cut into segments, one behind the other: which there are, and their sound."""

import numpy as np
import pytest

from noisygan.data import Recordings
from noisygan.data import dataset as recordings
from noisygan.errors import UsageError


@pytest.fixture
def folder(tmp_path, write_sound):
    rng = np.random.default_rng(0)
    song = rng.uniform(-0.5, 0.5, 1050)
    song[200:300] = 0.0
    song[400:500] = 5e-4
    write_sound(tmp_path / "song-060-100.wav", song, subtype="FLOAT")
    write_sound(tmp_path / "short-070-100.wav", rng.uniform(-0.5, 0.5, 99), subtype="FLOAT")
    return tmp_path, song.astype(np.float32)


@pytest.mark.parametrize("limit", [2**31, 0])
def test_segments_follow_each_other_and_silent_ones_are_dropped(folder, monkeypatch, limit):
    monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", limit)
    path, song = folder
    notes = Recordings(n_samples=100, segments=True).read(path)
    starts = [0, 100, 300, 500, 600, 700, 800, 900]
    assert notes.names == [f"song-060-100@{start}" for start in starts]
    assert set(notes.pitch) == {60.0}
    for i, start in enumerate(starts):
        np.testing.assert_array_equal(notes.audio(i), song[start : start + 100])
    batch = next(iter(notes.batches(3, seed=0)))
    assert batch["audio"].shape == (3, 100)


def test_segments_are_another_selection(folder):
    path, _ = folder
    whole, cut = (Recordings(n_samples=100, segments=s).read(path) for s in (False, True))
    assert len(whole) == 2
    assert whole.fingerprint != cut.fingerprint


def test_without_a_heard_segment_one_line_says_so(folder):
    path, _ = folder
    with pytest.raises(UsageError, match="has a segment of 2000 samples that is not silent"):
        Recordings(n_samples=2000, segments=True).read(path)


def test_segments_are_not_shaped():
    with pytest.raises(UsageError, match="taken as they were recorded; got peak as well"):
        Recordings(segments=True, peak=1.0)
