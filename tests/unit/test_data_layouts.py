"""Folder layouts: what is listed for training, and every input of `prepare` with what is known."""

import json
import os

import numpy as np
import pytest

from noisygan.audio_io.decoding import BadAudioError
from noisygan.data import layouts, source_files
from noisygan.data.prepare import reading
from noisygan.errors import UsageError
from tests.nsynth_records import record_bytes

NOTE = {
    "instrument_str": "flute_acoustic_000",
    "instrument_family_str": "flute",
    "instrument_source_str": "acoustic",
    "pitch": 60,
    "velocity": 75,
    "qualities_str": ["bright"],
}


def nsynth(folder, notes, write_sound, files=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples.json").write_text(json.dumps(notes))
    (folder / "audio").mkdir()
    for name in notes if files is None else files:
        write_sound(folder / "audio" / (name if "." in name else f"{name}.wav"))
    return folder


def listed(data, table=None):
    return {source.file: source for source in layouts.list_sources(data, table)}


class TestEntries:
    """What training reads as it is."""

    def test_nsynth(self, tmp_path, write_sound):
        notes = {"b": NOTE, "a": {**NOTE, "pitch": 61.5}, "reed_synthetic_012-050-025": {}}
        folder = nsynth(tmp_path / "nsynth-train", notes, write_sound, ["a.flac", "b"])
        nsynth(tmp_path / "nsynth-test", {"c": NOTE}, write_sound)
        read_from, (a, b, reed), _ = layouts.list_entries(tmp_path)
        assert read_from == folder
        known = {"rule": "NSynth", "tags": {"family": "flute", "source": "acoustic"}}
        known["tags"]["qualities"] = "bright"
        label = "flute_acoustic_000"
        assert a == source_files.Entry("a", folder / "audio" / "a.flac", label, 61.5, 75, **known)
        assert b == source_files.Entry("b", folder / "audio" / "b.wav", label, 60.0, 75, **known)
        # Absent fields come from the name; whether a file is there shows when it is decoded.
        assert reed.label == "reed_synthetic_012"
        assert reed.tags == {"family": "reed", "source": "synthetic"}
        assert (reed.pitch, reed.velocity, reed.path.exists()) == (50, 25, False)

    def test_nsynth_that_is_incomplete(self, tmp_path, write_sound):
        nsynth(tmp_path / "nsynth-test", {"b": NOTE}, write_sound)
        with pytest.raises(UsageError, match="nsynth-train; name the split.*nsynth-test"):
            layouts.list_entries(tmp_path)
        write_sound(tmp_path / "nsynth-train" / "audio" / "a.wav")
        with pytest.raises(UsageError, match="nsynth-train has no examples.json"):
            layouts.list_entries(tmp_path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "cannot read .*examples.json"),
            ("[" * 100000, "cannot read .*examples.json"),
            (b"\xff\xfe\x00\x01", "cannot read .*examples.json"),
            ("[]", "examples.json is not NSynth's"),
            ('{"a": 3}', "examples.json is not NSynth's"),
            ("{}", "examples.json names no notes"),
            ('{"a": {"pitch": "sixty"}}', "a.wav has pitch 'sixty'"),
            ('{"a": {"pitch": NaN}}', "a.wav has pitch nan"),
            ('{"a": {"pitch": true}}', "a.wav has pitch True"),
            ('{"a": {"velocity": 128}}', "a.wav has velocity 128"),
            ('{"a": {"instrument_str": 3}}', "a.wav has instrument_str 3"),
            ('{"../../secret": {}}', "'../../secret' is named in examples.json"),
        ],
    )
    def test_a_broken_examples_json_is_named(self, tmp_path, text, message):
        (tmp_path / "examples.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(UsageError, match="no folder audio beside it"):
            layouts.list_entries(tmp_path)
        (tmp_path / "audio").mkdir()
        with pytest.raises(UsageError, match=message) as caught:
            layouts.list_entries(tmp_path)
        assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)

    def test_folders_of_files(self, tmp_path, write_sound):
        for name in ("flute_acoustic_000-060-100.wav", "any.FLAC", "two.wav", "two.flac"):
            write_sound(tmp_path / "audio" / name)
        (tmp_path / "audio" / "notes.txt").write_text("not audio")
        (tmp_path / "audio" / "._any.wav").write_text("left by another system")
        for folder in (tmp_path, tmp_path / "audio"):  # A lone folder `audio` is no class.
            _, (free, named, *two), _ = layouts.list_entries(folder)
            assert (free.path.name, free.label, free.pitch) == ("any.FLAC", None, None)
            assert (named.label, named.pitch, named.velocity) == ("flute_acoustic_000", 60, 100)
            assert [entry.name.removeprefix("audio/") for entry in two] == ["two.flac", "two.wav"]

    def test_class_folders_give_the_label(self, tmp_path, write_sound):
        for name in ("snare/deep/b", "snare/a", "kick/x-036-100"):
            write_sound(tmp_path / f"{name}.wav")
        _, entries, _ = layouts.list_entries(tmp_path)
        expected = [("kick/x-036-100", "kick"), ("snare/a", "snare"), ("snare/deep/b", "snare")]
        assert [(entry.name, entry.label) for entry in entries] == expected
        assert entries[0].pitch == 36

    def test_folders_that_hold_nothing(self, tmp_path):
        for list_all in (layouts.list_entries, listed):
            with pytest.raises(UsageError, match="no such folder: .*nowhere; expected a folder"):
                list_all(tmp_path / "nowhere")
        with pytest.raises(UsageError, match="is empty; expected files ending in .wav"):
            layouts.list_entries(tmp_path)
        (tmp_path / "notes.txt").write_text("not audio")
        with pytest.raises(UsageError, match=r"holds no audio file \(1 other files\)"):
            layouts.list_entries(tmp_path)
        with pytest.raises(UsageError, match="notes.txt is a file; expected the folder"):
            layouts.list_entries(tmp_path / "notes.txt")


def test_nothing_is_left_out_and_nothing_is_listed_twice(tmp_path, write_sound):
    data = tmp_path / "data"
    for name in ("b", "a/x", "folder.wav/inside", ".hidden/x", "../elsewhere/far"):
        write_sound(data / f"{name}.wav")
    (data / "notes.txt").write_text("x")
    (data / "._b.wav").write_bytes(b"\0\5\26\7")
    for link, target in (
        *(("loop", data), ("a/up", ".."), ("self.wav", "self.wav"), ("gone.wav", "nowhere.wav")),
        *(("one", tmp_path / "elsewhere"), ("two", tmp_path / "elsewhere")),
    ):
        (data / link).symlink_to(target)
    os.mkfifo(data / "pipe.wav")
    every = list(layouts.list_sources(data))
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
    for name in (b"\xff\xfe.wav", "ñ 日本\n.wav".encode(), b" .wav", b"-rf.wav", b"\\xff.wav"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"x")
    found = list(source_files.walk(tmp_path))
    names = ["\\xff\\xfe.wav", "ñ 日本\n.wav", " .wav", "-rf.wav", "\\x5cxff.wav"]
    assert sorted(source.file for source in found) == sorted(names)
    again = [source_files.Source(**json.loads(source.to_json())) for source in found]
    assert again == found and all(os.path.exists(source.path) for source in again)


def test_nsynth_json(tmp_path, write_sound):
    nsynth(tmp_path / "nsynth-train", {"a-060-100": NOTE}, write_sound)
    nsynth(tmp_path / "nsynth-valid", {"b-061-100": {**NOTE, "pitch": 61}}, write_sound)
    train, valid = listed(tmp_path).values()
    assert (train.file, valid.file) == (
        "nsynth-train/audio/a-060-100.wav",
        "nsynth-valid/audio/b-061-100.wav",
    )
    assert (train.split, valid.split) == ("train", "valid")
    assert (train.label, train.pitch, train.velocity) == ("flute_acoustic_000", 60.0, 75.0)
    assert train.tags == {"family": "flute", "source": "acoustic", "qualities": "bright"}
    assert listed(tmp_path / "nsynth-valid")["audio/b-061-100.wav"].split == "valid"


