"""Speed and memory of `noisygan prepare` on this machine.

    python benchmarks/prepare_speed.py [--notes 300] [--small 20000] [--f0 40] [--processes 2]

Makes its own recordings: harmonic notes of four seconds, 16 bits, stereo, at 44,100 Hz, which are
read, checked, averaged, resampled to 16 kHz, measured (loudness, log-mel statistics) and written;
small files of 0.05 s, a quarter and all of them, for what a file costs and whether memory grows;
and notes whose F0 is found by pYIN. `busy` is the part of the cores' time that was used, `CPU ms`
the processors' time for one file, of all processes, start included: where other programs share the
machine it says more than the rate. `MiB` is the largest process. Prints a table and writes it, with
the machine's facts, to runs/bench/prepare_speed.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.common import n_cores, processor  # noqa: E402


def note(index, rate, seconds):
    """A harmonic tone that decays, another one for each index. float32 [n_samples, 2]."""
    rng = np.random.default_rng(index)
    times = np.arange(round(rate * seconds)) / rate
    hz = 110.0 * 2.0 ** (rng.integers(0, 36) / 12.0)
    sound = sum(rng.uniform() / k * np.sin(2 * np.pi * k * hz * times) for k in range(1, 9))
    sound = 0.2 * sound * np.exp(-times) + 1e-3 * rng.standard_normal(len(times))
    return np.stack([sound, 0.8 * sound], axis=1).astype(np.float32)


def make(folder, n_files, rate, seconds):
    """Writes files; a few different sounds by turns."""
    folder.mkdir(parents=True)
    sounds = [note(i, rate, seconds) for i in range(10)]
    for i in range(n_files):
        soundfile.write(folder / f"note-{i:05d}.wav", sounds[i % 10], rate, subtype="PCM_16")


def measure(what, kind, data, n_files, n_processes, options):
    """Prepares a folder in a separate process. Returns a dict of what was measured."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "noisygan", "prepare", kind, "--data", str(data)]
        command += ["--out", f"{out}/out", "--processes", str(n_processes), *options]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, env=dict(os.environ, PYTHONPATH=_python_path())
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    cpu = used.ru_utime + used.ru_stime
    return {
        "what": what,
        "files": n_files,
        "seconds": round(seconds, 2),
        "files_per_second": round(n_files / seconds, 1),
        "busy": round(cpu / (seconds * n_processes), 2),
        "cpu_ms_per_file": round(1000.0 * cpu / n_files, 2),
        "mib": round(used.ru_maxrss / 1024),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=300)
    parser.add_argument("--small", type=int, default=20000)
    parser.add_argument("--f0", type=int, default=40)
    parser.add_argument("--processes", type=int, default=n_cores())
    args = parser.parse_args()
    names = ("what", "files", "files_per_second", "busy", "cpu_ms_per_file", "mib")
    print(
        "| what | files | files a second | busy | CPU ms a file | MiB |\n|---|---|---|---|---|---|"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        plan = [
            ("four-second notes", "notes", args.notes, 44100, 4.0, []),
            ("small files", "notes", args.small // 4, 16000, 0.05, ["--n_samples", "800"]),
            ("small files", "notes", args.small, 16000, 0.05, ["--n_samples", "800"]),
            ("F0 by pYIN", "notes", args.f0, 44100, 4.0, ["--f0", "pyin"]),
        ]
        for i, (what, kind, n_files, rate, seconds, options) in enumerate(plan):
            if not n_files:
                continue
            make(folder / str(i), n_files, rate, seconds)
            row = measure(what, kind, folder / str(i), n_files, args.processes, options)
            print("| " + " | ".join(str(row[name]) for name in names) + " |", flush=True)
            rows.append(row)
    path = Path("runs/bench/prepare_speed.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"processor": processor(), "processes": args.processes}
    path.write_text(json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n")
    print(f"written: {path}")


def _python_path():
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


if __name__ == "__main__":
    main()
