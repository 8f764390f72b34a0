"""The studio's server: guards, invalid requests, downloads, and many requests at once."""

import base64
import concurrent.futures
import http.client
import io
import json
import pathlib
import socket
import urllib.parse
import zipfile

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="needs the extra studio")
pytest.importorskip("uvicorn", reason="needs the extra studio")

from noisygan.audio_io.controls import load_controls
from noisygan.studio import files, network
from noisygan.studio.server import Studio
from tests import studio_runs

Z = [0.0] * 6
AS_BYTES = {"content-type": "application/octet-stream"}


def constant(seconds, level):
    """Bytes of a WAV file with a constant."""
    file = io.BytesIO()
    soundfile.write(file, np.full(round(8000 * seconds), level), 8000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def address():
    """Address of a studio with a hybrid, a kit, a raw-waveform run and a hybrid with tags."""
    players = studio_runs.melodic(), studio_runs.kit(), studio_runs.raw(), studio_runs.tagged()
    with studio_runs.served(*players, n_latents=12) as url:
        yield urllib.parse.urlsplit(url).netloc


@pytest.fixture
def ask(address):
    """A function that sends a request and returns (status, headers, body)."""

    def send(path, body=None, method=None, headers=None):
        connection = http.client.HTTPConnection(address, timeout=30)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json"} if data is not None else {}
        method = method or ("GET" if data is None else "POST")
        connection.request(method, path, data, given | (headers or {}))
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    return send


def audio_of(answer):
    """(samples, rate) of an answer of /api/render."""
    return soundfile.read(io.BytesIO(base64.b64decode(json.loads(answer[2])["wav"])))


def test_a_sound_and_its_curves(ask):
    answer = ask("/api/render", {"z": Z, "pitch": 69, "seconds": 0.5})
    audio, rate = audio_of(answer)
    assert (answer[0], rate, len(audio)) == (200, 16000, 8000)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert np.argmax(spectrum) * rate / len(audio) == pytest.approx(440, abs=3)
    curves = json.loads(answer[2])["curves"]
    assert len(curves["f0_hz"]) == 50 and curves["f0_hz"][0] == pytest.approx(440, abs=0.01)
    assert len(curves["harmonics_db"]) == studio_runs.N_HARMONICS


def test_only_the_pages_files_are_served(ask):
    status, headers, page = ask("/")
    assert status == 200 and b"noisygan" in page and "server" not in headers
    assert "default-src 'none'" in headers["content-security-policy"]
    for name, kind in (("studio.css", "text/css"), ("web/dom.js", "text/javascript")):
        status, headers, _ = ask(f"/{name}")
        assert status == 200 and headers["content-type"].startswith(kind)
    for path in (
        "/server.py", "/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "//etc/passwd",
        "/page/main.js", "/web/main.js", "/web/__init__.py", "/.", "/%00", "/api",
        "/api/landscape/9",
    ):  # fmt: skip
        assert ask(path)[0] == 404, path


def test_runs_in_folders_of_one_name_have_names_of_their_own():
    players = [studio_runs.melodic() for _ in range(4)]
    paths = ("out/flute/runs/a", "out/drums/runs/a", "out/flute/runs/b", "out/flute/runs/b")
    for player, path in zip(players, paths, strict=True):
        player.run.path = pathlib.Path(path)
    names = Studio(players).names
    assert names == ["flute/runs/a", "drums/runs/a", "b", "b"]


def test_landscapes_are_found(ask):
    for run in range(3):
        while (answer := ask(f"/api/landscape/{run}"))[0] == 202:
            pass
        found = json.loads(answer[2])
        assert answer[0] == 200 and len(found["directions"]) == 6 == len(found["names"])
        assert len(found["latents"]) == 12


@pytest.mark.parametrize(
    ("path", "body", "status", "line"),
    [
        ("/api/render", b"{", 400, "not JSON"),
        ("/api/render", b"[" * 100000, 400, "not JSON"),
        ("/api/render", [], 400, "expected a JSON object"),
        ("/api/render", {"z": 1}, 400, "z: got something else"),
        ("/api/render", {"z": [0] * 5 + [True]}, 400, "z: got True among them"),
        ("/api/render", b'{"z": [0,0,0,0,0,NaN]}', 400, "z: got nan among them"),
        ("/api/render", {"run": 4}, 400, "run: got 4"),
        ("/api/render", {"run": 0.5}, 400, "run: got 0.5"),
        ("/api/render", {"pitch": 128}, 400, "pitch: got 128"),
        ("/api/render", {"pitch": 127}, 400, "pitch 127"),
        ("/api/render", {"seconds": 1e9}, 400, "seconds: got 1000000000.0"),
        ("/api/render", {"edits": {"x": [1]}}, 400, "edits: expected an object"),
        ("/api/render", {"edits": {"noise_db": [0] * 2001}}, 400, "got 2001 of them"),
        ("/api/render", {"sing": 1}, 400, "no field sing"),
        ("/api/render", {"tags": {"mic": "far"}}, 400, "mic is unknown to this run"),
        ("/api/render", {"run": 3, "tags": ["far"]}, 400, "tags: got ['far'], expected an object"),
        ("/api/render", {"run": 3, "tags": {"mic": ["far"]}}, 400, "['far']}, expected an object"),
        ("/api/render", {"run": 3, "tags": {"mic": "room"}}, 400, "expected one of close, far"),
        ("/api/render", b'{"run": 3, "tags": {"bend": NaN}}', 400, "a number -1 to 3"),
        ("/api/render", {"run": 3, "tags": {"bend": 10**400}}, 400, "a number -1 to 3"),
        ("/api/wav", {"bits": 12}, 400, "bits: got 12"),
        ("/api/wav", {"sample_rate": 1}, 400, "sample_rate: got 1"),
        ("/api/latent", {"seed": "x"}, 400, "seed: got x, expected a number 0 to 2147483647"),
        ("/api/controls", {"run": 2}, 400, "has no controls"),
        ("/api/instrument", {"run": 1}, 400, "pads: expected a list"),
        ("/api/render", b"x" * (network.MAX_BODY + 1), 413, "too large"),
        ("/api/match", b"not a sound", 400, "this sound"),
        ("/api/match?run=x", b"RIFF", 400, "run: got x"),
        ("/api/match", constant(1, 0.0), 400, "this sound is silent"),
        ("/api/match", constant(31, 0.5), 400, "this sound lasts 31 s"),
        ("/api/match", b"x" * (files.MAX_UPLOAD + 1), 413, "too large"),
    ],
)
def test_invalid_requests_are_a_line(ask, path, body, status, line):
    kind = AS_BYTES if path.startswith("/api/match") else None
    found, headers, answer = ask(path, body, headers=kind)
    text = answer.decode()
    assert found == status and line in text and "/tmp" not in text
    assert text.count("\n") == 1 and headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "localhost.evil.example:80"}, 421),
        ({"host": "192.168.1.1"}, 421),
        ({"host": ""}, 421),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:8377"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_foreign_hosts_and_origins_are_refused(ask, headers, status):
    assert ask("/api/runs", headers=headers)[0] == status


