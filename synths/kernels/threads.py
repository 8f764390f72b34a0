"""Shares the work of a kernel between threads. Compiled code and transforms hold no Python lock."""

import concurrent.futures
import functools

import numba


def n_threads():
    """How many threads kernels use: NUMBA_NUM_THREADS, by default one a core."""
    return numba.config.NUMBA_NUM_THREADS


def shares(n, n_parts):
    """(low, high) of n things divided as evenly as can be."""
    bounds = [n * i // n_parts for i in range(n_parts + 1)]
    return list(zip(bounds, bounds[1:], strict=False))


def run(function, calls):
    """What the function returns for each tuple of arguments; in threads where there are several."""
    if len(calls) == 1:
        return [function(*calls[0])]
    return [done.result() for done in [_pool().submit(function, *each) for each in calls]]


@functools.cache
def _pool():
    return concurrent.futures.ThreadPoolExecutor(n_threads(), "synths")
