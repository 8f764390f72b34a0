"""Parts of longer recordings: drawn anew each time, the same for the same seed and batch."""

import os

import numpy as np
import pytest

from noisygan.data import Recordings
from noisygan.data import dataset as recordings
from noisygan.data.prepare import pool, preparing, presets
from noisygan.errors import RunError, UsageError

N = 50


@pytest.fixture
def data(tmp_path, write_sound):
    """Two ramps that tell where a part was taken, and a recording shorter than a part."""
    write_sound(tmp_path / "data" / "a.wav", np.arange(1, 201) / 2048)
    write_sound(tmp_path / "data" / "b.wav", np.arange(1001, 1053) / 2048)
    write_sound(tmp_path / "data" / "c.wav", np.full(20, -0.5))
    return tmp_path / "data"


@pytest.fixture(params=["in memory", "on disk", "prepared"])
def notes(request, data, tmp_path, monkeypatch):
    if request.param == "on disk":
        monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    if request.param == "prepared":
        options = presets.options("notes", None, {"n_samples": None, "remove_dc": False})
        preparing.prepare(data, tmp_path / "out", options, here)
        data = tmp_path / "out"
    return Recordings(n_samples=N, crop=True).read(data)


def here(folder, indices, done):
    for index in indices:
        done(pool.units.process(folder, index))


def drawn(notes, n_batches, seed=1, start=0):
    batches = notes.batches(4, seed, start).take(n_batches)
    return np.stack([batch["audio"] for batch in batches.as_numpy_iterator()])


def test_every_part_is_whole_and_comes_up(notes):
    sounds = drawn(notes, 150).reshape(-1, N)
    begins = np.rint(sounds[:, 0] * 2048).astype(int)
    ramps = sounds[begins > 0]
    expected = (begins[begins > 0, None] + np.arange(N)) / 2048
    np.testing.assert_array_equal(ramps, expected)
    short = np.concatenate([np.full(20, -0.5), np.zeros(N - 20)])
    np.testing.assert_array_equal(sounds[begins < 0], np.tile(short, [200, 1]))
    # All three places in b, both halves of a, and never beyond its last one.
    assert set(begins[begins > 1000]) == {1001, 1002, 1003}
    of_a = begins[(begins > 0) & (begins < 1000)]
    assert len(of_a) == 200 and 1 <= min(of_a) < 10 and 141 < max(of_a) <= 151
    assert 65 < np.mean(of_a) < 87


def test_parts_depend_on_seed_and_batch_alone(notes):
    whole = drawn(notes, 12)
    np.testing.assert_array_equal(drawn(notes, 5, start=7), whole[7:])
    assert not np.array_equal(drawn(notes, 12, seed=2), whole)


def test_without_batches_it_is_the_beginning(notes):
    np.testing.assert_array_equal(notes.audio(0), np.arange(1, N + 1) / 2048)


def test_without_crop_it_is_always_the_beginning(data):
    sounds = drawn(Recordings(n_samples=N).read(data), 6)
    assert set(np.rint(sounds[:, :, 0].ravel() * 2048).astype(int)) == {1, 1001, -1024}


def test_cropped_is_another_selection(data):
    prints = {Recordings(n_samples=N, crop=crop).read(data).fingerprint for crop in (False, True)}
    assert len(prints) == 2


def test_damage_behind_the_beginning_is_found(data, write_sound):
    samples = np.zeros(200)
    samples[199] = np.nan
    write_sound(data / "d.wav", samples, subtype="FLOAT")
    with pytest.raises(UsageError, match="d.wav holds 1 NaN"):
        Recordings(n_samples=N, crop=True).read(data)


def test_a_file_that_goes_while_training_is_named(data):
    notes = Recordings(n_samples=N, crop=True).read(data)
    os.unlink(data / "b.wav")
    with pytest.raises(Exception, match="b.wav is missing"):
        drawn(notes, 2)
    assert isinstance(notes.failure, RunError)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segments": True}, "segments and crop: expected one or the other"),
        ({"trim_db": -50.0}, "crops are taken as they were recorded; got trim_db as well"),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(UsageError, match=message):
        Recordings(crop=True, **options)
