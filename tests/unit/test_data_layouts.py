"""How recordings lie in folders: NSynth, audio files, class folders, and everything broken."""

import json

import pytest

from noisygan.data import layouts
from noisygan.errors import UsageError

NOTE = {
    "instrument_str": "flute_acoustic_000",
    "instrument_family_str": "flute",
    "instrument_source_str": "acoustic",
    "pitch": 60,
    "velocity": 75,
}


def nsynth(folder, notes, write_sound, files=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples.json").write_text(json.dumps(notes))
    (folder / "audio").mkdir()
    for name in notes if files is None else files:
        write_sound(folder / "audio" / name if "." in name else folder / "audio" / f"{name}.wav")
    return folder


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("flute_acoustic_000-060-100", ("flute_acoustic_000", 60, 100)),
        ("my-run-060-100-003", ("my-run", 60, 100)),
        ("take-001-060-100-000", ("take-001", 60, 100)),
        ("flute-000-000", ("flute", 0, 0)),
        ("flute-127-127", ("flute", 127, 127)),
        ("flute-128-100", (None, None, None)),
        ("flute-060-128", (None, None, None)),
        ("flute-60-100", (None, None, None)),
        ("standard-035-v127", (None, None, None)),
        ("standard-36-v127", ("standard", None, 127)),
        ("tr808-42-v060", ("tr808", None, 60)),
        ("standard-36-v128", (None, None, None)),
        ("-060-100", (None, None, None)),
        ("a flute", (None, None, None)),
    ],
)
def test_note_names(stem, expected):
    assert layouts.parse_note_name(stem) == expected


def test_nsynth_fields_are_read(tmp_path, write_sound):
    folder = nsynth(tmp_path, {"b": NOTE, "a": {**NOTE, "pitch": 61.5}}, write_sound)
    read_from, entries = layouts.list_entries(folder)
    assert read_from == folder
    assert entries == [
        layouts.Entry(
            name, folder / "audio" / f"{name}.wav", "flute_acoustic_000", "flute", "acoustic", p, 75
        )
        for name, p in [("a", 61.5), ("b", 60.0)]
    ]


def test_nsynth_fields_that_are_absent_come_from_the_name(tmp_path, write_sound):
    _, (entry,) = layouts.list_entries(
        nsynth(tmp_path, {"reed_synthetic_012-050-025": {}}, write_sound)
    )
    assert (entry.label, entry.family, entry.source) == ("reed_synthetic_012", "reed", "synthetic")
    assert (entry.pitch, entry.velocity) == (50, 25)


def test_nsynth_notes_may_be_flac(tmp_path, write_sound):
    _, (entry,) = layouts.list_entries(nsynth(tmp_path, {"a": NOTE}, write_sound, ["a.flac"]))
    assert entry.path == tmp_path / "audio" / "a.flac"


def test_the_parent_of_nsynth_train_means_nsynth_train(tmp_path, write_sound):
    train = nsynth(tmp_path / "nsynth-train", {"a": NOTE}, write_sound)
    nsynth(tmp_path / "nsynth-test", {"b": NOTE}, write_sound)
    read_from, entries = layouts.list_entries(tmp_path)
    assert read_from == train
    assert [entry.name for entry in entries] == ["a"]


def test_other_splits_must_be_named(tmp_path, write_sound):
    nsynth(tmp_path / "nsynth-test", {"b": NOTE}, write_sound)
    with pytest.raises(UsageError, match="has no nsynth-train; name the split") as caught:
        layouts.list_entries(tmp_path)
    assert str(tmp_path / "nsynth-test") in str(caught.value)