def test_nsynth_entries_and_files_that_do_not_fit(tmp_path, write_sound):
    notes = {
        "good": NOTE,
        "loud": {**NOTE, "velocity": 200},
        "list": {**NOTE, "instrument_str": ["flute"]},
        "gone": NOTE,
        "../up": NOTE,
    }
    nsynth(tmp_path, notes, write_sound, ["good", "loud", "list", "extra"])
    assert {source.file: source.kind for source in layouts.list_sources(tmp_path)} == {
        "audio/good.wav": None,
        "audio/loud.wav": "bad entry",
        "audio/list.wav": "bad entry",
        "audio/gone.wav": "missing",
        "'../up'": "bad entry",
        "audio/extra.wav": "not named",
    }


def test_nsynth_tfrecords(tmp_path):
    audio = np.linspace(-0.5, 0.5, 400, dtype=np.float32)
    note = {"velocity": 100, "instrument_str": "flute_acoustic_000"}
    good, loud, empty = (
        record_bytes(audio, pitch=60, instrument_family_str="flute", **note),
        record_bytes(audio, pitch=300, **note),
        record_bytes([], pitch=60),
    )
    damaged = bytearray(good)
    damaged[12:30] = bytes(18)
    (tmp_path / "nsynth-valid.tfrecord").write_bytes(good + loud + empty + damaged + b"\5\0\0")
    found = listed(tmp_path)
    assert [*found] == [f"nsynth-valid.tfrecord#{i}" for i in range(5)]
    first, *bad, cut = found.values()
    sound = reading.read(first)
    np.testing.assert_array_equal(sound.audio, audio)
    assert (sound.rate, first.split, first.pitch) == (16000.0, "valid", 60.0)
    assert (first.label, first.tags["family"]) == ("flute_acoustic_000", "flute")
    assert cut.kind == "damaged"
    for source, kind in zip(bad, ("bad entry", "damaged", "damaged"), strict=True):
        with pytest.raises(BadAudioError) as caught:
            reading.read(source)
        assert caught.value.kind == kind
    assert len({reading.fingerprint(each) for each in (first, *bad)}) == 4


def test_speech_commands(tmp_path, write_sound):
    for name in ("yes/a1_nohash_0", "yes/b2_nohash_0", "no/a1_nohash_1", "_background_noise_/rain"):
        write_sound(tmp_path / f"{name}.wav")
    (tmp_path / "validation_list.txt").write_text("yes/b2_nohash_0.wav\n")
    (tmp_path / "testing_list.txt").write_text("no/a1_nohash_1.wav\n")
    found = listed(tmp_path)
    assert {name: each.split for name, each in found.items() if each.reader} == {
        "yes/a1_nohash_0.wav": "train",
        "yes/b2_nohash_0.wav": "valid",
        "no/a1_nohash_1.wav": "test",
    }
    valid = found["yes/b2_nohash_0.wav"]
    assert (valid.label, valid.tags) == ("yes", {"speaker": "b2"})
    assert found["_background_noise_/rain.wav"].kind == "not a word"


CSV = """\ufefffile;label;Pitch;pitch;split;mood;bpm
a.wav;bass;x;C2;train;20210304;120
sub/b.wav;bass;x;36.5;TEST;;
gone.wav;bass;x;1;;;
a.wav;lead;x;60;;;
c.wav;lead;x;H2;;;
d.wav;lead;x;;holdout;;
"";lead;x;;;;
"""


