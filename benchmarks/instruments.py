"""Train `runs/notes.gin` on folders of real instruments and measure how close its notes come.

    python benchmarks/instruments.py FOLDER --out_dir DIR --minutes 10

FOLDER contains a folder of recordings per instrument. Every fifth pitch is held out. Each
instrument is trained with each seed, one after the other, and rendered at the recordings' own
pitches, velocities and note-offs. Prints a Markdown table and writes it with all figures to
OUT_DIR. Finished runs (OUT_DIR/runs/INSTRUMENT-SEED) and their figures are kept; the same command
resumes.

level, slope, end, bands: median difference from the recording of the same note over that between
neighbouring recordings (noisygan/metrics/note_envelopes.py). cents: share of notes within 25 cents
of the recording. two-sample: accuracy of a CNN on log-mel spectrograms. seeds, takes: mean of the
ratios for two seeds of the same generated note, and for two takes of the same recorded note.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import noisygan
from benchmarks import common
from noisygan.data.layouts import list_entries
from noisygan.evaluation import generate, note_metrics
from noisygan.evaluation.examples import Examples
from noisygan.metrics import classifiers, note_envelopes
from noisygan.metrics.tuning import measure_tuning

INSTRUMENTS = ("guitar", "piano", "cello", "saxophone")
HELD_OUT_EVERY = 5
MAX_CENTS = 25.0
TARGETS = {
    "training": {"level": 0.7, "slope": 0.7, "end": 1.0, "bands": 0.6},
    "held-out": {"level": 1.0, "slope": 1.0, "end": 1.0, "bands": 0.9},
}
MIN_IN_TUNE, MAX_TWO_SAMPLE, MIN_STEPS_PER_SECOND = 98.0, 75.0, 3.0
HEAD = "instrument", "notes", *TARGETS["training"], "in tune, %", "two-sample, %", "steps/s"
HEAD += "seeds", "takes"


def divide(folder, data):
    """Divide recordings into data/train and data/held_out, every fifth pitch held out."""
    entries = [entry for entry in list_entries(folder)[1] if entry.pitch is not None]
    out_dir = data.with_name(f"{data.name}-part")
    shutil.rmtree(out_dir, ignore_errors=True)
    pitches = sorted({entry.pitch for entry in entries})
    held_out = set(pitches[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY])
    for entry in entries:
        part = out_dir / ("held_out" if entry.pitch in held_out else "train")
        part.mkdir(parents=True, exist_ok=True)
        link = part / entry.path.name
        link.symlink_to(entry.path.resolve())
    out_dir.rename(data)


def train(run_dir, data, seed, args):
    """Train one run for the minutes of the arguments, or resume it, in its own process."""
    command = [sys.executable, "-m", "noisygan", "train", "--no_report", "--run_dir", run_dir]
    command += ["--data", data, "--minutes", args.minutes]
    if (run_dir / "run.json").is_file():
        command += ["--resume"]
    else:
        command += ["--gin_file", args.gin_file, "--seed", seed]
        command += [word for binding in args.gin_param for word in ("--gin_param", binding)]
    environment = dict(os.environ, PYTHONPATH=str(common.ROOT))
    subprocess.run([str(word) for word in command], check=True, env=environment)


def measure(run, data):
    """Figures of a run: dict with those of "training" and "held-out" pitches, and the speed."""
    recordings = generate.recordings_of(run)
    sets = {"training": data / "train", "held-out": data / "held_out"}
    real = {name: Examples.from_dataset(recordings.read(folder)) for name, folder in sets.items()}
    floor = note_metrics.note_floors(*real.values())
    found = {"floors": floor}
    for name, examples in real.items():
        fake = generate.generate(run, examples, len(examples))
        differences = note_envelopes.differences(examples.envelopes.take(fake.rows), fake.envelopes)
        cents = np.abs(tuning(fake) - tuning(examples)[fake.rows])
        in_tune = cents <= MAX_CENTS
        found[name] = {
            "n": len(examples),
            **note_envelopes.ratios(differences, floor),
            "cents": float(np.nanmedian(cents)),
            "in tune": 100.0 * float(in_tune.mean()),
            "out of tune": sorted(set(fake.pitch[~in_tune])),
        }
        if name == "training":
            pictures = examples.features.pictures, fake.features.pictures
            accuracy = classifiers.two_sample_accuracy(*pictures, examples.groups, fake.groups)
            found[name]["two-sample"] = accuracy.value
            found[name] |= variation(run, examples, fake, floor)
    lines = [line for line in run.metrics() if "seconds" in line]
    half, last = lines[len(lines) // 2], lines[-1]
    # Of the second half: the first steps are compiled.
    n, seconds = last["step"] - half["step"], last["seconds"] - half["seconds"]
    return found | {"steps": run.step, "steps per second": n / seconds if n else 0.0}


def variation(run, examples, fake, floor):
    """Mean ratios to the floor between two seeds of notes, and two takes: dict."""
    other = generate.generate(run, examples, len(examples), seed=1)
    notes = list(zip(examples.pitch, np.nan_to_num(examples.velocity), strict=True))
    pairs = [(i, notes.index(note)) for i, note in enumerate(notes) if notes.index(note) < i]
    sets = {"seeds": (fake.envelopes, other.envelopes)}
    if pairs:
        sets["takes"] = [examples.envelopes.take(list(rows)) for rows in zip(*pairs, strict=True)]
    found = {name: note_envelopes.differences(*pair) for name, pair in sets.items()}
    return {
        name: float(np.nanmean(list(note_envelopes.ratios(each, floor).values())))
        for name, each in found.items()
    }


def tuning(examples):
    """Deviation of F0 from the nominal pitch, cents, [n]; NaN where none is found."""
    notes = zip(examples.audio, examples.pitch, strict=True)
    return np.array([measure_tuning(x, examples.sample_rate, pitch).cents for x, pitch in notes])


def rows_of(results):
    """Table rows of results, dict instrument -> list of figures (one per seed); misses are bold."""
    rows = []
    for instrument, seeds in results.items():
        for part, targets in TARGETS.items():
            own = [figures[part] for figures in seeds]
            cells = [
                cell(np.mean([x[name] for x in own]), at_most=limit)
                for name, limit in targets.items()
            ]
            cells.append(cell(np.mean([x["in tune"] for x in own]), at_least=MIN_IN_TUNE))
            if part == "training":
                cells.append(cell(np.mean([x["two-sample"] for x in own]), at_most=MAX_TWO_SAMPLE))
                speed = np.mean([figures["steps per second"] for figures in seeds])
                cells.append(cell(speed, at_least=MIN_STEPS_PER_SECOND))
                for name in ("seeds", "takes"):
                    values = [x[name] for x in own if name in x]
                    cells.append(cell(np.mean(values)) if values else "")
            empty = [""] * (len(HEAD) - 2 - len(cells))
            rows.append([f"{instrument}, {part}", str(own[0]["n"]), *cells, *empty])
    return rows


def cell(value, at_most=np.inf, at_least=-np.inf):
    """Text of a figure; a miss is bold, and NaN, the end of notes that ring on, empty."""
    if np.isnan(value):
        return ""
    text = f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return text if at_least <= value <= at_most else f"**{text}**"


def main():
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="contains a folder per instrument")
    parser.add_argument("--out_dir", type=Path, required=True)
    parser.add_argument(
        "--instruments", nargs="+", default=INSTRUMENTS, help="first words of names"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of each training")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--gin_file", default="runs/notes.gin")
    parser.add_argument("--gin_param", action="append", default=[])
    args = parser.parse_args()
    results = {}
    for instrument in args.instruments:
        (folder,) = (p for p in args.folder.iterdir() if p.name.startswith(instrument))
        data = args.out_dir / "data" / instrument
        if not data.is_dir():
            divide(folder, data)
        for seed in args.seeds:
            run_dir = args.out_dir / "runs" / f"{instrument}-{seed}"
            figures_file = args.out_dir / f"{instrument}-{seed}.json"
            if not figures_file.is_file():
                train(run_dir, data / "train", seed, args)
                figures = measure(noisygan.load(run_dir), data)
                figures_file.write_text(json.dumps(figures, indent=1) + "\n")
            results.setdefault(instrument, []).append(json.loads(figures_file.read_text()))
            text = common.table(list(HEAD), rows_of(results))
            (args.out_dir / "table.md").write_text(
                f"{common.described(common.facts())}\n\n{text}\n"
            )
    print(text)


if __name__ == "__main__":
    main()
