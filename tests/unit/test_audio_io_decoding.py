"""One file into one mono array, or one sentence that says why not."""

import numpy as np
import pytest

from noisygan.audio_io import decoding


def decode(path, n_samples=800, rate=16000):
    return decoding.decode(path, rate, n_samples)


def test_sixteen_bit_samples_are_exact(tmp_path, write_sound):
    samples = np.array([0, 1, -1, 12345, -32768, 32767], np.int16)
    sound = decode(write_sound(tmp_path / "a.wav", samples), 6)
    assert sound.dtype == np.float32
    np.testing.assert_array_equal(sound, samples / np.float32(32768))


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_lossless_formats_are_exact(tmp_path, write_sound, suffix):
    samples = np.random.default_rng(0).integers(-32768, 32768, 800).astype(np.int16)
    sound = decode(write_sound(tmp_path / f"a.{suffix}", samples))
    np.testing.assert_array_equal(sound, samples / np.float32(32768))


def test_ogg_is_close(tmp_path, write_sound):
    sound = decode(write_sound(tmp_path / "a.ogg", n=8000, subtype="VORBIS"), 8000)
    expected = decode(write_sound(tmp_path / "a.wav", n=8000), 8000)
    assert np.abs(sound - expected).max() < 0.05
    assert np.abs(sound).max() > 0.4


def test_stereo_is_averaged(tmp_path, write_sound):
    left, right = np.array([0.5, 0.25, -1.0]), np.array([0.25, -0.25, 0.5])
    path = write_sound(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, 3), [0.375, 0.0, -0.25])


def test_the_end_is_padded_with_zeros(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", np.full(5, 0.5))
    np.testing.assert_array_equal(decode(path, 8), [0.5] * 5 + [0.0] * 3)


def test_the_end_is_cut(tmp_path, write_sound):
    samples = np.linspace(-0.5, 0.5, 9).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", samples, subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, 4), samples[:4])


def test_a_small_overshoot_is_clipped(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", np.array([1.2, -1.3, 0.5]), subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, 3), [1.0, -1.0, 0.5])


def test_samples_in_another_unit_are_refused(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", np.array([0.0, 20000.0]), subtype="FLOAT")
    with pytest.raises(
        decoding.BadAudioError, match="peaks at 2e\\+04, expected at most 1"
    ) as caught:
        decode(path, 2)
    assert caught.value.kind == "beyond full scale"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, write_sound, value):
    path = write_sound(tmp_path / "a.wav", np.array([0.0, value, value, 0.1]), subtype="FLOAT")
    with pytest.raises(decoding.BadAudioError, match="holds 2 NaN or infinite samples"):
        decode(path, 4)


def test_another_rate_says_what_to_do(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", rate=44100)
    with pytest.raises(decoding.BadAudioError) as caught:
        decode(path)
    message = str(caught.value)
    assert "arrived at 44100 Hz, expected 16000 Hz" in message
    assert "sox a.wav -r 16000" in message
    assert "noisygan train --gin_param 'sample_rate = 44100'" in message


def test_a_missing_file_is_named_missing(tmp_path):
    with pytest.raises(decoding.BadAudioError, match="is missing"):
        decode(tmp_path / "a.wav")


def test_no_bytes_and_no_samples_are_both_empty(tmp_path, write_sound):
    no_bytes = tmp_path / "a.wav"
    no_bytes.touch()
    no_samples = write_sound(tmp_path / "b.wav", np.zeros(0))
    for path in (no_bytes, no_samples):
        with pytest.raises(decoding.BadAudioError) as caught:
            decode(path)
        assert caught.value.kind == "empty"


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_text_is_not_audio(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_text("not audio at all")
    with pytest.raises(decoding.BadAudioError, match="cannot be read as audio") as caught:
        decode(path)
    assert "\n" not in str(caught.value)


def test_a_flac_cut_short_is_unreadable(tmp_path, write_sound):
    rng = np.random.default_rng(0)
    path = write_sound(tmp_path / "a.flac", rng.uniform(-0.5, 0.5, 20000))
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(decoding.BadAudioError) as caught:
        decode(path, 20000)
    assert caught.value.kind == "unreadable"


def test_the_header_alone_is_enough_to_refuse(tmp_path, write_sound):
    assert decoding.check_header(write_sound(tmp_path / "a.wav"), 16000).frames == 800
    with pytest.raises(decoding.BadAudioError, match="arrived at 8000 Hz"):
        decoding.check_header(write_sound(tmp_path / "b.wav", rate=8000), 16000)


def test_silence_before_a_sound_is_left_out_and_no_more_of_it(tmp_path, write_sound):
    samples = np.concatenate([np.zeros(700), [0.0001, 0.5, -0.25, 0.0, 0.125]]).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", samples, subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, 3), [0.0, 0.0, 0.0])
    trimmed = decoding.decode(path, 16000, 3, trim_db=-60.0)
    np.testing.assert_array_equal(trimmed, [0.5, -0.25, 0.0])
    padded = decoding.decode(path, 16000, 6, trim_db=-60.0)
    np.testing.assert_array_equal(padded, [0.5, -0.25, 0.0, 0.125, 0.0, 0.0])
    np.testing.assert_allclose(decoding.decode(path, 16000, 2, trim_db=-80.0), [0.0001, 0.5])


def test_trimming_looks_no_further_than_its_limit(tmp_path, write_sound, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_SILENCE", 5 / 16000)
    path = write_sound(tmp_path / "a.wav", np.r_[np.zeros(20), 0.5], subtype="FLOAT")
    np.testing.assert_array_equal(decoding.decode(path, 16000, 4, trim_db=-60.0), np.zeros(4))


def test_peak_and_fades():
    sound = np.array([0.25, -0.5, 0.25, 0.25, 0.25], np.float32)
    before = sound.copy()
    np.testing.assert_array_equal(decoding.shape(sound), sound)
    np.testing.assert_allclose(decoding.shape(sound, peak=0.8), sound * 1.6, rtol=1e-6)
    faded = decoding.shape(sound, 1.0, n_fade_in=2, n_fade_out=2)
    np.testing.assert_allclose(faded, [0.0, -0.5, 0.5, 0.25, 0.0], rtol=1e-6)
    assert faded.dtype == np.float32
    np.testing.assert_array_equal(sound, before)
    np.testing.assert_array_equal(decoding.shape(np.zeros(3, np.float32), 1.0, 9, 9), np.zeros(3))
