"""MIDI files: notes with their times, pedals, pitch bends, tuning and levels.

No audio here: Standard MIDI Files (RP-001, RMID of RP-029), General MIDI 1, reset of controllers
(RP-015), increments of parameters (RP-018), master volume.
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

_VOLUME, _EXPRESSION, _SUSTAIN, _SOSTENUTO = 7, 11, 64, 66
_DATA, _DATA_LOW, _NRPNS, _RPN_LOW, _RPN_HIGH = 6, 38, (98, 99), 100, 101
_STEPS = {96: 1, 97: -1}
_ALL_SOUND_OFF, _RESET, _ALL_NOTES_OFF = 120, 121, 123  # all above are notes off, too
_NO_PARAMETER = (127, 127)
_BEND_RANGE, _FINE_TUNING, _COARSE_TUNING = (0, 0), (0, 1), (0, 2)
# Steps of a registered parameter within one of its coarse value.
_N_FINE = {_BEND_RANGE: 100, _FINE_TUNING: 128, _COARSE_TUNING: 1}
_MASTER_VOLUME = (127, 4, 1)  # of a universal real-time message, without the device
_NOMINAL_VOLUME = 100.0  # of General MIDI, until a file sets another one
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
      bend: Pitch bend and tuning while it sounds: pairs of (seconds from its start, semitones), in
        order, the first at 0; a value holds until the next one. Empty where the pitch is never
        bent. Coarse tuning at the start is in the pitch instead, except of drums.
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
    """Notes of a MIDI file.

    Attributes:
      notes: list of Note, by start.
      damage: What of the file could not be read ('': nothing).
      levels: dict of channel -> level of volume, expression and master volume: pairs of (seconds
        from the song's beginning, linear gain), in order; a value holds until the next one, 1.0
        before the first. 1.0 is General MIDI's volume without a controller, 100.
    """

    notes: list
    damage: str = ""
    levels: dict = dataclasses.field(default_factory=dict)


def read_song(path):
    """Read a Standard MIDI File, also within RMID, as a Song.

    The sequences of format 2 follow each other. A file that was cut short is read as far as it
    goes; its hanging notes end there.

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
    data = _unwrapped(path.read_bytes())
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
    if not (division & 0xFF if division & 0x8000 else division):
        raise UsageError(f"{path} has time division {division}; expected ticks a beat or a frame")
    reader = _Reader(mido, division, path, damage)
    for sequence in tracks if file_format == 2 else [mido.merge_tracks(tracks)]:
        reader.read(sequence)
    notes = sorted(reader.notes, key=lambda note: (note.start, note.channel, note.pitch))
    return Song(notes, damage, dict(reader.levels))


def _unwrapped(data):
    """The MIDI file within an RMID container; other data as they are."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack("<4sI", data[at : at + 8])
        if kind == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""


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


@dataclasses.dataclass(eq=False)
class _Sounding:
    """A note that has not ended; `caught` by the sostenuto pedal, `transposed` by coarse tuning."""

    key: int
    start: float
    velocity: int
    program: int
    transposed: int
    caught: bool = False


class _Channel:
    """Controllers of a channel, and its notes that have not ended."""

    def __init__(self, number):
        self.number = number
        self.program = 1
        self.volume, self.expression = _NOMINAL_VOLUME, 127
        self.sustain = self.sostenuto = False
        self.parameter = list(_NO_PARAMETER)
        # Registered parameters as (coarse, fine).
        self.data = {_BEND_RANGE: (2, 0), _FINE_TUNING: (64, 0), _COARSE_TUNING: (64, 0)}
        self.wheel = 0.0
        self.bends = [(0.0, 0.0)]  # (seconds, semitones)
        self.pressed = {}  # key -> deque of _Sounding
        self.sustained = {}  # key -> list of _Sounding that a pedal holds

    def step(self, parameter, by):
        """Move a registered parameter by a step of its fine value, or of its coarse one alone."""
        n, (coarse, fine) = _N_FINE[parameter], self.data[parameter]
        value = coarse * n + min(fine, n - 1) + by
        self.data[parameter] = divmod(min(max(value, 0), 128 * n - 1), n)

    @property
    def gain(self):
        """Linear gain: 40 log10 of each, as General MIDI's developers advise."""
        return (self.volume / _NOMINAL_VOLUME * self.expression / 127.0) ** 2

    @property
    def transposed(self):
        """Semitones of the coarse tuning; drums have none."""
        return 0 if self.number == DRUM_CHANNEL else self.data[_COARSE_TUNING][0] - 64

    def bend(self, seconds):
        """Record wheel and tuning together, in semitones."""
        semitones, cents = self.data[_BEND_RANGE]
        coarse, fine = self.data[_FINE_TUNING]
        tuning = (coarse * 128 + fine - 8192) / 8192.0 + self.transposed
        value = self.wheel * (semitones + cents / 100.0) + tuning
        if value != self.bends[-1][1]:
            self.bends.append((seconds, value))


class _Reader:
    """Notes and levels of sequences that follow each other.

    Attributes:
      notes: list of Note, in the order of their ends.
      levels: As of `Song`.
    """

    def __init__(self, mido, division, path, damage):
        self.notes, self.levels = [], collections.defaultdict(list)
        self._mido, self._division, self._path, self._damage = mido, division, path, damage
        self._seconds, self._n_bends, self._master = 0.0, 0, 1.0

    def read(self, messages):
        """Read the messages of a sequence, with controllers and tempo as at power-on."""
        channels, self._master = [_Channel(number) for number in range(1, 17)], 1.0
        for number in self.levels:
            self._level(channels[number - 1])
        tempo = 500000
        for message in messages:
            now = self._seconds + self._duration(message.time, tempo)
            if now > MAX_SECONDS and self._damage:
                break
            if now > MAX_SECONDS:
                raise UsageError(f"{self._path} lasts longer than {MAX_SECONDS:g} seconds; cut it")
            self._seconds = now
            if message.type == "set_tempo":
                tempo = message.tempo
            if not message.is_meta and hasattr(message, "channel"):
                self._play(message, channels[message.channel])
            elif message.type == "sysex" and len(message.data) == 6:
                kind, _, *about, low, high = message.data
                if (kind, *about) == _MASTER_VOLUME:
                    self._master = ((128 * high + low) / 16383.0) ** 2
                    for channel in channels:
                        self._level(channel)
        for channel in channels:
            self._silence(channel)

    def _duration(self, ticks, tempo):
        """Seconds of ticks, of a beat or, by SMPTE, of a frame."""
        if not self._division & 0x8000:
            return self._mido.tick2second(ticks, self._division, tempo)
        rate = 256 - (self._division >> 8)
        rate = 30.0 / 1.001 if rate == 29 else rate
        return ticks / (rate * (self._division & 0xFF))

    def _play(self, message, channel):
        if message.type == "note_on" and message.velocity:
            # A key that is struck again while a pedal holds its note: the note is played again.
            key = message.note
            held = channel.sustained.pop(key, ())
            self._end(channel, held)
            transposed = min(max(channel.transposed, -key), 127 - key)
            caught = any(note.caught for note in held)  # Sostenuto holds the key.
            note = _Sounding(
                key, self._seconds, message.velocity, channel.program, transposed, caught
            )
            channel.pressed.setdefault(key, collections.deque()).append(note)
        elif message.type in ("note_on", "note_off"):
            if channel.pressed.get(message.note):
                self._release(channel, channel.pressed[message.note].popleft())
        elif message.type == "program_change":
            channel.program = message.program + 1
        elif message.type == "pitchwheel":
            channel.wheel = message.pitch / (8191.0 if message.pitch > 0 else 8192.0)
            channel.bend(self._seconds)
        elif message.type == "control_change":
            self._control(message.control, message.value, channel)

    def _control(self, control, value, channel):
        parameter = tuple(channel.parameter)
        if control == _VOLUME:
            channel.volume = value
            self._level(channel)
        elif control == _EXPRESSION:
            channel.expression = value
            self._level(channel)
        elif control == _SUSTAIN:
            channel.sustain = value >= 64
            self._lift(channel)
        elif control == _SOSTENUTO:
            self._sostenuto(value >= 64, channel)
        elif control in _NRPNS:
            channel.parameter = list(_NO_PARAMETER)
        elif control in (_RPN_HIGH, _RPN_LOW):
            channel.parameter[_RPN_HIGH - control] = value
        elif control in (_DATA, _DATA_LOW) and parameter in channel.data:
            coarse = channel.data[parameter][0]
            channel.data[parameter] = (value, 0) if control == _DATA else (coarse, value)
            channel.bend(self._seconds)
        elif control in _STEPS and parameter in channel.data:
            channel.step(parameter, _STEPS[control])
            channel.bend(self._seconds)
        elif control == _RESET:
            channel.expression, channel.wheel, channel.sustain = 127, 0.0, False
            channel.parameter = list(_NO_PARAMETER)
            self._level(channel)
            channel.bend(self._seconds)
            self._sostenuto(False, channel)
        elif control == _ALL_SOUND_OFF:
            self._silence(channel)
        elif control >= _ALL_NOTES_OFF:
            for notes in channel.pressed.values():
                while notes:
                    self._release(channel, notes.popleft())

    def _level(self, channel):
        self.levels[channel.number].append((self._seconds, self._master * channel.gain))

    def _sostenuto(self, pressed, channel):
        """Catch what sounds when the pedal goes down."""
        if pressed and channel.sostenuto:
            return
        channel.sostenuto = pressed
        for notes in [*channel.pressed.values(), *channel.sustained.values()]:
            for note in notes:
                note.caught = pressed
        self._lift(channel)

    def _release(self, channel, note):
        if channel.sustain or note.caught:
            channel.sustained.setdefault(note.key, []).append(note)
        else:
            self._end(channel, [note])

    def _lift(self, channel):
        """End the notes that no pedal holds any longer."""
        if channel.sustain:
            return
        for key, notes in list(channel.sustained.items()):
            self._end(channel, [note for note in notes if not note.caught])
            channel.sustained[key] = [note for note in notes if note.caught]

    def _silence(self, channel):
        for notes in [*channel.pressed.values(), *channel.sustained.values()]:
            self._end(channel, notes)
        channel.pressed.clear()
        channel.sustained.clear()

    def _end(self, channel, notes):
        for note in notes:
            bend = _bend(channel.bends, note.start, self._seconds, note.transposed)
            self._n_bends += len(bend)
            if len(self.notes) >= MAX_NOTES or self._n_bends > MAX_BENDS:
                most = f"{MAX_NOTES} notes, or {MAX_BENDS} pitch bends within notes"
                raise UsageError(f"{self._path} holds more than {most}; cut it")
            held, pitch = self._seconds - note.start, note.key + note.transposed
            self.notes.append(
                Note(note.start, held, pitch, note.velocity, channel.number, note.program, bend)
            )


def _bend(bends, start, stop, transposed):
    """Of a channel's bends, what a note from start to stop hears; () if its pitch stays."""
    first = bisect.bisect_right(bends, start, key=_time) - 1
    last = max(bisect.bisect_left(bends, stop, key=_time), first + 1)
    heard = [(max(0.0, at - start), value - transposed) for at, value in bends[first:last]]
    return tuple(heard) if any(value for _, value in heard) else ()


def _time(bend):
    return bend[0]
