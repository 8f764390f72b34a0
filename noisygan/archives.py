"""Read NumPy files of unknown origin without pickle and within a memory limit."""

import contextlib
import os
import zipfile

import numpy as np


def read_arrays(path, max_bytes=256 << 20):
    """Read an archive of arrays (.npz), or one array (.npy).

    Args:
      path: Path of the file.
      max_bytes: Largest size of its arrays together.

    Returns:
      dict of name -> array of numbers, truth values or text; a .npy file's is named "array".

    Raises:
      OSError: if it cannot be read.
      ValueError: if it is something else, or holds more.
    """
    try:
        n_bytes = os.path.getsize(path)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                n_bytes = sum(entry.file_size for entry in archive.infolist())
        if n_bytes > max_bytes:
            raise ValueError(f"it holds {n_bytes >> 20} MB, at most {max_bytes >> 20} expected")
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            loaded = contextlib.nullcontext({"array": loaded})
        with loaded as arrays:
            found = {name: np.asarray(arrays[name]) for name in arrays}
    except OSError:
        raise
    except Exception as error:  # zipfile, zlib, tokenize and NumPy have many for damaged files
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error
    if any(array.dtype.kind not in "biufU" for array in found.values()):
        raise ValueError("it holds arrays of other types, numbers or text expected")
    return {name: array.astype(array.dtype.newbyteorder("=")) for name, array in found.items()}
