"""From a folder to records: nothing lost, the same whoever does the work, whole or not there."""

import functools
import gc
import json
import os
import pathlib
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile

from noisygan.data.prepare import (
    beam_runner,
    example,
    manifest,
    pool,
    preparing,
    presets,
    records,
    units,
)
from noisygan.demo import drums_folder, notes_folder
from noisygan.errors import RunError, UsageError
from noisygan.files import folder_lock


def here(folder, indices, done):
    """Does units in this process."""
    for index in indices:
        done(units.process(folder, index))


def prepare(data, out, kind="notes", run=here, table=None, overwrite=False, **changes):
    options = presets.options(kind, None, {"n_samples": 800, **changes})
    return preparing.prepare(data, out, options, run, {"kind": kind}, table, overwrite)


def lines(out):
    with open(out / "files.jsonl", encoding="ascii") as file:
        return {line["file"]: line for line in map(json.loads, file)}


def all_records(out, split="train"):
    shards = manifest.read(out)["splits"].get(split, {"shards": []})["shards"]
    return [record for shard in shards for record in records.read_shard(out / shard)]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.fixture
def folder(tmp_path, write_sound):
    """40 sounds of two classes, and things that are none."""
    data = tmp_path / "data"
    for i in range(40):
        name = f"{'low' if i % 3 else 'high'}/tone-{40 + i:03d}-100.wav"
        write_sound(data / name, hz=100.0 + 10 * i, rate=(8000, 16000)[i % 2])
    (data / "readme.txt").write_text("x")
    (data / "low" / "empty.wav").write_bytes(b"")
    return data


def test_sixteen_bit_notes_come_back_bit_by_bit(tmp_path):
    options = presets.options("nsynth")
    made, is_new = preparing.prepare(notes_folder(), tmp_path / "out", options, here)
    assert is_new
    notes = {record.key: record for record in all_records(tmp_path / "out")}
    paths = sorted((notes_folder() / "nsynth-train" / "audio").iterdir())
    assert len(notes) == len(paths) == made["splits"]["train"]["n_records"] > 10
    for path in paths:
        record = notes[f"nsynth-train/audio/{path.name}"]
        audio, _ = soundfile.read(path, dtype="float32")
        np.testing.assert_array_equal(record.audio[16000], audio)
        _, pitch, velocity = path.stem.rsplit("-", 2)
        assert (record.pitch, record.velocity) == (float(pitch), float(velocity))
        assert record.tags["family"] == "flute"


def test_the_manifest_counts_everything(tmp_path, folder):
    made, _ = prepare(folder, tmp_path / "out", licence="CC0", source="my shelf")
    assert made == manifest.read(tmp_path / "out")
    assert (made["format"], made["version"], made["kind"]) == ("noisygan-data", 1, "notes")
    assert (made["sample_rates"], made["n_samples"]) == ([16000], 800)
    assert (made["licence"], made["source"]) == ("CC0", "my shelf")
    assert made["label_names"] == ["high", "low"]
    counts = made["counts"]
    assert (counts["files"], counts["used"], counts["skipped"], counts["records"]) == (
        42,
        40,
        2,
        40,
    )
    assert counts["skipped_by_kind"] == {"empty": 1, "not audio": 1}
    assert counts["labels"] == {"high": 14, "low": 26}
    assert counts["pitches"] == {str(pitch): 1 for pitch in range(40, 80)}
    assert counts["seconds"] == pytest.approx(40 * 0.05)
    assert made["splits"]["train"]["n_records"] == 40
    for name in ("peak_db", "loudness_db", "seconds"):
        assert sum(made["histograms"][name]["counts"]) == 40
    listed = lines(tmp_path / "out")
    assert len(listed) == 42
    assert listed["low/empty.wav"]["reason"] == "is an empty file"
    first = listed["high/tone-040-100.wav"]
    assert first["did"] == ["resampled from 8000 to 16000 Hz", "cut from 1600 to 800 samples"]
    assert (first["action"], first["rate"], first["seconds"]) == ("used", 8000, 0.1)
    assert first["peak"] == pytest.approx(0.5, abs=0.01)
    assert all(len(line["sha256"]) == 64 for line in listed.values())


