"""Errors for people: one line that says what arrived, what was expected, what would work."""


class NoisyganError(Exception):
    """An error whose message is written for the person at the keyboard.

    The command line prints the message alone, without a traceback, and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(NoisyganError):
    """The request itself can't be met as it was made: wrong option, config, folder or file."""

    exit_code = 2


class RunError(NoisyganError):
    """The request was right but carrying it out failed."""

    exit_code = 1


def printable(text):
    """Text as it may be shown: a name in a file may hold what moves a terminal's cursor."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
