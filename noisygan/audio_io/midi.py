"""MIDI files: notes with their times, sustain pedal and pitch bends.

No audio here: Standard MIDI Files (RP-001), General MIDI 1.
"""

import bisect
import collections
import dataclasses
import io
import struct
from pathlib import Path

from noisygan.errors import UsageError

# A file of this size holds hours of dense music; nothing larger is read.
MAX_BYTES = 4 << 20
MAX_SECONDS = 3600.0
MAX_NOTES = 100_000
# Steps of pitch bends within all notes together.
MAX_BENDS = 1_000_000
# Channels are counted from 1, as musicians do; General MIDI has drums on this one.
DRUM_CHANNEL = 10

# Bytes of a damaged track that is read as far as it goes, which takes some hundred attempts.
_MAX_REPAIRED = 256 << 10

_SUSTAIN, _DATA, _RPN_LOW, _RPN_HIGH = 64, 6, 100, 101
_ALL_SOUND_OFF, _RESET, _ALL_NOTES_OFF = 120, 121, 123
_BEND_RANGE = 2.0  # semitones, until a file sets another one
_END_OF_TRACK = b"\x00\xff\x2f\x00"


@dataclasses.dataclass(frozen=True)
class Note:
    """A note of a song.

    Attributes:
      start: Seconds from the song's beginning.
      held: Seconds until it is let go, by the key or, later, the sustain pedal.
      pitch: MIDI number, 0 .. 127.
      velocity: 1 .. 127.
      channel: 1 .. 16.
      program: The channel's program when the note began, 1 .. 128.
      bend: Pitch bend while it sounds: pairs of (seconds from its start, semitones), in order, the
        first at 0; a value holds until the next one. Empty where the pitch is never bent.
    """

    start: float
    held: float
    pitch: int
    velocity: int
    channel: int
    program: int
    bend: tuple = ()


@dataclasses.dataclass(frozen=True)
class Song:
    """Notes of a MIDI file by start, and what of it could not be read ('': nothing)."""

    notes: list
    damage: str = ""


def read_song(path):
    """Read a Standard MIDI File, format 0 or 1, as a Song.

    A file that was cut short is read as far as it goes; its hanging notes end there.

    Raises:
      UsageError: if it is missing, no MIDI file, too large or too long, or mido is missing.
    """
    path = Path(path)
    try:
        import mido
    except ImportError:
        raise UsageError("reading MIDI files needs mido: pip install 'noisygan[midi]'") from None
    if not path.is_file():
        raise UsageError(f"no such file: {path}; expected a MIDI file (.mid)")
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path} has more than {MAX_BYTES >> 20} MB; expected a MIDI file")
    data = path.read_bytes()
    if data[:4] != b"MThd":
        raise UsageError(f"{path} is not a MIDI file; expected one that begins with MThd")
    if len(data) < 14:
        raise UsageError(f"{path} is cut off within its header; expected a whole MIDI file")
    chunks, damage = _whole_chunks(data)
    tracks = []
    for chunk in chunks:
        track, fault = _read_track(mido, chunk)
        damage = damage or fault
        tracks.append(track)
    file_format, _, division = struct.unpack(">HHH", data[8:14])
    if file_format > 1 or division & 0x8000 or not division:
        found = f"format {file_format}, division {division}"
        raise UsageError(f"{path} has {found}; expected format 0 or 1 with ticks a beat")
    merged = mido.merge_tracks(tracks)
    return Song(_notes(merged, division, mido, path, damage), damage)


