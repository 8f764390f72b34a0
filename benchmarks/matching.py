"""How near `noisygan match` comes to recorded notes, and how long it takes.

    python benchmarks/matching.py --data shared/data/nsynth-mini
    python benchmarks/matching.py --data shared/data/nsynth-mini --run_dir runs/flute [--free]

One note of each instrument of a folder in the NSynth layout, of its middle velocity where there are
several; a line for each, then median and worst. Distances are log-spectral, in dB, over the bins
that sound and (in brackets) over all bins: see `noisygan.matching.distance`. Seconds are those of
the processor, of the whole match without TensorFlow's start, and in brackets those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from noisygan.matching import matching
from noisygan.matching.distance import log_spectral_distance
from noisygan.matching.target import read_target


def chosen(folder, splits):
    """One note of each instrument and split: paths, in order of their names."""
    paths = []
    for split in splits:
        notes = {}
        for path in sorted((Path(folder) / f"nsynth-{split}" / "audio").glob("*.*")):
            notes.setdefault(path.stem.rsplit("-", 2)[0], []).append(path)
        paths += [each[len(each) // 2] for each in notes.values()]
    return paths


def measure(path, generator, args):
    """A dict of what one match came to."""
    target = read_target(path)
    wall, cpu = time.perf_counter(), time.process_time()
    if generator is None:
        match = matching.match_free(target, n_steps=args.steps)
    else:
        match = matching.match_run(
            target, generator, pitch=asked(path), also_free=args.free, n_steps=args.steps // 2
        )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    audio, rate = match.target.audio, match.target.sample_rate
    all_bins = [
        log_spectral_distance(audio, y, rate, silent_bins=True) for y in (match.start, match.audio)
    ]
    return {
        "note": path.stem,
        "start_db": match.start_db,
        "found_db": match.distance_db,
        "better_db": match.start_db - match.distance_db,
        "all_bins_better_db": all_bins[0] - all_bins[1],
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
    parser.add_argument("--steps", type=int, default=300, metavar="N", help="(default: 300)")
    parser.add_argument("--out", metavar="FILE.jsonl", help="where the figures go, a line a note")
    args = parser.parse_args()
    generator = None
    if args.run_dir:
        from noisygan.rendering.notes import load

        generator, _ = load(Path(args.run_dir))
    results = []
    for path in chosen(args.data, args.splits.split(",")):
        result = measure(path, generator, args)
        results.append(result)
        print(
            "{note:32s} start {start_db:5.1f}  found {found_db:5.1f}  better {better_db:5.1f} "
            "({all_bins_better_db:5.1f}) dB  {cpu_seconds:5.1f} s ({wall_seconds:5.1f} s)".format(
                **result
            ),
            flush=True,
        )
        if args.out:
            with open(args.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
    for name in ("better_db", "all_bins_better_db", "found_db", "cpu_seconds"):
        values = [result[name] for result in results]
        worst = min(values) if "better" in name else max(values)
        print(f"{name}: median {np.median(values):.1f}, worst {worst:.1f}, {len(values)} notes")


if __name__ == "__main__":
    main()
