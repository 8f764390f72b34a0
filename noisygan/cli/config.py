"""Print a config with all includes, names and defaults resolved.

What is printed is itself a config: saved to a file, it gives the same run.
"""

from noisygan.cli import arguments

SUMMARY = "print a config, resolved"
EXAMPLE = "noisygan config --gin_file runs/notes.gin --gin_param 'Trainer.batch_size = 8'"


def add_arguments(parser):
    """Add the arguments of this command."""
    arguments.add_config_arguments(parser, required=True)


def run(args):
    """Print the resolved config on stdout."""
    arguments.import_tensorflow()
    from noisygan import config

    config.parse(args.gin_file, args.gin_param)
    print(config.resolved_text(), end="")
    return 0
