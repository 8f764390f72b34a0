"""Nothing that the installed package needs is missing from it, and the repository stays small.

`.ci/run` builds the wheel and uses it; these are the cheap checks that find most faults at once.
"""

import ast
import fnmatch
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from noisygan.demo import drums_folder, notes_folder

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("cppn", "discriminators", "noisygan", "synths")

# Where what is imported and what is installed have different names.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "gin": "gin-config",
    "google": "protobuf",
    "sklearn": "scikit-learn",
}


@functools.cache
def setup_lists():
    """The literals at the top of setup.py, by name."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    lists = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Dict)):
            lists[node.targets[0].id] = ast.literal_eval(node.value)
    return lists


def package_folder(package):
    return ROOT / setup_lists()["PACKAGE_DIR"].get(package, package.replace(".", "/"))


@functools.cache
def repository_files():
    """Paths that git tracks or would take; every file but the usual leftovers without git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        paths = [ROOT / name for name in answer.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        left = {".git", ".venv", "runs", "build", "dist", "__pycache__"}
        paths = [path for path in ROOT.rglob("*") if not left & set(path.parts)]
    return sorted(path for path in paths if path.is_file())


def covered_by_package_data(path):
    """Whether a package's patterns take this file into the wheel."""
    for package, patterns in setup_lists()["PACKAGE_DATA"].items():
        folder = package_folder(package)
        if any(path in set(folder.glob(pattern)) for pattern in patterns):
            return True
    return False


def test_every_package_is_listed():
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert sorted(found | {"noisygan._gin"}) == sorted(setup_lists()["PACKAGES"])


def test_every_folder_of_modules_is_a_package():
    bare = {
        str(path.parent.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not bare


def test_every_package_says_what_it_is():
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_everything_in_a_package_gets_into_the_wheel():
    inside = [
        path
        for path in repository_files()
        if path.relative_to(ROOT).parts[0] in (*ROOMS, "gin") and path.suffix != ".py"
    ]
    assert any(path.suffix == ".gin" for path in inside)
    assert any(path.suffix == ".flac" for path in inside)
    left_out = [str(path.relative_to(ROOT)) for path in inside if not covered_by_package_data(path)]
    assert not left_out


def test_gin_holds_configs_only():
    others = [path for path in repository_files() if path.is_relative_to(ROOT / "gin")]
    assert {path.suffix for path in others} == {".gin"}


def test_the_repository_stays_small():
    large = [str(path) for path in repository_files() if path.stat().st_size > 5 * 2**20]
    assert not large


@pytest.mark.parametrize(
    ("folder", "limit"), [(notes_folder, 3_000_000), (drums_folder, 1_500_000)]
)
def test_the_bundled_sounds_are_small_and_licensed(folder, limit):
    sizes = [path.stat().st_size for path in folder().rglob("*") if path.is_file()]
    assert len(sizes) > 40 and sum(sizes) <= limit
    licence = (folder() / "LICENSE-FluidR3.txt").read_text(encoding="utf-8")
    assert "Frank Wen" in licence and "Permission is hereby granted" in licence


def requirement_name(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


def test_everything_imported_is_required():
    lists = setup_lists()
    required = {requirement_name(each) for each in lists["INSTALL_REQUIRES"]}
    optional = {requirement_name(r) for each in lists["EXTRAS_REQUIRE"].values() for r in each}
    unknown = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for name, is_optional in third_party_imports(path.read_text(encoding="utf-8")):
                distribution = DISTRIBUTIONS.get(name, name.replace("_", "-"))
                # ddsp is an optional source of processors that cannot be a pip extra.
                allowed = required | ((optional | {"ddsp"}) if is_optional else set())
                if path.parent == ROOT / "noisygan" / "studio":
                    # Imported once its command has seen that the extra is there.
                    allowed |= set(map(requirement_name, lists["EXTRAS_REQUIRE"]["studio"]))
                if distribution not in allowed:
                    unknown[name] = str(path.relative_to(ROOT))
    assert not unknown


def third_party_imports(source):
    """(top-level name, whether the import stands inside a `try` or a function) of a source."""
    tree = ast.parse(source)
    guarded = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Try, ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module]
        else:
            continue
        for module in modules:
            name = module.split(".")[0]
            if (
                name not in (*ROOMS, "__future__", "__gin__")
                and name not in sys.stdlib_module_names
            ):
                yield name, id(node) in guarded


@pytest.mark.parametrize("version", ["310", "311", "312", "313"])
def test_pinned_versions_meet_the_requirements(version):
    from packaging.requirements import Requirement

    path = ROOT / "constraints" / f"py{version}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    environment = {"python_version": f"3.{version[1:]}", "extra": ""}
    lists = setup_lists()
    wanted = [*lists["INSTALL_REQUIRES"], *lists["EXTRAS_REQUIRE"]["dev"]]
    for requirement in map(Requirement, wanted):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = requirement_name(requirement.name)
            assert requirement.specifier.contains(pins[name]), requirement
    assert all(fnmatch.fnmatchcase(pin, "[0-9]*") for pin in pins.values())
    assert not re.search(r"://|@|\s--", path.read_text(encoding="utf-8"))
