"""Play a MIDI file on trained runs, into one WAV file.

Every note is rendered at its own pitch, velocity and length, with pitch bend and sustain pedal. The
run of --run_dir plays all channels but 10; --program and --channel give some to others. Channel 10
is General MIDI's drums, which --drums plays: a run of classes such as kick, snare, tom, cymbal.
"""

import argparse
import pathlib
import re

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "play a MIDI file on trained runs"
EXAMPLE = """\
noisygan play --run_dir runs/flute --midi song.mid --out song.wav
noisygan play --run_dir runs/flute --drums runs/kit --midi song.mid --out song.wav
noisygan play --run_dir runs/flute --program 57-64=runs/brass --midi song.mid --out song.wav
noisygan play --run_dir runs/flute --channel 2=runs/flute:7 --midi song.mid --out song.wav"""

_ASSIGNMENT = re.compile(r"(\d+)(?:-(\d+))?=(.+?)(?::(\d+))?")


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("--midi", required=True, metavar="FILE.mid", help="the song")
    parser.add_argument("--out", required=True, metavar="FILE.wav", help="the WAV file to write")
    parser.add_argument("--run_dir", metavar="DIR", help="run that plays what no other one does")
    parser.add_argument("--drums", metavar="DIR", help="run that plays channel 10")
    for name, most in (("channel", 16), ("program", 128)):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            type=_assignment(most),
            metavar="N=DIR[:Z]",
            help=f"run that plays {name} N (1 to {most}, or a range such as 1-8), and the number "
            "of the z that all its notes share; may be given several times",
        )
    arguments.add_seed(parser, "another seed gives other notes")
    parser.add_argument(
        "--sample_rate",
        type=arguments.whole_number(1),
        metavar="R",
        help="Hz (default: the highest one of the runs' recordings)",
    )


def _assignment(most):
    def parse(text):
        match = _ASSIGNMENT.fullmatch(text)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r}, expected a number of 1 to {most} and a run, such as 2=runs/flute"
            )
        return range(first, last + 1), match[3], int(match[4]) if match[4] else None

    return parse


def run(args):
    """Plays the song."""
    from noisygan.audio_io import audio_files, midi
    from noisygan.files import make_folder

    audio_files.check_sample_rate(args.sample_rate)
    out = arguments.new_wav(args.out)
    if not (args.run_dir or args.drums or args.channel or args.program):
        raise UsageError("no run to play on; expected --run_dir, --drums, --program or --channel")
    folders = [args.run_dir, args.drums, *(d for _, d, _ in args.channel + args.program)]
    for folder in filter(None, folders):
        arguments.run_folder(folder)
    song = midi.read_song(args.midi)
    if song.damage:
        print(f"{args.midi} {song.damage}; what could be read is played")
    if not song.notes:
        raise UsageError(f"{args.midi} holds no notes; nothing was written")
    arguments.import_tensorflow()
    from noisygan.rendering import song as songs

    parts = _Parts(args)
    # A channel may change its program.
    used = {(note.channel, note.program): parts(note) for note in song.notes}
    for (channel, _), part in used.items():
        if part is not None:
            songs.check_playable(part, channel)
    used = [part for part in used.values() if part is not None]
    if not used:
        channels = ", ".join(map(str, sorted({note.channel for note in song.notes})))
        raise UsageError(f"{args.midi} has notes on channel {channels}, which no run plays")
    sample_rate = args.sample_rate or max(part.generator.sample_rate for part in used)
    with progress.CountedProgress("playing", len(song.notes)) as count:
        audio, left_out = songs.play(song, parts, sample_rate, args.seed, count)
    n_played = len(song.notes) - sum(left_out.values())
    if not n_played:
        reasons = "; ".join(f"{progress.counted(n, 'note')} {why}" for why, n in left_out.items())
        raise UsageError(f"{args.midi}: no note can be played ({reasons}); nothing was written")
    audio, lowered = songs.without_clipping(audio)
    make_folder(out.parent)
    audio_files.write_wav(out, audio, sample_rate)
    played = progress.counted(n_played, "note")
    print(f"{out}: {played}, {len(audio) / sample_rate:.1f} s at {sample_rate} Hz")
    for reason, n_notes in left_out.items():
        print(f"left out: {progress.counted(n_notes, 'note')} {reason}")
    for line in _beyond(song.notes, parts):
        print(line)
    if lowered:
        print(f"brought down by {lowered:.1f} dB, so that nothing is cut")
    return 0


class _Parts:
    """The part that plays a note; runs are loaded when they are first needed, each once."""

    def __init__(self, args):
        self.args = args
        self.runs = {}
        self.parts = {}

    def __call__(self, note):
        from noisygan.audio_io import midi

        is_drum = note.channel == midi.DRUM_CHANNEL
        assigned = [(note.channel, given) for given in self.args.channel]
        # Programs on the drums' channel are kits, not instruments.
        assigned += [] if is_drum else [(note.program, given) for given in self.args.program]
        for number, (numbers, folder, z) in assigned:
            if number in numbers:
                return self._part(folder, z)
        if is_drum:
            return self.args.drums and self._part(self.args.drums, None)
        # The notes of a channel belong together, as of one instrument.
        return self.args.run_dir and self._part(self.args.run_dir, note.channel - 1)

    def _part(self, folder, number):
        from noisygan.rendering import notes, song

        if folder not in self.runs:
            self.runs[folder] = notes.load(pathlib.Path(folder))
        if (folder, number) not in self.parts:
            self.parts[folder, number] = song.Part(*self.runs[folder], number)
        return self.parts[folder, number]


def _beyond(played, parts):
    """Lines that tell of notes outside the pitches that a run was trained on."""
    beyond = {}
    for note in played:
        part = parts(note)
        if part is None or part.is_kit or not part.instrument.pitches:
            continue
        low, high = min(part.instrument.pitches), max(part.instrument.pitches)
        if not low <= note.pitch <= high:
            key = (part.instrument.run_name, low, high)
            beyond[key] = beyond.get(key, 0) + 1
    for (name, low, high), n_notes in beyond.items():
        trained = f"the pitches {low:g} to {high:g} that {name} was trained on"
        lie = "lies" if n_notes == 1 else "lie"
        yield f"{progress.counted(n_notes, 'note')} {lie} outside {trained}"
