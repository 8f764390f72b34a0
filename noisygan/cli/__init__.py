"""The `noisygan` command: one thin file a subcommand.

A subcommand's module has SUMMARY, EXAMPLE, `add_arguments(parser)` and `run(args)`, which returns
the exit code. Only `run` imports what takes long, so that `--help` answers at once.
"""
