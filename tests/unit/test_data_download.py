"""Downloads: broken connections go on, wrong files are thrown away, unsafe archives are refused."""

import contextlib
import dataclasses
import hashlib
import http.server
import io
import socket
import tarfile
import threading

import numpy as np
import pytest

from noisygan.data import download
from noisygan.errors import RunError, UsageError


class Server(http.server.ThreadingHTTPServer):
    """Serves `content`, each answer by the next of `plan`; then as it should be.

    Attributes:
      plan: list of dicts: cut (bytes after which the connection is closed), status, ignore_range,
        headers (which replace the right ones).
      asked: list of the Range headers that came, or None.
    """

    content = b""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan, self.asked = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/notes.tar"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        step = server.plan.pop(0) if server.plan else {}
        if "status" in step:
            self.send_error(step["status"])
            return
        begin = 0
        if self.headers.get("Range") and not step.get("ignore_range"):
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        total = len(server.content)
        headers = {"Content-Length": str(total - begin)}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{total - 1}/{total}"
        self.send_response(206 if begin else 200)
        for name, value in (headers | step.get("headers", {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(server.content[begin : begin + step.get("cut", total)])
        self.wfile.flush()
        if step.get("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()

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
def server(running):
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


def archive_of(server):
    digest = hashlib.sha256(server.content).hexdigest()
    return download.Archive("notes", server.url, len(server.content), digest)


def get(server, out, **changes):
    waited = []
    archive = dataclasses.replace(archive_of(server), **changes)
    return *download.get(archive, out, sleep=waited.append), waited


def test_an_archive_is_fetched_unpacked_and_removed(server, tmp_path):
    folder, is_new, _ = get(server, tmp_path / "out")
    assert is_new and folder == tmp_path / "out" / "notes"
    assert (folder / "audio" / "a.wav").read_bytes() == b"one"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"notes", ".lock"}
    assert get(server, tmp_path / "out")[1] is False
    assert len(server.asked) == 1


def test_compressed_archives_are_unpacked(server, tmp_path):
    server.content = tar({"./yes/a.wav": b"one"}, "w:gz")
    folder, *_ = get(server, tmp_path)
    assert (folder / "yes" / "a.wav").read_bytes() == b"one"


@pytest.mark.parametrize("reset", [False, True])
def test_cut_connections_are_taken_up_where_they_were(server, tmp_path, reset):
    server.plan = [{"cut": 1000, "reset": reset}, {"cut": 0}, {"cut": 5000}, {"cut": 1}]
    folder, _, waited = get(server, tmp_path)
    assert len((folder / "b.json").read_bytes()) == 10**5
    begins = [int(asked.removeprefix("bytes=")[:-1]) for asked in server.asked[1:]]
    assert begins == sorted(begins) and begins[-1] <= 6001
    if not reset:
        assert begins == [1000, 1000, 6000, 6001]
    assert len(waited) == 4


def test_any_number_of_cuts_is_borne_while_bytes_come(server, tmp_path):
    server.plan = [{"cut": 1000}] * (3 * download.MAX_ATTEMPTS)
    _, _, waited = get(server, tmp_path)
    assert waited == [1.0] * (3 * download.MAX_ATTEMPTS)


def test_a_later_run_goes_on_from_the_bytes_that_are_here(server, tmp_path):
    server.plan = [{"cut": 3000}] + [{"status": 503}] * download.MAX_ATTEMPTS
    with pytest.raises(RunError, match="503 .* times on end; 3000 of .* goes on from there"):
        get(server, tmp_path)
    assert (tmp_path / "notes.tar.part").stat().st_size == 3000
    server.asked.clear()
    server.plan = []
    folder, *_ = get(server, tmp_path)
    assert server.asked == ["bytes=3000-"]
    assert (folder / "audio" / "a.wav").read_bytes() == b"one"


def test_a_server_that_knows_no_ranges_begins_again(server, tmp_path):
    server.plan = [{"cut": 3000}, {"ignore_range": True}]
    folder, *_ = get(server, tmp_path)
    assert len((folder / "b.json").read_bytes()) == 10**5


def test_waits_grow_and_end(server, tmp_path):
    waited = []
    server.plan = [{"cut": 0}] * 100
    with pytest.raises(RunError, match="8 times on end; 0 of"):
        download.get(archive_of(server), tmp_path, sleep=waited.append)
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]


def test_a_missing_file_is_not_asked_for_again(server, tmp_path):
    server.plan = [{"status": 404}]
    with pytest.raises(RunError, match="the server answers 404"):
        get(server, tmp_path)
    assert len(server.asked) == 1


def test_other_bytes_are_thrown_away(server, tmp_path):
    with pytest.raises(RunError, match="expected 00ff; what came was removed"):
        get(server, tmp_path, sha256="00ff")
    assert {path.name for path in tmp_path.iterdir()} == {".lock"}


def test_damage_in_what_an_earlier_run_fetched_is_found(server, tmp_path):
    (tmp_path / "notes.tar.part").write_bytes(bytes(3000))
    with pytest.raises(RunError, match="SHA-256"):
        get(server, tmp_path)
    assert not (tmp_path / "notes").exists()


def test_another_size_is_refused_before_it_is_fetched(server, tmp_path):
    with pytest.raises(RunError, match=f"has {len(server.content)} bytes on the server"):
        get(server, tmp_path, n_bytes=len(server.content) + 1)
    assert (tmp_path / "notes.tar.part").stat().st_size == 0


def test_another_part_than_asked_for_is_not_taken(server, tmp_path):
    wrong = {"headers": {"Content-Range": f"bytes 7-9/{len(server.content)}"}}
    server.plan = [{"cut": 3000}, wrong, wrong]
    folder, *_ = get(server, tmp_path)
    assert (folder / "audio" / "a.wav").read_bytes() == b"one"


def test_progress_ends_with_all_bytes(server, tmp_path):
    told = []
    server.plan = [{"cut": 3000}]
    download.get(archive_of(server), tmp_path, lambda *n: told.append(n), sleep=lambda _: None)
    assert told == sorted(told) and told[-1] == (len(server.content), len(server.content))


def test_a_full_disk_is_told_before(server, tmp_path):
    with pytest.raises(UsageError, match="GB left, notes.tar wants 2000000000.0 GB"):
        get(server, tmp_path, n_bytes=10**18)
    assert not server.asked


def test_what_another_run_finished_meanwhile_is_not_fetched(server, tmp_path, monkeypatch):
    real = download.folder_lock

    def held(folder, instead):
        (folder / "notes").mkdir()
        return real(folder, instead)

    monkeypatch.setattr(download, "folder_lock", held)
    assert get(server, tmp_path)[:2] == (tmp_path / "notes", False)
    assert not server.asked


def test_two_downloads_into_one_folder(server, tmp_path):
    with download.folder_lock(tmp_path, "wait"), pytest.raises(UsageError, match="another run"):
        get(server, tmp_path)


class TestUnsafe:
    @staticmethod
    def refused(tmp_path, member, content=b""):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            good = tarfile.TarInfo("good.wav")
            archive.addfile(good)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        path = tmp_path / "in" / "x.tar"
        path.parent.mkdir()
        path.write_bytes(stream.getvalue())
        with pytest.raises(RunError, match="nothing was unpacked"):
            download.unpack(path, path.parent / "x")
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
        assert [path.name for path in path.parent.iterdir()] == ["x.tar"]

    @pytest.mark.parametrize(
        "name", ["/tmp/evil", "../evil", "a/../../evil", "..", "C:evil", "a\\..\\..\\evil"]
    )
    def test_names_outside(self, tmp_path, name):
        self.refused(tmp_path, tarfile.TarInfo(name), b"evil")

    @pytest.mark.parametrize(
        "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
    )
    def test_links_and_devices(self, tmp_path, kind):
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "good.wav"
        self.refused(tmp_path, member)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_cut_off_archives_are_refused_and_leave_nothing(tmp_path, mode):
    whole = tar({"a.wav": bytes(10**5), "b.wav": np.random.default_rng(0).bytes(10**5)}, mode)
    path = tmp_path / "x.tar"
    for length in (0, 100, len(whole) // 3, len(whole) - 20000):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match="cannot be unpacked"):
            download.unpack(path, tmp_path / "x")
        assert [path.name for path in tmp_path.iterdir()] == ["x.tar"]


def test_a_name_twice_is_refused(tmp_path):
    stream = io.BytesIO()
    with contextlib.closing(tarfile.open(fileobj=stream, mode="w")) as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("a.wav"))
    (tmp_path / "x.tar").write_bytes(stream.getvalue())
    with pytest.raises(RunError, match="cannot be unpacked"):
        download.unpack(tmp_path / "x.tar", tmp_path / "x")


def test_prepare_reads_nsynth_as_it_is_unpacked(server, tmp_path):
    from noisygan.data.prepare import example, sources

    note = {"audio": np.zeros(64000, np.float32), "pitch": [60], "instrument_str": b"flute_0"}
    stream = io.BytesIO()
    example.write_frame(stream, example.encode(note))
    for split in ("test", "valid"):
        server.content = tar({f"part.tfrecord-{i:05d}-of-00002": stream.getvalue() for i in (0, 1)})
        archive = dataclasses.replace(archive_of(server), folder=f"nsynth-{split}")
        download.get(archive, tmp_path, sleep=lambda _: None)
    found = [source for source in sources.list_sources(tmp_path, None) if source.reader]
    assert sorted(source.split for source in found) == ["test", "test", "valid", "valid"]


def test_the_known_archives_are_stated_whole():
    for archives in download.SETS.values():
        for archive in archives.values():
            assert len(bytes.fromhex(archive.sha256)) == 32 and archive.n_bytes > 10**9
            assert archive.url.startswith("http") and ".tar" in archive.name
