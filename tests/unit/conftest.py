"""Fixtures of the unit tests."""

import importlib.util

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
