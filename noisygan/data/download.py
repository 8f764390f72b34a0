"""Fetching data sets: archives of known size and checksum, resumed where a connection broke off."""

import dataclasses
import hashlib
import http.client
import os
import re
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path, PurePosixPath

from noisygan.errors import RunError, UsageError
from noisygan.files import feed, folder_lock, make_folder

# Attempts on end that bring not one byte, and the longest wait between them.
MAX_ATTEMPTS = 8
MAX_WAIT_SECONDS = 60.0

_TIMEOUT_SECONDS = 60.0
_BLOCK = 1 << 20

# Answers after which another attempt may succeed.
_PASSING = (408, 429, 500, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Archive:
    """A tar file on a server.

    Attributes:
      folder: Name of the folder that it is unpacked into.
      url: Where it is.
      n_bytes: Its size.
      sha256: Its checksum, hex.
    """

    folder: str
    url: str
    n_bytes: int
    sha256: str

    @property
    def name(self):
        """Name of the file."""
        return self.url.rsplit("/", 1)[-1]


def _nsynth(split, n_bytes, sha256):
    base = "http://download.magenta.tensorflow.org/datasets/nsynth"
    return Archive(f"nsynth-{split}", f"{base}/nsynth-{split}.tfrecord.tar", n_bytes, sha256)


# Sizes and checksums as tensorflow/datasets states them (url_checksums/).
SETS = {
    "nsynth": {
        "train": _nsynth(
            "train",
            74159943680,
            "09149ea1420f01a65de10a310b9e94ecc74f1640b85f68fb9122bbca0b5d207a",
        ),
        "valid": _nsynth(
            "valid",
            3250995200,
            "eb535520a9643db461c0cd177307d7fe691c32fe6a4da60fd23ac75f6e18ae07",
        ),
        "test": _nsynth(
            "test",
            1050327040,
            "65df0d0ada540ca1983849a051cbec4d0d9c51900b6acb8a4c06492560680a71",
        ),
    },
    "speech_commands": {
        "all": Archive(
            "speech_commands_v0.02",
            "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            2428923189,
            "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        ),
    },
}


def get(archive, out, progress=None, sleep=time.sleep):
    """Fetches an archive and unpacks it, going on where an earlier call stopped.

    Args:
      archive: Archive.
      out: Folder; the archive's own folder is made in it, and is there when all is done.
      progress: None, or a function called with (bytes here, bytes in all).
      sleep: Waits some seconds.

    Returns:
      (Path of the archive's folder, whether anything was done).

    Raises:
      UsageError: if another run writes to the folder, or the disk is too small.
      RunError: if it cannot be fetched, is another one than expected, or holds what no archive of
        recordings needs to hold.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; expected a folder")
    folder, path = out / archive.folder, out / archive.name
    if folder.is_dir():
        return folder, False
    make_folder(out)
    with folder_lock(out, "choose another --out"):
        try:
            if folder.is_dir():  # Another run has finished it since.
                return folder, False
            if not path.is_file():
                _check_space(archive, out)
                fetch(archive, path, progress, sleep)
            unpack(path, folder)
            path.unlink()
        except OSError as error:
            raise RunError(f"{out} cannot be written: {error.strerror or error}") from error
    return folder, True


def fetch(archive, path, progress=None, sleep=time.sleep):
    """Fetches an archive into a file, which gets its name when its checksum is right.

    Args:
      archive: Archive.
      path: The file; what there is of it lies beside it, ending in `.part`.
      progress, sleep: As of `get`.

    Raises:
      RunError: if the server does not give it, or gives another one.
    """
    part = path.with_name(f"{path.name}.part")
    digest = _digest_of(part, archive)
    n_failures = 0
    with open(part, "ab", buffering=0) as file:
        while file.tell() < archive.n_bytes:
            before = file.tell()
            try:
                digest = _receive(archive, file, digest, progress)
                problem = "the connection ended early"
            except urllib.error.HTTPError as error:
                if error.code not in _PASSING:
                    raise RunError(
                        f"{archive.url}: the server answers {error.code} ({error.reason}); try "
                        "again later, or fetch the file yourself and put it into the folder"
                    ) from error
                problem = f"the server answers {error.code} ({error.reason})"
            except (OSError, http.client.HTTPException) as error:
                problem = str(getattr(error, "reason", error)) or type(error).__name__
            if file.tell() == archive.n_bytes:
                break
            n_failures = 1 if file.tell() > before else n_failures + 1
            if n_failures >= MAX_ATTEMPTS:
                raise RunError(
                    f"{archive.url}: {problem}, {n_failures} times on end; {file.tell()} of "
                    f"{archive.n_bytes} bytes are here, the same command goes on from there"
                )
            sleep(min(MAX_WAIT_SECONDS, 2.0 ** (n_failures - 1)))
    if digest.hexdigest() != archive.sha256:
        part.unlink()
        raise RunError(
            f"{archive.url} came with SHA-256 {digest.hexdigest()}, expected {archive.sha256}; "
            "what came was removed, run the same command again"
        )
    os.replace(part, path)


def unpack(path, folder):
    """Unpacks a tar file into a folder, which gets its name when all is in it.

    Args:
      path: The tar file, compressed or not.
      folder: Path of the folder; it must not exist.

    Raises:
      RunError: if the file is no whole tar file, or holds anything but plain files and folders
        below its own folder: absolute names, `..`, links, devices.
    """
    part = folder.with_name(f".{folder.name}.part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir()
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                target = part / _safe_name(member, path)
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.extractfile(member) as source, open(target, "xb") as file:
                    shutil.copyfileobj(source, file, _BLOCK)
                if target.stat().st_size != member.size:
                    raise EOFError(f"{member.name} is cut off")
    except (tarfile.TarError, EOFError, zlib.error, FileExistsError) as error:
        shutil.rmtree(part)
        raise RunError(
            f"{path} cannot be unpacked ({error}); remove it and run the same command again"
        ) from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(folder)


def _safe_name(member, path):
    """A member's path below the folder that is unpacked into."""
    name = PurePosixPath(member.name)
    unsafe = None
    if not (member.isreg() or member.isdir()):
        unsafe = "is neither a file nor a folder"
    elif name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name:
        unsafe = "lies outside of the archive's folder"
    elif "\0" in member.name:
        unsafe = "has an impossible name"
    if unsafe:
        raise RunError(
            f"{path}: the member {member.name!r} {unsafe}; nothing was unpacked, remove the file: "
            "it is no archive of recordings"
        )
    return name


def _check_space(archive, out):
    part = out / f"{archive.name}.part"
    here = part.stat().st_size if part.is_file() else 0
    # The archive itself, and as much or, where it is compressed, twice as much when unpacked.
    wanted = archive.n_bytes * (3 if archive.name.endswith("gz") else 2) - here
    free = shutil.disk_usage(out).free
    if free < wanted:
        raise UsageError(
            f"{out} has {free / 1e9:.1f} GB left, {archive.name} wants {wanted / 1e9:.1f} GB until "
            "it is unpacked; choose another --out or make room"
        )


def _digest_of(part, archive):
    """SHA-256 so far of what an earlier call fetched; of nothing where that is too long."""
    digest = hashlib.sha256()
    if part.is_file():
        if part.stat().st_size > archive.n_bytes:
            part.unlink()
            return digest
        with open(part, "rb") as file:
            feed(digest, file)
    return digest


def _receive(archive, file, digest, progress):
    """Appends to a file what one connection gives.

    Returns:
      The digest of the whole file: a new one where the server begins from the first byte.
    """
    begin = file.tell()
    request = urllib.request.Request(archive.url, headers={"User-Agent": "noisygan"})
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
        total = _total(answer, begin)
        if total is not None and total != archive.n_bytes:
            raise RunError(
                f"{archive.url} has {total} bytes on the server, expected {archive.n_bytes}; it is "
                "another archive than this version of noisygan knows"
            )
        if begin and answer.status != 206:
            file.truncate(0)
            file.seek(0)
            digest = hashlib.sha256()
        while block := answer.read1(_BLOCK):
            block = block[: archive.n_bytes - file.tell()]
            if not block:
                break
            _write(file, block)
            digest.update(block)
            if progress is not None:
                progress(file.tell(), archive.n_bytes)
    return digest


def _write(file, block):
    """Writes; the disk's errors are not the connection's, after which another attempt is made."""
    try:
        file.write(block)
    except OSError as error:
        raise RunError(f"{file.name} cannot be written: {error.strerror}") from error


def _total(answer, begin):
    """Bytes of the whole file by what the server says, or None."""
    if answer.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if not match or int(match[1]) != begin:
            raise http.client.HTTPException("the server gives another part than was asked for")
        return int(match[2])
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None
