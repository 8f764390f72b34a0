"""`prepare` from a folder to records: splits, resuming, the same files from every runner."""

import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from noisygan.data.prepare import manifest, preparing, records, runners, units
from noisygan.data.prepare.options import Options, make_options
from noisygan.data.source_files import Source
from noisygan.demo import notes_folder
from noisygan.errors import RunError, UsageError
from tests.nsynth_records import record_bytes


def here(folder, indices, done):
    """Do units in this process."""
    for index in indices:
        done(units.process(folder, index))


def stopping_after(n):
    """Runner that is stopped after n units."""

    def run(folder, indices, done):
        here(folder, indices[:n], done)
        raise KeyboardInterrupt

    return run


def prepare(data, out, kind="notes", run=here, table=None, overwrite=False, **changes):
    options = make_options(kind, **{"n_samples": 800, **changes})
    return preparing.prepare(data, out, options, run, {"kind": kind}, table, overwrite)


def lines(out):
    with open(out / "files.jsonl", encoding="ascii") as file:
        return {line["file"]: line for line in map(json.loads, file)}


def all_records(out, split="train"):
    return list(records.read_records(out, lambda line: line["split"] == split))


def contents(folder, without=(".lock",)):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in without}


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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Function that prepares a folder once, for comparison."""
    before = {}

    def get(data):
        if "out" not in before:
            before["out"] = tmp_path_factory.mktemp("whole") / "out"
            prepare(data, before["out"])
        return contents(before["out"], (".lock", "state.json"))

    return get


def same(out, whole):
    return contents(out, (".lock", "state.json")) == whole


def never(*_):
    raise AssertionError


class TestRecords:
    def test_sixteen_bit_notes_come_back_bit_by_bit(self, tmp_path):
        out = tmp_path / "out"
        made, is_new = preparing.prepare(notes_folder(), out, make_options("nsynth"), here)
        assert is_new
        notes = {record.key: record for record in all_records(out)}
        paths = sorted((notes_folder() / "nsynth-train" / "audio").iterdir())
        assert len(notes) == len(paths) == made["splits"]["train"]["n_records"] > 10
        for path in paths:
            record = notes[f"nsynth-train/audio/{path.name}"]
            audio, _ = soundfile.read(path, dtype="float32")
            np.testing.assert_array_equal(record.audio[16000], audio)
            _, pitch, velocity = path.stem.rsplit("-", 2)
            assert (record.pitch, record.velocity) == (float(pitch), float(velocity))
            assert record.tags["family"] == "flute"

    def test_songs_become_segments_with_keys_of_their_own(self, tmp_path, write_sound):
        data, out = tmp_path / "data", tmp_path / "out"
        write_sound(data / "song.wav", n=16000)
        made, _ = prepare(data, out, "songs", sample_rates=(16000.0, 4000.0), n_samples=3000)
        found = all_records(out)
        assert len({record.key for record in found}) == len(found) == 5
        begins = [record.start_seconds for record in found]
        assert begins == pytest.approx(np.arange(5) * 3000 / 16000)
        assert [[len(record.audio[rate]) for rate in (16000, 4000)] for record in found] == [
            [3000, 750]
        ] * 5
        assert made["sample_rates"] == [16000, 4000]
        assert made["counts"]["without_label"] == made["counts"]["without_pitch"] == 5

    def test_features_come_back(self, tmp_path, write_sound):
        write_sound(tmp_path / "data" / "a.wav", n=800)
        write_sound(tmp_path / "data" / "b.wav", n=800, hz=300.0)
        prepare(tmp_path / "data", tmp_path / "out", features=True, frame_rate=100.0)
        for record in all_records(tmp_path / "out"):
            assert record.frame_rate == 100.0
            assert set(record.features) == {"loudness_db", "rms", "onset_seconds"}
            assert record.features["rms"].shape == (6,) and record.features["rms"].dtype == "f4"

    def test_f0_is_near_the_pitch_of_the_name(self, tmp_path, write_sound):
        write_sound(tmp_path / "data" / "C8.wav", n=4000, hz=4186.0)
        prepare(tmp_path / "data", tmp_path / "out", n_samples=8000, f0="pyin")
        (record,) = all_records(tmp_path / "out")
        cents = 1200.0 * np.log2(record.features["f0_hz"] / 4186.0)
        assert np.percentile(abs(cents), 90) < 20.0  # not where the sound is cut

    def test_full_scale_does_not_wrap(self, tmp_path):
        made = [records.Record("a", "a", {8000: np.array([1.0, -1.0, 0.49998, 0.0])})]
        records.write_shard(tmp_path, "x", "train", [8000], made)
        audio, _ = soundfile.read(tmp_path / "x-8000.wav", dtype="int16")
        assert audio.tolist() == [32767, -32768, 16383, 0]
        (tmp_path / "y").mkdir()
        assert records.write_shard(tmp_path / "y", "x", "train", [8000], []) == ([], [])
        assert not list((tmp_path / "y").iterdir())
        with pytest.raises(RunError, match="cannot be written"):
            records.write_shard(tmp_path / "z", "x", "train", [8000], made)

    def test_the_manifest_counts_everything(self, tmp_path, folder):
        made, _ = prepare(folder, tmp_path / "out", licence="CC0")
        assert made == manifest.read_manifest(tmp_path / "out")
        assert (made["kind"], made["licence"], made["n_samples"]) == ("notes", "CC0", 800)
        assert (made["label_names"], made["sample_rates"]) == (["high", "low"], [16000])
        counts = made["counts"]
        n = [counts[name] for name in ("files", "used", "skipped", "records")]
        assert n == [42, 40, 2, 40] and made["splits"]["train"]["n_records"] == 40
        assert counts["skipped_by_kind"] == {"empty": 1, "not audio": 1}
        assert counts["labels"] == {"high": 14, "low": 26}
        assert counts["pitches"] == {str(pitch): 1 for pitch in range(40, 80)}
        assert counts["seconds"] == pytest.approx(40 * 0.05)
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


class TestRunners:
    def test_processes_give_the_same_files(self, tmp_path, folder, whole):
        prepare(folder, tmp_path / "two", run=functools.partial(runners.run_pool, n_processes=2))
        assert same(tmp_path / "two", whole(folder))

    def test_beam_gives_the_same_files(self, tmp_path, folder, whole):
        pytest.importorskip("apache_beam", reason="Apache Beam is not installed")
        run = functools.partial(runners.run_beam, runner="DirectRunner")
        prepare(folder, tmp_path / "beam", run=run)
        assert same(tmp_path / "beam", whole(folder))
        run = functools.partial(runners.run_beam, runner="Nothing")
        with pytest.raises(RunError, match="runner Nothing failed"):
            prepare(folder, tmp_path / "x", run=run)

    def test_a_file_that_crashes_its_process_is_skipped(self, tmp_path, folder, monkeypatch):
        ffmpeg = tmp_path / "bin" / "ffmpeg"
        ffmpeg.parent.mkdir()
        ffmpeg.write_text("#!/bin/sh\nkill -9 $PPID\n")
        ffmpeg.chmod(0o755)
        monkeypatch.setenv("PATH", f"{ffmpeg.parent}:{os.environ['PATH']}")
        (folder / "high/poison.m4a").write_bytes(b"x")
        run = functools.partial(runners.run_pool, n_processes=2)
        made, _ = prepare(folder, tmp_path / "out", run=run)
        assert made["counts"]["used"] == 40
        assert made["counts"]["skipped_by_kind"]["ended the process"] == 1
        poison = lines(tmp_path / "out")["high/poison.m4a"]
        assert poison["reason"] == "ended the process that read it"


class TestSplits:
    def test_files_go_where_their_contents_say(self):
        options, chosen = Options(split_by="file", valid=0.2, test=0.1), []
        for i in range(2000):
            sha256 = hashlib.sha256(str(i).encode()).hexdigest()
            names = [Source("a.wav", "/a.wav"), Source("copy of a.wav", "/other/copy of a.wav")]
            first, second = (units.choose_split(each, sha256, options, {}) for each in names)
            assert first == second
            chosen.append(first)
        # On any machine.
        assert [i for i, split in enumerate(chosen[:12]) if split != "train"] == [4, 7, 9, 11]
        assert chosen.count("valid") == pytest.approx(400, abs=60)
        assert chosen.count("test") == pytest.approx(200, abs=45)

    @pytest.mark.parametrize(
        ("n", "counts"),
        [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1)), (40, (34, 4, 2))],
    )
    def test_groups_are_shared_out_whole(self, n, counts):
        shared = units.share_out(map(str, range(n)), 0.1, 0.05)
        assert tuple(map(list(shared.values()).count, ("train", "valid", "test"))) == counts
        assert shared == units.share_out([str(i) for i in reversed(range(n))] * 2, 0.1, 0.05)

    def test_groups_are_pitches_instruments_or_tags(self):
        source = Source("a", "a", label="flute", pitch=60.0, tags={"speaker": "x"})
        for split_by, group in (("pitch", "60"), ("instrument", "flute"), ("speaker", "x")):
            options = Options(split_by=split_by, test=0.5)
            assert units.group_of(source, split_by) == group
            assert units.choose_split(source, "00", options, {group: "test"}) == "test"
        alone = {units.choose_split(Source("a", "a"), str(i), options, {}) for i in range(20)}
        assert alone == {"train", "test"}
        given = Source("a", "a", split="valid")
        assert units.choose_split(given, "0", Options(), {}) == "valid"

    def test_by_pitch_keeps_pitches_together(self, tmp_path, folder, write_sound):
        for i in range(40):
            write_sound(folder / "more" / f"tone-{40 + i:03d}-050.wav", hz=200 + i)
        prepare(folder, tmp_path / "out", split_by="pitch", valid=0.1, test=0.2)
        pitches = [
            [record.pitch for record in all_records(tmp_path / "out", split)]
            for split in ("train", "valid", "test")
        ]
        assert [len(each) for each in pitches] == [56, 8, 16]
        assert len(set(pitches[2])) == 8 and not set(pitches[2]) & set(pitches[0])

    def test_only(self, tmp_path, folder):
        made, _ = prepare(folder, tmp_path / "out", only=(("label", ("high",)),))
        assert made["counts"]["labels"] == {"high": 14}
        assert made["counts"]["skipped_by_kind"]["left out"] == 27
        with pytest.raises(UsageError, match="has label hgih; there are high, low"):
            prepare(folder, tmp_path / "x", only=(("label", ("hgih",)),))
        with pytest.raises(UsageError, match="has mood dark; there are none"):
            prepare(folder, tmp_path / "y", only=(("mood", ("dark",)),))

    def test_only_labels_with_commas(self, tmp_path, write_sound):
        for label in ("a", "a, b", "b"):
            write_sound(tmp_path / "data" / f"{label}-060-100.wav", hz=200 + 10 * len(label))
        for i, (values, labels) in enumerate(
            ((("a, b",), {"a, b"}), (("a, b,b",), {"a, b", "b"}), (("b,a",), {"a", "b"}),
             (("a", "b"), {"a", "b"}))
        ):  # fmt: skip
            made, _ = prepare(tmp_path / "data", tmp_path / f"{i}", only=(("label", values),))
            assert set(made["counts"]["labels"]) == labels
        with pytest.raises(UsageError, match="has label c; there are"):
            prepare(tmp_path / "data", tmp_path / "x", only=(("label", ("a, b,c",)),))

    def test_tfrecords_are_chosen_when_they_are_read(self, tmp_path):
        path = tmp_path / "data" / "nsynth-test.tfrecord"
        path.parent.mkdir()
        families = ("flute", "brass", "flute")
        path.write_bytes(b"".join(record_bytes(instrument_family_str=each) for each in families))
        only = (("family", ("reed,flute",)),)
        made, _ = prepare(path.parent, tmp_path / "out", "nsynth", only=only)
        assert made["counts"]["skipped_by_kind"] == {"left out": 1}
        found = all_records(tmp_path / "out", "test")
        assert [record.tags["family"] for record in found] == ["flute", "flute"]
        with pytest.raises(UsageError, match="says its pitch before it is read"):
            prepare(path.parent, tmp_path / "x", "nsynth", split_by="pitch", test=0.1)


class TestResuming:
    def test_stopped_at_any_write(self, tmp_path, folder, whole, monkeypatch):
        out, written = tmp_path / "out", []
        real = units.files.atomic_write

        def stop_before(n):
            """Stop the run as the n-th file gets its name."""
            written.clear()

            def atomic_write(path, overwrite=False):
                written.append(path)
                if len(written) == n:
                    raise KeyboardInterrupt
                return real(path, overwrite)

            monkeypatch.setattr(units.files, "atomic_write", atomic_write)
            monkeypatch.setattr(records, "atomic_write", atomic_write)

        for n in range(1, 7):
            stop_before(n)
            with pytest.raises(KeyboardInterrupt):
                prepare(folder, out)
            assert not (out / "manifest.json").exists()
            with pytest.raises(UsageError):
                manifest.read_manifest(out)
        done = set((out / "parts").glob("0*.json"))
        stop_before(0)
        prepare(folder, out)
        assert same(out, whole(folder))
        assert done and not done & set(written)

    def test_a_killed_run(self, tmp_path, folder, whole):
        out = tmp_path / "out"
        program = (
            "import sys\n"
            "from noisygan.data.prepare import preparing, options, units\n"
            "def run(folder, indices, done):\n"
            "    units.process(folder, 0)\n"
            "    print('begun', flush=True)\n"
            "    sys.stdin.read()\n"
            "options = options.make_options('notes', n_samples=800)\n"
            "preparing.prepare(sys.argv[1], sys.argv[2], options, run, {'kind': 'notes'})\n"
        )
        command = [sys.executable, "-c", program, str(folder), str(out)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"begun\n"
            with pytest.raises(UsageError, match="another run"):
                prepare(folder, out)
            process.send_signal(signal.SIGKILL)
        first = (out / "train-00000-16000.wav").stat()
        prepare(folder, out)
        assert same(out, whole(folder))
        assert (out / "train-00000-16000.wav").stat().st_ino == first.st_ino

    def test_a_finished_run_does_nothing_again(self, tmp_path, folder, monkeypatch):
        out = tmp_path / "out"
        made, _ = prepare(folder, out)
        before = contents(out)
        assert prepare(folder, out, run=never) == (made, False)
        # The folder is the same one by another name.
        monkeypatch.chdir(folder)
        assert prepare("../data", out, run=never) == (made, False)
        folder.rename(tmp_path / "moved")
        assert prepare(tmp_path / "moved", out, run=never) == (made, False)
        assert contents(out) == before

    def test_other_options_or_recordings_are_refused_or_overwritten(
        self, tmp_path, folder, write_sound
    ):
        out = tmp_path / "out"
        prepare(folder, out)
        with pytest.raises(UsageError, match="prepared with peak none, not 0.5"):
            prepare(folder, out, peak=0.5)
        write_sound(folder / "new.wav")
        with pytest.raises(UsageError, match="are not those that"):
            prepare(folder, out)
        made, _ = prepare(folder, out, peak=0.5, overwrite=True)
        assert (made["counts"]["files"], made["options"]["peak"]) == (43, 0.5)
        prepare(folder, tmp_path / "fresh", peak=0.5)
        assert contents(out) == contents(tmp_path / "fresh")

    @pytest.mark.parametrize("state", ["{}", "null"])
    def test_a_state_of_something_else_is_refused(self, tmp_path, folder, state):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "state.json").write_text(state)
        with pytest.raises(UsageError, match="holds nothing prepared"):
            prepare(folder, tmp_path / "out")

    def test_what_changed_while_it_was_stopped_is_done_again(self, tmp_path, folder, write_sound):
        out, table = tmp_path / "out", tmp_path / "mine.csv"
        for split in ("test", "train"):
            table.write_text(f"file,split\nhigh/tone-040-100.wav,{split}\n")
            with pytest.raises(KeyboardInterrupt):
                prepare(folder, out, run=stopping_after(1), table=table)
            assert [path.name for path in out.glob("*.wav")] == [f"{split}-00000-16000.wav"]
        with pytest.raises(KeyboardInterrupt):
            prepare(folder, out, run=stopping_after(2))
        write_sound(folder / "high" / "tone-040-100.wav", hz=999.0, rate=8000)
        (out / "train-00001-16000.wav").unlink()
        prepare(folder, out)
        prepare(folder, tmp_path / "fresh")
        assert same(out, contents(tmp_path / "fresh", (".lock", "state.json")))

    @pytest.mark.parametrize("n_kept", range(4))
    def test_overwriting_that_is_stopped(self, tmp_path, folder, whole, monkeypatch, n_kept):
        """Never complete without its shards, never a stranger's folder."""
        out = tmp_path / "out"
        prepare(folder, out)
        unlink = type(out).unlink
        left = [n_kept]

        def stopped(path, missing_ok=False):
            if path.parent == out and not path.name.startswith("."):
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
            unlink(path, missing_ok)

        with monkeypatch.context() as patch:
            patch.setattr(type(out), "unlink", stopped)
            with pytest.raises(KeyboardInterrupt):
                prepare(folder, out, overwrite=True)
        assert prepare(folder, out, overwrite=n_kept == 3)[1] == (n_kept > 0)
        assert same(out, whole(folder))


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
    shutil.rmtree(data)
    with pytest.raises(UsageError, match="no such folder"):
        prepare(data, tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
