"""What a run's numbers depend on beside its config and recordings; no names of people or hosts."""

import contextlib
import hashlib
import os
import pathlib
import platform
import re
import subprocess

import noisygan
from noisygan import machine

_PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "numba", "gin-config")

# Environment variables that change what is computed, or how.
_FLAGS = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "NUMBA_DISABLE_JIT",
    "NUMBA_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "TF_CUDNN_USE_AUTOTUNE",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)

# Characters that stand around a path within an argument, for a regular expression's brackets.
_BESIDE_PATHS = r"\s=:;,\"'()\[\]{}<>|@"


def versions():
    """Versions of Python and of the packages that compute: dict, None for one that is missing."""
    return {"python": platform.python_version()} | {p: machine.version(p) for p in _PACKAGES}


def environment():
    """The machine, its threads, and the flags that are set.

    Returns:
      dict of platform, processor, cores that the process may use, accelerators, threads (of
      TensorFlow, 0: as it chooses, and of our kernels) and flags.
    """
    import tensorflow as tf

    from synths.kernels.threads import n_threads

    return {
        "platform": platform.platform(),
        "processor": machine.processor(),
        "cores": machine.n_cores(),
        "accelerators": machine.accelerators(),
        "threads": {
            "intra_op": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter_op": tf.config.threading.get_inter_op_parallelism_threads(),
            "kernels": n_threads(),
        },
        # A value with a path in it would tell whose machine this is.
        "flags": {n: os.environ[n] for n in _FLAGS if n in os.environ and "/" not in os.environ[n]},
    }


def git_state(folder=None):
    """The commit of the checkout that `noisygan` was imported from.

    Args:
      folder: Of the checkout; None: that of the package.

    Returns:
      dict of commit and changes (None, or a digest of how its files differ from the commit), or
      None where it is no checkout, or git is missing.
    """
    folder = pathlib.Path(folder or pathlib.Path(noisygan.__file__).parents[1])
    # A package in an environment that lies within someone's own repository is no checkout.
    if not (folder / ".git").exists():
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        changes = _git(folder, "diff", "HEAD", "--no-ext-diff")
        return {
            "commit": _git(folder, "rev-parse", "HEAD").decode().strip(),
            "changes": hashlib.sha256(changes).hexdigest()[:16] if changes else None,
        }
    return None


def _git(folder, *arguments):
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=10).stdout


def without_home(arguments):
    """A command line without the name of whose folder it was given in: ~ stands for home.

    Home is replaced where a path begins with it: at the start of an argument, or behind what
    stands before paths there, such as = in --data=DIR; not within /mnt/home/me or /home/meadow.

    Args:
      arguments: list of str.

    Returns:
      list of str.
    """
    home = str(pathlib.Path.home())
    if home in ("/", ""):
        return list(arguments)
    begins, ends = rf"(?:(?<=://)|(?<![^{_BESIDE_PATHS}]))", rf"(?![^/{_BESIDE_PATHS}])"
    own = re.compile(begins + re.escape(home) + ends)
    return [own.sub("~", argument) for argument in arguments]
