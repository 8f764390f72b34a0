"""Training reads prepared folders: the same sounds, splits, rates, filters; damage is told."""

import functools
import json
import os

import numpy as np
import pytest
import soundfile

from noisygan.data import Recordings
from noisygan.data import dataset as recordings
from noisygan.data.prepare import pool, preparing, verify
from noisygan.data.prepare.options import Options
from noisygan.errors import RunError, UsageError

RATE, N = 16000, 400


def prepare(data, out, **options):
    run = functools.partial(pool.run, n_processes=1)
    manifest, _ = preparing.prepare(data, out, Options(**{"n_samples": N} | options), run)
    return manifest


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """(a folder of 24 notes in three class folders, the prepared folder)."""
    data = tmp_path_factory.mktemp("notes")
    random = np.random.default_rng(0)
    for i in range(24):
        folder = data / ("brass", "flute", "reed")[i % 3]
        folder.mkdir(exist_ok=True)
        sound = random.uniform(-0.9, 0.9, 300 + 10 * i)
        soundfile.write(folder / f"x-{60 + i // 2:03}-{(50, 100)[i % 2]:03}.wav", sound, RATE)
    out = tmp_path_factory.mktemp("prepared") / "out"
    prepare(data, out, sample_rates=(16000.0, 8000.0), split_by="file", valid=0.2, test=0.2)
    return data, out


def reader(**options):
    return Recordings(**{"sample_rate": RATE, "n_samples": N} | options)


def read_all(folder, **options):
    """dict of name -> row of all splits."""
    found = {}
    for split in recordings.SPLITS:
        notes = reader(split=split, **options).read(folder)
        found |= {name: (notes, i) for i, name in enumerate(notes.names)}
    return found


def test_every_sound_is_in_one_split_and_as_it_was_recorded(folders):
    data, out = folders
    plain = reader().read(data)
    found = read_all(out)
    assert len(found) == len(plain) == 24
    for i, name in enumerate(plain.names):
        notes, j = found[f"{name}.wav"]
        np.testing.assert_array_equal(plain.audio(i), notes.audio(j))
        assert plain.pitch[i] == notes.pitch[j] and plain.velocity[i] == notes.velocity[j]
        assert plain.label_names[plain.label[i]] == notes.label_names[notes.label[j]]


