"""WAV files: atomic, never overwritten, never wrapped around."""

import numpy as np
import pytest
import soundfile

from noisygan import files
from noisygan.audio_io import audio_files
from noisygan.errors import RunError, UsageError

LOUD = np.array([0.0, 0.3, -0.9, 1.0, 1.5, 40.0, -1.0, -1.5, -40.0], np.float32)


@pytest.mark.parametrize(
    ("subtype", "error"),
    [("PCM_16", 2.0**-15), ("PCM_24", 2.0**-23), ("PCM_32", 2.0**-23), ("FLOAT", 0), ("DOUBLE", 0)],
)
def test_what_is_written_reads_back_and_integers_are_cut_never_wrapped(tmp_path, subtype, error):
    path, is_pcm = tmp_path / "a.wav", subtype.startswith("PCM")
    assert audio_files.write_wav(path, LOUD, 22050, subtype) == 4 * is_pcm
    audio, sample_rate = soundfile.read(path, dtype="float32")
    assert (sample_rate, soundfile.info(path).subtype) == (22050, subtype)
    expected = np.clip(LOUD, -1, 1) if is_pcm else LOUD
    assert audio.shape == LOUD.shape and np.max(np.abs(audio - expected)) <= error


def test_samples_that_are_not_finite_are_refused(tmp_path):
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(RunError, match="1 of its samples are not finite"):
            audio_files.write_wav(tmp_path / "a.wav", np.float32([0.0, bad]), 16000)
    with pytest.raises(UsageError, match="expected one of PCM_16"):
        audio_files.write_wav(tmp_path / "a.wav", LOUD, 16000, "MP3")
    assert list(tmp_path.iterdir()) == []


def test_existing_files_stay_and_failures_leave_nothing_behind(tmp_path):
    path = tmp_path / "a.wav"
    with pytest.raises(ZeroDivisionError), files.atomic_write(path) as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="exists already"), files.atomic_write(path) as part:
        part.write_bytes(b"ours")
        path.write_bytes(b"theirs")  # it appears meanwhile
    with pytest.raises(UsageError, match="exists already"):
        audio_files.write_wav(path, LOUD, 16000)
    assert path.read_bytes() == b"theirs" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(RunError, match="cannot be written") as caught:
        audio_files.write_wav(tmp_path / "missing" / "a.wav", LOUD, 16000)
    assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="cannot be made"):
        files.make_folder(path / "folder")


def test_impossible_rates_and_lengths():
    for rate in (0, -16000, 7999, 192001):
        with pytest.raises(UsageError, match=f"sample rate {rate} Hz: expected 8000 to 192000"):
            audio_files.check_sample_rate(rate)
    for seconds in (0.0, -1.0, 0.09, 601.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="expected 0.1 to 600"):
            audio_files.check_seconds(seconds)
    for rate, seconds in ((None, None), (8000, 0.1), (192000, 600.0)):
        audio_files.check_sample_rate(rate)
        audio_files.check_seconds(seconds)


def test_a_loud_sound_is_lowered_to_full_scale():
    quiet, lowered_db = audio_files.limit_peak(np.float32([0.0, 2.0, -1.0]))
    np.testing.assert_allclose(quiet, [0.0, 1.0, -0.5])
    assert lowered_db == pytest.approx(6.02, abs=0.01)
    assert audio_files.limit_peak(quiet)[1] == 0.0


def test_the_systems_reason_is_named(tmp_path, short_files):
    # libsndfile says "System error." of a full disk, too.
    path = tmp_path / "a.wav"
    with short_files, pytest.raises(RunError, match=r"a.wav cannot be written: File too large$"):
        audio_files.write_wav(path, np.zeros(100_000, np.float32), 16000)
    assert not list(tmp_path.iterdir())
