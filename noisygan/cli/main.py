"""The `noisygan` command: parse, run the subcommand, print errors as one line."""

import argparse
import difflib
import importlib
import os
import sys
import traceback

import noisygan
from noisygan.cli import arguments
from noisygan.errors import NoisyganError, UsageError, printable

_NAMES = """download prepare data train render report evaluate compare synth play interpolate
instrument export match studio configs config demo"""
COMMANDS = {name: importlib.import_module(f"noisygan.cli.{name}") for name in str.split(_NAMES)}
# Commands that load no config, named or of a run folder.
_WITHOUT_CONFIG = ("download", "prepare", "data", "synth", "configs", "demo")


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageErrors of one line."""

    def __init__(self, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs):
        super().__init__(formatter_class=formatter_class, allow_abbrev=False, **kwargs)

    def error(self, message):
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def parse_known_args(self, args=None, namespace=None):
        known, unknown = super().parse_known_args(args, namespace)
        if unknown and unknown[0].startswith("-"):
            options = [name for action in self._actions for name in action.option_strings]
            found = difflib.get_close_matches(unknown[0].split("=")[0], options, n=1)
            hint = f" (nearest: {found[0]})" if found else ""
            self.error(f"no option {unknown[0]}{hint}")
        return known, unknown


def build_parser():
    """The argparse.ArgumentParser of the whole command line."""
    parser = _Parser(
        prog="noisygan",
        description="Train playable instruments from recorded notes: a CPPN draws the curves,\n"
        "synthesizers play them, a discriminator listens.",
        epilog="example:\n  noisygan demo\n\nEvery command explains itself: noisygan train --help",
    )
    parser.add_argument("--version", action="version", version=f"noisygan {noisygan.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, module in COMMANDS.items():
        epilog = "example:\n  " + module.EXAMPLE.replace("\n", "\n  ")
        about = {"help": module.SUMMARY, "description": module.__doc__.strip(), "epilog": epilog}
        command = commands.add_parser(name, **about)
        module.add_arguments(command)
        if name not in _WITHOUT_CONFIG:
            arguments.add_allow_module(command)
    return parser


def main(argv=None):
    """Run the command line `argv` (None: sys.argv).

    Returns the exit code: 0, 1 for a failure, 2 for wrong use, 130 when interrupted.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        args = build_parser().parse_args(argv)
        if args.command is None:
            raise UsageError(f"no command; expected one of {', '.join(COMMANDS)}; see --help")
        if hasattr(args, "allow_module"):
            arguments.allow_modules(args.allow_module)
        return COMMANDS[args.command].run(args) or 0
    except SystemExit as stop:  # --help and --version
        return stop.code or 0
    except KeyboardInterrupt as stop:
        return _say(str(stop) or "interrupted", 130)
    except BrokenPipeError:
        # `noisygan configs | head`: nobody reads on, which is no failure worth a message.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if is_traced := os.environ.get("NOISYGAN_TRACEBACK", "") not in ("", "0"):
            traceback.print_exc()
        if isinstance(error, NoisyganError):
            return _say(" ".join(str(error).split()), error.exit_code)
        if isinstance(error, MemoryError):
            return _say(f"not enough memory: {error}", 1)
        if isinstance(error, OSError) and error.filename is not None:
            return _say(f"{str(error.filename)[:300]}: {error.strerror}", 1)
        line = next(iter(str(error).strip().splitlines()), "")[:300]
        where = "" if is_traced else " (set NOISYGAN_TRACEBACK=1 to see where)"
        return _say(f"internal error: {type(error).__name__}: {line}{where}", 1)


def _say(message, code=None):
    print(f"noisygan: {printable(message.rstrip('.'))}", file=sys.stderr)
    return code
