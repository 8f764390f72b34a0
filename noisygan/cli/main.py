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

_NAMES = (
    *("download", "prepare", "data", "train", "render", "report", "evaluate", "compare"),
    *("synth", "play", "interpolate", "instrument", "export", "match", "studio"),
    *("configs", "config", "demo"),
)
COMMANDS = {name: importlib.import_module(f"noisygan.cli.{name}") for name in _NAMES}

# Commands that load no config, named or of a run folder.
_WITHOUT_CONFIG = ("download", "prepare", "data", "synth", "configs", "demo")

EXIT_FAILURE = 1
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageErrors of one line."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def error(self, message):
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def parse_known_args(self, args=None, namespace=None):
        known, unknown = super().parse_known_args(args, namespace)
        if unknown and unknown[0].startswith("-"):
            self._refuse_option(unknown[0])
        return known, unknown

    def _refuse_option(self, option):
        options = [name for action in self._actions for name in action.option_strings]
        found = difflib.get_close_matches(option.split("=")[0], options, n=1)
        hint = f" (nearest: {found[0]})" if found else ""
        raise UsageError(f"no option {option}{hint}; see `{self.prog} --help`")


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
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.__doc__.strip(),
            epilog="example:\n" + "\n".join(f"  {line}" for line in module.EXAMPLE.split("\n")),
        )
        module.add_arguments(command)
        if name not in _WITHOUT_CONFIG:
            arguments.add_allow_module(command)
    return parser


def main(argv=None):
    """Run the command line.

    Args:
      argv: Arguments without the program's name; None: sys.argv.

    Returns:
      Exit code: 0, 1 for a failure, 2 for wrong use, 130 when interrupted.
    """
    # TensorFlow reads these when it is imported, which has not happened yet.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        parser = build_parser()
        args = parser.parse_args(argv)
        if args.command is None:
            raise UsageError(
                f"no command; expected one of {', '.join(COMMANDS)}; see `noisygan --help`"
            )
        if hasattr(args, "allow_module"):
            _allow_modules(args.allow_module)
        return COMMANDS[args.command].run(args) or 0
    except SystemExit as stop:  # --help and --version
        return stop.code or 0
    except KeyboardInterrupt as stop:
        _say(str(stop) or "interrupted")
        return EXIT_INTERRUPTED
    except NoisyganError as error:
        _trace()
        _say(" ".join(str(error).split()))
        return error.exit_code
    except MemoryError as error:
        _trace()
        _say(f"not enough memory: {error}")
        return EXIT_FAILURE
    except BrokenPipeError:
        # `noisygan configs | head`: nobody reads on, which is no failure worth a message.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except Exception as error:
        if not _trace():
            lines = str(error).strip().splitlines() or [""]
            if isinstance(error, OSError) and error.filename is not None:
                _say(f"{str(error.filename)[:300]}: {error.strerror}")
                return EXIT_FAILURE
            _say(
                f"internal error: {type(error).__name__}: {lines[0][:300]} "
                "(set NOISYGAN_TRACEBACK=1 to see where)"
            )
        return EXIT_FAILURE


def _allow_modules(modules):
    from noisygan.config import allow_modules

    allow_modules(modules)
    for module in modules:
        _say(f"caution: whatever config is loaded may call everything in {module} (--allow_module)")


def _say(message):
    print(f"noisygan: {printable(message.rstrip('.'))}", file=sys.stderr)


def _trace():
    """Print the traceback if NOISYGAN_TRACEBACK is set; returns whether it did."""
    if os.environ.get("NOISYGAN_TRACEBACK", "") in ("", "0"):
        return False
    traceback.print_exc()
    return True
