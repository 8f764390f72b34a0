"""Where the studio listens."""

import ipaddress
import socket

from noisygan.errors import UsageError

DEFAULT_PORT = 8377


def listening_socket(host, port):
    """A socket that listens on an address.

    Args:
      host: Address or name.
      port: Number, or None: DEFAULT_PORT, or any that is free where it is taken.

    Raises:
      UsageError: if it can't.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    candidates = [DEFAULT_PORT, 0] if port is None else [port]
    for candidate in candidates:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(256)
        except (OSError, OverflowError) as error:
            listener.close()
            reason = getattr(error, "strerror", None) or str(error)
            continue
        return listener
    raise UsageError(
        f"can't listen on {host} port {candidates[-1]}: {reason}; expected an address of this "
        "machine and a port that is free"
    )


def of(listener):
    """What a browser is told to open for a listening socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_loopback(host):
    """Whether only this machine reaches an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
