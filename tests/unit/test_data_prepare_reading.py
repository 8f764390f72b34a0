"""Reading untidy recordings: what is repaired, what is refused, and why."""

import json
import os
import shutil
import struct

import numpy as np
import pytest
import soundfile

from noisygan.audio_io.decoding import BadAudioError
from noisygan.data import source_files
from noisygan.data.prepare import reading


def sine(n=4000, rate=16000, hz=440.0):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(n) / rate)).astype(np.float32)


def read(path, **how):
    return reading.read(source_files.file_source(path, path.name), **how)


def refused(path, **how):
    with pytest.raises(BadAudioError) as caught:
        read(path, **how)
    return caught.value.kind, str(caught.value)


@pytest.mark.parametrize(
    "subtype,step", [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 1e-7)]
)
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_depths_and_rates(tmp_path, write_sound, subtype, step, rate):
    path = write_sound(tmp_path / "a.wav", sine(), rate, subtype=subtype)
    sound = read(path)
    np.testing.assert_allclose(sound.audio, sine(), atol=step)
    assert (sound.rate, sound.n_channels, sound.did) == (rate, 1, [])


@pytest.mark.parametrize("n_channels", [2, 3, 8])
def test_channels_are_averaged_block_by_block(tmp_path, write_sound, n_channels):
    n = 300000 if n_channels == 8 else 4000
    each = np.stack([sine(n) * (i + 1) / n_channels for i in range(n_channels)], axis=1)
    path = write_sound(tmp_path / "a.wav", each, subtype="FLOAT")
    np.testing.assert_allclose(read(path).audio, each.mean(axis=1), atol=1e-7)
    assert read(path).did == [f"average of {n_channels} channels"]


def test_channels_that_cancel_are_not_silence(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", np.stack([sine(), -sine()], axis=1))
    kind, message = refused(path)
    assert kind == "cancelled"
    assert "cancel each other" in message


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3", "aiff"])
def test_other_formats(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, sine(16000), 16000)
    np.testing.assert_allclose(read(path).audio[2000:10000], sine(16000)[2000:10000], atol=0.03)


def test_a_format_under_another_name_is_read_and_said(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.aiff", sine()).rename(tmp_path / "a.wav")
    sound = read(path)
    assert (sound.did, sound.put_right) == (["named .wav, holds AIFF"], True)
    np.testing.assert_allclose(sound.audio, sine(), atol=2**-15)


def wav(tmp_path, write_sound):
    """A good WAV file's bytes, and where its samples' size stands."""
    content = bytearray(write_sound(tmp_path / "good.wav", sine()).read_bytes())
    return content, content.index(b"data") + 4


@pytest.mark.parametrize(
    "size,n_left",
    [(0, None), (100, None), (2**32 - 1, None), (10**6, None), (8000, 3000), (2**31 - 1, 4)],
)
def test_wrong_sizes_in_a_header(tmp_path, write_sound, size, n_left):
    content, place = wav(tmp_path, write_sound)
    content[place : place + 4] = struct.pack("<I", size)
    content[4:8] = struct.pack("<I", size)
    if n_left is not None:
        del content[place + 4 + n_left :]
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    sound = read(path)
    n_samples = 4000 if n_left is None else n_left // 2
    np.testing.assert_allclose(sound.audio, sine()[:n_samples], atol=2**-15)
    assert sound.put_right
    assert "its header" in sound.did[0]


def test_what_follows_the_samples_is_not_sound(tmp_path, write_sound):
    content, _ = wav(tmp_path, write_sound)
    path = tmp_path / "a.wav"
    path.write_bytes(content + b"LIST" + struct.pack("<I", 90000) + bytes(range(200)) * 450)
    sound = read(path)
    assert (len(sound.audio), sound.did) == (4000, [])


@pytest.mark.parametrize("n_left", [4, 20, 40, 44])
def test_a_header_cut_off(tmp_path, write_sound, n_left):
    content, _ = wav(tmp_path, write_sound)
    path = tmp_path / "a.wav"
    path.write_bytes(content[:n_left])
    assert refused(path)[0] in ("unreadable", "empty")


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3", "aiff"])
def test_half_a_file_is_read_or_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.tile(sine(), 10), 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        sound = read(path)
    except BadAudioError as error:
        assert error.kind == "unreadable"
    else:
        assert sound.put_right
        assert 0 < len(sound.audio) < 40000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path, write_sound, value):
    samples = sine()
    samples[[5, 77]] = value
    path = write_sound(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert refused(path) == ("with NaN or infinite samples", "holds 2 NaN or infinite samples")


def test_beyond_full_scale_is_brought_back_and_said(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", 3.0 * sine(), subtype="FLOAT")
    sound = read(path)
    np.testing.assert_allclose(sound.audio, 2.0 * sine(), atol=1e-4)
    assert sound.did == ["peak of 1.500 brought down to 1"]
    path = write_sound(tmp_path / "b.wav", 3e4 * sine(), subtype="FLOAT")
    assert refused(path)[0] == "beyond full scale"
    path = write_sound(tmp_path / "c.wav", 1e300 * sine().astype(float), subtype="DOUBLE")
    assert refused(path)[0] == "with NaN or infinite samples"


@pytest.mark.parametrize("samples", [np.zeros(100), np.full(100, 1e-6)])
def test_silence(tmp_path, write_sound, samples):
    assert refused(write_sound(tmp_path / "a.wav", samples, subtype="FLOAT"))[0] == "silent"


def test_too_long(tmp_path, write_sound):
    path = write_sound(tmp_path / "a.wav", sine(), rate=1000)
    assert refused(path, max_seconds=3.9)[0] == "too long"
    assert len(read(path, max_seconds=4.0).audio) == 4000


def test_a_name_that_is_no_text(tmp_path, write_sound):
    good = write_sound(tmp_path / "good.wav", sine())
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9 \n.wav")
    shutil.move(good, path)
    source = source_files.file_source(path, b"caf\xe9 \n.wav")
    assert source.file == "caf\\xe9 \n.wav"
    again = source_files.Source(**json.loads(source.to_json()))
    assert len(reading.read(again).audio) == 4000


FAKE_FFMPEG = """#!/bin/sh
for last; do :; done
while [ "$1" != "-i" ]; do shift; done
case "$2" in
  *broken*) echo 'moov atom not found' >&2; exit 1;;
  *) cp "${2#file:}" "${last#file:}";;
esac
"""


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """A stand-in for ffmpeg that copies, on the PATH."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(FAKE_FFMPEG)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_other_formats_go_through_ffmpeg(tmp_path, write_sound, ffmpeg):
    path = write_sound(tmp_path / "a.wav", sine()).rename(tmp_path / "-a b.m4a")
    sound = read(path)
    assert sound.did == ["decoded m4a by ffmpeg"]
    np.testing.assert_allclose(sound.audio, sine(), atol=2**-15)
    broken = tmp_path / "broken.m4a"
    broken.write_bytes(b"x")
    assert refused(broken) == ("unreadable", "cannot be read by ffmpeg (moov atom not found)")


def test_without_ffmpeg_its_formats_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.m4a").write_bytes(b"x")
    assert refused(tmp_path / "a.m4a")[0] == "needs ffmpeg"
