"""Choosing recordings, reading them, and every refusal that names what to do."""

import json

import numpy as np
import pytest

from noisygan.data import AudioDataset, Recordings
from noisygan.data import dataset as recordings
from noisygan.demo import drums_folder, held_out_folder, notes_folder
from noisygan.errors import UsageError

N = 800


def reader(**options):
    return Recordings(n_samples=N, **options)


@pytest.fixture
def orchestra(tmp_path, write_sound):
    """Five notes of three instruments, as NSynth names them, and one file of no known anything."""
    for name in (
        "flute_acoustic_000-060-025",
        "flute_acoustic_000-072-100",
        "flute_electronic_001-084-100",
        "brass_acoustic_000-050-025",
        "bass_synthetic_000-030-127",
        "who_knows",
    ):
        write_sound(tmp_path / f"{name}.wav")
    return tmp_path


def test_the_bundled_notes(tmp_path):
    notes = Recordings().read(notes_folder())
    assert isinstance(notes, AudioDataset)
    assert len(notes) == 40
    assert notes.label_names == ["flute_acoustic_000"]
    assert notes.has_pitch and notes.has_velocity and notes.has_label
    assert (notes.pitch.min(), notes.pitch.max()) == (60, 84)
    assert set(notes.velocity) == {25, 50, 100, 127}
    held_out = Recordings().read(held_out_folder())
    assert not set(held_out.pitch) & set(notes.pitch)


def test_the_bundled_notes_sound_at_their_pitch():
    notes = Recordings().read(held_out_folder())
    for i, pitch in enumerate(notes.pitch):
        held = notes.audio(i)[16000:32000]
        spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held))))
        f0_hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        harmonic = [spectrum[round(k * f0_hz) - 8 : round(k * f0_hz) + 9].max() for k in (1, 2, 3)]
        between = [spectrum[round((k + 0.5) * f0_hz) - 8 :][:17].max() for k in (0, 1, 2)]
        assert max(harmonic) > 30 * max(between), notes.names[i]


@pytest.mark.parametrize(
    ("options", "pitches"),
    [
        ({}, {30, 50, 60, 72, 84, None}),
        ({"families": ["flute"]}, {60, 72, 84}),
        ({"families": "flute"}, {60, 72, 84}),
        ({"families": ["flute", "bass"]}, {60, 72, 84, 30}),
        ({"instruments": ["flute_acoustic_000"]}, {60, 72}),
        ({"sources": ["acoustic"]}, {60, 72, 50}),
        ({"min_pitch": 60}, {60, 72, 84}),
        ({"max_pitch": 60}, {30, 50, 60}),
        ({"min_pitch": 50, "max_pitch": 60}, {50, 60}),
        ({"velocities": [100, 127]}, {72, 84, 30}),
        ({"velocities": 25}, {60, 50}),
        ({"families": ["flute"], "sources": ["acoustic"], "min_pitch": 61}, {72}),
    ],
)
def test_filters(orchestra, options, pitches):
    notes = reader(**options).read(orchestra)
    assert {None if np.isnan(pitch) else pitch for pitch in notes.pitch} == pitches


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"families": ["flut"]}, "has families flut; there are bass, brass, flute$"),
        ({"families": ["flute", "viola"]}, "has families viola; there are bass, brass, flute$"),
        ({"instruments": ["x"]}, "instruments x; there are bass_synthetic_000, brass_acoustic_000"),
        ({"sources": ["vinyl"]}, "sources vinyl; there are acoustic, electronic, synthetic"),
        ({"velocities": [26]}, "velocities 26; there are 25, 100, 127"),
        ({"min_pitch": 90}, "a pitch of 90 to 127; there are 30, 50, 60, 72, 84"),
        ({"max_pitch": 20}, "a pitch of 0 to 20; there are 30, 50, 60, 72, 84"),
        (
            {"families": ["flute"], "velocities": [127]},
            r"passes all filters together \(families flute, velocities 127\); there are bass_",
        ),
        ({"families": ["flute"], "min_pitch": 85}, "a pitch of 85 to 127; there are 60, 72, 84"),
    ],
)
def test_when_nothing_passes_what_is_there_is_said(orchestra, options, message):
    with pytest.raises(UsageError, match=message):
        reader(**options).read(orchestra)


def test_a_filter_on_what_no_file_says(tmp_path, write_sound):
    write_sound(tmp_path / "free.wav")
    with pytest.raises(UsageError, match="none of the 1 recordings says its families"):
        reader(families=["flute"]).read(tmp_path)
    with pytest.raises(UsageError, match="says its pitches; name files `<label>-<pitch>"):
        reader(min_pitch=60).read(tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {"sample_rate": 0},
        {"sample_rate": 16000.5},
        {"sample_rate": "16000"},
        {"sample_rate": 10**7},
        {"n_samples": 0},
        {"n_samples": True},
        {"families": []},
        {"families": [3]},
        {"instruments": ""},
        {"min_pitch": -1},
        {"max_pitch": 128},
        {"max_pitch": float("nan")},
        {"min_pitch": 61, "max_pitch": 60},
        {"velocities": []},
        {"velocities": [200]},
        {"velocities": ["loud"]},
    ],
)
def test_impossible_selections_are_refused_when_made(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))}.*(expected|is above)"):
        Recordings(**options)


def test_free_names_are_one_unlabelled_kind(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    write_sound(tmp_path / "b.wav")
    notes = reader().read(tmp_path)
    assert notes.names == ["a", "b"]
    assert notes.label_names == ["sound"]
    assert not notes.has_label and not notes.has_pitch and not notes.has_velocity
    np.testing.assert_array_equal(notes.label, [0, 0])
    assert np.isnan(notes.pitch).all() and np.isnan(notes.velocity).all()


def test_labels_index_the_sorted_names(tmp_path, write_sound):
    for name in ("snare/a", "kick/b", "tom/c", "kick/d"):
        write_sound(tmp_path / f"{name}.wav")
    notes = reader().read(tmp_path)
    assert notes.label_names == ["kick", "snare", "tom"]
    assert [notes.label_names[i] for i in notes.label] == ["kick", "kick", "snare", "tom"]
    assert notes.label.dtype == np.int32


def test_one_bad_file_is_named(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    write_sound(tmp_path / "b.wav", rate=44100)
    with pytest.raises(UsageError, match="b.wav arrived at 44100 Hz, expected 16000 Hz") as caught:
        reader().read(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "b.wav"))
    assert caught.value.exit_code == 2


def test_all_bad_files_are_counted_and_the_first_is_named(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    write_sound(tmp_path / "b.wav", np.array([0.0, np.nan]), subtype="FLOAT")
    write_sound(tmp_path / "c.wav", rate=8000)
    write_sound(tmp_path / "d.wav", rate=44100)
    (tmp_path / "e.wav").touch()
    (tmp_path / "f.wav").write_text("no audio")
    with pytest.raises(UsageError) as caught:
        reader().read(tmp_path)
    message = str(caught.value)
    assert message.startswith("5 of 6 recordings cannot be used (2 at another sample rate, 1 ")
    assert "1 with NaN" in message and "1 empty" in message and "1 unreadable" in message
    assert f"the first: {tmp_path / 'b.wav'} holds 1 NaN" in message
    assert "\n" not in message


def test_a_note_without_its_file_is_named(tmp_path, write_sound):
    note = {"pitch": 60, "velocity": 100}
    (tmp_path / "examples.json").write_text(json.dumps({"a": note, "b": note}))
    write_sound(tmp_path / "audio" / "a.wav")
    with pytest.raises(UsageError, match=r"b\.wav is missing"):
        reader().read(tmp_path)


def test_bad_files_that_are_filtered_out_do_no_harm(orchestra):
    (orchestra / "brass_acoustic_000-051-025.wav").write_text("no audio")
    assert len(reader(families="flute").read(orchestra)) == 3
    with pytest.raises(UsageError, match="cannot be read as audio"):
        reader(families="brass").read(orchestra)


def test_progress_is_told(orchestra):
    calls = []
    reader().read(orchestra, progress=lambda *call: calls.append(call))
    assert calls == [(i, 6) for i in range(1, 7)]


class TestFingerprint:
    @pytest.fixture
    def folder(self, tmp_path, write_sound):
        write_sound(tmp_path / "one" / "flute_acoustic_000-060-100.wav")
        write_sound(tmp_path / "one" / "flute_acoustic_000-062-100.wav", hz=300)
        return tmp_path / "one"

    @pytest.fixture(params=["in memory", "on disk"], autouse=True)
    def where(self, request, monkeypatch):
        if request.param == "on disk":
            monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)

    def test_is_the_same_wherever_the_folder_lies(self, folder):
        before = reader().read(folder).fingerprint
        assert len(before) == 64 and int(before, 16) >= 0
        assert reader().read(folder.rename(folder.parent / "two")).fingerprint == before

    def test_changes_with_the_bytes(self, folder, write_sound):
        before = reader().read(folder).fingerprint
        write_sound(folder / "flute_acoustic_000-062-100.wav", hz=301)
        assert reader().read(folder).fingerprint != before

    def test_changes_with_the_names(self, folder):
        before = reader().read(folder).fingerprint
        path = folder / "flute_acoustic_000-062-100.wav"
        path.rename(path.with_name("flute_acoustic_000-063-100.wav"))
        assert reader().read(folder).fingerprint != before

    def test_changes_with_the_selection(self, folder):
        selections = ({}, {"min_pitch": 50}, {"min_pitch": 61}, {"families": "flute"})
        prints = {reader(**selection).read(folder).fingerprint for selection in selections}
        prints.add(Recordings(n_samples=N - 1).read(folder).fingerprint)
        assert len(prints) == 5

    def test_changes_with_what_examples_json_says(self, tmp_path, write_sound):
        write_sound(tmp_path / "audio" / "a.wav")
        prints = set()
        for pitch in (60, 61):
            (tmp_path / "examples.json").write_text(json.dumps({"a": {"pitch": pitch}}))
            prints.add(reader().read(tmp_path).fingerprint)
        assert len(prints) == 2


def test_the_bundled_drums():
    drums = Recordings(44100, 16384, trim_db=-50.0, peak=1.0, fade_out_seconds=0.005).read(
        drums_folder()
    )
    assert len(drums) == 97
    assert drums.label_names == ["cymbal", "kick", "snare", "tom"]
    assert drums.has_label and drums.has_velocity and not drums.has_pitch
    for i in range(len(drums)):
        sound = drums.audio(i)
        assert abs(np.abs(sound).max() - 1.0) < 1e-6, drums.names[i]
        assert abs(sound[0]) > 0.002 and sound[-1] == 0.0, drums.names[i]


def test_sounds_that_are_not_kept_in_memory_have_the_same_form(orchestra, monkeypatch):
    options = {"trim_db": -40.0, "peak": 0.9, "fade_in_seconds": 0.001, "fade_out_seconds": 0.01}
    kept = reader(**options).read(orchestra)
    monkeypatch.setattr(recordings, "MAX_BYTES_IN_MEMORY", 0)
    decoded = reader(**options).read(orchestra)
    for i in range(len(kept)):
        np.testing.assert_array_equal(kept.audio(i), decoded.audio(i))
        assert not decoded.audio(i).flags.writeable
    assert kept.fingerprint != reader().read(orchestra).fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trim_db": 6.0}, "trim_db is 6.0; expected a number of -200 to -0.1 dB, or None"),
        ({"peak": 2.0}, "peak is 2.0; expected a number of 0.001 to 1 of full scale, or None"),
        ({"fade_in_seconds": "a"}, "fade_in_seconds is 'a'; expected a number of 0 to 60 s"),
    ],
)
def test_impossible_forms_are_refused_when_made(options, message):
    with pytest.raises(UsageError) as caught:
        reader(**options)
    assert message in str(caught.value)
