"""Fuzzes for as long as one likes: python -m tests.fuzz.long [--minutes M] [TARGET ...].

Each target gets an equal share of the time. Where atheris is installed it goes on from what
hypothesis found nothing in, guided by the lines that an input reaches (--atheris). A finding is
printed with the input that gave it, and the exit code is 1.
"""

import argparse
import os
import sys
import time
import traceback
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis

from tests.fuzz import strategies
from tests.fuzz.targets import TARGETS


def fuzz(name, seconds):
    """Fuzzes one target.

    Args:
      name: Of TARGETS.
      seconds: How long about.

    Returns:
      (inputs tried, text of what was found or None).
    """
    target, ends, tried = TARGETS[name], time.monotonic() + seconds, 0

    @hypothesis.settings(
        max_examples=200,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.inputs(name))
    def some(data):
        nonlocal tried
        tried += 1
        if time.monotonic() < ends or tried == 1:
            target(data)

    while time.monotonic() < ends:
        try:
            some()
        except Exception:
            return tried, traceback.format_exc()
    return tried, None


def guided(name, seconds):
    """Fuzzes one target by atheris, in this process, which it ends."""
    import atheris

    target = TARGETS[name]
    with atheris.instrument_imports(include=["noisygan"]):
        target(target.seeds()[0])
    arguments = [sys.argv[0], f"-max_total_time={seconds:.0f}", "-timeout=30", "-rss_limit_mb=4096"]
    atheris.Setup(arguments, target)
    atheris.Fuzz()


def main():
    """Reads the command line and fuzzes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="(default: 10)")
    parser.add_argument("--atheris", action="store_true", help="one target, guided by atheris")
    args = parser.parse_args()
    names = args.targets or list(TARGETS)
    unknown = sorted({*names} - {*TARGETS})
    if unknown or (args.atheris and len(names) != 1):
        parser.error(f"{', '.join(unknown) or 'too many'}: expected of {', '.join(TARGETS)}")
    warnings.simplefilter("ignore")
    if args.atheris:
        guided(names[0], 60.0 * args.minutes)
    n_found = 0
    for name in names:
        tried, found = fuzz(name, 60.0 * args.minutes / len(names))
        print(f"{name}: {tried} inputs, {'FOUND' if found else 'nothing found'}", flush=True)
        if found:
            n_found += 1
            print(found, flush=True)
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.exit(main())
