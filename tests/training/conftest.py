"""Fixtures of the training tests."""

import signal

import pytest


@pytest.fixture(autouse=True)
def usual_signals():
    """Signals as a terminal leaves them: what a shell starts in the background ignores some."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
