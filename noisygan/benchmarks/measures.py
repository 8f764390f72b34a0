"""How long calls take and how much memory they need."""

import ctypes
import statistics
import sys
import time
from pathlib import Path

MIB = 2.0**20


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


def peak_extra_bytes(call, n_calls=3):
    """How far calls raise the resident memory of this process over what it held beforehand.

    Meant for a process of its own, where nothing else runs. The first call is made before the
    high-water mark is set back, so what compiling takes for a moment does not count. Where the
    mark can't be set back (only Linux can), it is that of the process's whole life.

    Args:
      call: A function without arguments.
      n_calls: How often it is called then.
    """
    _give_memory_back()
    can_reset = _reset_peak()
    before = _status_bytes("VmRSS") if can_reset else peak_bytes()
    call()
    if can_reset:
        _give_memory_back()
        _reset_peak()
    for _ in range(n_calls):
        call()
    after = _status_bytes("VmHWM") if can_reset else peak_bytes()
    return max(0, after - before)


def _give_memory_back():
    """Makes the C library return what it keeps for later, so that it counts when used again."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            return


def _reset_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status_bytes("VmHWM") > 0
    except (OSError, KeyError):
        return False


def _status_bytes(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return 1024 * int(values[key].split()[0])


def resident_bytes():
    """Memory that this process holds now; where only its peak is known, that."""
    try:
        return _status_bytes("VmRSS")
    except (OSError, KeyError):
        return peak_bytes()


def peak_bytes():
    """The most memory that this process has held so far."""
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