def test_another_rate_of_the_folder_can_be_chosen(folders):
    _, out = folders
    low = Recordings(sample_rate=8000, n_samples=N // 2).read(out)
    assert low.sample_rate == 8000
    assert low.audio(0).shape == (N // 2,) and np.any(low.audio(0))
    message = r"prepared at 16000, 8000 Hz, the config wants 44100 Hz.*--sample_rate 44100$"
    with pytest.raises(UsageError, match=message):
        Recordings(sample_rate=44100).read(out)


def test_filters_choose_as_they_do_in_plain_folders(folders):
    _, out = folders
    notes = reader(instruments="flute", velocities=100, min_pitch=62).read(out)
    assert notes.label_names == ["flute"] and set(notes.velocity) == {100.0}
    assert notes.pitch.min() >= 62
    with pytest.raises(UsageError, match="no recording in .* has instruments oboe"):
        reader(instruments="oboe").read(out)


def test_the_form_that_a_config_wants_is_made(folders):
    _, out = folders
    longer = reader(n_samples=2 * N, peak=0.5, fade_out_seconds=0.01).read(out)
    for i in range(len(longer)):
        sound = longer.audio(i)
        assert sound.shape == (2 * N,) and np.isclose(np.abs(sound).max(), 0.5)
        assert not np.any(sound[N:])


def test_segments_are_cut_from_the_records(folders):
    _, out = folders
    whole, cut = reader().read(out), reader(n_samples=100, segments=True).read(out)
    names = dict(zip(cut.names, range(len(cut)), strict=True))
    for i, name in enumerate(whole.names):
        for start in range(0, 300, 100):
            row = names[f"{name}@{start}"]
            np.testing.assert_array_equal(cut.audio(row), whole.audio(i)[start : start + 100])


@pytest.mark.parametrize("options", [{}, {"n_samples": 100, "segments": True}])
def test_mapped_and_in_memory_give_the_same_batches(folders, monkeypatch, options):
    _, out = folders
    kept = reader(**options).read(out)
    monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    mapped = reader(**options).read(out)
    assert mapped.fingerprint == kept.fingerprint and mapped.names == kept.names
    ours, theirs = (notes.batches(5, seed=3, start=2).take(4) for notes in (kept, mapped))
    for a, b in zip(ours, theirs, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_the_fingerprint_tells_splits_steps_and_recordings_apart(folders, tmp_path):
    data, out = folders
    prints = {reader(split=split).read(out).fingerprint for split in recordings.SPLITS}
    prints.add(reader(n_samples=N - 1).read(out).fingerprint)
    prepare(data, tmp_path / "peak", peak=0.5)
    prints.add(reader().read(tmp_path / "peak").fingerprint)
    assert len(prints) == 5
    moved = tmp_path / "moved"
    os.rename(tmp_path / "peak", moved)
    assert reader().read(moved).fingerprint in prints


def test_names_never_read_the_same(tmp_path, write_sound):
    data = tmp_path / "data"
    write_sound(data / "\\xff.wav", hz=100.0, n=N)
    odd = write_sound(data / "b.wav", hz=900.0, n=N)
    os.rename(odd, os.path.join(os.fsencode(data), b"\xff.wav"))
    prepare(data, tmp_path / "out")
    notes = reader().read(tmp_path / "out")
    assert notes.names == ["\\x5cxff.wav", "\\xff.wav"]
    assert not list(verify.problems(tmp_path / "out"))
    assert not np.array_equal(notes.audio(0), notes.audio(1))


def test_progress_counts_the_records(folders):
    _, out = folders
    told = []
    notes = reader().read(out, progress=lambda done, total: told.append((done, total)))
    assert told == [(i + 1, len(notes)) for i in range(len(notes))]


class TestRefused:
    @pytest.fixture
    def out(self, folders, tmp_path):
        data, _ = folders
        prepare(data, tmp_path / "out")
        return tmp_path / "out"

    def test_a_split_that_is_not_there(self, folders, out):
        with pytest.raises(UsageError, match="has no split valid; there are train"):
            reader(split="valid").read(out)
        with pytest.raises(UsageError, match="was not prepared"):
            reader(split="valid").read(folders[0])
        with pytest.raises(UsageError, match="split is 'dev'; expected train, valid, test"):
            reader(split="dev")

    def test_an_unfinished_folder(self, out):
        (out / "manifest.json").unlink()
        (out / "parts").mkdir()
        with pytest.raises(UsageError, match="not prepared to its end"):
            reader().read(out)

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"format": "noisygan-data", "version": 1}', "[" * 10**5]
    )
    def test_a_manifest_of_something_else(self, out, text):
        (out / "manifest.json").write_text(text)
        with pytest.raises(UsageError, match="no manifest of"):
            reader().read(out)

    def test_a_manifest_of_a_later_version(self, out):
        manifest = json.loads((out / "manifest.json").read_text())
        (out / "manifest.json").write_text(json.dumps(manifest | {"version": 2}))
        with pytest.raises(UsageError, match="version 2; expected noisygan-data version 1"):
            reader().read(out)

    def test_a_missing_or_damaged_shard(self, out):
        shard = sorted(out.glob("*.tfrecord"))[0]
        whole = shard.read_bytes()
        shard.write_bytes(whole[:-1])
        with pytest.raises(RunError, match=shard.name):
            reader().read(out)
        shard.unlink()
        with pytest.raises(RunError, match="No such file"):
            reader().read(out)

    def test_a_shard_that_lost_its_last_records(self, out):
        shard = sorted(out.glob("*.tfrecord"))[0]
        shard.write_bytes(b"")
        with pytest.raises(
            RunError, match=r"holds \d+ records of split train, its manifest says 24"
        ):
            reader().read(out)

    def test_a_shard_that_changes_while_it_is_used(self, out, monkeypatch):
        monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
        notes = reader().read(out)
        for shard in out.glob("*.tfrecord"):
            shard.write_bytes(bytes(shard.stat().st_size))
        with pytest.raises(RunError, match="changed while it was in use"):
            notes.audio(0)


class TestVerify:
    @pytest.fixture
    def out(self, folders, tmp_path):
        prepare(folders[0], tmp_path / "out", features=False)
        return tmp_path / "out"

    def test_a_whole_folder_has_no_problems(self, folders, out):
        assert list(verify.problems(out)) == []
        assert list(verify.problems(folders[1])) == []

    def test_every_damage_is_told_once(self, out):
        first, second, *_ = sorted(out.glob("*.tfrecord"))
        first.write_bytes(first.read_bytes()[:-1])
        second.unlink()
        (out / "train-99999.tfrecord").write_bytes(b"")
        (out / "files.jsonl").write_text("{}\n")
        told = list(verify.problems(out))
        assert len(told) == 4
        for part, one in zip(
            (first.name, second.name, "train-99999.tfrecord is not in", "has 1 lines"),
            told,
            strict=True,
        ):
            assert part in one

    def test_whole_shards_that_are_not_those_of_the_manifest(self, out):
        first, second, *_ = sorted(out.glob("*.tfrecord"))
        second.write_bytes(3 * first.read_bytes())
        told = list(verify.problems(out))
        assert sum("more than once" in one for one in told) >= 1
        assert any("the manifest says 24" in one for one in told)

    def test_other_rates_and_lengths_than_stated(self, out):
        manifest = json.loads((out / "manifest.json").read_text())
        (out / "manifest.json").write_text(json.dumps(manifest | {"n_samples": N + 1}))
        assert len(list(verify.problems(out))) == 24
        (out / "manifest.json").write_text(json.dumps(manifest | {"sample_rates": [16000, 8000]}))
        assert all("[8000, 16000]" in one for one in verify.problems(out))