def test_a_note_cannot_name_a_file_elsewhere(tmp_path, write_sound):
    write_sound(tmp_path / "secret.wav")
    folder = nsynth(tmp_path / "set", {"../../secret": NOTE}, write_sound, [])
    with pytest.raises(UsageError, match="expected a file name without folders"):
        layouts.list_entries(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read .*examples.json.*expected NSynth's JSON"),
        ("[" * 100000, "cannot read .*examples.json"),
        ("[]", "is not NSynth's"),
        ('{"a": 3}', "is not NSynth's"),
        ("{}", "names no notes"),
        ('{"a": {"pitch": "sixty"}}', "pitch of a is 'sixty'; expected a number in 0..127"),
        ('{"a": {"pitch": NaN}}', "pitch of a is nan"),
        ('{"a": {"pitch": true}}', "pitch of a is True"),
        ('{"a": {"velocity": 128}}', "velocity of a is 128"),
        ('{"a": {"instrument_str": 3}}', "instrument_str of a is 3; expected a string"),
    ],
)
def test_a_broken_examples_json_is_named(tmp_path, text, message):
    (tmp_path / "audio").mkdir()
    (tmp_path / "examples.json").write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        layouts.list_entries(tmp_path)
    assert str(tmp_path / "examples.json") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_examples_json_that_is_no_text(tmp_path):
    (tmp_path / "examples.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UsageError, match="cannot read"):
        layouts.list_entries(tmp_path)


def test_examples_json_without_audio(tmp_path):
    (tmp_path / "examples.json").write_text(json.dumps({"a": NOTE}))
    with pytest.raises(UsageError, match="no folder audio beside it"):
        layouts.list_entries(tmp_path)


def test_nsynth_train_without_examples_json(tmp_path, write_sound):
    write_sound(tmp_path / "nsynth-train" / "audio" / "a.wav")
    with pytest.raises(UsageError, match="nsynth-train has no examples.json"):
        layouts.list_entries(tmp_path)


def test_a_folder_of_files(tmp_path, write_sound):
    write_sound(tmp_path / "flute_acoustic_000-060-100.wav")
    write_sound(tmp_path / "anything.FLAC")
    (tmp_path / "notes.txt").write_text("not audio")
    (tmp_path / "._anything.wav").write_text("left by another system")
    _, (free, named) = layouts.list_entries(tmp_path)
    assert free == layouts.Entry("anything", tmp_path / "anything.FLAC")
    assert (named.label, named.pitch, named.velocity) == ("flute_acoustic_000", 60, 100)
    assert (named.family, named.source) == ("flute", "acoustic")


def test_class_folders_give_the_label(tmp_path, write_sound):
    for name in ("snare/deep/b", "snare/a", "kick/x-036-100"):
        write_sound(tmp_path / f"{name}.wav")
    _, entries = layouts.list_entries(tmp_path)
    assert [(entry.name, entry.label) for entry in entries] == [
        ("kick/x-036-100", "kick"),
        ("snare/a", "snare"),
        ("snare/deep/b", "snare"),
    ]
    assert entries[0].pitch == 36


def test_a_lone_folder_called_audio_is_no_class(tmp_path, write_sound):
    write_sound(tmp_path / "audio" / "flute_acoustic_000-060-100.wav")
    _, (entry,) = layouts.list_entries(tmp_path)
    assert entry.label == "flute_acoustic_000"


def test_one_name_in_two_formats_stays_two_names(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    write_sound(tmp_path / "a.flac")
    _, entries = layouts.list_entries(tmp_path)
    assert [entry.name for entry in entries] == ["a.flac", "a.wav"]


def test_folders_that_hold_nothing(tmp_path):
    with pytest.raises(UsageError, match="no such folder: .*nowhere; expected a folder"):
        layouts.list_entries(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is empty; expected files ending in .wav"):
        layouts.list_entries(tmp_path)
    (tmp_path / "notes.txt").write_text("not audio")
    with pytest.raises(UsageError, match=r"holds no audio file \(1 other files\)"):
        layouts.list_entries(tmp_path)
    with pytest.raises(UsageError, match="notes.txt is a file; expected the folder"):
        layouts.list_entries(tmp_path / "notes.txt")
