"""One file into one mono array, or one sentence that says why not."""

import numpy as np
import pytest

from noisygan.audio_io import decoding
from noisygan.audio_io.decoding import BadAudioError, cut

RANDOM = np.random.default_rng(0).integers(-32768, 32768, 800).astype(np.int16)
FULL_SCALE = np.array([0, 1, -1, 12345, -32768, 32767], np.int16)


def decode(path, n_samples=800, rate=16000, **settings):
    return decoding.decode(path, rate, n_samples, **settings)


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_lossless_formats_are_exact(tmp_path, write_sound, suffix):
    samples = np.concatenate([FULL_SCALE, RANDOM])[:800]
    sound = decode(write_sound(tmp_path / f"a.{suffix}", samples))
    assert sound.dtype == np.float32
    np.testing.assert_array_equal(sound, samples / np.float32(32768))


def test_ogg_is_close(tmp_path, write_sound):
    sound = decode(write_sound(tmp_path / "a.ogg", n=8000, subtype="VORBIS"), 8000)
    expected = decode(write_sound(tmp_path / "a.wav", n=8000), 8000)
    assert np.abs(sound - expected).max() < 0.05 and np.abs(sound).max() > 0.4


@pytest.mark.parametrize(
    ("samples", "n_samples", "expected"),
    [
        ([[0.5, 0.25], [0.25, -0.25], [-1.0, 0.5]], 3, [0.375, 0.0, -0.25]),  # stereo
        ([0.5] * 5, 8, [0.5] * 5 + [0.0] * 3),
        ([0.5, -0.5, 0.25], 2, [0.5, -0.5]),
        ([1.2, -1.3, 0.5], 3, [1.0, -1.0, 0.5]),  # a small overshoot
    ],
)
def test_channels_are_averaged_and_lengths_and_peaks_are_kept(
    tmp_path, write_sound, samples, n_samples, expected
):
    path = write_sound(tmp_path / "a.wav", np.array(samples), subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, n_samples), np.float32(expected))


def test_samples_of_no_use_are_refused(tmp_path, write_sound):
    for values, message, kind in (
        ([0.0, 20000.0], "peaks at 2e\\+04, expected at most 1", "beyond full scale"),
        ([np.nan, -np.inf, np.inf], "holds 3 NaN or infinite samples", "with NaN or infinite"),
        ([], "holds no samples", "empty"),
    ):
        path = write_sound(tmp_path / "a.wav", np.array(values), subtype="FLOAT")
        with pytest.raises(BadAudioError, match=message) as caught:
            decode(path, 3)
        assert caught.value.kind.startswith(kind)


def test_files_that_are_no_audio(tmp_path, write_sound):
    with pytest.raises(BadAudioError, match="is missing"):
        decode(tmp_path / "a.wav")
    cut = write_sound(tmp_path / "cut.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 20000))
    cut.write_bytes(cut.read_bytes()[:8000])
    (tmp_path / "empty.wav").touch()
    for suffix in ("wav", "flac", "mp3"):
        (tmp_path / f"text.{suffix}").write_text("not audio at all")
    for path in tmp_path.iterdir():
        with pytest.raises(BadAudioError) as caught:
            decode(path, 20000)
        assert caught.value.kind == ("empty" if path.stem == "empty" else "unreadable")
        assert "\n" not in str(caught.value)


def test_another_rate_says_what_to_do_and_the_header_is_enough(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", rate=44100)
    assert decoding.check_header(path, 44100).frames == 800
    with pytest.raises(BadAudioError) as caught:
        decoding.check_header(path, 16000)
    for part in ("44100 Hz, expected 16000 Hz", "sox a.wav -r 16000", "'sample_rate = 44100'"):
        assert part in str(caught.value)


def test_silence_before_a_sound_is_left_out_and_no_more_of_it(tmp_path, write_sound, monkeypatch):
    samples = np.concatenate([np.zeros(700), [0.0001, 0.5, -0.25, 0.0, 0.125]]).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", samples, subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, 3), [0.0, 0.0, 0.0])
    padded = decode(path, 6, trim_db=-60.0)
    np.testing.assert_array_equal(padded, [0.5, -0.25, 0.0, 0.125, 0.0, 0.0])
    np.testing.assert_allclose(decode(path, 2, trim_db=-80.0), [0.0001, 0.5])
    monkeypatch.setattr(decoding, "MAX_SILENCE", 5 / 16000)
    np.testing.assert_array_equal(decode(path, 4, trim_db=-60.0), np.zeros(4))


@pytest.mark.parametrize("n_samples", [3, 6])
def test_silence_at_the_end_is_left_out_up_to_the_last_loud_sample(n_samples):
    quiet = np.float32(1e-3)
    audio = np.array([quiet, 0.5, quiet, 0.5, quiet, quiet, quiet], np.float32)
    expected = np.array([0.5, quiet, 0.5, 0, 0, 0], np.float32)[:n_samples]
    np.testing.assert_array_equal(cut(audio, 10, n_samples, -40.0, trim_end=True), expected)
    kept = cut(audio, 10, 6, -40.0)
    np.testing.assert_array_equal(kept, audio[1:])
    silence = np.zeros(7, np.float32)
    np.testing.assert_array_equal(cut(silence, 10, 6, -40.0, trim_end=True), silence[:6])


def test_peak_and_fades():
    sound = np.array([0.25, -0.5, 0.25, 0.25, 0.25], np.float32)
    np.testing.assert_array_equal(decoding.shape(sound), sound)
    np.testing.assert_allclose(decoding.shape(sound, peak=0.8), sound * 1.6, rtol=1e-6)
    faded = decoding.shape(sound, 1.0, n_fade_in=2, n_fade_out=2)
    np.testing.assert_allclose(faded, [0.0, -0.5, 0.5, 0.25, 0.0], rtol=1e-6)
    assert faded.dtype == np.float32 and sound[0] == 0.25
    np.testing.assert_array_equal(decoding.shape(np.zeros(3, np.float32), 1.0, 9, 9), np.zeros(3))
