"""Shared by the scripts: facts of the machine, time and memory, Markdown tables, Ogg files."""

import ctypes
import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIB = 2.0**20


def facts():
    """Machine and versions, without names of hosts or folders: dict."""
    return {
        "processor": processor(),
        "cores": n_cores(),
        "accelerators": accelerators(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "numpy", "numba", "ddsp")},
    }


def described(facts):
    """The facts in one line."""
    versions = [f"{name} {facts[name]}" for name in ("tensorflow", "numba", "ddsp") if facts[name]]
    devices = [f"{facts['processor']}, {facts['cores']} cores", *facts["accelerators"]]
    return ", ".join([*devices, f"Python {facts['python']}", *versions])


def table(head, rows):
    """Markdown table of texts; numbers stand right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replaced(text, name, content):
    """Text of a document with new content between its marks, which must stand there once."""
    pattern = rf"(<!-- bench: {name} -->\n).*?(<!-- bench end -->)"
    text, n_found = re.subn(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)
    if n_found != 1:
        raise SystemExit(
            f"<!-- bench: {name} --> ... <!-- bench end -->: {n_found} times, not once"
        )
    return text


def write_ogg(path, audio, sample_rate):
    """Write audio, float [n_samples], as Ogg Vorbis and print its size."""
    import soundfile

    # 0 is best, 1 is smallest.
    soundfile.write(path, audio, sample_rate, format="OGG", compression_level=0.6)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def interleaved_seconds(calls, n_turns, turn_seconds=0.05, wait=lambda: None):
    """Seconds a call of each contestant takes, measured in turns, so that pauses hit all alike.

    Args:
      calls: {name: function without arguments}. Each is called once beforehand, unmeasured.
      n_turns: How many turns each gets.
      turn_seconds: A turn is as many calls as fill about this time, at least one.
      wait: Called before the clock stops, for devices that work on after a call has returned.

    Returns:
      {name: median over the turns of a turn's mean, seconds}.
    """
    per_turn = {}
    for name, call in calls.items():
        call()
        wait()
        seconds = _seconds(call, 1, wait)
        per_turn[name] = max(1, min(1000, round(turn_seconds / max(seconds, 1e-9))))
    found = {name: [] for name in calls}
    for _ in range(n_turns):
        for name, call in calls.items():
            found[name].append(_seconds(call, per_turn[name], wait) / per_turn[name])
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def _seconds(call, n_calls, wait):
    began = time.perf_counter()
    for _ in range(n_calls):
        call()
    wait()
    return time.perf_counter() - began


def in_process(script, job, n_cores=None):
    """Run a script with `--job JSON` in a fresh process and return the last line, JSON.

    Args:
      script: Path; the process sees no accelerator.
      job: What `json` can write.
      n_cores: How many cores the process may use; None: all.
    """
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    if n_cores:
        names = ("TF_NUM_INTRAOP_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
        environment |= {name: str(n_cores) for name in names}
    command = [sys.executable, str(script), "--job", json.dumps(job)]
    if n_cores and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[:n_cores]
        command = ["taskset", "-c", ",".join(map(str, cores)), *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def peak_extra_bytes(call, n_calls=3):
    """Peak of resident memory that calls add, in bytes. Linux only.

    Meant for a separate process. The first call is made before the high-water mark is reset, so
    the memory of compiling does not count.

    Args:
      call: A function without arguments.
      n_calls: How often it is called then.
    """
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = _status_bytes("VmRSS")
    call()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    for _ in range(n_calls):
        call()
    return max(0, _status_bytes("VmHWM") - before)


def _status_bytes(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return 1024 * int(values[key].split()[0])


def accelerators():
    """Names of the devices that TensorFlow sees beside the processor, empty without any."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [each.get("device_name", "GPU") for each in details]


def processor():
    """Name of the processor as the system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def n_cores():
    """Number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def version(package):
    """Installed version of a package, None without it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
