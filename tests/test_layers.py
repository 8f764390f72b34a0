"""The house stands: imports run downward only, and asking for help does not start TensorFlow.

noisygan -> discriminators -> synths.spectral
noisygan -> cppn, synths
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("synths", "cppn", "discriminators", "noisygan")

# What each room may import of ours besides itself: a module, or all that is in it.
MAY_IMPORT = {
    "synths": (),
    "cppn": (),
    "discriminators": ("synths.spectral",),
    "noisygan": ("synths", "cppn", "discriminators"),
}

# Formulas and layers are composed by gin files and know nothing of gin.
GROUND_FLOORS = ("synths", "cppn", "discriminators")


def imported_names(source, module):
    """Full dotted names that a module's source imports, `from a import b` giving 'a.b'.

    Args:
      source: Python text.
      module: Dotted name of the module (a package's with '.__init__'), for relative imports.
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            base += [node.module] if node.module else []
            names += [".".join([*base, alias.name]) for alias in node.names]
    return names


def forbidden(source, module):
    """Those imports of a module that run upward, sideways or to gin."""
    room = module.split(".")[0]
    wrong = []
    for name in imported_names(source, module):
        top = name.split(".")[0]
        allowed = (room, *MAY_IMPORT[room])
        is_ours = top in (*ROOMS, "tests", "benchmarks")
        if is_ours and not any(f"{name}.".startswith(f"{each}.") for each in allowed):
            wrong.append(name)
        if top == "gin" and room in GROUND_FLOORS:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_downward(room):
    paths = sorted((ROOT / room).rglob("*.py"))
    assert paths
    wrong = {}
    for path in paths:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found = forbidden(path.read_text(encoding="utf-8"), module)
        if found:
            wrong[str(path.relative_to(ROOT))] = found
    assert not wrong


@pytest.mark.parametrize(
    ("module", "source", "n_wrong"),
    [
        ("synths.units", "import tensorflow as tf\nfrom synths import errors", 0),
        ("synths.units", "import noisygan", 1),
        ("synths.units", "def f():\n    from cppn import CPPN", 1),
        ("synths.units", "import gin", 1),
        ("synths.kernels.cpu", "from .. import units\nfrom . import gpu", 0),
        ("synths.kernels.cpu", "from ... import noisygan", 1),
        ("cppn.networks", "from synths.units import hz_to_midi", 1),
        ("discriminators.views", "from synths import spectral", 0),
        ("discriminators.views", "from synths.spectral import stft, mfcc", 0),
        ("discriminators.views", "from synths import spectral_shapes", 1),
        ("discriminators.views", "from synths.units import hz_to_midi, midi_to_hz", 2),
        ("discriminators.views", "import synths", 1),
        ("noisygan.config", "import gin\nimport synths.effects, cppn, discriminators.mfcc", 0),
        ("noisygan.config", "from tests import conftest", 1),
        ("noisygan.config", "from benchmarks.note_quality import main", 1),
    ],
)
def test_the_check_itself(module, source, n_wrong):
    assert len(forbidden(source, module)) == n_wrong


@pytest.mark.parametrize(
    "modules",
    ["noisygan", "noisygan.cli, noisygan.cli.main", "noisygan.data, noisygan.demo"],
)
def test_tensorflow_is_not_imported(modules):
    heavy = ["tensorflow", "tf_keras", "keras", "tensorflow_probability", "librosa", "matplotlib"]
    program = f"import sys, {modules}\nprint(*[name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == []
