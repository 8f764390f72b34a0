"""Imports point downward only, between packages and within `noisygan`, and form no cycles.

cli -> studio -> comparison -> run -> reports -> evaluation, matching, export -> rendering ->
training -> generators, losses, data -> metrics, audio_io, config -> discriminators -> synths, cppn.
`synths.compat` is above `synths`.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("synths", "cppn", "discriminators", "noisygan")

# From the bottom up. A package may import those of lower layers, and the others of its own layer
# are not for it.
LAYERS = (
    ("synths", "cppn"),
    ("synths.compat", "discriminators"),
    ("noisygan.errors", "noisygan.tensorflow_import"),
    (
        "noisygan.archives",
        "noisygan.ddsp_package",
        "noisygan.files",
        "noisygan.progress",
        "noisygan.web",
    ),
    ("noisygan.metrics", "noisygan.audio_io", "noisygan.config"),
    ("noisygan.generators", "noisygan.losses", "noisygan.data", "noisygan.demo"),
    ("noisygan.training",),
    ("noisygan.rendering",),
    ("noisygan.evaluation", "noisygan.matching", "noisygan.export"),
    ("noisygan.reports",),
    ("noisygan.run",),
    ("noisygan.comparison",),
    ("noisygan.studio",),
    ("noisygan.cli",),
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}

# Formulas and layers are composed by gin files and know nothing of gin.
WITHOUT_GIN = ("synths", "cppn", "discriminators")
# The root: the version, and names that are loaded on first use.
ROOT_MODULES = ("noisygan", "noisygan.__main__")


def module_name(path):
    """Dotted name of a file below the root, a package's without `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(source, module, is_package=False):
    """List what a module imports when it runs, `from a import b` as 'a.b'.

    Args:
      source: Python text.
      module: Dotted name of the module, for relative imports.
      is_package: Whether it is an `__init__.py`.
    """
    nodes = list(ast.walk(ast.parse(source)))
    for_types = {
        id(child)
        for node in nodes
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    names = []
    for node in nodes:
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            level = node.level - is_package
            base = module.split(".")[: -level or None] if node.level else []
            base += [node.module] if node.module else []
            names += [".".join([*base, alias.name]) for alias in node.names]
    return names


def package_of(name):
    """The entry of LAYERS that a dotted name belongs to, or None."""
    parts = name.split(".")
    return next((".".join(parts[:n]) for n in (2, 1) if ".".join(parts[:n]) in LAYER_OF), None)


def forbidden(source, module, is_package=False):
    """Imports of a module that point upward or sideways, to tests or benchmarks, or to gin."""
    own = package_of(module)
    wrong = []
    for name in imported_names(source, module, is_package):
        top, other = name.split(".")[0], package_of(name)
        if (
            top in ("tests", "benchmarks")
            or (top == "gin" and own in WITHOUT_GIN)
            or other
            and other != own
            and LAYER_OF[other] >= LAYER_OF[own]
        ):
            wrong.append(name)
    return wrong


def sources():
    """(dotted name, whether it is a package, text) of every module in the packages."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield module_name(path), path.name == "__init__.py", path.read_text(encoding="utf-8")


def test_every_module_has_a_layer():
    names = {name for name, _, _ in sources()} - set(ROOT_MODULES)
    assert not {name for name in names if package_of(name) is None}
    assert set(LAYER_OF) <= names


def test_imports_point_downward():
    wrong = {
        name: found
        for name, is_package, text in sources()
        if name not in ROOT_MODULES and (found := forbidden(text, name, is_package))
    }
    assert not wrong


def test_no_import_cycles_between_files():
    modules = {name: (is_package, text) for name, is_package, text in sources()}
    graph = {}
    for name, (is_package, text) in modules.items():
        imported = imported_names(text, name, is_package)
        targets = {n if n in modules else n.rpartition(".")[0] for n in imported}
        # What `noisygan` itself offers is loaded on first use.
        graph[name] = {n for n in targets if n in modules and n != name} - {"noisygan"}
    assert cycles(graph) == []


def cycles(graph):
    """Strongly connected components of more than one node, as sorted lists (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_cycles_are_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert cycles({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize(
    ("module", "source", "n_wrong"),
    [
        ("synths.units", "import tensorflow as tf\nfrom synths import errors", 0),
        ("synths.units", "def f():\n    from cppn import CPPN", 1),
        ("synths.units", "import gin", 1),
        ("synths.kernels.cpu", "from ... import noisygan", 0),
        ("synths.kernels.cpu", "from noisygan.run import Run", 1),
        ("synths.graph", "from synths.compat.ddsp import dags", 1),
        ("synths.compat.ddsp", "import gin\nfrom synths import graph", 0),
        ("discriminators.front_ends", "from synths import spectral", 0),
        ("noisygan.config", "import gin\nimport synths.effects", 0),
        ("noisygan.metrics.pitch", "from noisygan.data import dataset", 1),
        ("noisygan.training.step", "from noisygan import losses, config", 0),
        ("noisygan.training.step", "from noisygan import rendering", 1),
        ("noisygan.evaluation.report", "from noisygan.matching import target", 1),
        ("noisygan.run", "from noisygan.reports import run_report", 0),
        ("noisygan.config", "from benchmarks.note_quality import main", 1),
    ],
)
def test_the_check_itself(module, source, n_wrong):
    assert len(forbidden(source, module)) == n_wrong


def test_tensorflow_is_not_imported():
    modules = "noisygan.cli.main, noisygan.data, noisygan.demo, noisygan.run"
    heavy = ["tensorflow", "tf_keras", "keras", "tensorflow_probability", "librosa", "matplotlib"]
    program = f"import sys, {modules}\nprint(*[name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == []
