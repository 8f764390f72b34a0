"""Downloads: broken connections, wrong files, archives that reach out of their folder."""

import hashlib
import http.server
import io
import tarfile
import threading

import numpy as np
import pytest

from noisygan.data import download
from noisygan.errors import RunError, UsageError


class Server(http.server.ThreadingHTTPServer):
    """Serves `content`, each answer by the next of `plan`; then as it should be.

    Attributes:
      plan: list of dicts: cut (bytes after which the connection is closed), status, ignore_range.
      asked: list of the Range headers that came, or None.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.plan, self.asked = b"", [], []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        step = server.plan.pop(0) if server.plan else {}
        if "status" in step:
            self.send_error(step["status"])
            return
        begin = int(asked[6:-1]) if asked and not step.get("ignore_range") else 0
        total = len(server.content)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(total - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(server.content[begin : begin + step.get("cut", total)])

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def running():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def waits(monkeypatch):
    """Seconds that were waited between attempts."""
    waited = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    return waited


@pytest.fixture
def server(running, waits, monkeypatch):
    monkeypatch.setattr(download, "BLOCK_BYTES", 500)
    running.plan, running.asked = [], []
    running.content = tar({"audio/a.wav": b"one", "b.json": np.random.default_rng(0).bytes(10**5)})
    return running


def tar(files, mode="w"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def get(server, out, progress=None, **changes):
    digest = hashlib.sha256(server.content).hexdigest()
    url = f"http://127.0.0.1:{server.server_port}/notes.tar"
    archive = download.Archive("notes", url, len(server.content), digest)
    return download.get(archive._replace(**changes), out, progress)


def test_an_archive_is_fetched_unpacked_and_removed(server, tmp_path):
    told, out = [], tmp_path / "out"
    folder, is_new = get(server, out, lambda *n: told.append(n))
    assert is_new and folder == out / "notes"
    assert (folder / "audio" / "a.wav").read_bytes() == b"one"
    assert {path.name for path in out.iterdir()} <= {"notes", ".lock"}
    assert told == sorted(told) and told[-1] == (len(server.content), len(server.content))
    assert get(server, out)[1] is False and len(server.asked) == 1
    server.content = tar({"./yes/a.wav": b"two"}, "w:gz")
    folder, _ = get(server, tmp_path)
    assert (folder / "yes" / "a.wav").read_bytes() == b"two"


def test_cut_connections_resume(server, tmp_path, waits):
    server.plan = [{"cut": 1000}, {"cut": 0}, {"cut": 5000}, {"cut": 500}, {"ignore_range": True}]
    folder, _ = get(server, tmp_path)
    assert len((folder / "b.json").read_bytes()) == 10**5
    assert [int(asked[6:-1]) for asked in server.asked[1:]] == [1000, 1000, 6000, 6500]
    assert waits == [1.0, 2.0, 1.0, 1.0]


def test_a_later_call_resumes_after_too_many_failures(server, tmp_path, waits):
    server.plan = [{"cut": 3000}] + [{"status": 503}] * 20
    with pytest.raises(RunError, match=r"503.*3000 of"):
        get(server, tmp_path)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    server.asked.clear()
    server.plan = []
    folder, _ = get(server, tmp_path)
    assert server.asked == ["bytes=3000-"]
    assert (folder / "audio" / "a.wav").read_bytes() == b"one"


def test_what_is_not_the_archive_is_refused(server, tmp_path):
    server.plan = [{"status": 404}]
    with pytest.raises(RunError, match="404"):
        get(server, tmp_path)
    with pytest.raises(RunError, match=f"has {len(server.content)} bytes on the server"):
        get(server, tmp_path, n_bytes=len(server.content) + 1)
    assert len(server.asked) == 2
    (tmp_path / "notes.tar.part").write_bytes(bytes(3000))
    with pytest.raises(RunError, match="SHA-256"):
        get(server, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}


def test_full_disks_and_other_runs_are_refused_before(server, tmp_path):
    with pytest.raises(UsageError, match="GB left, notes.tar needs 2000000000.0 GB"):
        get(server, tmp_path, n_bytes=10**18)
    with download.folder_lock(tmp_path), pytest.raises(UsageError, match="another run"):
        get(server, tmp_path)
    assert not server.asked


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, tarfile.REGTYPE) for name in ("/tmp/evil", "../evil", "a/../../evil")),
        *(("link", kind) for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE)),
    ],
)
def test_nothing_is_written_outside_of_the_folder(tmp_path, name, kind):
    path = tmp_path / "in" / "x.tar"
    path.parent.mkdir()
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "../../evil"
    with tarfile.open(path, "w") as archive:
        archive.addfile(member, io.BytesIO())
    if name.startswith("/"):
        download.unpack(path, path.parent / "x")
        assert (path.parent / "x" / "tmp" / "evil").is_file()
    else:
        with pytest.raises(RunError, match="cannot be unpacked"):
            download.unpack(path, path.parent / "x")
        assert [each.name for each in path.parent.iterdir()] == ["x.tar"]
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_cut_off_archives_leave_nothing(tmp_path, mode):
    whole = tar({"a.wav": bytes(10**5), "b.wav": np.random.default_rng(0).bytes(10**5)}, mode)
    path = tmp_path / "x.tar"
    for length in (0, 100, len(whole) // 3, len(whole) - 20000):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match="cannot be unpacked"):
            download.unpack(path, tmp_path / "x")
        assert [each.name for each in tmp_path.iterdir()] == ["x.tar"]
