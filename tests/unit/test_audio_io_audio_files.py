"""WAV files: atomic, never overwritten, never wrapped around."""

import numpy as np
import pytest
import soundfile

from noisygan import files
from noisygan.audio_io import audio_files
from noisygan.errors import RunError, UsageError


def tone(n=800, peak=0.5):
    return (peak * np.sin(np.arange(n) * 0.1)).astype(np.float32)


@pytest.mark.parametrize(
    ("subtype", "error"),
    [("PCM_16", 2.0**-15), ("PCM_24", 2.0**-23), ("PCM_32", 2.0**-23), ("FLOAT", 0), ("DOUBLE", 0)],
)
def test_what_is_written_reads_back(tmp_path, subtype, error):
    path = tmp_path / "a.wav"
    assert audio_files.write_wav(path, tone(), 22050, subtype) == 0
    audio, sample_rate = soundfile.read(path, dtype="float32")
    assert (sample_rate, soundfile.info(path).subtype) == (22050, subtype)
    assert audio.shape == (800,)
    assert np.max(np.abs(audio - tone())) <= error


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32"])
def test_too_loud_is_cut_and_counted_never_wrapped(tmp_path, subtype):
    loud = np.array([0.0, 0.9, 1.0, 1.5, 40.0, -1.0, -1.5, -40.0], np.float32)
    path = tmp_path / "a.wav"
    assert audio_files.write_wav(path, loud, 16000, subtype) == 4
    audio = soundfile.read(path)[0]
    assert np.all(np.abs(audio - np.clip(loud, -1, 1)) < 1e-4)


def test_float_files_keep_what_is_too_loud(tmp_path):
    path = tmp_path / "a.wav"
    assert audio_files.write_wav(path, 4 * tone(), 16000, "FLOAT") == 0
    assert np.max(soundfile.read(path)[0]) > 1.9


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, bad):
    audio = tone()
    audio[5] = bad
    with pytest.raises(RunError, match="1 of its samples are not finite"):
        audio_files.write_wav(tmp_path / "a.wav", audio, 16000)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays_as_it_is(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists already"):
        audio_files.write_wav(path, tone(), 16000)
    assert path.read_bytes() == b"mine"


def test_a_file_that_appears_while_writing_stays_as_it_is(tmp_path):
    path = tmp_path / "a.wav"
    with pytest.raises(UsageError, match="exists already"), files.atomic_write(path) as part:
        part.write_bytes(b"ours")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.wav"
    with pytest.raises(ZeroDivisionError), files.atomic_write(path) as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_one_line(tmp_path):
    with pytest.raises(RunError, match="cannot be written") as caught:
        audio_files.write_wav(tmp_path / "missing" / "a.wav", tone(), 16000)
    assert "\n" not in str(caught.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be made"):
        files.make_folder(tmp_path / "file" / "folder")


@pytest.mark.parametrize("rate", [0, -16000, 7999, 192001])
def test_impossible_rates(rate):
    with pytest.raises(UsageError, match=f"sample rate {rate} Hz: expected 8000 to 192000"):
        audio_files.check_sample_rate(rate)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.09, 601.0, float("nan"), float("inf")])
def test_impossible_lengths(seconds):
    with pytest.raises(UsageError, match="expected 0.1 to 600"):
        audio_files.check_seconds(seconds)


def test_possible_rates_and_lengths():
    for rate in (None, 8000, 44100, 192000):
        audio_files.check_sample_rate(rate)
    for seconds in (None, 0.1, 4.0, 600.0):
        audio_files.check_seconds(seconds)


def test_an_unknown_subtype(tmp_path):
    with pytest.raises(UsageError, match="expected one of PCM_16"):
        audio_files.write_wav(tmp_path / "a.wav", tone(), 16000, "MP3")


def test_a_loud_sound_is_lowered_to_full_scale():
    quiet, lowered_db = audio_files.limit_peak(np.float32([0.0, 2.0, -1.0]))
    np.testing.assert_allclose(quiet, [0.0, 1.0, -0.5])
    assert lowered_db == pytest.approx(6.02, abs=0.01)
    assert audio_files.limit_peak(quiet)[1] == 0.0
