"""Thread pool of the kernels, whose compiled code releases the GIL."""

import concurrent.futures
import functools

import numba


def n_threads():
    """Number of threads: NUMBA_NUM_THREADS, by default one per core."""
    return numba.config.NUMBA_NUM_THREADS


def shares(n, n_parts):
    """Divide n items evenly into parts (low, high)."""
    bounds = [n * i // n_parts for i in range(n_parts + 1)]
    return list(zip(bounds, bounds[1:], strict=False))


def run(function, calls):
    """Call the function with each tuple of arguments, in threads if there are several."""
    if len(calls) == 1:
        return [function(*calls[0])]
    return [done.result() for done in [_pool().submit(function, *each) for each in calls]]


@functools.cache
def _pool():
    return concurrent.futures.ThreadPoolExecutor(n_threads(), "synths")
