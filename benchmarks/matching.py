"""Distance of `noisygan match` from recorded notes, and its time.

    python benchmarks/matching.py --data shared/data/nsynth-mini
    python benchmarks/matching.py --data shared/data/nsynth-mini --run_dir runs/flute [--free]
    python benchmarks/matching.py --data shared/data/nsynth-mini --room 1 [--wet_db -6]

One note of each instrument of a folder in the NSynth layout, of its middle velocity where there are
several; a line for each, then median and worst. Distances are log-spectral, in dB: see
`noisygan.matching.distance`. Seconds are those of the processor, of the whole match without
TensorFlow's start, and in brackets those of the clock.

With --room each note is first put into a synthetic room, noise that falls by 60 dB in so many
seconds, and matched with `match --room`. Then the reverb that was fitted is printed as well, and
how loud the target, and what was found to sound before the reverb, are where the note as recorded
has ended, in dB beside the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import scipy.signal

import noisygan
from noisygan.matching import matching
from noisygan.matching.analysis import FRAME_RATE, level_of
from noisygan.matching.target import read_target
from noisygan.rendering.synthesis import render_in_blocks


def chosen(folder, splits):
    """One note of each instrument and split: paths, in order of their names."""
    paths = []
    for split in splits:
        notes = {}
        for path in sorted((Path(folder) / f"nsynth-{split}" / "audio").glob("*.*")):
            notes.setdefault(path.stem.rsplit("-", 2)[0], []).append(path)
        paths += [each[len(each) // 2] for each in notes.values()]
    return paths


def in_room(audio, sample_rate, seconds, wet_db, seed):
    """(a sound with silence behind it, the same in a synthetic room), float32 [n_samples] each."""
    n_taps = round(1.2 * seconds * sample_rate)
    times = np.arange(n_taps) / sample_rate
    response = np.random.default_rng(seed).normal(size=n_taps) * 10.0 ** (-3.0 * times / seconds)
    response *= times >= 0.004
    response *= 10.0 ** (wet_db / 20.0) / np.sqrt(np.sum(response**2))
    dry = np.pad(audio, (0, n_taps))
    wet = dry + scipy.signal.fftconvolve(dry, response)[: len(dry)]
    scale = 1.0 / max(1.0, float(np.max(np.abs(wet))))
    return np.float32(scale * dry), np.float32(scale * wet)


def without_room(controls):
    """Sound of controls before their reverb, float32 [n_samples]."""
    blocks = [
        sum(part for name, part in parts.items() if name != "reverb")
        for _, parts in render_in_blocks(controls)
    ]
    return np.concatenate(blocks)


def room_found(match, dry):
    """Text about the room of a match; dry is the note as it was recorded."""
    rate = match.target.sample_rate
    level = level_of(dry, rate, round(len(dry) / rate * FRAME_RATE))
    ended = 1 + np.flatnonzero(level > level.max() * 1e-3)[-1]
    ended = round(ended * rate / FRAME_RATE)

    def behind_db(audio):
        energy = np.sum(np.float64(audio[ended:]) ** 2) / np.sum(np.float64(audio) ** 2)
        return 10.0 * np.log10(energy + 1e-12)

    found = {"behind_target_db": behind_db(match.target.audio)}
    if "reverb/ir" in match.controls:
        rest = np.cumsum(match.controls["reverb/ir"][::-1] ** 2)[::-1]
        level = -10.0 * np.log10(rest / rest[0])
        between = np.searchsorted(level, 25.0) - np.searchsorted(level, 5.0)
        found["room_seconds"] = 3.0 * between / rate
        found["wet_db"] = 10.0 * np.log10(rest[0])
        found["behind_found_db"] = behind_db(without_room(match.controls))
    return found


def measure(path, run, args):
    """A dict of what one match came to."""
    target = read_target(path)
    if args.room:
        dry, wet = in_room(
            target.audio, target.sample_rate, args.room, args.wet_db, zlib.crc32(path.stem.encode())
        )
        target = target._replace(audio=wet)
    wall, cpu = time.perf_counter(), time.process_time()
    if run is None:
        match = matching.match_free(target, n_steps=args.steps, room_seconds=args.room)
    else:
        match = matching.match_run(
            run, target, pitch=asked(path), free=args.free, n_steps=args.steps // 2
        )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rooms = room_found(match, dry) if args.room else {}
    return rooms | {
        "note": path.stem,
        "start_db": match.start_db,
        "found_db": match.distance_db,
        "better_db": match.start_db - match.distance_db,
        "cpu_seconds": cpu,
        "wall_seconds": wall,
    }


def asked(path):
    """The pitch that a note's name says."""
    return int(path.stem.split("-")[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="DIR", help="in the NSynth layout")
    parser.add_argument("--splits", default="test", metavar="NAME,NAME", help="(default: test)")
    parser.add_argument("--run_dir", metavar="DIR", help="seek z of this run")
    parser.add_argument("--free", action="store_true", help="with --run_dir: and the controls")
    parser.add_argument(
        "--room", type=float, default=0.0, metavar="S", help="put the notes into such a room"
    )
    parser.add_argument("--wet_db", type=float, default=-6.0, metavar="DB", help="(default: -6)")
    parser.add_argument("--steps", type=int, default=300, metavar="N", help="(default: 300)")
    parser.add_argument("--out", metavar="FILE.jsonl", help="where the figures go, a line a note")
    args = parser.parse_args()
    run = noisygan.load(args.run_dir) if args.run_dir else None
    results = []
    for path in chosen(args.data, args.splits.split(",")):
        result = measure(path, run, args)
        results.append(result)
        print(
            "{note:32s} start {start_db:5.1f}  found {found_db:5.1f}  better {better_db:5.1f} "
            "dB  {cpu_seconds:5.1f} s ({wall_seconds:5.1f} s)".format(**result),
            flush=True,
        )
        if args.room:
            print(
                "".join(
                    f"    {name} {result[name]:.1f}"
                    for name in ("room_seconds", "wet_db", "behind_target_db", "behind_found_db")
                    if name in result
                ),
                flush=True,
            )
        if args.out:
            with open(args.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
    for name in ("better_db", "found_db", "cpu_seconds"):
        values = [result[name] for result in results]
        worst = min(values) if "better" in name else max(values)
        print(f"{name}: median {np.median(values):.1f}, worst {worst:.1f}, {len(values)} notes")


if __name__ == "__main__":
    main()
