"""NumPy archives (.npz) from anybody: read without pickle, sizes known before memory is taken.

`numpy.load` allocates what a header promises, and a zip file of a few kilobytes can promise, and
hold, terabytes. Here an archive's directory and each array's header are read first.
"""

import math
import os
import tokenize
import zipfile
import zlib

import numpy as np

MAX_ENTRIES = 1000
MAX_BYTES = 256 << 20

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# What zipfile and NumPy raise for files that are something else, or damaged.
_UNREADABLE = (
    *(EOFError, AttributeError, NotImplementedError, RuntimeError, MemoryError, SyntaxError),
    *(TypeError, LookupError, OverflowError, zipfile.BadZipFile, zlib.error),
    tokenize.TokenError,
)


def read_arrays(path, max_bytes=MAX_BYTES):
    """The arrays of an archive.

    Args:
      path: Path of a .npz file.
      max_bytes: How many its arrays may take together.

    Returns:
      dict of name -> array of numbers, truth values or text.

    Raises:
      OSError: if it cannot be read.
      ValueError: if it is no such archive, or holds too much; the message says what.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise ValueError(f"it holds {len(entries)} entries, at most {MAX_ENTRIES} expected")
            n_bytes = sum(entry.file_size for entry in entries)
            if n_bytes > max_bytes:
                raise ValueError(
                    f"it unpacks to {n_bytes / 2**20:.0f} MB, at most {max_bytes >> 20} expected"
                )
            arrays = {}
            for entry in entries:
                name = entry.filename.removesuffix(".npy")
                if name in arrays:
                    raise ValueError(f"it holds {name[:40]!r} twice")
                with archive.open(entry) as file:
                    arrays[name] = _read_array(file, entry.file_size)
            return arrays
    except ValueError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error
    except _UNREADABLE as error:
        raise ValueError(f"it is no archive of arrays ({type(error).__name__})") from error


def read_array(path, max_bytes=MAX_BYTES):
    """A single array (.npy); arguments and errors as of `read_arrays`."""
    try:
        with open(path, "rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            if n_bytes > max_bytes:
                raise ValueError(f"it has more than {max_bytes >> 20} MB")
            return _read_array(file, n_bytes)
    except ValueError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error
    except _UNREADABLE as error:
        raise ValueError(f"it is no array ({type(error).__name__})") from error


def _read_array(file, n_bytes):
    """One array, whose header must promise just as many bytes as there are."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"an array in it has version {version} of NumPy's format")
    shape, is_fortran, kind = _HEADERS[version](file)
    if kind.kind not in "biufU" or kind.itemsize == 0:
        raise ValueError(f"an array in it has type {str(kind)[:40]}, numbers or text expected")
    promised = math.prod(shape) * kind.itemsize
    there = n_bytes - file.tell()
    if promised != there or any(n < 0 for n in shape):
        raise ValueError(f"an array in it promises {promised} bytes, {there} are there")
    data = file.read(promised)
    if len(data) != promised:
        raise ValueError("an array in it is cut off")
    if kind.kind == "U" and np.frombuffer(data, kind.byteorder + "u4").max(initial=0) > 0x10FFFF:
        raise ValueError("a text in it is none")
    array = np.frombuffer(data, kind).reshape(shape, order="F" if is_fortran else "C")
    return array.astype(kind.newbyteorder("="))
