"""Download data sets: archives of known size and checksum, resumed where a connection broke."""

import os
import shutil
import tarfile
import time
import zlib
from pathlib import Path
from typing import NamedTuple

from noisygan.errors import RunError, UsageError
from noisygan.files import atomic_folder, folder_lock, make_folder

# Attempts in a row that bring no byte, and the longest wait between them.
MAX_ATTEMPTS, MAX_WAIT_SECONDS = 8, 60.0

_TIMEOUT_SECONDS = 60.0

# Bytes that are received at a time; of a broken connection at most these are lost.
BLOCK_BYTES = 1 << 16


class Archive(NamedTuple):
    """A tar file on a server: the folder it is unpacked into, its address, size and checksum."""

    folder: str
    url: str
    n_bytes: int
    sha256: str

    @property
    def name(self):
        """Name of the file."""
        return self.url.rsplit("/", 1)[-1]


_NSYNTH = "http://download.magenta.tensorflow.org/datasets/nsynth/nsynth-{}.tfrecord.tar"

# Sizes and checksums as tensorflow/datasets states them (url_checksums/).
_NSYNTH_FILES = {
    "train": (
        74159943680,
        "09149ea1420f01a65de10a310b9e94ecc74f1640b85f68fb9122bbca0b5d207a",
    ),
    "valid": (3250995200, "eb535520a9643db461c0cd177307d7fe691c32fe6a4da60fd23ac75f6e18ae07"),
    "test": (1050327040, "65df0d0ada540ca1983849a051cbec4d0d9c51900b6acb8a4c06492560680a71"),
}
SETS = {
    "nsynth": {
        split: Archive(f"nsynth-{split}", _NSYNTH.format(split), *stated)
        for split, stated in _NSYNTH_FILES.items()
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


def get(archive, out, progress=None):
    """Fetch an archive and unpack it, resuming where an earlier call stopped.

    Args:
      archive: Archive.
      out: Folder; the archive's own folder is made in it, and exists when all is done.
      progress: None, or a function called with (bytes here, bytes in all).

    Returns:
      (Path of the archive's folder, whether anything was done).

    Raises:
      UsageError: if another run writes to the folder, or the disk is too small.
      RunError: if it cannot be fetched, has another checksum, or contains what no archive of
        recordings needs: names outside of its folder, links that lead there, devices.
    """
    import pooch

    out = Path(out)
    folder, path = out / archive.folder, out / archive.name
    if folder.is_dir():
        return folder, False
    make_folder(out)
    with folder_lock(out):
        if folder.is_dir():
            return folder, False
        _check_space(archive, out)
        pooch.get_logger().setLevel("WARNING")
        downloads = pooch.create(
            out, "", registry={archive.name: archive.sha256}, urls={archive.name: archive.url}
        )
        try:
            downloads.fetch(archive.name, downloader=_Resumed(archive, out, progress))
        except ValueError as error:
            raise RunError(
                f"{archive.url} has another SHA-256 than {archive.sha256}; what was fetched is "
                "removed, run the same command again"
            ) from error
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror or error}") from error
        unpack(path, folder)
        path.unlink()
    return folder, True


def unpack(path, folder):
    """Unpack a tar file into a new folder, which gets its name when it is complete.

    Raises:
      RunError: if the file is no whole tar file, or contains names outside of its folder, links
        that lead there, or devices.
    """
    try:
        with atomic_folder(folder) as part, tarfile.open(path) as archive:
            archive.extractall(part, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise RunError(
            f"{path} cannot be unpacked ({error}); remove it and run the same command again"
        ) from error


class _Resumed:
    """Downloader for pooch that keeps what arrived in `<name>.part` until it is complete."""

    def __init__(self, archive, out, progress):
        self.archive, self.part = archive, out / f"{archive.name}.part"
        self.progress = progress

    def __call__(self, url, output_file, pooch):
        import requests

        n_failures = 0
        while (before := self._n_bytes()) < self.archive.n_bytes:
            try:
                self._receive(url, before)
                problem = "the connection ended early"
            except requests.HTTPError as error:
                problem = f"the server answers {error}"
                if error.response.status_code < 500 and error.response.status_code != 429:
                    n_failures = MAX_ATTEMPTS
            except requests.RequestException as error:
                problem = str(error) or type(error).__name__
            n_here = self._n_bytes()
            n_failures = n_failures + 1 if n_here <= before else 1
            if n_here < self.archive.n_bytes:
                if n_failures >= MAX_ATTEMPTS:
                    raise RunError(
                        f"{url}: {problem}; {n_here} of {self.archive.n_bytes} bytes are here, the "
                        "same command resumes there; or put the file into the folder yourself"
                    )
                time.sleep(min(MAX_WAIT_SECONDS, 2.0 ** (n_failures - 1)))
        os.replace(self.part, output_file)

    def _n_bytes(self):
        return self.part.stat().st_size if self.part.is_file() else 0

    def _receive(self, url, n_here):
        """Append to the part what one connection gives."""
        import requests

        headers = {"User-Agent": "noisygan", "Range": f"bytes={n_here}-"} if n_here else {}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as answer:
            answer.raise_for_status()
            resumes = answer.headers.get("Content-Range", "").startswith(f"bytes {n_here}-")
            n_here = n_here if resumes else 0
            length = answer.headers.get("Content-Length")
            total = self.archive.n_bytes if length is None else n_here + int(length)
            if total != self.archive.n_bytes:
                raise RunError(
                    f"{url} has {total} bytes on the server, expected {self.archive.n_bytes}; it "
                    "is another archive than this version of noisygan knows"
                )
            with open(self.part, "ab" if resumes else "wb") as file:
                for block in answer.iter_content(BLOCK_BYTES):
                    file.write(block)
                    n_here += len(block)
                    if self.progress is not None:
                        self.progress(n_here, self.archive.n_bytes)


def _check_space(archive, out):
    part = out / f"{archive.name}.part"
    here = part.stat().st_size if part.is_file() else 0
    # The archive itself, and as much or, where it is compressed, twice as much when unpacked.
    wanted = archive.n_bytes * (3 if archive.name.endswith("gz") else 2) - here
    free = shutil.disk_usage(out).free
    if free < wanted:
        raise UsageError(
            f"{out} has {free / 1e9:.1f} GB left, {archive.name} needs {wanted / 1e9:.1f} GB until "
            "it is unpacked; choose another folder or make room"
        )
