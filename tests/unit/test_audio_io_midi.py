"""Notes of MIDI files: times, lengths, pedals, bends, levels; containers and broken files."""

import struct

import pytest

from noisygan.audio_io import midi
from noisygan.errors import UsageError

mido = pytest.importorskip("mido")
BEAT = 480


def message(kind, ticks=0, **values):
    return mido.Message(kind, time=ticks, **values)


def on(note, ticks=0, velocity=100, channel=0):
    return message("note_on", ticks, note=note, velocity=velocity, channel=channel)


def off(note, ticks=0, channel=0):
    return message("note_off", ticks, note=note, channel=channel)


def control(number, value, ticks=0, channel=0):
    return message("control_change", ticks, control=number, value=value, channel=channel)


@pytest.fixture
def song(tmp_path):
    """A function from messages of one or more tracks to what is read of their file."""

    def write_and_read(*tracks, cut=0):
        file = mido.MidiFile(ticks_per_beat=BEAT, type=1)
        for messages in tracks:
            file.tracks.append(mido.MidiTrack(messages))
        path = tmp_path / "song.mid"
        file.save(path)
        if cut:
            path.write_bytes(path.read_bytes()[:-cut])
        return midi.read_song(path)

    return write_and_read


def times(song):
    return [(note.pitch, round(note.start, 6), round(note.held, 6)) for note in song.notes]


def test_ticks_become_seconds_by_the_tempo_of_any_track(song):
    tempo = [
        mido.MetaMessage("set_tempo", tempo=1_000_000),
        mido.MetaMessage("set_tempo", tempo=250_000, time=BEAT),
    ]
    found = song(tempo, [on(60), off(60, 2 * BEAT), on(62), off(62, BEAT)])
    assert times(found) == [(60, 0.0, 1.25), (62, 1.25, 0.25)]
    assert found.damage == ""


NOTE = [on(60), off(60, BEAT)]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([on(60), on(60, BEAT, velocity=0)], [(60, 0.0, 0.5)]),
        # The pedal holds notes until it is lifted, or the string is struck again.
        (
            [control(64, 127), *NOTE, on(64), off(64, BEAT), control(64, 0, BEAT)],
            [(60, 0.0, 1.5), (64, 0.5, 1.0)],
        ),
        (
            [control(64, 127), *NOTE, on(60, BEAT), off(60, BEAT)],
            [(60, 0.0, 1.0), (60, 1.0, 0.5)],
        ),
        # Two notes of one key end in the order they began.
        ([on(60), on(60, BEAT), off(60, BEAT), off(60, BEAT)], [(60, 0.0, 1.0), (60, 0.5, 1.0)]),
        # All notes off, also by a change of mode, lets keys go; the pedal still holds them.
        (
            [control(64, 127), on(60), control(123, 0, BEAT), control(64, 0, BEAT)],
            [(60, 0.0, 1.0)],
        ),
        ([on(60), control(127, 0, BEAT), on(62, BEAT)], [(60, 0.0, 0.5), (62, 1.0, 0.0)]),
        # All sound off does not ask for the pedal.
        (
            [control(64, 127), on(60), control(120, 0, BEAT), control(64, 0, BEAT)],
            [(60, 0.0, 0.5)],
        ),
        # Sostenuto holds what sounds when it goes down, whatever the sustain pedal does later.
        (
            [on(60), control(66, 127), on(64), off(60, BEAT), off(64), control(66, 0, BEAT)],
            [(60, 0.0, 1.0), (64, 0.0, 0.5)],
        ),
        (
            [control(64, 127), *NOTE, control(66, 127), control(64, 0), control(66, 0, BEAT)],
            [(60, 0.0, 1.0)],
        ),
        (
            [on(60), control(66, 127), off(60), control(66, 127), control(121, 0, BEAT)],
            [(60, 0.0, 0.5)],
        ),
        # Also a key that is struck again meanwhile, and not one that it does not hold.
        (
            [
                *[on(60), on(64), control(66, 127), off(60, BEAT), on(60), off(60, BEAT)],
                *[on(62), off(62, BEAT), control(66, 0, BEAT), off(64)],
            ],
            [(60, 0.0, 0.5), (64, 0.0, 2.0), (60, 0.5, 1.5), (62, 1.0, 0.5)],
        ),
        # What hangs ends with the song, or with all notes off.
        ([on(60), on(62, BEAT), off(62, BEAT)], [(60, 0.0, 1.0), (62, 0.5, 0.5)]),
        (
            [on(60), control(123, 0, BEAT), on(62, BEAT), off(62, BEAT)],
            [(60, 0.0, 0.5), (62, 1.0, 0.5)],
        ),
    ],
)
def test_notes_begin_and_end(song, messages, expected):
    assert times(song(messages)) == expected


def test_the_wheel_bends_by_two_semitones_or_what_the_file_says(song):
    wheel = [message("pitchwheel", pitch=8191), on(60), off(60, BEAT)]
    assert song(wheel).notes[0].bend == ((0.0, 2.0),)
    wide = [control(101, 0), control(100, 0), control(6, 12), *wheel]
    assert song(wide).notes[0].bend == ((0.0, 12.0),)
    later = [on(60), message("pitchwheel", BEAT, pitch=-8192), off(60, BEAT), on(60), off(60, BEAT)]
    first, second = song(later).notes
    assert first.bend == ((0.0, 0.0), (0.5, -2.0))
    assert second.bend == ((0.0, -2.0),)


RPN_0 = [control(101, 0), control(100, 0), control(6, 2)]
UP = [message("pitchwheel", pitch=8191), on(69), off(69, BEAT)]


@pytest.mark.parametrize(
    "deselect",
    [
        [control(99, 1), control(98, 8)],
        [control(99, 1)],
        [control(98, 8)],
        [control(121, 0)],
        [control(101, 127), control(100, 127)],
    ],
)
def test_data_of_other_parameters_leave_the_bend_range(song, deselect):
    assert song([*RPN_0, *deselect, control(6, 40), *UP]).notes[0].bend == ((0.0, 2.0),)


def test_the_bend_range_has_cents(song):
    cents = [*RPN_0[:2], control(6, 0), control(38, 50)]
    assert song([*cents, *UP]).notes[0].bend == ((0.0, 0.5),)
    # Cents belong to the semitones that were sent before them.
    assert song([*cents, control(6, 1), *UP]).notes[0].bend == ((0.0, 1.0),)


def test_increments_move_the_selected_parameter_by_a_step(song):
    def bend(*messages):
        return song([*messages, *UP]).notes[0].bend[0][1]

    def select(number, coarse, fine):
        return control(101, 0), control(100, number), control(6, coarse), control(38, fine)

    # The bend range by cents, fine tuning by 14 bits, coarse tuning by semitones.
    assert bend(*select(0, 0, 99), control(96, 0)) == 1.0
    assert bend(*select(0, 1, 0), control(97, 127)) == 0.99
    assert song([*select(0, 0, 0), control(97, 0), *UP]).notes[0].bend == ()
    assert bend(*select(1, 64, 0), control(97, 0)) == 2.0 - 1 / 8192
    assert song([*select(2, 64, 0), control(96, 0), *NOTE]).notes[0].pitch == 61
    assert bend(control(99, 1), control(98, 8), control(96, 0)) == 2.0


def test_tuning(song):
    coarse = [control(101, 0), control(100, 2), control(6, 64 - 12)]
    fine = [control(101, 0), control(100, 1), control(6, 96), control(38, 0)]
    low = song([*coarse, *NOTE, on(5), off(5, BEAT)]).notes
    # A transposed key is another note; what lies outside the keys is bent.
    assert [(note.pitch, note.bend) for note in low] == [(48, ()), (0, ((0.0, -7.0),))]
    assert song([*coarse, *fine, *NOTE]).notes[0].bend == ((0.0, 0.5),)
    held = song([on(60), *(m.copy(time=BEAT * (i == 0)) for i, m in enumerate(coarse)), off(60, 9)])
    assert held.notes[0].bend == ((0.0, 0.0), (0.5, -12.0))
    drums = [m.copy(channel=9) for m in (*coarse, *NOTE)]
    assert song(drums).notes[0].pitch == 60


def test_volume_and_expression_are_levels_of_a_channel(song):
    assert song(NOTE).levels == {}
    swell = [control(7, 50), control(11, 127), on(60), control(11, 0, BEAT), off(60, BEAT)]
    assert song(swell).levels == {1: [(0.0, 0.25), (0.0, 0.25), (0.5, 0.0)]}
    # A reset of the controllers restores the expression alone.
    reset = [control(7, 50, channel=3), control(11, 0, channel=3), control(121, 0, 9, channel=3)]
    assert [gain for _, gain in song(reset).levels[4]] == [0.25, 0.0, 0.25]


def test_the_master_volume_is_a_level_of_every_channel(song):
    def master(value, ticks=0):
        data = (127, 127, 4, 1, value % 128, value // 128)
        return message("sysex", ticks, data=data)

    found = song([control(7, 50), on(60), master(8191, BEAT), off(60, BEAT), master(16383)]).levels
    half = (8191 / 16383) ** 2
    assert found[1] == [(0.0, 0.25), (0.5, 0.25 * half), (1.0, 0.25)]
    assert found[10] == [(0.5, half), (1.0, 1.0)]
    others = [message("sysex", data=data) for data in ((127, 127, 4, 1), (126, 127, 9, 1), ())]
    assert song([*others, *NOTE]).levels == {}


def test_channels_and_programs_are_counted_from_1(song):
    note = song(
        [message("program_change", program=73, channel=3), on(60, channel=3), off(60, 9, channel=3)]
    ).notes[0]
    assert (note.channel, note.program) == (4, 74)


def test_a_file_cut_short_is_played_as_far_as_it_goes(song):
    messages = [m for p in range(40, 70) for m in (on(p, BEAT), off(p, BEAT))]
    whole = song(messages)
    known = [(n.pitch, n.start) for n in whole.notes]
    for cut in (5, 8, 9, 10, 24):
        found = song(messages, cut=cut)
        assert "ends" in found.damage or "byte" in found.damage
        assert len(known) - 5 <= len(found.notes) <= len(known)
        assert [(n.pitch, n.start) for n in found.notes[:-1]] == known[: len(found.notes) - 1]


def test_a_track_of_nonsense_leaves_the_others(song, tmp_path):
    path = tmp_path / "song.mid"
    song(NOTE, [on(62), off(62, BEAT)])
    data = bytearray(path.read_bytes())
    second = data.rindex(b"MTrk") + 8
    data[second:] = b"\xf7" * (len(data) - second)
    path.write_bytes(data)
    found = midi.read_song(path)
    assert times(found) == [(60, 0.0, 0.5)]
    assert "track" in found.damage


@pytest.fixture
def saved(song, tmp_path):
    """Bytes of a file of two tracks of a note of a beat each, and a function to read others."""
    song(NOTE, [on(62), off(62, BEAT)])
    path = tmp_path / "song.mid"

    def read(data):
        path.write_bytes(data)
        return midi.read_song(path)

    return path.read_bytes(), read


def test_rmid_is_read(saved):
    data, read = saved
    chunks = [(b"DISP", b"odd"), (b"data", data), (b"LIST", b"INFO")]
    body = b"RMID"
    for kind, content in chunks:
        body += kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    found = read(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert times(found) == [(60, 0.0, 0.5), (62, 0.0, 0.5)] and found.damage == ""


@pytest.mark.parametrize(
    ("frames", "ticks", "rate"), [(25, 40, 1000.0), (24, 4, 96.0), (29, 100, 3000.0 / 1.001)]
)
def test_smpte_time_has_no_tempo(saved, frames, ticks, rate):
    data, read = saved
    found = read(data[:12] + bytes([256 - frames, ticks]) + data[14:])
    assert found.notes[0].held == pytest.approx(BEAT / rate)


@pytest.mark.parametrize("division", [256, 1024])
def test_ticks_a_beat_may_be_a_multiple_of_256(saved, division):
    data, read = saved
    found = read(data[:12] + struct.pack(">H", division) + data[14:])
    assert found.notes[0].held == pytest.approx(0.5 * BEAT / division)


def test_sequences_of_format_2_follow_each_other(song, tmp_path):
    fast = [mido.MetaMessage("set_tempo", tempo=250_000), control(7, 50), on(60), off(60, BEAT)]
    song(fast, NOTE)
    path = tmp_path / "song.mid"
    data = path.read_bytes()
    path.write_bytes(data[:9] + b"\2" + data[10:])
    found = midi.read_song(path)
    # Each begins without the tempo and the controllers of the one before.
    assert times(found) == [(60, 0.0, 0.25), (60, 0.25, 0.5)]
    assert found.levels == {1: [(0.0, 0.25), (0.25, 1.0)]}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is not a MIDI file"),
        (b"RIFF....WAVEfmt ", "is not a MIDI file"),
        (b"RIFF\x20\0\0\0RMIDdisp\x04\0\0\0text", "is not a MIDI file"),
        (b"MThd\0\0\0\6\0\1\0\1\xe7\x00", "time division 59136"),
        (b"MThd\0\0\0\6\0\1\0\1\0\0", "time division 0"),
    ],
)
def test_what_is_no_song_is_told_in_a_line(tmp_path, data, expected):
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=expected) as caught:
        midi.read_song(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_endless_one(song, tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        midi.read_song(tmp_path / "none.mid")
    with pytest.raises(UsageError, match="longer than 3600 seconds"):
        song([on(60), off(60, BEAT * 8000)])
