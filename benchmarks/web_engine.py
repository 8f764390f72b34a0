"""Accuracy and processor time of the web instrument's engine under Node.

    python benchmarks/web_engine.py --run_dir runs/flute runs/guitar [--voices 16]
        [--sample_rate 48000] [--block 128] [--seconds 10] [--note_seconds 2]

Renders three notes of each run with Python and with the engine, from the same latents and noise
seeds: the signal-to-error ratio of the whole note less its noise, the lowest of the three, and the
largest difference of the noise in bands of a third of an octave that are within 60 dB of the
loudest. Then plays all voices at once: `load` is processor time over the time of the sound, `start`
the processor time of one note's beginning, with its first block. Prints a table in Markdown.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import scipy.signal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import noisygan  # noqa: E402
from noisygan.export.web import web_model  # noqa: E402
from noisygan.rendering.requests import note_seeds  # noqa: E402


def node(script, **given):
    """Standard output of a script that reads JSON."""
    command = ["node", str(ROOT / script)]
    return subprocess.run(
        command, input=json.dumps(given).encode(), stdout=subprocess.PIPE, check=True
    ).stdout


def bands_db(audio, sample_rate):
    """Levels in bands of a third of an octave from 100 Hz to half the sample rate, dB."""
    hz, power = scipy.signal.welch(audio, sample_rate, nperseg=2048)
    edges = 100.0 * 2.0 ** (np.arange(3.0 * np.log2(0.5 * sample_rate / 100.0)) / 3.0)
    bands = [power[(hz >= a) & (hz < b)].sum() for a, b in zip(edges, edges[1:], strict=False)]
    return 10.0 * np.log10(np.maximum(bands, 1e-30))


def accuracy(run, model, sample_rate, seconds):
    """(lowest signal to error of the tone in dB, largest difference of the noise's bands in dB)."""
    ratios, apart = [], []
    for i in range(3):
        asked = {"velocity": (110, 100, 60)[i], "sample_rate": sample_rate, "seconds": seconds}
        if run.pitches:
            asked["pitch"] = float(run.pitches[(i + 1) * len(run.pitches) // 4])
        if len(run.label_names) > 1:
            asked["label"] = run.label_names[i]
        notes = run.render(**asked, seed=i)
        z = np.asarray(run.generator.prior(1, seed=note_seeds(i, 0)[0]))[0]
        request = {
            "pitch": asked.get("pitch", 0), "velocity": asked["velocity"], "label": i,
            "z": z.tolist(), "seed": int(notes.controls["noise_seed"][0]), "seconds": seconds,
            "sampleRate": sample_rate,
        }  # fmt: skip
        kinds = {voice.name: voice.kind for voice in run.generator.voices}
        stems = notes.stems()
        requests = [request, *(request | {"voices": [kinds[name]]} for name in stems)]
        made = node("tests/web_engine.mjs", model=model, notes=requests)
        whole, *made = np.frombuffer(made, "<f4").reshape(len(requests), -1)
        tone = np.array([kinds[name] != "noise" for name in stems])
        wanted, made = np.stack([stem[0] for stem in stems.values()]), np.stack(made)
        dry, own = wanted[tone].sum(0), whole - made[~tone].sum(0)
        ratios.append(10.0 * np.log10(np.sum(dry**2) / np.sum((dry - own) ** 2)))
        for a, b, is_tone in zip(wanted, made, tone, strict=True):
            if not is_tone:
                levels = bands_db(a, sample_rate)
                heard = levels > levels.max() - 60.0
                apart.append(np.abs(bands_db(b, sample_rate) - levels)[heard].max())
    return min(ratios), max(apart)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run_dir", nargs="+", required=True)
    parser.add_argument("--voices", type=int, default=16)
    parser.add_argument("--sample_rate", type=int, default=48000)
    parser.add_argument("--block", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--note_seconds", type=float, default=2.0)
    args = parser.parse_args()
    print("| run | tone: signal to error | noise: bands | model | load | start of a note |")
    print("|---|---|---|---|---|---|")
    for path in args.run_dir:
        run = noisygan.load(path)
        model = web_model(run, directions=False)
        ratio, apart = accuracy(run, model, args.sample_rate, args.note_seconds)
        settings = {"rate": args.sample_rate, "block": args.block, "seconds": args.seconds}
        script = "benchmarks/web_engine.mjs"
        took = json.loads(node(script, model=model, voices=args.voices, **settings))
        print(
            f"| {run.name} | {ratio:.0f} dB | {apart:.2f} dB | {len(json.dumps(model)) / 1e6:.2f} "
            f"MB | {100 * took['load']:.0f} % | {took['start_ms']:.2f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