def test_methods_types_and_the_pages_own_origin(ask, address):
    assert ask("/api/render")[0] == 405
    assert ask("/", method="DELETE")[0] == 405
    # A form of another site can't send JSON.
    assert ask("/api/render", b"{}", headers={"content-type": "text/plain"})[0] == 415
    assert ask("/api/match", b"RIFF")[0] == 415
    for origin, status in ((f"http://{address}", 200), (f"http://{address}0", 403)):
        assert ask("/api/render", {"z": Z}, headers={"origin": origin})[0] == status
    everywhere, one = (network.Guard(None, host) for host in ("0.0.0.0", "192.168.1.7"))
    assert everywhere.is_ours("192.168.1.7:8377") and not everywhere.is_ours("evil.example")
    assert one.is_ours("192.168.1.7:80") and not one.is_ours("192.168.1.8")


def test_the_server_survives_broken_requests(ask, address):
    host, port = address.split(":")
    post = b"POST /api/render HTTP/1.1\r\nhost: localhost\r\n"
    for sent in (
        b"GET\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"\x00\xff" * 500,
        b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 200000 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
        post + b"content-length: -5\r\n\r\n",
        post + b"content-length: 99\r\n\r\n{",
        post + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(64)
            except OSError:  # it may hang up
                answer = b""
        assert not answer or answer.startswith(b"HTTP/1.1 4"), (sent[:40], answer)
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.putrequest("POST", "/api/render")
    connection.putheader("content-type", "application/json")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    for _ in range(1 + network.MAX_BODY // 65536):
        connection.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
    assert connection.getresponse().status == 413
    connection.close()
    assert ask("/api/runs")[0] == 200


def test_64_requests_at_once_get_their_own_sounds(ask):
    def one(i):
        body = {"z": [i / 64.0] + Z[1:], "pitch": 48 + i % 24, "seconds": 0.3}
        return ask("/api/render", body)

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(one, range(64)))
    assert [status for status, _, _ in answers] == [200] * 64
    for i in (0, 31, 63):
        np.testing.assert_array_equal(audio_of(answers[i])[0], audio_of(one(i))[0])


def test_a_match_is_answered(ask, monkeypatch):
    uploads = []

    def match(player, data, report):
        report(0.5)
        uploads.append((player.name, data))
        return {"z": Z}

    monkeypatch.setattr(files, "match", match)
    status, _, answer = ask("/api/match?run=1", b"a sound", headers=AS_BYTES)
    assert status == 200 and json.loads(answer) == {"z": Z}
    assert uploads == [("kit", b"a sound")]
    assert json.loads(ask("/api/match")[2]) == {"share": 0.5}


def test_tags_are_those_of_the_request_else_drawn_by_the_seed(ask):
    assert json.loads(ask("/api/runs")[2])[3]["tags"] == {"mic": ["close", "far"], "bend": [-1, 3]}
    drawn = json.loads(ask("/api/latent", {"run": 3, "seed": 1})[2])["tags"]
    assert drawn["mic"] == "close" and drawn["bend"] in (0.0, 0.5)

    def f0_hz(**tags):
        body = {"run": 3, "seed": 1, "pitch": 69, "tags": tags}
        return json.loads(ask("/api/render", body)[2])["curves"]["f0_hz"][0]

    assert f0_hz() == pytest.approx(440 * 2 ** (drawn["bend"] / 12), rel=1e-4)
    assert f0_hz(bend=3, mic="far") == pytest.approx(440 * 2 ** (10 / 12), rel=1e-4)


def test_a_seed_is_enough_and_edits_change_the_curves(ask):
    z = json.loads(ask("/api/latent", {"seed": 42})[2])["z"]
    bodies = {"z": z, "seed": 42}, {"seed": 42}, {"seed": 43}
    by_z, by_seed, other = (audio_of(ask("/api/render", body))[0] for body in bodies)
    np.testing.assert_allclose(by_seed, by_z, atol=1e-3)
    assert np.abs(by_seed - other).max() > 0.01
    body = {"z": Z, "pitch": 60, "seconds": 1.0}
    edits = {"f0_semitones": [0, 12], "noise_db": [-20], "harmonics_db": [-60, 0, 0, 0, 0, 0]}
    bodies = body, body | {"edits": edits}
    plain, drawn = (json.loads(ask("/api/render", each)[2])["curves"] for each in bodies)
    assert drawn["f0_hz"][0] == pytest.approx(plain["f0_hz"][0], rel=1e-4)
    assert drawn["f0_hz"][-1] == pytest.approx(2 * plain["f0_hz"][-1], rel=1e-4)
    assert np.subtract(plain["noise_db"], drawn["noise_db"]) == pytest.approx(20.0, abs=0.01)
    change = np.subtract(drawn["harmonics_db"], plain["harmonics_db"])
    assert change == pytest.approx([-60, 0, 0, 0, 0, 0], abs=0.01)


def test_downloads(ask, tmp_path):
    for bits, subtype in ((16, "PCM_16"), (24, "PCM_24"), (32, "FLOAT")):
        body = {"z": Z, "seconds": 0.5, "bits": bits, "sample_rate": 48000}
        status, headers, data = ask("/api/wav", body)
        found = soundfile.info(io.BytesIO(data))
        assert (status, found.subtype, found.samplerate) == (200, subtype, 48000)
        assert found.frames == 24000 and 'filename="flute.wav"' in headers["content-disposition"]
    data = ask("/api/controls", {"z": Z, "seconds": 0.5, "pitch": 60})[2]
    (tmp_path / "c.npz").write_bytes(data)
    assert load_controls(tmp_path / "c.npz")["n_samples"] == 8000


def test_an_instrument_covers_every_key_once(ask):
    data = ask("/api/instrument", {"z": Z, "pitch": 60})[2]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist()) - {"instrument.sfz"}
        lines = archive.read("instrument.sfz").decode().splitlines()
        for name in names:
            assert soundfile.info(io.BytesIO(archive.read(name))).frames > 0
    regions = [dict(w.split("=") for w in x.split()) for x in lines if x.startswith("lokey")]
    keys = [k for r in regions for k in range(int(r["lokey"]), int(r["hikey"]) + 1)]
    assert sorted(keys) == list(range(128))
    assert {f"samples/{x[7:]}" for x in lines if x.startswith("sample=")} == names
    pads = [{"run": 1, "z": Z, "label": i} for i in range(3)]
    kit = ask("/api/instrument", {"run": 1, "pads": pads})[2]
    with zipfile.ZipFile(io.BytesIO(kit)) as archive:
        # Cymbal, kick and snare: each on its General MIDI keys.
        played = {int(path[8:11]) for path in archive.namelist() if path.startswith("samples/")}
    assert {35, 36, 38, 42, 46, 49, 57} <= played
    kit = ask("/api/instrument", {"run": 1, "pads": pads[1:2] * 4})[2]
    with zipfile.ZipFile(io.BytesIO(kit)) as archive:
        assert len(archive.namelist()) == 1 + 4
