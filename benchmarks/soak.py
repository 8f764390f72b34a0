"""Long runs: does memory stay flat, does nothing slow down, is nothing lost?

    python benchmarks/soak.py training --data DATA --run_dir RUN --minutes 120
    python benchmarks/soak.py studio --run_dir RUN --clients 64 --minutes 15

`training` runs `noisygan train` in a separate process and watches it from outside: its resident
memory and processor time every ten seconds, and what it wrote into metrics.jsonl. Memory is
compared after the first tenth (warm-up) and over the last tenth; a step's time likewise, by the
clock and in processor time: on a machine that others use, the second one is the program's own.

`studio` has so many clients ask a server for sounds of other latents, each as soon as it has an
answer, and compares every answer's length with what was asked. Linux only (/proc).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

SECONDS_BETWEEN = 10.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def usage(pid):
    """(resident memory in MB, processor seconds) of a process, threads included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return pages * PAGE_MB, (int(fields[11]) + int(fields[12])) / TICKS


class Watch(threading.Thread):
    """Writes down a process's memory and processor time until it ends.

    Args:
      pid: Of the process.
      done: Function that says how much it has done so far.
    """

    def __init__(self, pid, done=lambda: 0):
        super().__init__(daemon=True)
        self.pid, self.done = pid, done
        self.rows, self.ended = [], threading.Event()

    def run(self):
        while not self.ended.wait(SECONDS_BETWEEN):
            try:
                self.rows.append((time.monotonic(), *usage(self.pid), self.done()))
            except (FileNotFoundError, ProcessLookupError, ValueError):
                return

    def tenths(self):
        """Rows of the second tenth of the time, behind the warm-up, and of the last one."""
        rows = np.array(self.rows)
        n = max(2, len(rows) // 10)
        return rows[n : 2 * n + 1], rows[-n - 1 :]

    def memory(self):
        """(a line on memory, its growth as a ratio)."""
        before, after = (np.median(rows[:, 1]) for rows in self.tenths())
        most = max(row[1] for row in self.rows)
        change = after / before - 1
        return (
            f"memory: {before:.0f} MB after warm-up, {after:.0f} MB at the end "
            f"({100 * change:+.2f} %), at most {most:.0f} MB",
            change,
        )


def training(arguments):
    """Soaks a training; returns lines of a table and whether all held."""
    metrics = arguments.run_dir / "metrics.jsonl"

    def records():
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def steps():
        found = records()
        return found[-1]["step"] if found else 0

    command = [sys.executable, "-m", "noisygan", "train", "--gin_file", arguments.gin_file]
    command += ["--data", str(arguments.data), "--run_dir", str(arguments.run_dir)]
    # The page at the end would count as growth.
    command += ["--no_report", "--minutes", f"{arguments.minutes:g}"]
    process = subprocess.Popen(command)
    watch = Watch(process.pid, steps)
    watch.start()
    failed = process.wait()
    watch.ended.set()
    finite = all(np.isfinite(value) for record in records() for value in record.values())
    line, growth = watch.memory()
    rows = [
        f"training: {steps()} steps in {arguments.minutes:g} min, exit code {failed}, every figure "
        f"finite: {finite}",
        line,
    ]
    spans = [rows[-1] - rows[0] for rows in watch.tenths()]
    for name, column in (("by the clock", 0), ("of processor time", 2)):
        first, last = (span[column] / max(span[3], 1) for span in spans)
        slower = last / first - 1
        rows.append(
            f"a step: {1e3 * first:.1f} ms {name} after warm-up, {1e3 * last:.1f} ms in the last "
            f"tenth ({100 * slower:+.2f} %)"
        )
    return rows, not failed and finite and abs(growth) < 0.02 and slower < 0.03


def ask(address, body):
    """The bytes of a sound."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{address}/api/wav", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def client(number, address, until, took, lost):
    """Asks for sounds, one after the other, and checks each answer."""
    count = 0
    while time.monotonic() < until:
        seconds = (0.5, 1.0, 2.0)[count % 3]
        seed = 1000 * number + count % 1000
        body = {"run": 0, "seed": seed, "pitch": 55 + count % 24, "seconds": seconds}
        began = time.monotonic()
        try:
            n_bytes = len(ask(address, body))
            # 16 bits, mono: the header alone would be an answer without sound.
            if n_bytes < 8000 * seconds:
                lost.append(f"{n_bytes} bytes for {seconds} s")
        except (OSError, urllib.error.URLError) as error:
            lost.append(str(error))
        took.append(time.monotonic() - began)
        count += 1


def studio(arguments):
    """Soaks a studio; returns lines of a table and whether all held."""
    command = [sys.executable, "-m", "noisygan", "studio", "--run_dir", str(arguments.run_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        said = server.stdout.readline()
        if not said:
            sys.exit("soak: the studio did not start; it says above why")
        address = re.search(r"http://[\w.:]+", said)[0]
        watch = Watch(server.pid)
        watch.start()
        took, lost = [], []
        until = time.monotonic() + 60.0 * arguments.minutes
        clients = [
            threading.Thread(target=client, args=(number, address, until, took, lost))
            for number in range(arguments.clients)
        ]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        watch.ended.set()
        alive = server.poll() is None
        server.terminate()
    line, growth = watch.memory()
    p50, p95 = np.percentile(took, [50, 95])
    rows = [
        f"studio: {len(took)} sounds for {arguments.clients} clients in {arguments.minutes:g} min, "
        f"{len(lost)} lost{': ' + lost[0] if lost else ''}; the server "
        + ("went on to the end" if alive else "ended"),
        f"an answer: median {1e3 * p50:.0f} ms, 95 % within {1e3 * p95:.0f} ms, "
        f"longest {1e3 * max(took):.0f} ms",
        line,
    ]
    return rows, alive and not lost and abs(growth) < 0.02


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    train = kinds.add_parser("training")
    train.add_argument("--data", type=Path, required=True)
    train.add_argument("--gin_file", default="runs/notes.gin")
    train.add_argument("--minutes", type=float, default=120.0)
    serve = kinds.add_parser("studio")
    serve.add_argument("--clients", type=int, default=64)
    serve.add_argument("--minutes", type=float, default=15.0)
    for each in (train, serve):
        each.add_argument("--run_dir", type=Path, required=True)
    arguments = parser.parse_args()
    rows, held = {"training": training, "studio": studio}[arguments.kind](arguments)
    print("\n".join(rows))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
