"""A set of notes in memory or on disk, and the batches made of it."""

import numpy as np
import pytest

from noisygan.data import Recordings
from noisygan.data import dataset as recordings
from noisygan.errors import RunError, UsageError

N = 50


@pytest.fixture
def folder(tmp_path, write_sound):
    """Seven recordings, each a constant of its own, two without pitch and velocity."""
    for i in range(7):
        name = f"tone-{60 + i:03d}-{100 + i:03d}" if i < 5 else f"x{i}"
        write_sound(tmp_path / f"{name}.wav", np.full(N, (i + 1) / 8), subtype="FLOAT")
    return tmp_path


@pytest.fixture(params=["in memory", "on disk"])
def notes(request, folder, monkeypatch):
    if request.param == "on disk":
        monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    return Recordings(n_samples=N).read(folder)


def order(notes, batch_size, seed, n_batches, start=0):
    """The recordings of each batch, told by their constant. [n_batches, batch_size]."""
    dataset = notes.batches(batch_size, seed, start).take(n_batches)
    return np.array([batch["audio"][:, 0] * 8 - 1 for batch in dataset.as_numpy_iterator()])


def test_sounds_and_what_is_known_of_them(notes):
    assert len(notes) == 7
    for i in range(7):
        np.testing.assert_array_equal(notes.audio(i), np.full(N, (i + 1) / 8, np.float32))
    np.testing.assert_array_equal(notes.pitch, [60, 61, 62, 63, 64, np.nan, np.nan])
    assert not notes.has_pitch and not notes.has_velocity and not notes.has_label
    with pytest.raises(ValueError, match="read-only"):
        notes.audio(0)[0] = 1.0


def test_what_a_batch_holds(notes):
    batch = next(iter(notes.batches(4, seed=0)))
    spec = {key: (value.dtype.name, tuple(value.shape)) for key, value in batch.items()}
    assert spec == {
        "audio": ("float32", (4, N)),
        "pitch": ("float32", (4,)),
        "velocity": ("float32", (4,)),
        "label": ("int32", (4,)),
    }
    static = notes.batches(4, seed=0).element_spec
    assert {key: tuple(value.shape) for key, value in static.items()} == {
        key: shape for key, (_, shape) in spec.items()
    }


def test_audio_and_conditioning_belong_together(notes):
    for batch in notes.batches(7, seed=3).take(3).as_numpy_iterator():
        i = np.round(batch["audio"][:, 0] * 8 - 1).astype(int)
        known = i < 5
        np.testing.assert_array_equal(batch["pitch"], np.where(known, 60 + i, 0))
        np.testing.assert_array_equal(batch["velocity"], np.where(known, 100 + i, 0))
        np.testing.assert_array_equal(batch["label"], notes.label[i])
        np.testing.assert_array_equal(batch["audio"], np.repeat((i[:, None] + 1) / 8, N, axis=1))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 10])
def test_every_epoch_is_a_permutation(notes, batch_size):
    stream = order(notes, batch_size, seed=1, n_batches=21).ravel()
    epochs = stream[: len(stream) // 7 * 7].reshape(-1, 7)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(7), [len(epochs), 1]))
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_the_order_depends_on_the_seed_alone(notes):
    first = order(notes, 3, seed=5, n_batches=20)
    np.testing.assert_array_equal(first, order(notes, 3, seed=5, n_batches=20))
    assert not np.array_equal(first, order(notes, 3, seed=6, n_batches=20))


def test_the_order_is_untouched_by_other_random_numbers(notes):
    import tensorflow as tf

    tf.random.set_seed(1)
    first = order(notes, 3, seed=5, n_batches=10)
    tf.random.set_seed(2)
    tf.random.uniform([3])
    np.testing.assert_array_equal(first, order(notes, 3, seed=5, n_batches=10))


def test_the_order_in_memory_is_that_on_disk(folder, monkeypatch):
    in_memory = order(Recordings(n_samples=N).read(folder), 3, seed=5, n_batches=10)
    monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    on_disk = order(Recordings(n_samples=N).read(folder), 3, seed=5, n_batches=10)
    np.testing.assert_array_equal(in_memory, on_disk)


@pytest.mark.parametrize("start", [1, 2, 7, 15])
def test_a_resumed_run_goes_on_where_it_stopped(notes, start):
    whole = order(notes, 3, seed=5, n_batches=20)
    np.testing.assert_array_equal(
        order(notes, 3, seed=5, n_batches=20 - start, start=start), whole[start:]
    )


def test_a_late_start_is_quick(notes):
    late = 10**9
    first, second = order(notes, 3, seed=5, n_batches=2, start=late)
    np.testing.assert_array_equal(order(notes, 3, seed=5, n_batches=1, start=late + 1)[0], second)
    assert len(set(first)) == 3 or late * 3 % 7 > 4


def test_large_seeds_differ(notes):
    orders = [order(notes, 7, seed, n_batches=5) for seed in (1, 2**40 + 1, 2**62 + 1)]
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[1], orders[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0, "seed": 0}, "batch_size is 0; expected an integer of at least 1"),
        ({"batch_size": 2.0, "seed": 0}, "batch_size is 2.0"),
        ({"batch_size": 2, "seed": -1}, "seed is -1; expected an integer of at least 0"),
        ({"batch_size": 2, "seed": None}, "seed is None"),
        ({"batch_size": 2, "seed": 0, "start": -3}, "start is -3"),
    ],
)
def test_impossible_batches_are_refused(folder, arguments, message):
    with pytest.raises(UsageError, match=message):
        Recordings(n_samples=N).read(folder).batches(**arguments)


def test_the_summary_is_one_line_that_tells_all(notes):
    summary = notes.summary()
    assert summary.startswith("7 recordings, pitch 60 to 64, velocity 100 to 104, 0.00313 s at ")
    assert summary.endswith(f"16000 Hz, from {notes.folder}")


def test_a_file_that_breaks_while_training_is_named(folder, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    notes = Recordings(n_samples=N).read(folder)
    notes.paths[2].write_text("no audio")
    with pytest.raises(RunError, match="tone-062-102.wav cannot be read as audio"):
        notes.audio(2)