def test_a_table(tmp_path, write_sound):
    for name in ("a", "sub/b", "c", "d", "forgotten"):
        write_sound(tmp_path / f"{name}.wav")
    table = tmp_path / "mine.csv"
    table.write_text(CSV, encoding="utf-8")
    found = list(layouts.list_sources(tmp_path, table))
    assert [(source.file, source.kind) for source in found] == [
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
    # A date is no number: float32 would not tell it from the next one.
    assert a.tags == {"Pitch": "x", "mood": "20210304", "bpm": 120.0}
    assert [source_files.text_of(a.value(name)) for name in ("pitch", "mood", "x")] == [
        *("36", "20210304", "none")
    ]
    assert (b.pitch, b.split, b.tags) == (36.5, "test", {"Pitch": "x"})


def test_a_table_in_the_folder_is_found_and_names_say_what_it_does_not(tmp_path, write_sound):
    for name in ("kick/a-35-v064", "bells/C5_b"):
        write_sound(tmp_path / f"{name}.wav")
    rows = "file,label,mic,decay\nkick/a-35-v064.wav,,close,0.5\nbells/C5_b.wav,chime,,2\n"
    (tmp_path / "recordings.csv").write_text(rows)
    _, (b, a), skipped = layouts.list_entries(tmp_path)
    assert (a.label, a.velocity, a.tags) == ("kick", 64, {"mic": "close", "decay": 0.5})
    assert (b.label, b.pitch, b.tags) == ("chime", 72, {"decay": 2.0}) and not skipped
    assert a.rule == b.rule == "table"


def test_tables_of_other_systems(tmp_path, write_sound):
    nfc, nfd = "Fl\u00f6te", "Flo\u0308te"
    for name in (f"kits/{nfd}", f"kits/{nfc}2", "b"):
        write_sound(tmp_path / f"{name}.wav")
    rows = (
        f"File,Pitch,VELOCITY,Mood\nkits\\{nfc}.wav,As3,mf,x\nkits/{nfd}2.wav,60,127,\nb.wav,,,\n"
    )
    (tmp_path / "recordings.csv").write_text(rows, encoding="utf-8-sig")
    sources = list(layouts.list_sources(tmp_path))
    found = {source.file: source for source in sources if source.kind is None}
    assert list(found) == [f"kits/{nfd}.wav", f"kits/{nfc}2.wav", "b.wav"]
    flute = found[f"kits/{nfd}.wav"]
    assert (flute.pitch, flute.velocity, flute.tags) == (58.0, 80.0, {"Mood": "x"})


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le"])
def test_tables_that_are_not_utf_8(tmp_path, write_sound, suffix, encoding):
    write_sound(tmp_path / "ö.wav")
    text = {"csv": "file\nö.wav\n", "json": '[{"file": "ö.wav"}]', "jsonl": '{"file": "ö.wav"}\n'}
    (tmp_path / f"t.{suffix}").write_text(text[suffix], encoding=encoding)
    with pytest.raises(UsageError, match=f"table .*t.{suffix}: .*save as UTF-8$"):
        listed(tmp_path, tmp_path / f"t.{suffix}")


@pytest.mark.parametrize("form", ["list", "object", "lines"])
def test_tables_in_json(tmp_path, form):
    # A name that is no text.
    with open(os.path.join(os.fsencode(tmp_path), b"\xff.wav"), "wb") as file:
        file.write(b"x")
    row = {"file": "\udcff.wav", "label": 7, "pitch": 61, "warm": True}
    table = tmp_path / ("t.jsonl" if form == "lines" else "t.json")
    table.write_text(json.dumps({"list": [row], "object": {row["file"]: row}, "lines": row}[form]))
    found = listed(tmp_path, table)["\\xff.wav"]
    assert (found.label, found.pitch, found.tags) == ("7", 61.0, {"warm": 1.0})


@pytest.mark.parametrize(
    ("name", "text"),
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


def test_what_was_prepared_is_no_recording(tmp_path):
    for name in ("manifest.json", "files.jsonl"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(UsageError, match="written by `noisygan prepare`"):
        listed(tmp_path)
