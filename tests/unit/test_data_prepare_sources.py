"""Every input is listed once, in an order that depends on names alone, with what is known of it."""

import json
import os
import struct

import numpy as np
import pytest

from noisygan.data.prepare import example, nsynth_sources, reading, sources, table_sources
from noisygan.errors import UsageError


def listed(data, table=None):
    return {source.file: source for source in sources.list_sources(data, table)}


def test_class_folders_tell_labels_and_names_tell_pitches(tmp_path, write_sound):
    write_sound(tmp_path / "kick" / "deep" / "standard-36-v127.wav")
    write_sound(tmp_path / "flute" / "flute_acoustic_001-060-100.flac")
    found = listed(tmp_path)
    kick = found["kick/deep/standard-36-v127.wav"]
    assert (kick.label, kick.pitch, kick.velocity, kick.tags) == ("kick", None, 127.0, {})
    flute = found["flute/flute_acoustic_001-060-100.flac"]
    assert (flute.label, flute.pitch, flute.velocity) == ("flute", 60.0, 100.0)
    assert flute.tags == {"family": "flute", "source": "acoustic"}


def test_one_folder_of_files_has_the_labels_of_their_names(tmp_path, write_sound):
    write_sound(tmp_path / "flute-060-100.wav")
    write_sound(tmp_path / "anything.wav")
    assert [source.label for source in listed(tmp_path).values()] == [None, "flute"]


def test_nothing_is_left_out_and_nothing_is_listed_twice(tmp_path, write_sound):
    data = tmp_path / "data"
    write_sound(data / "b.wav")
    write_sound(data / "a" / "x.wav")
    write_sound(data / "folder.wav" / "inside.wav")
    write_sound(data / ".hidden" / "x.wav")
    write_sound(tmp_path / "elsewhere" / "far.wav")
    (data / "notes.txt").write_text("x")
    (data / "._b.wav").write_bytes(b"\0\5\26\7")
    (data / "loop").symlink_to(data)
    (data / "a" / "up").symlink_to("..")
    (data / "self.wav").symlink_to("self.wav")
    (data / "gone.wav").symlink_to("nowhere.wav")
    (data / "one").symlink_to(tmp_path / "elsewhere")
    (data / "two").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(data / "pipe.wav")
    every = list(sources.list_sources(data))
    found = {source.file: source.kind for source in every}
    assert len(every) == len(found)
    assert found == {
        "._b.wav": "hidden",
        "b.wav": None,
        "gone.wav": "broken link",
        "notes.txt": "not audio",
        "pipe.wav": "not a file",
        "self.wav": "broken link",
        ".hidden": "hidden",
        "a/x.wav": None,
        "a/up": "folder again",
        "folder.wav": "folder named as a file",
        "folder.wav/inside.wav": None,
        "loop": "folder again",
        "one/far.wav": None,
        "two": "folder again",
    }
    assert all(bool(source.reader) != bool(source.reason) for source in every)


def test_odd_names(tmp_path):
    for name in (b"\xff\xfe.wav", "ñ 日本\n.wav".encode(), b" .wav", b"-rf.wav"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"x")
    found = [source for source in sources.walk(tmp_path) if source.reader]
    assert sorted(source.file for source in found) == sorted(
        ["\\xff\\xfe.wav", "ñ 日本\n.wav", " .wav", "-rf.wav"]
    )
    assert all(os.path.exists(sources.from_json(each.to_json()).path) for each in found)


@pytest.mark.parametrize("name", ["nowhere", "file.wav"])
def test_what_is_no_folder(tmp_path, name):
    (tmp_path / "file.wav").write_bytes(b"x")
    with pytest.raises(UsageError, match="expected .* folder"):
        listed(tmp_path / name)


def nsynth(folder, write_sound, notes, files=None):
    for name in files if files is not None else notes:
        write_sound(folder / "audio" / f"{name}.wav")
    (folder / "examples.json").write_text(json.dumps(notes))


def note(**fields):
    known = {"instrument_str": "flute_acoustic_000", "pitch": 60, "velocity": 100}
    return {**known, "instrument_family_str": "flute", "qualities_str": ["bright"], **fields}


def test_nsynth_json(tmp_path, write_sound):
    nsynth(tmp_path / "nsynth-train", write_sound, {"a-060-100": note()})
    nsynth(tmp_path / "nsynth-valid", write_sound, {"b-061-100": note(pitch=61)})
    found = listed(tmp_path)
    assert [*found] == [
        "nsynth-train/audio/a-060-100.wav",
        "nsynth-valid/audio/b-061-100.wav",
    ]
    train, valid = found.values()
    assert (train.split, valid.split) == ("train", "valid")
    assert (train.label, train.pitch, train.velocity) == ("flute_acoustic_000", 60.0, 100.0)
    assert train.tags == {"family": "flute", "source": "acoustic", "qualities": "bright"}
    assert listed(tmp_path / "nsynth-valid")["audio/b-061-100.wav"].split == "valid"


