"""Renders the sounds of docs/gallery.md from a run on notes and one on drums.

    python benchmarks/gallery.py --notes runs/flute --drums runs/kit --out_dir docs/sounds

Needs the package mido for the song. Ogg Vorbis, mono, all together some hundred kilobytes.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from noisygan.cli.main import main as noisygan
from noisygan.demo import drums_folder, notes_folder

CLASSES = ("kick", "snare", "tom", "cymbal")
QUALITY = 0.6  # of soundfile's compression_level: 0 is best, 1 is smallest
BREATH = 12.0  # how much louder the breath is made; in a flute's note it is hardly heard


def run(*arguments):
    """Runs a command of noisygan, which must succeed."""
    if noisygan([str(argument) for argument in arguments]):
        raise SystemExit(f"failed: noisygan {' '.join(map(str, arguments))}")


def encode(out_file, paths, gap_seconds=0.0, gain=1.0):
    """Writes sounds of one rate, one behind the other, as one Ogg Vorbis file."""
    parts = []
    for path in paths:
        audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        parts += [audio.mean(1), np.zeros(round(gap_seconds * sample_rate), np.float32)]
    audio = gain * np.concatenate(parts)
    soundfile.write(out_file, audio, sample_rate, format="OGG", compression_level=QUALITY)
    print(f"{out_file}: {out_file.stat().st_size / 1000:.0f} kB")


def edit(path, out_file):
    """Writes controls with a vibrato that grows, much more breath and a darker timbre."""
    curves = dict(np.load(path, allow_pickle=False))
    seconds = np.arange(len(curves["loudness_db"])) / curves["frame_rate"]
    cents = 60.0 * np.clip(seconds - 0.5, 0.0, 1.0) * np.sin(2 * np.pi * 5.5 * seconds)
    orders = np.arange(1, curves["harmonic/harmonic_distribution"].shape[1] + 1)
    darker = curves["harmonic/harmonic_distribution"] * orders**-0.7
    curves["harmonic/f0_hz"] = (curves["harmonic/f0_hz"] * 2 ** (cents / 1200)).astype(np.float32)
    curves["harmonic/harmonic_distribution"] = darker / darker.sum(1, keepdims=True)
    curves["noise/magnitudes"] = BREATH * curves["noise/magnitudes"]
    np.savez_compressed(out_file, **curves)


def write_song(path):
    """A MIDI file of two bars: a melody, and drums on channel 10."""
    import mido

    file = mido.MidiFile(ticks_per_beat=480)
    events = []
    for beat, key in enumerate((67, 72, 71, 69, 67, 64, 65, 67)):
        events += [(beat * 480, "note_on", 0, key), (beat * 480 + 440, "note_off", 0, key)]
    for half in range(16):
        key = 36 if half % 4 == 0 else 38 if half % 4 == 2 else 42
        events += [(half * 240, "note_on", 9, key), (half * 240 + 200, "note_off", 9, key)]
    track, now = mido.MidiTrack(), 0
    for time, kind, channel, key in sorted(events):
        track.append(mido.Message(kind, channel=channel, note=key, velocity=95, time=time - now))
        now = time
    file.tracks.append(track)
    file.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", required=True, type=Path, help="a run of runs/notes.gin")
    parser.add_argument("--drums", required=True, type=Path, help="a run of runs/drums.gin")
    parser.add_argument("--out_dir", required=True, type=Path)
    arguments = parser.parse_args()
    out, flute = arguments.out_dir, arguments.notes
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        held_out = sorted((notes_folder() / "nsynth-test" / "audio").glob("*-100.flac"))
        encode(out / "flute_recorded.ogg", [held_out[1]])
        for file in sorted((flute / "samples").glob("step-*-1.wav"))[:1]:
            encode(out / "flute_untrained.ogg", [file])
        run("render", "--run_dir", flute, "--out_dir", work / "one", "--pitch", "72",
            "--controls", "--stems")  # fmt: skip
        (note,) = (work / "one").glob("*.wav")
        (curves,) = (work / "one").glob("*.npz")
        encode(out / "flute.ogg", [note])
        for stem, gain in (("harmonic", 1.0), ("noise", BREATH)):
            encode(out / f"flute_{stem}.ogg", (work / "one").glob(f"*/{stem}.wav"), gain=gain)
        edit(curves, work / "edited.npz")
        run("synth", "--controls", work / "edited.npz", "--out", work / "edited.wav")
        encode(out / "flute_edited.ogg", [work / "edited.wav"])
        run("render", "--run_dir", flute, "--out_dir", work / "long", "--pitch", "67",
            "--seconds", "7", "--sample_rate", "44100")  # fmt: skip
        encode(out / "flute_long.ogg", (work / "long").glob("*.wav"))
        run("render", "--run_dir", arguments.drums, "--out_dir", work / "kit", "--count", "2",
            "--label", ",".join(CLASSES))  # fmt: skip
        recorded = [next(iter(sorted((drums_folder() / name).iterdir()))) for name in CLASSES]
        encode(out / "drums_recorded.ogg", recorded, 0.15)
        made = [path for name in CLASSES for path in sorted((work / "kit").rglob(f"*{name}*.wav"))]
        encode(out / "drums.ogg", made, 0.15)
        write_song(work / "song.mid")
        run("play", "--run_dir", flute, "--drums", arguments.drums, "--midi", work / "song.mid",
            "--out", work / "song.wav")  # fmt: skip
        encode(out / "song.ogg", [work / "song.wav"])


if __name__ == "__main__":
    main()
