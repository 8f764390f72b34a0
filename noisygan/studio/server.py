"""The studio's web server: a page and a few addresses that answer with sound."""

import base64
import contextlib
import importlib.resources
import json
import time

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from noisygan.errors import NoisyganError, RunError, UsageError
from noisygan.studio import asking, downloads, guards, landscape, matching
from noisygan.studio.worker import Busy, Worker

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Studio:
    """The web application over some runs.

    Args:
      runs: list of `noisygan.studio.playing.PlayableRun`.
      host: Address that the server listens on.
      n_latents: How many latents are listened to for a run's map.
    """

    def __init__(self, runs, host="127.0.0.1", n_latents=landscape.N_LATENTS):
        self.runs = runs
        self.worker = Worker()
        # Matching takes a minute: in a thread of its own, so that one can play meanwhile.
        self.matcher = Worker(n_waiting=1)
        self.share_matched = 0.0
        self.landscapes = {}
        for number, run in enumerate(runs):
            self.worker.at_leisure(self._prepare(number, run, n_latents))
        # Read once: no request's path is ever looked up among files.
        folder = importlib.resources.files("noisygan.studio") / "page"
        self.files = {f.name: f.read_bytes() for f in folder.iterdir() if f.is_file()}
        self.app = Starlette(
            routes=[
                Route("/", self.page),
                Route("/api/runs", self.list_runs),
                Route("/api/landscape/{run:int}", self.landscape),
                Route("/api/latent", self.latent, methods=["POST"]),
                Route("/api/render", self.render, methods=["POST"]),
                Route("/api/wav", self.wav, methods=["POST"]),
                Route("/api/controls", self.controls, methods=["POST"]),
                Route("/api/instrument", self.instrument, methods=["POST"]),
                Route("/api/match", self.match_state),
                Route("/api/match", self.match, methods=["POST"]),
                Route("/{name}", self.file),
            ],
            middleware=[
                Middleware(guards.Guard, host=host, limits={"/api/match": matching.MAX_UPLOAD})
            ],
            exception_handlers={
                guards.TooLarge: _answer(413),
                UsageError: _answer(400),
                Busy: _answer(503),
                NoisyganError: _answer(500),
                HTTPException: _http_answer,
                Exception: _unforeseen,
            },
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app):
        self.worker.start()
        self.matcher.start()
        yield
        self.worker.stop()
        self.matcher.stop()

    def _prepare(self, number, run, n_latents):
        """Steps that find the landscape of a run."""

        def found(result):
            self.landscapes[number] = json.dumps(result.as_json()).encode()

        return landscape.explore(run, found, n_latents)

    async def page(self, request):
        """The page itself."""
        return Response(self.files["index.html"], media_type=_TYPES[".html"])

    async def file(self, request):
        """One of the page's files."""
        name = request.path_params["name"]
        if name not in self.files:
            raise HTTPException(404, "no such address")
        return Response(self.files[name], media_type=_TYPES.get(name[name.rfind(".") :]))

    async def list_runs(self, request):
        """What each run is."""
        return JSONResponse([run.facts() for run in self.runs])

    async def landscape(self, request):
        """A run's directions and map; 202 while they are being found."""
        number = request.path_params["run"]
        if number >= len(self.runs):
            raise HTTPException(404, f"no run {number}; there are {len(self.runs)}")
        if number not in self.landscapes:
            return JSONResponse({"ready": False}, 202)
        return Response(self.landscapes[number], media_type="application/json")

    async def latent(self, request):
        """z of a seed."""
        body, run = await self._asked(request)
        seed = asking.whole(body, "seed", 0, 0, 2**31 - 1)
        latents = await self.worker.do(run.latents, [seed])
        return JSONResponse({"seed": seed, "z": [round(float(v), 5) for v in latents[0]]})

    async def render(self, request):
        """A sound and its curves."""
        body, run = await self._asked(request)
        ask = asking.parse(body, run)

        def made():
            began = time.perf_counter()
            sound = run.sound(ask)
            self.worker.at_leisure(run.tracing(), soon=True)
            answer = {
                "sample_rate": sound.sample_rate,
                "lowered_db": round(sound.lowered_db, 2),
                "wav": base64.b64encode(downloads.wav(sound)).decode(),
                "curves": run.curves_of(sound),
            }
            answer["server_ms"] = round(1000.0 * (time.perf_counter() - began), 2)
            return json.dumps(answer).encode()

        return Response(await self.worker.do(made), media_type="application/json")

    async def wav(self, request):
        """A sound as a WAV file."""
        body, run = await self._asked(request)
        subtype = asking.subtype(body)
        body.pop("bits", None)
        ask = asking.parse(body, run)
        made = await self.worker.do(lambda: downloads.wav(run.sound(ask), subtype))
        return _download(made, f"{run.name}.wav", "audio/wav")

    async def controls(self, request):
        """A sound's controls file."""
        body, run = await self._asked(request)
        ask = asking.parse(body, run)
        if not run.has_curves:
            raise UsageError("this run's generator has no controls, it writes samples directly")
        made = await self.worker.do(lambda: downloads.controls(run, ask, run.sound(ask)))
        return _download(made, f"{run.name}.npz", "application/octet-stream")

    async def instrument(self, request):
        """A small SFZ instrument of a sound, or of a kit."""
        body, run = await self._asked(request)
        asks = downloads.instrument_asks(run, body)
        made = await self.worker.do(downloads.instrument, run, asks)
        return _download(made, f"{run.name}-sfz.zip", "application/zip")

    async def match_state(self, request):
        """How far a match is."""
        return JSONResponse({"share": round(self.share_matched, 3)})

    async def match(self, request):
        """What to ask of a run (`?run=0`) so that it sounds like the audio file in the body."""
        if request.headers.get("content-type", "") != "application/octet-stream":
            raise HTTPException(415, "expected a body of type application/octet-stream")
        number = request.query_params.get("run", "0")
        number = int(number) if number.isdecimal() and len(number) < 4 else number
        run = self.runs[asking.whole({"run": number}, "run", 0, 0, len(self.runs) - 1)]
        data = await request.body()

        def report(share):
            self.share_matched = share
            if self.matcher.has_ended:
                raise RunError("the studio was closed meanwhile")

        report(0.0)
        return JSONResponse(await self.matcher.do(matching.matched, run, data, report))

    async def _asked(self, request):
        """(decoded body, the run that it names).

        Raises:
          UsageError: if the body is not JSON or names no run.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "expected a body of type application/json")
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise UsageError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise UsageError("expected a JSON object")
        return body, self.runs[asking.whole(body, "run", 0, 0, len(self.runs) - 1)]


def _answer(status):
    async def answer(request, error):
        return PlainTextResponse(" ".join(str(error).split()) + "\n", status)

    return answer


async def _http_answer(request, error):
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)


async def _unforeseen(request, error):
    return PlainTextResponse("the studio failed; its terminal says how\n", 500)


def _download(data, name, media_type):
    ascii_name = name.encode("ascii", "replace").decode().replace('"', "'").replace("?", "_")
    header = {"content-disposition": f'attachment; filename="{ascii_name}"'}
    return Response(data, media_type=media_type, headers=header)


def configured(studio):
    """How uvicorn serves a studio."""
    return uvicorn.Config(
        studio.app,
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=2,
    )


def serve(studio, listener):
    """Serves until it is interrupted."""
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(configured(studio)).run(sockets=[listener])
