"""The table of how a folder was understood: warnings, and none for sets that are right."""

import numpy as np
import pytest

from noisygan.audio_io.audio_files import read_root_key, write_wav
from noisygan.data import AudioDataset, Recordings
from noisygan.data.listing import count_notes, semitones_off
from noisygan.demo import drums_folder, notes_folder

RATE = 16000


def note(pitch, seconds=0.5, n_partials=6):
    t = np.arange(round(seconds * RATE)) / RATE
    hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    partials = [k for k in range(1, n_partials + 1) if k * hz < 7000]
    return 0.3 * sum(np.sin(2 * np.pi * hz * k * t) / k for k in partials) * np.exp(-2 * t)


@pytest.fixture
def scale(tmp_path, write_sound):
    """A function that writes 12 notes under the names of notes so many semitones away."""

    def write(semitones=0):
        for i in range(12):
            key = f"{['C', 'Cs', 'D', 'Ds', 'E', 'F', 'Fs', 'G', 'Gs', 'A', 'As', 'B'][i]}4"
            write_sound(tmp_path / f"{key}.wav", note(60 + i + semitones))
        return tmp_path

    return write


def warnings(data):
    return data.listing.warnings()


def test_a_folder_that_is_right(scale):
    data = Recordings(n_samples=4000).read(scale())
    assert warnings(data) == []
    table = data.table()
    for line in ("12 of 12 files", "note name: 12, such as A4 -> A4 (69)", "C4 to B4 (60 to 71)"):
        assert line in table


@pytest.mark.parametrize(("octaves", "middle_c"), [(1, "C3"), (-1, "C5")])
def test_names_in_another_octave(scale, octaves, middle_c):
    folder = scale(12 * octaves)
    (warning,) = warnings(Recordings(n_samples=4000).read(folder))
    assert f"--middle_c {middle_c}" in warning and "12 of 12" in warning
    data = Recordings(n_samples=4000, middle_c=middle_c).read(folder)
    assert warnings(data) == [] and data.pitch.min() == 60 + 12 * octaves


def test_names_of_other_notes(scale):
    (warning,) = warnings(Recordings(n_samples=4000).read(scale(5)))
    assert "another pitch than their names" in warning


def test_one_note_of_another_pitch(scale):
    folder = scale()
    (folder / "As4.wav").unlink()
    write_wav(folder / "As4.wav", note(71).astype(np.float32), RATE)
    (warning,) = warnings(Recordings(n_samples=4000).read(folder))
    assert warning == "another pitch than named, in semitones: As4 (+1.0)"


@pytest.mark.parametrize("pitch", [28, 45, 60, 84, 96])
def test_semitones(pitch):
    for off in (0, 12, -24, -6):
        assert abs(semitones_off(note(pitch), RATE, pitch - off) - off) < 0.3


def test_notes_that_silence_separates():
    gap = np.zeros(3000)
    assert count_notes(note(60), RATE) == 1
    assert count_notes(np.concatenate([note(60), gap, note(62), gap, note(64)]), RATE) == 3
    assert count_notes(np.concatenate([gap, note(60), gap]), RATE) == 1
    assert count_notes(np.zeros(10), RATE) == 1


def test_what_is_wrong_is_told_and_training_goes_on(scale, write_sound):
    folder = scale()
    write_sound(folder / "C5.wav", np.concatenate([note(72), np.zeros(3000), note(74)]))
    write_sound(folder / "C4.flac", note(60))
    write_sound(folder / "D12.wav", note(60))
    write_sound(folder / "E5.wav", note(76)[:300])
    write_sound(folder / "F5.wav", np.zeros(2000))
    data = Recordings(n_samples=4000).read(folder)
    assert len(data) == 16 and "F5 is silent" in data.table()
    told = " | ".join(warnings(data))
    for text in (
        "several notes in one file: C5",
        "take of C4.flac",
        "its pitch lies beyond MIDI",
        "shorter than 50 ms: E5",
        "no pitch: D12",
    ):
        assert text in told
    recordings = Recordings(n_samples=4000)
    recordings.required = ("pitch",)
    data = recordings.read(folder)
    assert len(data) == 15 and data.has_pitch and "D12" in data.listing.skipped


def test_names_without_a_pitch_or_class(tmp_path, write_sound):
    for i in range(12):
        write_sound(tmp_path / "loose" / f"take {i}.wav", note(60))
        write_sound(tmp_path / "drums" / f"kick {i}.wav", note(60))
    (warning,) = warnings(Recordings(n_samples=4000).read(tmp_path / "loose"))
    assert "no pitch in 12 names" in warning and "--detect_pitch pyin" in warning
    assert warnings(Recordings(n_samples=4000).read(tmp_path / "drums")) == []


def test_three_notes_are_few(tmp_path, write_sound):
    for name in ("C4", "D4", "E4"):
        write_sound(tmp_path / f"{name}.wav", note(60))
    assert "3 recordings are few" in Recordings(n_samples=4000).read(tmp_path).table()


def test_bundled_sets():
    data = AudioDataset.from_folder(notes_folder())
    assert warnings(data) == [] and "NSynth: 40" in data.table()
    data = AudioDataset.from_folder(drums_folder(), 44100, n_samples=16384)
    assert warnings(data) == []
    assert "snare: " in data.table() and "keys 37 38 39 40" in data.table()


def test_root_keys_of_the_files(tmp_path):
    for i, name in enumerate(("one", "two", "three")):
        path = tmp_path / f"{name}.wav"
        write_wav(path, note(60), RATE, key=60 + 2 * i)
        assert read_root_key(path) == 60 + 2 * i
    (tmp_path / "no.wav").write_bytes(b"RIFF\xff\xff\xff\xffWAVEsmpl\1")
    assert read_root_key(tmp_path / "no.wav") is None
    data = Recordings(n_samples=4000).read(tmp_path)
    assert dict(zip(data.names, data.pitch, strict=True)) == {"one": 60, "two": 62, "three": 64}
    assert "root key in the file: 3" in data.table()


def test_one_root_key_for_all_files_is_a_default(tmp_path):
    for name in ("one", "two"):
        write_wav(tmp_path / f"{name}.wav", note(60), RATE, key=60)
    assert not Recordings(n_samples=100).read(tmp_path).has_pitch
