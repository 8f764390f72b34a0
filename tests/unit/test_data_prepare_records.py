"""Training reads prepared folders: the same audio, splits, rates, filters; damage is reported."""

import functools
import json
import os
import shutil

import numpy as np
import pytest
import soundfile

from noisygan.data import Recordings
from noisygan.data import dataset as data_of
from noisygan.data.prepare import preparing, records, runners
from noisygan.data.prepare.options import Options
from noisygan.data.source_files import SPLITS
from noisygan.errors import RunError, UsageError

RATE, N = 16000, 400


def prepare(data, out, **options):
    run = functools.partial(runners.run_pool, n_processes=1)
    return preparing.prepare(data, out, Options(**{"n_samples": N} | options), run)[0]


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


@pytest.fixture
def out(folders, tmp_path):
    """A prepared folder that may be damaged."""
    return shutil.copytree(folders[1], tmp_path / "out")


def read(folder, **options):
    return Recordings(**{"sample_rate": RATE, "n_samples": N} | options).read(folder)


def test_prepared_recordings_are_faded_once(folders, tmp_path):
    fades = {"fade_in_seconds": 0.005, "fade_out_seconds": 0.01}
    prepare(folders[0], tmp_path / "out", **fades)
    prepared = read(tmp_path / "out")
    again = read(tmp_path / "out", **fades)
    shorter = read(tmp_path / "out", n_samples=200, **fades)
    for i in range(len(prepared)):
        np.testing.assert_array_equal(prepared.audio(i), again.audio(i))
        np.testing.assert_array_equal(prepared.audio(i)[:40], shorter.audio(i)[:40])
        assert prepared.audio(i)[199] != 0.0 and shorter.audio(i)[199] == 0.0


def test_every_recording_is_in_one_split_and_as_it_was(folders):
    data, out = folders
    plain, n = read(data), 0
    for split in SPLITS:
        found = read(out, split=split)
        n += len(found)
        for j, name in enumerate(found.names):
            i = plain.names.index(name.removesuffix(".wav"))
            np.testing.assert_array_equal(plain.audio(i), found.audio(j))
            assert plain.pitch[i] == found.pitch[j] and plain.velocity[i] == found.velocity[j]
            assert plain.label_names[plain.label[i]] == found.label_names[found.label[j]]
    assert n == len(plain) == 24


def test_another_rate_of_the_folder_can_be_chosen(folders):
    low = Recordings(sample_rate=8000, n_samples=N // 2).read(folders[1])
    assert low.audio(0).shape == (N // 2,) and np.any(low.audio(0))
    message = r"prepared at 16000, 8000 Hz, the config wants 44100 Hz"
    with pytest.raises(UsageError, match=message):
        Recordings(sample_rate=44100).read(folders[1])


@pytest.mark.parametrize("options", [{}, {"n_samples": 100, "segments": True}])
def test_from_disk_and_from_memory_the_batches_are_the_same(folders, monkeypatch, options):
    kept = read(folders[1], **options)
    monkeypatch.setattr(data_of, "MAX_BYTES_IN_MEMORY", 0)
    decoded = read(folders[1], **options)
    assert decoded.fingerprint == kept.fingerprint and decoded.names == kept.names
    ours, theirs = (each.batches(5, seed=3, start=2).take(4) for each in (kept, decoded))
    for a, b in zip(ours, theirs, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_the_fingerprint_tells_splits_steps_and_recordings_apart(folders, tmp_path):
    data, out = folders
    prints = {read(out, split=split).fingerprint for split in SPLITS}
    prints.add(read(out, n_samples=N - 1).fingerprint)
    prepare(data, tmp_path / "peak", peak=0.5)
    prints.add(read(tmp_path / "peak").fingerprint)
    assert len(prints) == 5
    os.rename(tmp_path / "peak", tmp_path / "moved")
    assert read(tmp_path / "moved").fingerprint in prints


class TestRefused:
    def test_splits_and_folders_that_are_not_there(self, folders, out):
        manifest = json.loads((out / "manifest.json").read_text())
        del manifest["splits"]["valid"]
        (out / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(UsageError, match="has no split valid; there are train, test"):
            read(out, split="valid")
        with pytest.raises(UsageError, match="was not prepared"):
            read(folders[0], split="valid")
        (out / "manifest.json").unlink()
        (out / "parts").mkdir()
        with pytest.raises(UsageError, match="not prepared to its end"):
            read(out)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            *((text, "no manifest of") for text in ("", "[]", "{}", "[" * 10**5)),
            ('{"format": "noisygan-data", "version": 2}', "no manifest of"),
            ('{"format": "noisygan-data", "version": 1}', "version 1; expected noisygan-data"),
            ('{"format": "\\u001b[2J", "version": 1}', "prepare the recordings again"),
        ],
    )
    def test_a_manifest_of_something_else(self, out, text, message):
        (out / "manifest.json").write_text(text)
        with pytest.raises(UsageError, match=message):
            read(out)

    @pytest.mark.parametrize("name", ["../secret", "a/b", "..", "x\0", 3])
    def test_a_manifest_that_names_files_elsewhere(self, out, name):
        manifest = json.loads((out / "manifest.json").read_text())
        manifest["splits"]["train"]["shards"] = [name]
        (out / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(UsageError, match="no name of a file beside it"):
            read(out)

    def test_a_missing_or_damaged_file(self, out):
        for path in (next(out.glob("train-*-16000.wav")), out / "records.jsonl"):
            content = path.read_bytes()
            path.write_bytes(content[:-2] + b"\0\1")
            with pytest.raises(RunError, match=f"{path.name} has another checksum"):
                read(out)
            path.unlink()
            with pytest.raises(RunError, match=f"{path.name} cannot be read .No such file"):
                read(out)
            path.write_bytes(content)
        assert len(read(out)) > 0

    def test_a_shard_that_goes_during_training(self, out, monkeypatch):
        monkeypatch.setattr(data_of, "MAX_BYTES_IN_MEMORY", 0)
        found = read(out)
        for path in out.glob("*.wav"):
            path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(RunError, match=r"-16000\.wav"):
            found.audio(len(found) - 1)


def test_verify_reports_every_damage_once(out):
    assert list(records.verify(out)) == []
    first, second, *_ = sorted(out.glob("*.wav"))
    first.write_bytes(first.read_bytes()[:-1])
    second.unlink()
    (out / "train-99999-16000.wav").write_bytes(b"")
    lines = (out / "records.jsonl").read_text().splitlines(keepends=True)
    (out / "records.jsonl").write_text("".join(line for line in lines if '"train"' not in line))
    found = list(records.verify(out))
    for part in (
        f"{first.name} has another checksum",
        f"{second.name} cannot be read",
        "train-99999-16000.wav is not in the manifest",
        "records.jsonl has another checksum",
        "split train holds 0 records",
    ):
        assert sum(part in one for one in found) == 1
    assert len(found) == 5
    (out / "records.jsonl").write_text("{}\n")
    assert "KeyError" not in list(records.verify(out))[-1]
