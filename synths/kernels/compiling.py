"""Compilation of kernels with a cache on disk."""

import numba


def compiled(**options):
    """Decorator: `numba.njit` without the GIL and with a cache on disk.

    The cache is in `__pycache__` beside the kernel, the user's cache folder or NUMBA_CACHE_DIR. If
    no folder is writable, every session compiles for some seconds.

    Args:
      **options: Of `numba.njit`.
    """

    def decorate(function):
        try:
            return numba.njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:
            # Numba raises this if no folder is writable.
            return numba.njit(nogil=True, **options)(function)

    return decorate
