"""How kernels are compiled: once for all sessions, where a folder can be written to."""

import numba


def compiled(**options):
    """A decorator: `numba.njit` that holds no Python lock, and keeps what it has compiled.

    It is kept in `__pycache__` beside the kernel or in the user's cache folder (Numba's own rules;
    NUMBA_CACHE_DIR names another folder). Where none can be written to, every session compiles
    anew, which takes seconds.

    Args:
      **options: Of `numba.njit`.
    """

    def decorate(function):
        try:
            return numba.njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:
            # What Numba raises where it finds no folder; nothing has been compiled yet.
            return numba.njit(nogil=True, **options)(function)

    return decorate