def test_processes_give_the_same_files(tmp_path, folder):
    prepare(folder, tmp_path / "one")
    prepare(folder, tmp_path / "two", run=functools.partial(pool.run, n_processes=2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_beam_gives_the_same_files(tmp_path, folder):
    pytest.importorskip("apache_beam", reason="Apache Beam is not installed")
    options = ["direct_running_mode=in_memory"]
    run = functools.partial(beam_runner.run, runner="DirectRunner", runner_options=options)
    prepare(folder, tmp_path / "plain")
    prepare(folder, tmp_path / "beam", run=run)
    assert contents(tmp_path / "plain") == contents(tmp_path / "beam")
    with pytest.raises(UsageError, match="Beam refuses --runner"):
        prepare(folder, tmp_path / "x", run=functools.partial(beam_runner.run, runner="Nothing"))
    options = ["direct_num_workers=two"]
    run = functools.partial(beam_runner.run, runner="DirectRunner", runner_options=options)
    with pytest.raises(UsageError, match="Beam refuses --runner_option: .*'two'"):
        prepare(folder, tmp_path / "y", run=run)


def test_without_beam_a_runner_says_what_to_install(tmp_path, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(UsageError, match=r"pip install 'noisygan\[beam\]'"):
        prepare(folder, tmp_path / "x", run=functools.partial(beam_runner.run, runner="Direct"))


def test_songs_become_segments_with_keys_of_their_own(tmp_path, write_sound):
    write_sound(tmp_path / "data" / "song.wav", n=16000)
    rates = (16000.0, 4000.0)
    made, _ = prepare(
        tmp_path / "data", tmp_path / "out", "songs", sample_rates=rates, n_samples=3000
    )
    found = all_records(tmp_path / "out")
    assert len({record.key for record in found}) == len(found) == made["counts"]["records"] == 5
    assert [record.start_seconds for record in found] == pytest.approx(np.arange(5) * 3000 / 16000)
    assert [sorted(record.audio) for record in found] == [[4000, 16000]] * 5
    assert [len(record.audio[4000]) for record in found] == [750] * 5
    assert made["sample_rates"] == [16000, 4000]
    assert made["counts"]["without_label"] == made["counts"]["without_pitch"] == 5


def test_float_records_keep_every_bit(tmp_path, write_sound):
    samples = (0.3 * np.random.default_rng(0).standard_normal(800)).clip(-1, 1).astype(np.float32)
    write_sound(tmp_path / "data" / "a.wav", samples, subtype="FLOAT")
    prepare(tmp_path / "data", tmp_path / "out", encoding="float32")
    (record,) = all_records(tmp_path / "out")
    np.testing.assert_array_equal(record.audio[16000], samples)


def test_splits_by_pitch_keep_pitches_together(tmp_path, folder, write_sound):
    for i in range(40):
        write_sound(folder / "more" / f"tone-{40 + i:03d}-050.wav", hz=200 + i)
    prepare(folder, tmp_path / "out", split_by="pitch", valid=0.1, test=0.2)
    pitches = {
        split: sorted(record.pitch for record in all_records(tmp_path / "out", split))
        for split in ("train", "valid", "test")
    }
    assert [len(each) for each in pitches.values()] == [56, 8, 16]
    assert len(set(pitches["test"])) == 8
    assert not set(pitches["test"]) & set(pitches["train"])


def test_only_what_is_asked_for_is_shared_out(tmp_path, folder):
    """However many pitches others have, those that are chosen have one in each split."""
    names = ("low/tone-041-100.wav", "low/tone-042-100.wav", "high/tone-043-100.wav")
    table = tmp_path / "mine.csv"
    rows = [f"low/tone-{i:03d}-100.wav,{i},no" for i in range(44, 80) if (i - 40) % 3]
    rows += [f"{name},{40 + i},yes" for i, name in enumerate(names)]
    table.write_text("file,pitch,mood\n" + "\n".join(rows))
    asked = {"table": table, "split_by": "pitch", "valid": 0.1, "test": 0.1}
    made, _ = prepare(folder, tmp_path / "out", only=(("mood", ("yes",)),), **asked)
    assert {name: each["n_records"] for name, each in made["splits"].items()} == {
        "train": 1,
        "valid": 1,
        "test": 1,
    }


def test_a_group_may_be_called_none(tmp_path, folder):
    (folder / "low").rename(folder / "none")
    made, _ = prepare(folder, tmp_path / "out", split_by="instrument", test=0.5)
    assert sorted(each["n_records"] for each in made["splits"].values()) == [14, 26]


def test_only_what_is_asked_for(tmp_path, folder):
    made, _ = prepare(folder, tmp_path / "out", only=(("label", ("high",)),))
    assert made["counts"]["labels"] == {"high": 14}
    assert made["counts"]["skipped_by_kind"]["left out"] == 27
    with pytest.raises(UsageError, match="has label hgih; there are high, low"):
        prepare(folder, tmp_path / "x", only=(("label", ("hgih",)),))
    with pytest.raises(UsageError, match="has mood dark; there are none"):
        prepare(folder, tmp_path / "y", only=(("mood", ("dark",)),))


def test_stored_recordings_are_chosen_when_they_are_read(tmp_path):
    path = tmp_path / "data" / "nsynth-test.tfrecord"
    path.parent.mkdir()
    audio = np.full(800, 0.25, np.float32)
    with open(path, "wb") as file:
        for family in (b"flute", b"brass", b"flute"):
            note = {"audio": audio, "pitch": [60], "instrument_family_str": family}
            example.write_frame(file, example.encode(note))
    only = (("family", ("flute",)),)
    made, _ = prepare(path.parent, tmp_path / "out", "nsynth", only=only)
    assert made["counts"]["skipped_by_kind"] == {"left out": 1}
    found = all_records(tmp_path / "out", "test")
    assert [record.tags["family"] for record in found] == ["flute", "flute"]
    with pytest.raises(UsageError, match="in TFRecords say their pitch too late"):
        prepare(path.parent, tmp_path / "x", "nsynth", split_by="pitch", test=0.1)


def test_what_nobody_foresaw_in_one_file_does_not_stop_the_others(tmp_path, folder, monkeypatch):
    real = units.converting.convert

    def convert(sound, options):
        if sound.rate == 8000:
            raise ZeroDivisionError("by zero")
        return real(sound, options)

    monkeypatch.setattr(units.converting, "convert", convert)
    made, _ = prepare(folder, tmp_path / "out")
    assert made["counts"]["skipped_by_kind"]["failed"] == made["counts"]["used"] == 20
    reason = lines(tmp_path / "out")["high/tone-040-100.wav"]["reason"]
    assert reason == "could not be worked on (ZeroDivisionError: by zero)"


def test_features_that_fail_stop_one_file_only(tmp_path, folder, monkeypatch):
    def features(audio, options):
        if np.count_nonzero(audio) > 600:
            raise ZeroDivisionError("by zero")
        return {}

    soundfile.write(folder / "short.wav", np.full(9, 0.5), 16000)
    monkeypatch.setattr(units, "_features", features)
    made, _ = prepare(folder, tmp_path / "out", remove_dc=False)
    assert (made["counts"]["used"], made["counts"]["skipped_by_kind"]["failed"]) == (1, 40)
    assert [record.key for record in all_records(tmp_path / "out")] == ["short.wav"]


def test_a_table_brings_labels_pitches_and_tags(tmp_path, folder):
    table = tmp_path / "mine.csv"
    table.write_text("file,label,pitch,mood\nlow/tone-041-100.wav,bass,C2,dark\n")
    made, _ = prepare(folder, tmp_path / "out", table=table)
    (record,) = all_records(tmp_path / "out")
    assert (record.label, record.pitch, record.tags) == ("bass", 36.0, {"mood": "dark"})
    assert made["counts"]["files"] == 42


def test_stopped_anywhere_it_goes_on_to_the_same_end(tmp_path, folder, monkeypatch):
    prepare(folder, tmp_path / "whole")
    out = tmp_path / "out"
    n_units = len(list((tmp_path / "whole").glob("*.tfrecord")))
    assert n_units >= 3
    written = []
    real = units.files.atomic_write

    def stop_before(n):
        """Stops the run as the n-th file gets its name."""
        written.clear()

        def whole(path, overwrite=False):
            written.append(path)
            if len(written) == n:
                raise KeyboardInterrupt
            return real(path, overwrite)

        monkeypatch.setattr(units.files, "atomic_write", whole)
        monkeypatch.setattr(records, "atomic_write", whole)

    for n in range(1, 7):
        stop_before(n)
        with pytest.raises(KeyboardInterrupt):
            prepare(folder, out)
        assert not (out / "manifest.json").exists()
        assert manifest.read(out) is None
    done = list((out / "parts").glob("0*.json"))
    before = {path: path.stat().st_mtime_ns for path in done}
    assert done
    stop_before(0)
    prepare(folder, out)
    assert contents(out) == contents(tmp_path / "whole")
    # What was done before was not done again.
    assert not set(before) & set(written)


def test_a_killed_run_goes_on(tmp_path, folder):
    out = tmp_path / "out"
    program = (
        "import sys\n"
        "from noisygan.data.prepare import preparing, presets, units\n"
        "def run(folder, indices, done):\n"
        "    for index in indices:\n"
        "        if index == 1:\n"
        "            print('begun', flush=True)\n"
        "            sys.stdin.read()\n"
        "        done(units.process(folder, index))\n"
        "options = presets.options('notes', None, {'n_samples': 800})\n"
        "preparing.prepare(sys.argv[1], sys.argv[2], options, run, {'kind': 'notes'})\n"
    )
    command = [sys.executable, "-c", program, str(folder), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        with pytest.raises(UsageError, match="another run"):
            prepare(folder, out)
        process.send_signal(signal.SIGKILL)
    assert (out / "parts" / "00000.json").is_file()
    first = (out / "train-00000.tfrecord").stat()
    prepare(folder, out)
    prepare(folder, tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")
    assert (out / "train-00000.tfrecord").stat().st_ino == first.st_ino


def test_a_file_that_ends_its_process_is_skipped(tmp_path, folder, monkeypatch):
    ffmpeg = tmp_path / "bin" / "ffmpeg"
    ffmpeg.parent.mkdir()
    ffmpeg.write_text("#!/bin/sh\nkill -9 $PPID\n")
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ffmpeg.parent}:{os.environ['PATH']}")
    for name in ("high/poison.m4a", "low/venom.wma"):
        (folder / name).write_bytes(b"x")
    made, _ = prepare(folder, tmp_path / "out", run=functools.partial(pool.run, n_processes=2))
    assert made["counts"]["used"] == 40
    assert made["counts"]["skipped_by_kind"]["ended the process"] == 2
    assert lines(tmp_path / "out")["high/poison.m4a"]["reason"] == "ended the process that read it"


def test_no_file_is_blamed_when_its_unit_is_done(tmp_path, folder):
    def watched(folder_, indices, done):
        plan = units.load_plan(folder_)
        plan.note_file("x")
        assert plan.blame_file() and plan.given_up() == {"x"}
        done(units.process(folder_, indices[0], watched=True))
        assert not plan.blame_file()
        here(folder_, indices[1:], done)

    assert prepare(folder, tmp_path / "out", run=watched)[0]["counts"]["used"] == 40


def test_a_finished_run_does_nothing_again(tmp_path, folder, monkeypatch):
    out = tmp_path / "out"
    made, _ = prepare(folder, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.name != ".lock"}

    def never(*_):
        raise AssertionError

    assert prepare(folder, out, run=never) == (made, False)
    assert before == {p: p.stat().st_mtime_ns for p in out.iterdir() if p.name != ".lock"}
    # The folder is the same one by another name.
    monkeypatch.chdir(folder)
    assert prepare("../data", out, run=never) == (made, False)
    folder.rename(tmp_path / "moved")
    assert prepare(tmp_path / "moved", out, run=never) == (made, False)


def test_other_options_or_recordings_are_refused_or_overwritten(tmp_path, folder, write_sound):
    out = tmp_path / "out"
    prepare(folder, out)
    with pytest.raises(UsageError, match="prepared with peak none, asked for is 0.5"):
        prepare(folder, out, peak=0.5)
    write_sound(folder / "new.wav")
    with pytest.raises(UsageError, match="are not those that"):
        prepare(folder, out)
    made, _ = prepare(folder, out, peak=0.5, overwrite=True)
    assert (made["counts"]["files"], made["options"]["peak"]) == (43, 0.5)
    prepare(folder, tmp_path / "fresh", peak=0.5)
    assert contents(out) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("typo", [{"only": (("label", ("lwo",)),)}, {"max_seconds": 0.001}])
def test_a_run_without_a_sound_can_be_corrected(tmp_path, folder, typo):
    out = tmp_path / "out"
    with pytest.raises((UsageError, RunError), match="no recording in|none of the 42 files"):
        prepare(folder, out, **typo)
    prepare(folder, out)
    prepare(folder, tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_recordings_that_changed_while_it_was_stopped_are_done_again(tmp_path, folder, write_sound):
    out = tmp_path / "out"

    def stop(folder_, indices, done):
        here(folder_, indices[:2], done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, out, run=stop)
    write_sound(folder / "high" / "tone-040-100.wav", hz=999.0, rate=8000)
    prepare(folder, out)
    prepare(folder, tmp_path / "fresh")
    ours, fresh = contents(out), contents(tmp_path / "fresh")
    assert {name: ours[name] for name in ours if name != "state.json"} == {
        name: fresh[name] for name in fresh if name != "state.json"
    }


def test_splits_that_a_unit_has_no_more_leave_no_shard(tmp_path, folder):
    out, table = tmp_path / "out", tmp_path / "mine.csv"

    def stop(folder_, indices, done):
        here(folder_, indices[:1], done)
        raise KeyboardInterrupt

    for split in ("test", "train"):
        table.write_text(f"file,split\nlow/tone-041-100.wav,{split}\n")
        with pytest.raises(KeyboardInterrupt):
            prepare(folder, out, run=stop, table=table)
        assert [path.name for path in out.glob("*.tfrecord")] == [f"{split}-00000.tfrecord"]


@pytest.mark.parametrize("n_done", range(7))
def test_overwriting_that_is_stopped_goes_on(tmp_path, folder, monkeypatch, n_done):
    """Whatever is gone already: never complete without its shards, never a stranger's folder."""
    out = tmp_path / "out"
    prepare(folder, out)
    left, real = [n_done], pathlib.Path.unlink

    def unlink(path, missing_ok=False):
        if path.parent in (out, out / "parts") and not path.name.startswith("."):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        real(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "unlink", unlink)
        with pytest.raises(KeyboardInterrupt):
            prepare(folder, out, overwrite=True)
    made, is_new = prepare(folder, out, overwrite=n_done > 3)
    shards = {name for each in made["splits"].values() for name in each["shards"]}
    assert is_new == (n_done > 0) and shards == {path.name for path in out.glob("*.tfrecord")}


def test_a_run_killed_in_its_first_write_goes_on(tmp_path, folder):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".state.1234.part.json").write_text("{")
    assert prepare(folder, tmp_path / "out")[1]
    assert not list((tmp_path / "out").glob(".state*"))


def test_the_inputs_are_kept_before_it_says_that_it_is_finished(
    tmp_path, folder, write_sound, monkeypatch
):
    out, real = tmp_path / "out", manifest.write

    def killed(plan, about):
        real(plan, about)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manifest, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(folder, out)
    write_sound(folder / "new.wav")
    with pytest.raises(UsageError, match="are not those that"):
        prepare(folder, out)


def test_a_unit_is_done_once_and_again_if_its_files_are_gone(tmp_path, folder):
    out = tmp_path / "out"
    prepare(folder, tmp_path / "whole")

    def twice(folder_, indices, done):
        here(folder_, indices[:2], done)
        shards = [out / f"train-{index:05d}.tfrecord" for index in indices[:2]]
        before = [shard.stat().st_ino for shard in shards]
        here(folder_, indices[:2], lambda result: None)
        assert [shard.stat().st_ino for shard in shards] == before
        shards[0].unlink()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, out, run=twice)
    prepare(folder, out)
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize("what", ["file", "strange", "inside", "same"])
def test_folders_that_cannot_be_written(tmp_path, folder, what):
    out = {"inside": folder / "out", "same": folder}.get(what, tmp_path / "out")
    if what == "file":
        out.write_text("x")
    elif what == "strange":
        out.mkdir()
        (out / "thesis.txt").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="expected a folder|choose another folder"):
        prepare(folder, out)
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != ".lock"] == before


def test_nothing_usable_is_a_failure_that_says_why(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with pytest.raises(UsageError, match="is empty"):
        prepare(data, tmp_path / "none")
    (data / "a.wav").write_text("text")
    (data / "b.txt").write_text("text")
    with pytest.raises(RunError, match="none of the 2 files .*1 not audio, 1 unreadable"):
        prepare(data, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert len(lines(tmp_path / "out")) == 2


def test_a_folder_is_held_by_one_run(tmp_path):
    held = "another run"
    other = "name another"
    with (
        folder_lock(tmp_path, other),
        pytest.raises(UsageError, match=held),
        folder_lock(tmp_path, other),
    ):
        raise AssertionError
    with folder_lock(tmp_path, other):
        pass


@pytest.mark.parametrize(
    "sizes,counts",
    [
        ([], []),
        ([1], [1]),
        ([1] * 20, [8, 8, 4]),
        ([1] * 500, [16] * 31 + [4]),
        ([1] * 20000, [256] * 78 + [32]),
        ([30 << 20] * 3, [1, 1, 1]),
        ([100 << 20, 1, 1], [1, 2]),
    ],
)
def test_units(sizes, counts):
    assert units.divide(sizes) == counts


def test_listing_needs_no_memory_for_each_file(tmp_path, folder):
    def peak(n):
        for i in range(n):
            (folder / f"{i:05d}.txt").touch()
        gc.collect()
        tracemalloc.start()
        preparing.list_inputs(folder, None, tmp_path / "inputs.jsonl")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few = min(peak(100) for _ in range(3))
    # The least of some: what is collected late, or imported only now, is not the listing's.
    many = min(peak(1000) for _ in range(3))
    assert many - few < 900 * 700  # Names of one folder, and two numbers for each file.


def test_drums_of_the_package(tmp_path):
    made, _ = prepare(drums_folder(), tmp_path / "out", "drums", n_samples=16384)
    assert made["label_names"] == ["cymbal", "kick", "snare", "tom"]
    assert made["counts"]["skipped_by_kind"] == {"not audio": 2}
    for record in all_records(tmp_path / "out"):
        audio = record.audio[44100]
        assert np.max(np.abs(audio)) == pytest.approx(1.0, abs=1e-4)
        assert np.abs(audio[:50]).max() > 1e-3
