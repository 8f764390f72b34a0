"""Training steps that were measured: those that come with the program, and those of a file.

STEPS are as `noisygan bench train` writes them, in seconds of CPU time of one core:
TF_NUM_INTRAOP_THREADS, TF_NUM_INTEROP_THREADS, NUMBA_NUM_THREADS and OMP_NUM_THREADS at 1, on the
145 flute notes of a set in NSynth's layout, 2026-11-21. Other programs used the machine's caches
meanwhile.
"""

import os
import reprlib

from noisygan.errors import UsageError
from noisygan.files import read_json

# A file of ours has a few kB.
MAX_BYTES = 1 << 20

_CORE = {"processor": "AMD EPYC (family 26, AVX-512)", "cores": 1, "accelerators": []}

STEPS = {
    "runs/notes.gin": {
        "machine": _CORE,
        "config": {"gin_file": ["runs/notes.gin"], "gin_param": []},
        "batch_size": 16,
        "n_critic": 1,
        "sample_rate": 16000,
        "sound_seconds": 4.0,
        "parameters": {"g": 258_469, "d": 832_322},
        "step": {"seconds": 0.279},
        "memory": {"peak_bytes": 1_474_531_328},
        "parts": {"generator": {"seconds": 0.0371}, "synth": {"seconds": 0.0271}},
        "growth": [
            {
                "what": "batch",
                "values": [8, 16, 32],
                "seconds": [0.144, 0.279, 0.513],
                "peak_bytes": [1_426_923_520, 1_474_531_328, 1_778_126_848],
            }
        ],
    }
}


def _is_number(value):
    # Far beyond what any machine measures; within it no sum or ratio overflows or vanishes.
    return type(value) in (int, float) and 1e-12 <= value <= 1e15


def _is_whole(value):
    return type(value) is int and 1 <= value <= 10**15


def _is_text(value):
    return isinstance(value, str) and len(value) <= 1000


def _is_list(value, test):
    return isinstance(value, list) and len(value) <= 100 and all(map(test, value))


def _is_part(value):
    return value is None or isinstance(value, dict) and _is_number(value.get("seconds"))


def _is_growth(row):
    """Whether it is a row of figures; those of the batch alone are used."""
    if not isinstance(row, dict) or row.get("what") != "batch":
        return isinstance(row, dict)
    columns = [row.get(name) for name in ("values", "seconds", "peak_bytes")]
    are_numbers = all(_is_list(column, _is_number) and column for column in columns)
    return are_numbers and len(set(map(len, columns))) == 1


_NUMBER = (_is_number, "a number from 1e-12 to 1e15")
_WHOLE = (_is_whole, "a whole number from 1 to 1e15")
_TEXTS = (lambda value: _is_list(value, _is_text), "a list of up to 100 texts")
_PART = (_is_part, "its seconds, from 1e-12 to 1e15")

# All that `noisygan plan` uses: what it must be, and in words.
_USED = {
    "config.gin_file": _TEXTS,
    "machine.processor": (_is_text, "a text of up to 1000 characters"),
    "machine.cores": _WHOLE,
    "machine.accelerators": _TEXTS,
    "batch_size": _WHOLE,
    "n_critic": _WHOLE,
    "sample_rate": _WHOLE,
    "sound_seconds": _NUMBER,
    "parameters.g": _WHOLE,
    "parameters.d": _WHOLE,
    "step.seconds": _NUMBER,
    "memory.peak_bytes": _WHOLE,
    "parts": (lambda value: isinstance(value, dict), "an object"),
    "parts.generator": _PART,
    "parts.synth": _PART,
    "growth": (
        lambda value: _is_list(value, _is_growth),
        "up to 100 rows; that of the batch with as many values as seconds and peak_bytes, "
        "from 1e-12 to 1e15",
    ),
}


def read(path):
    """The figures of a file that `noisygan bench train` wrote.

    Args:
      path: Its path; the file may come from anybody.

    Returns:
      dict as those of STEPS; what `noisygan plan` uses is there and of the right kind.

    Raises:
      UsageError: if it can't be read, or holds something else.
    """
    if not os.path.isfile(path):
        raise UsageError(f"--bench {path}: no such file; `noisygan bench train` writes one")
    try:
        found = read_json(path, MAX_BYTES)
        for name, (test, expected) in _USED.items():
            value = _at(found, name)
            if not test(value):
                shown = "missing" if value is None else reprlib.repr(value)
                raise ValueError(f"{name} is {shown}, expected {expected}")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--bench {path} holds no figures of a training step: {error}; "
            "`noisygan bench train --out DIR` writes such a file, DIR/train.json"
        ) from None
    return found


def _at(found, name):
    """What lies at a name such as step.seconds, None where nothing does."""
    for key in name.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found
