"""Small files that would become large: songs, tables, JSON, sounds; memory is measured."""

import struct
import zipfile

import numpy as np
import pytest
import soundfile

from noisygan.audio_io import curves_csv, decoding
from noisygan.data import layouts, nsynth, tables
from noisygan.errors import UsageError
from noisygan.files import read_json
from tests.fuzz.targets import good_controls
from tests.hostile.test_archives import member

# ---- songs -----------------------------------------------------------------------------------


def song(track):
    """Bytes of a MIDI file with one track."""
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


SLOW = b"\x00\xff\x51\x03\xff\xff\xff\xff\xff\xff\x7f\x90\x3c\x40"
KEYS = b"\x00\x90" + b"".join(bytes([0, key, 64]) for key in range(60))[1:]
BENDS = b"\x00\xe0\x00\x40" + b"".join(bytes([1, i % 128, 64]) for i in range(300))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (song(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 1000), "more than 1000 notes"),
        (song(KEYS + BENDS), "10000 pitch bends"),
        (b"MThd" + b"\0" * (5 << 20), "more than 4 MB"),
        (song(SLOW), "lasts longer"),
    ],
)
def test_songs_of_too_many_notes_and_bends(tmp_path, monkeypatch, data, expected):
    pytest.importorskip("mido", reason="needs the extra midi")
    from noisygan.audio_io import midi

    monkeypatch.setattr(midi, "MAX_NOTES", 1000)
    monkeypatch.setattr(midi, "MAX_BENDS", 10_000)
    (tmp_path / "a.mid").write_bytes(data)
    with pytest.raises(UsageError, match=expected):
        midi.read_song(tmp_path / "a.mid")


def test_a_song_in_a_key_that_no_scale_has_is_read_up_to_there(tmp_path):
    pytest.importorskip("mido", reason="needs the extra midi")
    from noisygan.audio_io import midi

    track = b"\x00\x90\x3c\x40\x20\x80\x3c\x40\x00\xff\x59\x02\xfe\x7f"
    (tmp_path / "a.mid").write_bytes(song(track))
    found = midi.read_song(tmp_path / "a.mid")
    assert len(found.notes) == 1 and found.damage


# ---- tables and JSON -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "time_seconds,loudness_db\n" + "0," * 400_000,
        "time_seconds" + ",a" * 9000,
        "time_seconds," + "x" * 140_000,
        "time_seconds,loudness_db\n" + "0,1\n\n" * 600,
        "time_seconds,loudness_db\n0,1e999\n",
        "time_seconds," + "\x1b[2J\n0,1\n",
    ],
)
def test_tables_that_are_too_large_or_odd(tmp_path, monkeypatch, text):
    monkeypatch.setattr(curves_csv, "MAX_ROWS", 1000)
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError) as caught:
        curves_csv.read_curves(tmp_path / "a.csv", good_controls())
    assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "9" * 5000, b"\x00\xd8"])
def test_json_of_limited_depth(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError):
        read_json(tmp_path / "a.json", 1 << 20)


def test_json_of_limited_size(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match="more than 1 MB"):
        read_json(path, 1 << 20)
    with pytest.raises(UsageError):
        list(tables.read(tmp_path, path))
    (tmp_path / "audio").mkdir()
    path.rename(tmp_path / "examples.json")
    with pytest.raises(UsageError):
        layouts.list_entries(tmp_path)
    with pytest.raises(UsageError):
        list(nsynth.find(tmp_path))


@pytest.mark.parametrize(("name", "start"), [("a.csv", "file,label\n"), ("a.jsonl", '{"file": "')])
def test_a_table_with_an_endless_row(tmp_path, name, start):
    (tmp_path / name).write_text(start + "x" * 2_000_000)
    with pytest.raises(UsageError, match="more than 1048576 characters"):
        list(tables.read(tmp_path, tmp_path / name))


# ---- sounds ----------------------------------------------------------------------------------


def test_sounds_of_impossible_rates(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(100) + 0.1, 8000)
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", 2**31 - 1)
    path.write_bytes(data)
    with pytest.raises(decoding.BadAudioError):
        decoding.decode(path, None, 100)


def test_channels_are_averaged_as_they_were(tmp_path):
    audio = np.random.default_rng(0).uniform(-0.4, 0.4, [3000, 3]).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", audio, 8000, subtype="FLOAT")
    found = decoding.decode(tmp_path / "a.wav", 8000, 2000, start=500)
    np.testing.assert_allclose(found, audio[500:2500].mean(axis=1), atol=1e-7)


def test_memory_stays_small_for_a_thousand_channels(tmp_path, in_small_memory):
    path = tmp_path / "a.ogg"
    with soundfile.SoundFile(path, "w", 16000, 255, "VORBIS", format="OGG") as file:
        block = np.zeros([1600, 255], np.float32)
        block[5] = 0.5
        for _ in range(100):
            file.write(block)
            block[:] = 0.0
    assert path.stat().st_size < 2**24  # 156 MB when it is decoded at once
    grown, said = in_small_memory(
        f"read_target({str(path)!r})\nread(file_source(pathlib.Path({str(path)!r}), 'a.ogg'))",
        """
        import pathlib
        import numpy, soundfile, soxr
        from noisygan.matching.target import read_target
        from noisygan.data.prepare.reading import read
        from noisygan.data.source_files import file_source
        """,
    )
    assert said == "accepted" and grown < 60


def test_memory_stays_small_for_archives_and_tables(tmp_path, in_small_memory):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as out:
        for i in range(4):
            data = b"\0" * (120 << 20)
            out.writestr(f"{i}.npy", member(shape=f"({len(data)},)", kind="'|u1'", data=data))
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-30])
    with (tmp_path / "a.csv").open("wb") as file:
        file.write(b"time_seconds,loudness_db\n")
        file.truncate(1 << 34)
    before = """
        import numpy
        from noisygan.audio_io.controls import load_controls
        from noisygan.audio_io.curves_csv import read_curves
        def refuse(read, *args):
            try:
                read(*args)
            except NoisyganError:
                return
            raise AssertionError("accepted")
        """
    code = f"""
        refuse(load_controls, {str(tmp_path / "a.npz")!r})
        refuse(load_controls, {str(tmp_path / "b.npz")!r})
        refuse(read_curves, {str(tmp_path / "a.csv")!r}, {{}})
        """
    grown, said = in_small_memory(code, before)
    assert said == "accepted" and grown < 40
