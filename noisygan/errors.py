"""Errors with a one-line message: what arrived, what was expected, what would work."""


class NoisyganError(Exception):
    """Base class of errors whose message is for the user.

    The command line prints the message alone, without a traceback, and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(NoisyganError):
    """Invalid option, config, folder or file."""

    exit_code = 2


class RunError(NoisyganError):
    """Failure of a valid request."""

    exit_code = 1


def printable(text):
    """Escape control characters of a text from outside for a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