def _whole_chunks(data):
    """Bodies of the track chunks, and what is wrong with them ('' if nothing)."""
    chunks, at = [], 8 + struct.unpack(">I", data[4:8])[0]
    while at + 8 <= len(data):
        kind, size = struct.unpack(">4sI", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"MTrk":
            chunks.append(body)
        if len(body) < size:
            return chunks, f"ends {size - len(body)} bytes before the end of its last track"
        at += 8 + size
    wanted = struct.unpack(">H", data[10:12])[0]
    if len(chunks) < wanted:
        return chunks, f"holds {len(chunks)} of its {wanted} tracks"
    return chunks, ""


def _read_track(mido, body):
    """(messages, what is wrong): all of a track, or as much as can be read."""
    track = _parse(mido, body)
    if track is not None:
        return track, ""
    if len(body) > _MAX_REPAIRED:
        return [], f"has a damaged track of {len(body)} bytes, too long to be read in part"
    # Where it breaks, a message may be cut in two: one of a few neighbouring ends can be read.
    readable, broken = 0, len(body)
    while broken - readable > 1:
        middle = (readable + broken) // 2
        ends = range(middle, max(middle - 8, -1), -1)
        found = any(_parse(mido, body[:n] + _END_OF_TRACK) is not None for n in ends)
        readable, broken = (middle, broken) if found else (readable, middle)
    for n in range(readable, max(readable - 9, -1), -1):
        track = _parse(mido, body[:n] + _END_OF_TRACK)
        if track is not None:
            return track, f"can be read up to byte {n} of {len(body)} of a track"
    return [], f"has a track of {len(body)} bytes that can't be read"


def _parse(mido, body):
    """Messages of a track's body, or None where it can't be read."""
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    file = io.BytesIO(header + b"MTrk" + struct.pack(">I", len(body)) + body)
    try:
        return mido.MidiFile(file=file, clip=True).tracks[0]
    except (EOFError, OSError, ValueError, LookupError, TypeError, struct.error):
        return None
    except mido.KeySignatureError:  # a key that no scale has
        return None


class _Channel:
    """Controllers of a channel."""

    def __init__(self):
        self.program = 1
        self.pedal = False
        self.parameter = [127, 127]
        self.bend_range = _BEND_RANGE
        self.wheel = 0.0
        self.bends = [(0.0, 0.0)]  # (seconds, semitones)
        self.sounding = {}  # pitch -> deque of (start, velocity, program), keys down
        self.sustained = {}  # pitch -> list of (start, velocity, program), keys up, pedal down

    def bend(self, seconds):
        value = self.wheel * self.bend_range
        if value != self.bends[-1][1]:
            self.bends.append((seconds, value))


def _notes(messages, division, mido, path, damage):
    channels = [_Channel() for _ in range(16)]
    seconds, tempo, found, n_bends = 0.0, 500000, [], 0

    def end(number, pitch, start, velocity, program):
        nonlocal n_bends
        bend = _bend(channels[number].bends, start, seconds)
        n_bends += len(bend)
        if len(found) >= MAX_NOTES or n_bends > MAX_BENDS:
            most = f"{MAX_NOTES} notes, or {MAX_BENDS} pitch bends within notes"
            raise UsageError(f"{path} holds more than {most}; cut it")
        held = seconds - start
        found.append(Note(start, held, pitch, velocity, number + 1, program, bend))

    def release(number, pitch):
        channel = channels[number]
        begun = channel.sounding.get(pitch)
        if not begun:
            return
        note = begun.popleft()
        if channel.pedal:
            channel.sustained.setdefault(pitch, []).append(note)
        else:
            end(number, pitch, *note)

    def lift(number):
        for pitch, ended in channels[number].sustained.items():
            for note in ended:
                end(number, pitch, *note)
        channels[number].sustained.clear()

    def silence(number):
        for pitch, begun in channels[number].sounding.items():
            for note in begun:
                end(number, pitch, *note)
        channels[number].sounding.clear()
        lift(number)

    for message in messages:
        now = seconds + mido.tick2second(message.time, division, tempo)
        if now > MAX_SECONDS and damage:
            break
        if now > MAX_SECONDS:
            raise UsageError(f"{path} lasts longer than {MAX_SECONDS:g} seconds; cut it")
        seconds = now
        if message.type == "set_tempo":
            tempo = message.tempo
        if message.is_meta or not hasattr(message, "channel"):
            continue
        number = message.channel
        channel = channels[number]
        if message.type == "note_on" and message.velocity:
            # A key that is struck again while the pedal holds its note: the note is played again.
            for note in channel.sustained.pop(message.note, ()):
                end(number, message.note, *note)
            begun = channel.sounding.setdefault(message.note, collections.deque())
            begun.append((seconds, message.velocity, channel.program))
        elif message.type in ("note_on", "note_off"):
            release(number, message.note)
        elif message.type == "program_change":
            channel.program = message.program + 1
        elif message.type == "pitchwheel":
            channel.wheel = message.pitch / (8191.0 if message.pitch > 0 else 8192.0)
            channel.bend(seconds)
        elif message.type == "control_change":
            control, value = message.control, message.value
            if control == _SUSTAIN:
                channel.pedal = value >= 64
                if not channel.pedal:
                    lift(number)
            elif control in (_RPN_HIGH, _RPN_LOW):
                channel.parameter[_RPN_HIGH - control] = value
            elif control == _DATA and channel.parameter == [0, 0]:
                channel.bend_range = float(value)
                channel.bend(seconds)
            elif control == _RESET:
                channel.pedal, channel.wheel = False, 0.0
                channel.bend(seconds)
                lift(number)
            elif control in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
                silence(number)
    for number in range(16):
        silence(number)
    return sorted(found, key=lambda note: (note.start, note.channel, note.pitch))


def _bend(bends, start, stop):
    """Of a channel's bends, what a note from start to stop hears; () if its pitch stays."""
    first = bisect.bisect_right(bends, start, key=_time) - 1
    last = max(bisect.bisect_left(bends, stop, key=_time), first + 1)
    heard = [(max(0.0, at - start), value) for at, value in bends[first:last]]
    return tuple(heard) if any(value for _, value in heard) else ()


def _time(bend):
    return bend[0]