def test_nsynth_entries_and_files_that_do_not_fit(tmp_path, write_sound):
    notes = {
        "good": note(),
        "loud": note(velocity=200),
        "text": note(pitch="C"),
        "list": note(instrument_str=["flute"]),
        "gone": note(),
        "../up": note(),
    }
    nsynth(tmp_path, write_sound, notes, ["good", "loud", "text", "list", "extra"])
    kinds = {source.file: source.kind for source in sources.list_sources(tmp_path)}
    assert kinds == {
        "audio/good.wav": None,
        "audio/loud.wav": "bad entry",
        "audio/text.wav": "bad entry",
        "audio/list.wav": "bad entry",
        "audio/gone.wav": "missing",
        "'../up'": "bad entry",
        "audio/extra.wav": "not named",
    }


def test_what_lies_beside_nsynths_folders_is_listed(tmp_path, write_sound):
    nsynth(tmp_path / "nsynth-train", write_sound, {"a": note()})
    write_sound(tmp_path / "nsynth-train" / "a.wav")
    write_sound(tmp_path / "mine" / "b.wav")
    (tmp_path / "readme.txt").write_text("x")
    assert {name: source.kind for name, source in listed(tmp_path).items()} == {
        "nsynth-train/audio/a.wav": None,
        "nsynth-train/a.wav": "not named",
        "mine/b.wav": "not named",
        "readme.txt": "not audio",
    }


def test_long_json_is_read_bit_by_bit(tmp_path):
    notes = {f"note{i}": {"text": "x" * 97, "pitch": i} for i in range(20000)}
    path = tmp_path / "examples.json"
    path.write_text(json.dumps(notes, indent=1))
    assert path.stat().st_size > 2 << 20
    assert dict(nsynth_sources.objects_of(path)) == notes


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": {}, "b"', "\x00", "{1: {}}"])
def test_json_that_is_none(tmp_path, text):
    (tmp_path / "examples.json").write_text(text)
    with pytest.raises(UsageError, match="cannot read .*examples.json"):
        dict(nsynth_sources.objects_of(tmp_path / "examples.json"))


def write_tfrecord(path, notes):
    with open(path, "wb") as file:
        for features in notes:
            example.write_frame(file, example.encode(features))


def test_nsynth_tfrecords(tmp_path):
    audio = np.linspace(-0.5, 0.5, 400, dtype=np.float32)
    features = {
        "audio": audio,
        "pitch": [60],
        "velocity": [100],
        "instrument_str": b"flute_acoustic_000",
        "instrument_family_str": b"flute",
    }
    path = tmp_path / "nsynth-valid.tfrecord"
    write_tfrecord(path, [features, {**features, "pitch": [300]}, {"pitch": [60]}, features])
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content + b"\5\0\0")
    found = listed(tmp_path)
    assert [*found] == [f"nsynth-valid.tfrecord#{i}" for i in range(5)]
    first, loud, empty, damaged, cut = found.values()
    sound = reading.read(first)
    np.testing.assert_array_equal(sound.audio, audio)
    assert (sound.rate, first.split, first.pitch) == (16000.0, "valid", 60.0)
    assert (first.label, first.tags["family"]) == ("flute_acoustic_000", "flute")
    assert cut.kind == "damaged"
    for source, kind in ((loud, "bad entry"), (empty, "damaged"), (damaged, "damaged")):
        with pytest.raises(reading.BadAudioError) as caught:
            reading.read(source)
        assert caught.value.kind == kind
    assert len({reading.fingerprint(each) for each in (first, loud, empty, damaged)}) == 4


def test_a_length_beyond_the_file_is_damage(tmp_path):
    (tmp_path / "nsynth-train.tfrecord").write_bytes(struct.pack("<Q", 1 << 60) + bytes(50))
    (source,) = sources.list_sources(tmp_path)
    assert (source.kind, source.reader) == ("damaged", None)


def test_speech_commands(tmp_path, write_sound):
    for name in ("yes/a1_nohash_0", "yes/b2_nohash_0", "no/a1_nohash_1"):
        write_sound(tmp_path / f"{name}.wav")
    write_sound(tmp_path / "_background_noise_" / "rain.wav")
    (tmp_path / "validation_list.txt").write_text("yes/b2_nohash_0.wav\n")
    (tmp_path / "testing_list.txt").write_text("no/a1_nohash_1.wav\n")
    found = listed(tmp_path)
    splits = {name: each.split for name, each in found.items() if each.reader}
    assert splits == {
        "yes/a1_nohash_0.wav": "train",
        "yes/b2_nohash_0.wav": "valid",
        "no/a1_nohash_1.wav": "test",
    }
    assert found["yes/b2_nohash_0.wav"].label == "yes"
    assert found["yes/b2_nohash_0.wav"].tags == {"speaker": "b2"}
    assert found["_background_noise_/rain.wav"].kind == "not a word"


