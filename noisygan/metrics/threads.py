"""Work on many sounds, spread over the cores."""

from __future__ import annotations

import concurrent.futures
import os

from threadpoolctl import threadpool_limits


def in_threads(function, *arguments):
    """A list of a function's results, in order, as `map` gives them.

    Threads: NumPy and SciPy let go of the interpreter while they compute. Matrix products inside
    take one core each.
    """
    with (
        threadpool_limits(1),
        concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool,
    ):
        return list(pool.map(function, *arguments))
