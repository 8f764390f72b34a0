"""Import of ddsp 3.7.0, an optional dependency.

Its requirements can't be met beside today's TensorFlow, so it is no extra; alone it runs:

    pip install --no-deps --requirement constraints/ddsp.txt

It serves as the reference in parity tests and benchmarks, and its processors can stand in a
generator's config.
"""

import importlib
import importlib.util
import sys
import types

from noisygan.errors import UsageError

HOW_TO_INSTALL = "pip install --no-deps ddsp==3.7.0"


def is_installed():
    """True if `load` would find ddsp; imports nothing."""
    return "ddsp" in sys.modules or importlib.util.find_spec("ddsp") is not None


def load():
    """Import ddsp, without CREPE if that is not installed.

    ddsp imports `crepe` for its F0 analysis and needs it for nothing else. An empty module stands
    in while ddsp is imported and is gone afterwards, so nothing else can take it for CREPE.

    Returns:
      The module ddsp, with its core, synths, effects, losses and spectral_ops.

    Raises:
      UsageError: if ddsp is not installed, or can't be imported.
    """
    if not is_installed():
        raise UsageError(f"ddsp is not installed; expected it from `{HOW_TO_INSTALL}`")
    stands_in = "crepe" not in sys.modules and importlib.util.find_spec("crepe") is None
    if stands_in:
        sys.modules["crepe"] = types.ModuleType("crepe", "Stands in for CREPE, which is absent.")
    try:
        return importlib.import_module("ddsp")
    except ImportError as error:
        raise UsageError(f"ddsp can't be imported: {error}") from error
    finally:
        if stands_in:
            del sys.modules["crepe"]
