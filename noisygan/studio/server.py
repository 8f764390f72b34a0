"""Web server of the studio: the page, and addresses that answer with sound."""

import base64
import contextlib
import functools
import json
from importlib.resources import files as files_of

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from noisygan.errors import NoisyganError, RunError, UsageError
from noisygan.studio import files, landscape, network, requests
from noisygan.studio.worker import Busy, Worker

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Studio:
    """The web application.

    Args:
      players: list of `noisygan.studio.player.Player`.
      host: Address that the server listens on.
      n_latents: How many latents are rendered for a run's map.

    Attributes:
      names: Of the runs on the page: the end of each one's path, as long as others differ in it.
    """

    def __init__(self, players, host="127.0.0.1", n_latents=landscape.N_LATENTS):
        self.players = players
        self.names = _distinct_ends([player.run.path.resolve() for player in players])
        self.worker = Worker()
        # Matching takes a minute, so it has its own thread.
        self.matcher = Worker(n_waiting=1)
        self.share_matched = 0.0
        self.landscapes, self.models = {}, {}
        for number, player in enumerate(players):
            found = functools.partial(self.landscapes.__setitem__, number)
            self.worker.in_background(landscape.explore(player, found, n_latents))
        # Read once: no request's path is ever looked up among files.
        folders = {"": files_of("noisygan.studio") / "page", "web/": files_of("noisygan.web")}
        self.files = {
            prefix + file.name: file.read_bytes()
            for prefix, folder in folders.items()
            for file in folder.iterdir()
            if file.suffix in _TYPES
        }
        post = ("latent", "render", "wav", "controls", "instrument", "match")
        limits = {"/api/match": files.MAX_UPLOAD}
        self.app = Starlette(
            routes=[
                Route("/", self.file),
                Route("/api/runs", self.list_runs),
                Route("/api/landscape/{run:int}", self.landscape),
                Route("/api/model/{run:int}", self.model),
                Route("/api/match", self.match_state),
                *(Route(f"/api/{name}", getattr(self, name), methods=["POST"]) for name in post),
                Route("/{name}", self.file),
                Route("/web/{name}", self.file),
            ],
            middleware=[Middleware(network.Guard, host=host, limits=limits)],
            exception_handlers={
                network.TooLarge: _answer(413),
                UsageError: _answer(400),
                Busy: _answer(503),
                NoisyganError: _answer(500),
                HTTPException: _http_answer,
                Exception: _internal_error,
            },
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app):
        for worker in (self.worker, self.matcher):
            worker.start()
        yield
        for worker in (self.worker, self.matcher):
            worker.stop()

    async def file(self, request):
        """Send one of the page's files."""
        name = request.scope["path"][1:] or "index.html"
        if name not in self.files:
            raise HTTPException(404, "no such address")
        return Response(self.files[name], media_type=_TYPES[name[name.rfind(".") :]])

    async def list_runs(self, request):
        """Send the facts of each run."""
        named = zip(self.players, self.names, strict=True)
        return JSONResponse([player.facts() | {"name": name} for player, name in named])

    async def landscape(self, request):
        """Send a run's directions and map; 202 until they are found."""
        number = self._number(request)
        if number not in self.landscapes:
            return JSONResponse({"ready": False}, 202)
        return JSONResponse(self.landscapes[number])

    async def model(self, request):
        """Send the networks of a run whose notes the page can play itself; null for others."""
        number = self._number(request)
        if number not in self.models:
            self.models[number] = await self.worker.do(self.players[number].web_model)
        return JSONResponse(self.models[number])

    def _number(self, request):
        number = request.path_params["run"]
        if number >= len(self.players):
            raise HTTPException(404, f"no run {number}; there are {len(self.players)}")
        return number

    async def latent(self, request):
        """Send the z of a seed, and tags that are drawn with it."""
        body, player = await self._body(request)
        wanted = requests.parse(body, player)
        latents = await self.worker.do(player.latents, [wanted.seed])
        z = [round(float(v), 5) for v in latents[0]]
        return JSONResponse({"seed": wanted.seed, "z": z, "tags": wanted.tags})

    async def render(self, request):
        """Send a sound and its curves."""
        body, player = await self._body(request)
        wanted = requests.parse(body, player)

        def render():
            sound = player.render(wanted)
            self.worker.in_background(player.trace_slow_lengths(), first=True)
            answer = {"sample_rate": sound.sample_rate, "lowered_db": round(sound.lowered_db, 2)}
            answer["wav"] = base64.b64encode(files.wav(sound)).decode()
            answer["curves"] = player.curves_of(sound)
            return json.dumps(answer).encode()

        return Response(await self.worker.do(render), media_type="application/json")

    async def wav(self, request):
        """Send a sound as a WAV file."""
        body, player = await self._body(request)
        subtype = requests.take_subtype(body)
        wanted = requests.parse(body, player)
        data = await self.worker.do(lambda: files.wav(player.render(wanted), subtype))
        return _download(data, f"{player.name}.wav", "audio/wav")

    async def controls(self, request):
        """Send a sound's controls file."""
        body, player = await self._body(request)
        wanted = requests.parse(body, player)
        if not player.has_curves:
            raise UsageError("this run's generator has no controls, it writes samples directly")
        data = await self.worker.do(lambda: files.controls(player, wanted, player.render(wanted)))
        return _download(data, f"{player.name}.npz", "application/octet-stream")

    async def instrument(self, request):
        """Send a small SFZ instrument of a sound, or of a kit."""
        body, player = await self._body(request)
        zones = files.instrument_zones(player, body)
        data = await self.worker.do(files.instrument, player, zones)
        return _download(data, f"{player.name}-sfz.zip", "application/zip")

    async def match_state(self, request):
        """Send the progress of a match."""
        return JSONResponse({"share": round(self.share_matched, 3)})

    async def match(self, request):
        """Send the request that makes a run (`?run=0`) sound like the audio file in the body."""
        if request.headers.get("content-type", "") != "application/octet-stream":
            raise HTTPException(415, "expected a body of type application/octet-stream")
        number = request.query_params.get("run", "0")
        number = int(number) if number.isdecimal() and len(number) < 4 else number
        player = self._player({"run": number})
        data = await request.body()

        def report(share):
            self.share_matched = share
            if self.matcher.has_ended:
                raise RunError("the studio was closed meanwhile")

        report(0.0)
        return JSONResponse(await self.matcher.do(files.match, player, data, report))

    def _player(self, body):
        number = requests.integer(body, "run", 0, 0, len(self.players) - 1)
        return self.players[number]

    async def _body(self, request):
        """(decoded body, player of the run that it names); UsageError if it has none."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "expected a body of type application/json")
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise UsageError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise UsageError("expected a JSON object")
        return body, self._player(body)


def _distinct_ends(paths):
    """The shortest end of each path that no other path has."""

    def end(path):
        ends = (path.parts[-n:] for n in range(1, len(path.parts) + 1))
        others = [other.parts for other in paths if other != path]
        return "/".join(next(e for e in ends if all(o[-len(e) :] != e for o in others)))

    return [end(path) for path in paths]


def _answer(status):
    async def answer(request, error):
        return PlainTextResponse(" ".join(str(error).split()) + "\n", status)

    return answer


async def _http_answer(request, error):
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)


async def _internal_error(request, error):
    return PlainTextResponse("the studio failed; see its terminal\n", 500)


def _download(data, name, media_type):
    ascii_name = name.encode("ascii", "replace").decode().replace('"', "'").replace("?", "_")
    header = {"content-disposition": f'attachment; filename="{ascii_name}"'}
    return Response(data, media_type=media_type, headers=header)


def uvicorn_config(studio):
    """Settings of uvicorn for a studio."""
    quiet = {"log_level": "error", "access_log": False, "server_header": False}
    return uvicorn.Config(studio.app, ws="none", timeout_graceful_shutdown=2, **quiet)


def serve(studio, listener):
    """Serve a studio on a listening socket until it is interrupted."""
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn_config(studio)).run(sockets=[listener])
