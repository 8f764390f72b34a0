"""What is let in: hosts and origins that may ask, and how much a request may weigh."""

import ipaddress
import socket

from starlette.responses import PlainTextResponse

from noisygan.errors import UsageError

MAX_BODY = 512 * 1024
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class TooLarge(UsageError):
    """A body past MAX_BODY."""


class Guard:
    """ASGI middleware: refuses foreign hosts and origins and heavy bodies, with a line of text.

    A page of another site can make a browser send requests to this machine, and with a name that
    it lets point here even read the answers: so the name that was asked must be one of ours, and
    a request that says which page it comes from must come from ours.

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
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal:
            await PlainTextResponse(refusal[1] + "\n", refusal[0], _HEADERS)(scope, receive, send)
            return
        received = 0
        most = self.limits.get(scope["path"], MAX_BODY)

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

    def _refusal(self, scope):
        """(status, line) of a request that is not let in, else None."""
        fields = {}
        for name, value in scope["headers"]:
            fields.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        host = fields.get("host", [])
        if len(host) != 1 or not self._is_ours(host[0]):
            return 421, "asked by a name that is not this server's; open the address that it says"
        origin = fields.get("origin", [])
        if origin and origin != [f"http://{host[0]}"]:
            return 403, "this request comes from a page of another site"
        site = fields.get("sec-fetch-site", ["none"])[0]
        # A link elsewhere may open the page; nothing else may be asked from there.
        is_link = fields.get("sec-fetch-mode") == ["navigate"] and scope["method"] == "GET"
        if site not in ("same-origin", "none") and not is_link:
            return 403, "this request comes from a page of another site"
        length = fields.get("content-length", ["0"])[0]
        most = self.limits.get(scope["path"], MAX_BODY)
        if not length.isdecimal() or int(length[:12]) > most:
            return 413, f"the body is too large; expected at most {most} bytes"
        return None

    def _is_ours(self, host):
        name = host_name(host)
        if name in (*_LOOPBACK_NAMES, self.host.lower()):
            return True
        if self.host not in ("0.0.0.0", "::"):
            return False
        # On all addresses of this machine: a number can't be made to point elsewhere.
        return is_address(name) or name == socket.gethostname().lower()


def host_name(host):
    """The name in a Host header, in lower case and without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def is_address(name):
    """Whether it is a numeric address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
