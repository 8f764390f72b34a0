r"""Renders the sounds of the documentation from a run on notes and one on drums.

    python benchmarks/gallery.py --notes runs/flute --drums runs/kit \
        --target violin.wav --out_dir docs/sounds

Each is what a command of the documentation makes. Needs the extras `midi`, `export` and `studio`.
Ogg Vorbis, mono, all together less than a megabyte.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common import write_ogg
from noisygan.cli.main import main as noisygan
from noisygan.demo import drums_folder, notes_folder

CLASSES = ("kick", "snare", "tom", "cymbal")
GLIDE = "time_seconds,harmonic/f0_hz,loudness_db\n0,392,-40\n1.5,392,-12\n3,784,-12\n"
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
    write_ogg(out_file, gain * np.concatenate(parts), sample_rate)


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


def from_onnx(folder, path):
    """Writes a note that the exported network plays, without noisygan."""
    import onnxruntime

    about = json.loads((folder / "model.json").read_text())
    session = onnxruntime.InferenceSession(folder / "audio.onnx")
    told = {"pitch": 67.0, "velocity": 100.0, "seed": 0}
    feed = {}
    for entry in session.get_inputs():
        dtype = np.int32 if "int" in entry.type else np.float32
        if entry.name == "z":
            feed["z"] = np.random.default_rng(0).standard_normal((1, entry.shape[1]), dtype)
        else:
            feed[entry.name] = np.array([told[entry.name]], dtype)
    (audio,) = session.run(["audio"], feed)
    soundfile.write(path, audio[0], about["sample_rate"])


def from_studio(run_dir, path):
    """Writes the note that the studio answers a request with."""
    asked = {"run": 0, "seed": 42, "pitch": 67, "seconds": 2, "bits": 24}
    command = [sys.executable, "-m", "noisygan", "studio", "--run_dir", str(run_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        address = re.search(r"http://\S+?/?(?= |$)", server.stdout.readline())[0].rstrip("/")
        body = json.dumps(asked).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{address}/api/wav", body, headers)
        with urllib.request.urlopen(request) as answer:
            path.write_bytes(answer.read())
        server.terminate()


def preview(out_file, run_dir, folder, *chosen):
    """Encodes the preview of an instrument made of a run."""
    run("instrument", "--run_dir", run_dir, "--out_dir", folder, "--format", "sfz", *chosen)
    encode(out_file, [folder / "preview.wav"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", required=True, type=Path, help="a run of runs/notes.gin")
    parser.add_argument("--drums", required=True, type=Path, help="a run of runs/drums.gin")
    parser.add_argument("--target", required=True, type=Path, help="a sound to match")
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
        run("interpolate", "--run_dir", flute, "--out_dir", work / "between", "--first", "0",
            "--last", "5", "--steps", "8", "--pitch", "67")  # fmt: skip
        encode(out / "flute_morph.ogg", [work / "between" / "morph.wav"])
        run("interpolate", "--run_dir", arguments.drums, "--out_dir", work / "kicks", "--label",
            "kick", "--steps", "16", "--path", "linear")  # fmt: skip
        encode(out / "kicks_between.ogg", sorted((work / "kicks").glob("step-*.wav")))
        (work / "glide.csv").write_text(GLIDE)
        run("synth", "--controls", curves, "--curves", work / "glide.csv",
            "--out", work / "glide.wav")  # fmt: skip
        encode(out / "flute_glide.ogg", [work / "glide.wav"])
        preview(out / "flute_instrument.ogg", flute, work / "sfz", "--pitch", "60,67,74,81")
        preview(out / "kit_instrument.ogg", arguments.drums, work / "kit_sfz")
        encode(out / "target.ogg", [arguments.target])
        for name, how in (
            ("free", ["--free"]),
            ("by_flute", ["--run_dir", flute]),
            ("from_flute", ["--run_dir", flute, "--free"]),
        ):
            run("match", arguments.target, *how, "--out_dir", work / name)
            encode(out / f"target_{name}.ogg", (work / name).glob("*.wav"))
        run("export", "--run_dir", flute, "--out", work / "onnx", "--format", "onnx",
            "--seconds", "2")  # fmt: skip
        from_onnx(work / "onnx", work / "onnx.wav")
        encode(out / "flute_onnx.ogg", [work / "onnx.wav"])
        from_studio(flute, work / "studio.wav")
        encode(out / "flute_studio.ogg", [work / "studio.wav"])


if __name__ == "__main__":
    main()
