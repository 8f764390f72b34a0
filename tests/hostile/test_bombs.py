"""Small files that would become large: songs, tables, JSON, sounds, records; memory is measured."""

import io
import json
import struct

import numpy as np
import pytest
import soundfile

from noisygan.audio_io import curves_csv, decoding
from noisygan.data import layouts
from noisygan.data.prepare import example, nsynth_sources, table_sources
from noisygan.errors import UsageError
from noisygan.files import read_json
from tests.fuzz.targets import good_controls

# ---- songs -----------------------------------------------------------------------------------


def song(track):
    """Bytes of a MIDI file with one track."""
    track += b"\x00\xff\x2f\x00"
    return (
        b"MThd"
        + struct.pack(">IHHH", 6, 0, 1, 96)
        + b"MTrk"
        + struct.pack(">I", len(track))
        + track
    )


def refusal(data, path):
    midi = pytest.importorskip("noisygan.audio_io.midi")
    pytest.importorskip("mido", reason="needs the extra midi")
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        midi.read_song(path)
    return str(caught.value)


def test_songs_of_too_many_notes_and_bends(tmp_path, monkeypatch):
    from noisygan.audio_io import midi

    monkeypatch.setattr(midi, "MAX_NOTES", 1000)
    monkeypatch.setattr(midi, "MAX_BENDS", 10_000)
    struck = b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 1000
    assert "more than 1000 notes" in refusal(song(struck), tmp_path / "a.mid")
    keys = b"\x00\x90" + b"".join(bytes([0, key, 64]) for key in range(60))[1:]
    bends = b"\x00\xe0\x00\x40" + b"".join(bytes([1, i % 128, 64]) for i in range(300))
    assert "10000 pitch bends" in refusal(song(keys + bends), tmp_path / "b.mid")
    assert "more than 4 MB" in refusal(b"MThd" + b"\0" * (5 << 20), tmp_path / "c.mid")
    slow = b"\x00\xff\x51\x03\xff\xff\xff\xff\xff\xff\x7f\x90\x3c\x40"
    assert "lasts longer" in refusal(song(slow), tmp_path / "d.mid")


def test_a_song_in_a_key_that_no_scale_has_is_read_up_to_there(tmp_path):
    midi = pytest.importorskip("noisygan.audio_io.midi")
    pytest.importorskip("mido", reason="needs the extra midi")
    track = b"\x00\x90\x3c\x40\x20\x80\x3c\x40\x00\xff\x59\x02\xfe\x7f"
    (tmp_path / "a.mid").write_bytes(song(track))
    found = midi.read_song(tmp_path / "a.mid")
    assert len(found.notes) == 1 and "can be read up to byte" in found.damage


def test_a_note_that_never_ends_is_left_out():
    import types

    from noisygan.audio_io import midi
    from noisygan.rendering import song as songs
    from noisygan.rendering.notes import Instrument

    generator = types.SimpleNamespace(release_seconds=0.5, seconds=4.0)
    part = songs.Part(generator, Instrument("run", ("pitch",)))
    note = midi.Note(0.0, 3000.0, 60, 90, 1, 1)
    audio, left_out = songs.play(midi.Song([note]), lambda _: part, 16000)
    assert left_out == {"longer than 120 seconds": 1} and not len(audio)


# ---- tables and JSON -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time_seconds,loudness_db\n" + "0," * 400_000, "more than 524288 characters"),
        ("time_seconds" + ",a" * 9000, "9001 columns"),
        ("time_seconds," + "x" * 140_000, "is not CSV"),
        ("time_seconds,loudness_db\n" + "0,1\n\n" * 600, "more than 1000 rows"),
        ("time_seconds,loudness_db\n0,1e999\n", "expected a number"),
        ("time_seconds," + "\x1b[2J\n0,1\n", "no curve"),
    ],
)
def test_tables_that_are_too_large_or_odd(tmp_path, monkeypatch, text, expected):
    monkeypatch.setattr(curves_csv, "MAX_ROWS", 1000)
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError, match=expected) as caught:
        curves_csv.read_curves(tmp_path / "a.csv", good_controls())
    assert len(str(caught.value)) < 1000 and "\x1b" not in str(caught.value)


def test_json_of_limited_size_and_depth(tmp_path):
    path = tmp_path / "a.json"
    for text in (
        "[" * 200_000,
        '{"a":' * 200_000,
        "9" * 5000,
        "\ud800".encode("utf-16", "surrogatepass"),
    ):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ValueError):
            read_json(path, 1 << 20)
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match="more than 1 MB"):
        read_json(path, 1 << 20)
    with pytest.raises(UsageError, match="more than 256 MB"):
        list(table_sources.read(tmp_path, path))
    (tmp_path / "audio").mkdir()
    path.rename(tmp_path / "examples.json")
    with pytest.raises(UsageError, match="more than 512 MB"):
        layouts.list_entries(tmp_path)
    with pytest.raises(UsageError, match="cannot read"):
        list(nsynth_sources.find(tmp_path))


def test_a_table_with_an_endless_row(tmp_path):
    for name, text in (
        ("a.csv", "file,label\n" + "x" * 2_000_000),
        ("a.jsonl", '{"file": "' + "x" * 2_000_000),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError, match="more than 1048576 characters"):
            list(table_sources.read(tmp_path, tmp_path / name))


def test_tfds_that_promises_more_examples_than_its_files_hold(tmp_path):
    splits = [{"name": "train", "shardLengths": [str(10**15)]}]
    (tmp_path / "dataset_info.json").write_text(json.dumps({"splits": splits}))
    with pytest.raises(UsageError, match="more than its files can hold"):
        next(nsynth_sources.find(tmp_path))


# ---- records ---------------------------------------------------------------------------------


def frame(length, payload=b""):
    file = io.BytesIO()
    example.write_frame(file, payload)
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", example._masked_crc(head)) + file.getvalue()[12:]


def test_a_record_that_promises_more_than_it_may():
    with pytest.raises(example.FrameError, match="at most 268435456 expected"):
        example.read_frame(io.BytesIO(frame(2**62)))
    with pytest.raises(example.FrameError, match="ends after"):
        example.read_frame(io.BytesIO(frame(2**27)))


def field(number, content):
    size, at = len(content), b""
    while True:
        at += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return bytes([number << 3 | 2]) + at + content


def test_records_that_grow_in_memory():
    entry = field(1, field(1, b"k") + field(2, field(3, field(1, b"\1" * (17 << 20)))))
    with pytest.raises(example.FrameError, match="a list of 17 MB"):
        example.decode(field(1, entry))
    entry = field(1, field(1, b"k") + field(2, field(1, field(1, b"") * (9 << 20))))
    with pytest.raises(example.FrameError, match="a list of"):
        example.decode(field(1, entry))
    with pytest.raises(example.FrameError, match="more than 10000 features"):
        example.decode(field(1, field(1, b"") * 20_000))
    large = example.encode({"audio/8000": b"\0" * (17 << 20), "n": [1]})
    assert len(example.decode(large)["audio/8000"]) == 17 << 20


# ---- sounds ----------------------------------------------------------------------------------


def test_sounds_of_impossible_rates_and_lengths(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(100) + 0.1, 8000)
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", 2**31 - 1)
    path.write_bytes(data)
    with pytest.raises(decoding.BadAudioError, match="says that it is at 2147483647 Hz|cannot be"):
        decoding.decode(path, None, 100)


def test_channels_are_averaged_as_they_were(tmp_path):
    audio = np.random.default_rng(0).uniform(-0.4, 0.4, [3000, 3]).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", audio, 8000, subtype="FLOAT")
    found = decoding.decode(tmp_path / "a.wav", 8000, 2000, start=500)
    np.testing.assert_array_equal(found, audio[500:2500].mean(axis=1))


def many_channels(path, n_channels=255, seconds=10):
    """Silence but for a click, of which a file is small and memory large."""
    with soundfile.SoundFile(path, "w", 16000, n_channels, "VORBIS", format="OGG") as file:
        block = np.zeros([1600, n_channels], np.float32)
        block[5] = 0.5
        for _ in range(10 * seconds):
            file.write(block)
            block[:] = 0.0
    return path


def test_memory_stays_small_for_a_thousand_channels(tmp_path, in_small_memory):
    path = many_channels(tmp_path / "a.ogg")
    decoded = 255 * 10 * 16000 * 4 / 2**20
    assert path.stat().st_size < 2**24 and decoded > 150
    grown, said = in_small_memory(
        f"read_target({str(path)!r})\nread(file_source(pathlib.Path({str(path)!r}), 'a.ogg'))",
        """
        import pathlib
        import numpy, soundfile, soxr
        from noisygan.matching.target import read_target
        from noisygan.data.prepare.reading import read
        from noisygan.data.prepare.sources import file_source
        """,
    )
    assert said == "accepted"
    assert grown < 60, f"{grown} MB; decoded at once it is {decoded:.0f} MB"


def test_memory_stays_small_for_archives_and_tables(tmp_path, in_small_memory):
    import zipfile

    from tests.hostile.test_archives import member

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
        from noisygan.audio_io.midi import read_song
        """
    for code in (
        f"load_controls({str(tmp_path / 'a.npz')!r})",
        f"load_controls({str(tmp_path / 'b.npz')!r})",
        f"read_curves({str(tmp_path / 'a.csv')!r}, {{}})",
    ):
        grown, said = in_small_memory(code, before)
        assert said.startswith("refused") and grown < 40, (grown, said)
