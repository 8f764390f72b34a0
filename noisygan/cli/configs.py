"""List the bundled configs with a line each."""

SUMMARY = "list the bundled configs"
EXAMPLE = "noisygan configs"


def add_arguments(parser):
    """Add nothing: this command takes no arguments."""


def run(args):
    """Print name and description of each run and ablation."""
    from noisygan import config

    found = config.bundled_configs()
    width = max(map(len, found), default=0)
    for name, path in found.items():
        print(f"{name:<{width}}  {config.describe(path)}".rstrip())
    return 0
