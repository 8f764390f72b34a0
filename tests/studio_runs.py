"""Players without a neural network for the studio's tests, and a studio served in a thread."""

import contextlib
import math
import threading
import types

import numpy as np

from noisygan.generators.generator import Capabilities
from noisygan.studio import curves
from noisygan.studio.player import Player
from tests import toys, web_pages

FRAME_RATE = 100.0
N_HARMONICS = 6


class PlainGenerator(Capabilities):
    """A generator of the contract's shape; z moves brightness, level, noise and decay."""

    def __init__(self, conditions=("pitch", "velocity"), latent_dim=6, seconds=1.0, hybrid=True):
        self.condition_names = conditions
        self.latent_dim = latent_dim
        self.sample_rate = 16000
        self.seconds = seconds
        self.frame_rate = FRAME_RATE
        self.release_seconds = 0.1
        self.has_controls = self.is_any_length = hybrid
        if hybrid:
            self.get_controls = self.controls
            settings = {"harmonic": {}, "noise": {"bandwidth_hz": 8000.0}}
            self.voices = [
                types.SimpleNamespace(name=kind, kind=kind, settings=own)
                for kind, own in settings.items()
            ]

    def prior(self, n, seed):
        return np.random.default_rng(int(seed)).normal(size=[n, self.latent_dim]).astype("f4")

    def controls(self, z, pitch, velocity, seconds):
        n_frames = max(1, math.ceil(seconds * FRAME_RATE - 1e-6))
        times = np.arange(n_frames) / FRAME_RATE
        level_db = -14.0 + 3.0 * z[1] + (velocity - 100.0) / 5.0
        loudness_db = level_db - (6.0 + 2.0 * z[3]) * times
        share = np.exp(-np.arange(N_HARMONICS) * (1.0 - 0.3 * z[0]))
        share = np.tile(share / share.sum(), [n_frames, 1])
        out = {
            "loudness_db": loudness_db[:, None],
            "harmonic/f0_hz": np.full([n_frames, 1], 440.0 * 2 ** ((pitch - 69) / 12)),
            "harmonic/amplitudes": 10 ** (loudness_db[:, None] / 20),
            "harmonic/harmonic_distribution": share,
            "noise/magnitudes": np.tile(
                10 ** ((loudness_db[:, None] - 30 + 6 * z[2]) / 20), [1, 9]
            ),
        }
        return {name: value[None].astype(np.float32) for name, value in out.items()}

    def __call__(self, z, conditioning, seconds, sample_rate, seed):
        pitch = 60.0 + 5.0 * float(z[0, 0]) + 7.0 * int(conditioning["label"][0])
        made = self.controls(z[0], pitch, 100.0, seconds)
        audio = sound_of(made, round(seconds * sample_rate), sample_rate, int(seed[0]))
        return types.SimpleNamespace(audio=types.SimpleNamespace(numpy=lambda: audio[None]))


def sound_of(controls, n_samples, sample_rate, seed):
    """Harmonics and white noise of controls, float32 [n_samples]."""
    frames = np.arange(controls["loudness_db"].shape[1]) * sample_rate / FRAME_RATE
    at = np.arange(n_samples)
    f0_hz = np.interp(at, frames, controls["harmonic/f0_hz"][0, :, 0])
    level = np.interp(at, frames, controls["harmonic/amplitudes"][0, :, 0])
    phase = 2 * np.pi * np.cumsum(f0_hz) / sample_rate
    share = controls["harmonic/harmonic_distribution"][0, 0]
    tone = sum(share[k] * np.sin((k + 1) * phase) for k in range(N_HARMONICS))
    hiss = np.random.default_rng(seed).uniform(-1, 1, n_samples)
    gain = np.interp(at, frames, controls["noise/magnitudes"][0, :, 0])
    return (level * tone + gain * hiss).astype(np.float32)


class PlainPlayer(Player):
    """A player whose curves and sounds are NumPy's."""

    def warm_up(self):
        pass

    def _from_curves(self, request, seed):
        pitch, velocity = request.pitch or 48.0, request.velocity or 100.0
        pitch += request.tags.get("bend", 0.0) + 7.0 * (request.tags.get("mic") == "far")
        made = self.generator.controls(request.z, pitch, velocity, request.seconds)
        made = curves.edit(made, request.edits, self.kinds, made["loudness_db"].shape[1])
        n_samples = round(request.seconds * request.sample_rate)
        return sound_of(made, n_samples, request.sample_rate, int(seed[0]))[None], made


def melodic():
    """A hybrid conditioned on pitch and velocity."""
    names = ("pitch", "velocity")
    return player(PlainGenerator(names), "flute", names, (), tuple(range(60, 85)))


def kit():
    """A hybrid kit of three drums."""
    made = PlainGenerator(("label",), seconds=0.3)
    return player(made, "kit", ("label",), ("cymbal", "kick", "snare"))


class LivePlayer(PlainPlayer):
    """A player whose notes the page makes itself."""

    def web_model(self):
        return web_pages.kit() if self.is_kit else web_pages.model()


def live():
    """A hybrid whose notes the page makes itself, by a stand-in for the engine."""
    return player(PlainGenerator(), "live", ("pitch", "velocity"), kind=LivePlayer)


def live_without_velocity():
    """A hybrid whose notes the page makes itself, conditioned on pitch alone."""
    return player(PlainGenerator(("pitch",)), "simple", ("pitch",), kind=LivePlayer)


def live_kit():
    """A kit whose drums the page makes itself, by a stand-in for the engine."""
    made = PlainGenerator(("label", "mic"), seconds=0.3)
    facts = ("live kit", ("label", "mic"), ("kick", "snare"))
    tags = {"tag_values": {"mic": ["close", "far"]}, "tag_rows": [["", "close"]]}
    return player(made, *facts, kind=LivePlayer, **tags)


def raw():
    """A raw-waveform run without conditions."""
    return player(PlainGenerator((), 12, 0.4, hybrid=False), "waves", ())


def tagged():
    """A hybrid with a menu and a slider; a microphone that is far away plays a fifth higher."""
    names = ("pitch", "velocity", "mic", "bend")
    tags = {"mic": ["close", "far"], "bend": [-1.0, 3.0]}
    rows = [["", "close", 0.0], ["", "close", 0.5]]
    return player(PlainGenerator(names), "bent", names, tag_values=tags, tag_rows=rows)


def player(generator, *facts, kind=PlainPlayer, **tags):
    """A player of a run with these facts (see `toys.run`)."""
    return kind(toys.run(*facts, generator=generator, **tags))


@contextlib.contextmanager
def served(*players, n_latents=24):
    """Serve a studio in a thread; gives its URL."""
    import uvicorn

    from noisygan.studio import network
    from noisygan.studio.server import Studio, uvicorn_config

    studio = Studio(list(players), n_latents=n_latents)
    studio.files["web/worklet.js"] = web_pages.STAND_IN.encode()
    with network.listening_socket("127.0.0.1", None) as listener:
        server = uvicorn.Server(uvicorn_config(studio))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield network.url_of(listener)
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()
