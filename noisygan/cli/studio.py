"""Play trained runs on a page in the browser.

Serves a page to this machine alone: sliders and a map of the latent space, a keyboard or drum pads,
curves to see and draw, downloads. Nothing is sent anywhere. Ctrl-C ends it.
"""

import importlib.util

import noisygan
from noisygan.cli import arguments
from noisygan.errors import UsageError

SUMMARY = "play trained runs on a page in the browser"
EXAMPLE = """\
noisygan studio --run_dir runs/flute
noisygan studio --run_dir runs/flute --run_dir runs/kit --port 9000"""


def add_arguments(parser):
    """Add the arguments of this command."""
    parser.add_argument(
        "--run_dir",
        action="append",
        required=True,
        metavar="DIR",
        help="folder of a trained run; may be given several times, the page switches between them",
    )
    parser.add_argument(
        "--port",
        type=arguments.whole_number(1, 65535),
        metavar="N",
        help="(default: 8377, or one that is free)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: 127.0.0.1, this machine alone); whoever reaches "
        "another one may use the page",
    )


def run(args):
    """Serve the page until it is interrupted."""
    runs = [noisygan.load(folder) for folder in args.run_dir]
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(
                f"the studio needs the package {package}, which is not installed; "
                "`pip install 'noisygan[studio]'` brings it"
            )
    from noisygan.studio import network

    with network.listening_socket(args.host, args.port) as listener:
        arguments.import_tensorflow()
        from noisygan.studio import server
        from noisygan.studio.player import Player

        players = [Player(run) for run in runs]
        for player in players:
            player.warm_up()
        studio = server.Studio(players, args.host)
        print(
            f"{', '.join(studio.names)}: open {network.url_of(listener)} (Ctrl-C ends it)",
            flush=True,
        )
        if not network.is_loopback(args.host):
            print(f"listening on {args.host}: others who reach it may use the page", flush=True)
        server.serve(studio, listener)
    return 0
