"""Listening socket of the studio, and the guard of its requests."""

import ipaddress
import socket

from starlette.responses import PlainTextResponse

from noisygan.errors import UsageError

DEFAULT_PORT = 8377
MAX_BODY = 512 * 1024
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
        "img-src 'self' data: blob:; "
        "connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
_FOREIGN = 403, "this request comes from a page of another site"


def listening_socket(host, port):
    """Open a socket that listens on a host's port; UsageError if it can't.

    Port None means DEFAULT_PORT, or any free one if it is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [DEFAULT_PORT, 0] if port is None else [port]:
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
    expected = "expected an address of this machine and a free port"
    raise UsageError(f"can't listen on {host} port {candidate}: {reason}; {expected}")


def url_of(listener):
    """URL of a listening socket for a browser."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_loopback(host):
    """True if only this machine reaches an address."""
    return host.lower() == "localhost" or bool(_address(host) and _address(host).is_loopback)


class TooLarge(UsageError):
    """A body that is too large."""


class Guard:
    """ASGI middleware: refuse foreign hosts and origins and large bodies.

    A page of another site can make a browser send requests to this machine and, with a name that
    resolves to it, even read the answers. So the Host must be one of ours, and a request that says
    which page it comes from must come from ours.

    Args:
      app: The ASGI application behind it.
      host: Address that the server listens on.
      limits: dict path -> most bytes of a body, where that is not MAX_BODY.
    """

    def __init__(self, app, host, limits=()):
        self.app = app
        self.host = host
        self.limits = dict(limits)

    async def __call__(self, scope, receive, send):
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.limits.get(scope["path"], MAX_BODY)
        refusal = self._refusal(scope, most)
        if refusal:
            await PlainTextResponse(refusal[1] + "\n", refusal[0], _HEADERS)(scope, receive, send)
            return
        received = 0

        async def limited():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise TooLarge(f"the body is too large; expected at most {most} bytes")
            return message

        async def with_headers(message):
            if message["type"] == "http.response.start":
                added = [(k.encode(), v.encode()) for k, v in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, limited, with_headers)

    def _refusal(self, scope, most):
        """(status, line) of a request that is refused, else None."""
        fields = {}
        for name, value in scope["headers"]:
            fields.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        host = fields.get("host", [])
        if len(host) != 1 or not self.is_ours(host[0]):
            return 421, "this is not the server's name; open the address that it printed"
        origin = fields.get("origin", [])
        if origin and origin != [f"http://{host[0]}"]:
            return _FOREIGN
        site = fields.get("sec-fetch-site", ["none"])[0]
        # A link elsewhere may open the page, nothing else.
        is_link = fields.get("sec-fetch-mode") == ["navigate"] and scope["method"] == "GET"
        if site not in ("same-origin", "none") and not is_link:
            return _FOREIGN
        length = fields.get("content-length", ["0"])[0]
        if not length.isdecimal() or int(length[:12]) > most:
            return 413, f"the body is too large; expected at most {most} bytes"
        return None

    def is_ours(self, host):
        """True if a Host header names this server."""
        name = host_name(host)
        if name in (*_LOOPBACK_NAMES, self.host.lower()):
            return True
        if self.host not in ("0.0.0.0", "::"):
            return False
        # On all addresses of this machine: a number can't be made to point elsewhere.
        return _address(name) is not None or name == socket.gethostname().lower()


def host_name(host):
    """Name in a Host header, in lower case and without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _address(name):
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
