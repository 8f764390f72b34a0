"""Fixtures of the unit tests."""

import contextlib
import importlib.util
import resource

import pytest

HAS_NUMBA = importlib.util.find_spec("numba") is not None


@pytest.fixture(params=["native", "plain"])
def native(request):
    """Whether compiled kernels are used, chosen for the test."""
    if request.param == "native" and not HAS_NUMBA:
        pytest.skip("no Numba")
    from synths import set_native_kernels

    set_native_kernels(request.param == "native")
    yield request.param == "native"
    set_native_kernels(None)


@pytest.fixture
def short_files():
    """A context in which no file can grow beyond 4 KB: an error as of a full disk."""

    @contextlib.contextmanager
    def limited():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited()
