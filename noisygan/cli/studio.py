"""Play trained runs on a page in the browser.

Serves a page to this machine alone: sliders and a map over the latent space, a keyboard or drum
pads, the curves to look at and to draw, files to keep. Nothing is sent anywhere. Ctrl-C ends it.
"""

import importlib.util

from noisygan.cli import arguments
from noisygan.errors import UsageError
from noisygan.studio import address

SUMMARY = "play trained runs on a page in the browser"
EXAMPLE = """\
noisygan studio --run_dir runs/flute
noisygan studio --run_dir runs/flute --run_dir runs/kit --port 9000"""


def add_arguments(parser):
    """Adds the arguments of this command."""
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
    """Serves the page until it is interrupted."""
    folders = [arguments.run_folder(folder, "--run_dir") for folder in args.run_dir]
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(
                f"the studio needs the package {package}, which is not installed; "
                "`pip install 'noisygan[studio]'` brings it"
            )
    with address.listening_socket(args.host, args.port) as listener:
        arguments.import_tensorflow()
        from noisygan.studio import server
        from noisygan.studio.playing import PlayableRun

        runs = [PlayableRun.load(folder) for folder in folders]
        for each in runs:
            each.warm_up()
        studio = server.Studio(runs, args.host)
        names = ", ".join(each.name for each in runs)
        print(f"{names}: open {address.of(listener)} (Ctrl-C ends it)", flush=True)
        if not address.is_loopback(args.host):
            print(f"listening on {args.host}: others who reach it may use the page", flush=True)
        server.serve(studio, listener)
    return 0