CSV = """\ufefffile;label;Pitch;pitch;split;mood;bpm
a.wav;bass;x;C2;train;dark;120
sub/b.wav;bass;x;36.5;TEST;;
gone.wav;bass;x;1;;;
a.wav;lead;x;60;;;
c.wav;lead;x;H2;;;
d.wav;lead;x;;holdout;;
"";lead;x;;;;
"""


def test_a_table_of_ones_own(tmp_path, write_sound):
    for name in ("a", "sub/b", "c", "d", "forgotten"):
        write_sound(tmp_path / f"{name}.wav")
    table = tmp_path / "mine.csv"
    table.write_text(CSV, encoding="utf-8")
    found = list(sources.list_sources(tmp_path, table))
    kinds = [(source.file, source.kind) for source in found]
    assert kinds == [
        ("a.wav", None),
        ("sub/b.wav", None),
        ("gone.wav", "missing"),
        ("a.wav", "named twice"),
        ("c.wav", "bad entry"),
        ("d.wav", "bad entry"),
        ("row 8", "bad entry"),
        ("forgotten.wav", "not named"),
        ("mine.csv", "not audio"),
    ]
    a, b = found[:2]
    assert (a.label, a.pitch, a.split) == ("bass", 36.0, "train")
    assert a.tags == {"Pitch": "x", "mood": "dark", "bpm": 120.0}
    assert (b.pitch, b.split, b.tags) == (36.5, "test", {"Pitch": "x"})


def test_long_numbers_in_a_table_stay_apart(tmp_path, write_sound):
    """A date is no 2.02103e+07, and float32 would not tell it from the next one."""
    dates = ("20210304", "20210305")
    rows = [f"{write_sound(tmp_path / f'{date}.wav').name},{date},120.5,7\n" for date in dates]
    table = tmp_path / "t.csv"
    table.write_text("file,day,bpm,take\n" + "".join(rows))
    found = listed(tmp_path, table)
    assert [found[f"{date}.wav"].tags["day"] for date in dates] == list(dates)
    said = [sources.text_of(found["20210304.wav"].value(name)) for name in ("day", "bpm", "take")]
    assert said == ["20210304", "120.5", "7"]
    assert sources.text_of(1234567.0) == "1234567"


@pytest.mark.parametrize("field", ["file", "label", "mood", "\ud800"])
def test_text_in_a_table_that_is_none(tmp_path, write_sound, field):
    write_sound(tmp_path / "a.wav")
    table = tmp_path / "t.json"
    table.write_text(json.dumps([{"file": "a.wav", field: "a\ud800.wav"}]))
    source = next(iter(sources.list_sources(tmp_path, table)))
    assert (source.kind, source.reader) == ("bad entry", None)
    assert source.reason.isascii()


def test_a_table_names_files_whose_names_are_no_text(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"\xff.wav"), "wb") as file:
        file.write(b"x")
    table = tmp_path / "t.json"
    table.write_text(json.dumps([{"file": "\udcff.wav", "mood": "dark"}]))
    source = next(iter(sources.list_sources(tmp_path, table)))
    assert (source.file, source.kind, source.tags) == ("\\xff.wav", None, {"mood": "dark"})


@pytest.mark.parametrize("form", ["list", "object", "lines"])
def test_tables_in_json(tmp_path, write_sound, form):
    write_sound(tmp_path / "a.wav")
    row = {"file": "a.wav", "label": 7, "pitch": 61, "warm": True}
    table = tmp_path / ("t.jsonl" if form == "lines" else "t.json")
    rows = {"list": [row], "object": {"a.wav": {**row, "file": "a.wav"}}, "lines": row}[form]
    table.write_text(json.dumps(rows))
    found = listed(tmp_path, table)["a.wav"]
    assert (found.label, found.pitch, found.tags) == ("7", 61.0, {"warm": 1.0})


@pytest.mark.parametrize(
    "name,text",
    [
        ("t.csv", "name,label\na.wav,x\n"),
        ("t.csv", ""),
        ("t.csv", 'file,label\n"a.wav,x\n'),
        ("t.json", "{"),
        ("t.json", "[1]"),
        ("t.json", "3"),
        ("t.txt", "file\n"),
    ],
)
def test_tables_that_are_none(tmp_path, write_sound, name, text):
    write_sound(tmp_path / "a.wav")
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=f"table .*{name}"):
        listed(tmp_path, tmp_path / name)


@pytest.mark.parametrize(
    "text,number",
    [("C4", 60), ("c-1", 0), ("F#3", 54), ("Bb2", 46), ("g9", 127), ("60.5", 60.5), (61, 61)],
)
def test_pitches(text, number):
    assert table_sources.parse_pitch(text) == number


@pytest.mark.parametrize("text", ["H2", "C", "", "nan", "128", "-1", "g#9", None, [60]])
def test_what_is_no_pitch(text):
    assert table_sources.parse_pitch(text) is None


def test_what_was_prepared_is_no_recording(tmp_path):
    for name in ("manifest.json", "files.jsonl"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(UsageError, match="written by `noisygan prepare`"):
        listed(tmp_path)
