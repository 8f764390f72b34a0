"""Configs from strangers: what they may name, and modules of one's own."""

import ast
import contextlib
import importlib.util
import pkgutil
import subprocess
from pathlib import Path

import pytest

from noisygan import config
from noisygan.cli.main import build_parser, main
from noisygan.errors import UsageError
from tests.toys import parse_config

HEADER = "from __gin__ import dynamic_registration\n"


@pytest.fixture(autouse=True)
def narrow():
    """No test leaves the allow-list wider."""
    yield
    config.allow_modules(())


def complaint(text):
    with pytest.raises(UsageError) as caught:
        parse_config(HEADER + text, name="stranger.gin")
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("noisygan.training.loop.StopSignals", "noisygan.training.callbacks.TensorBoard"),
        *("noisygan.data.prepare.reading.read", "noisygan.data.download.Archive"),
        *("noisygan.files.atomic_write", "noisygan.archives.read_arrays"),
        *("synths.kernels.threads.run", "synths.native.set_native_kernels", "synths.pitch.CREPE"),
        "synths.crepe.Network",
        *("synths.saving.registered", "synths.noise.white_noise", "synths.noise.np.load"),
        *("discriminators.layers.convolve", "noisygan.losses.generator.tf.io.write_file"),
        *("tensorflow_probability.distributions.Sample", "tensorflow.io.write_file"),
        "tensorflow_probability.distributions.normal.tf.io.write_file",
        *("keras.utils.get_file", "os.system", "subprocess.run", "builtins.eval"),
    ],
)
def test_what_is_no_part_of_a_network_is_refused(name):
    module = name.rpartition(".")[0]
    for text in (f"import {module}\na = @{name}()", f"a = @{name}()", f"{name}.x = 1"):
        assert "stranger.gin" in complaint(text)


def test_parts_of_networks_are_let_through():
    names = "[@cppn.activations.gaussian, @synths.units.exp_sigmoid, @synths.harmonic.Harmonic]"
    parse_config(f"{HEADER}import cppn.networks\nCPPN.activations = {names}\n")


# It takes one of these to write files, start programs or connect.
REACHING_OUT = {"os", "sys", "subprocess", "shutil", "socket", "urllib", "http", "requests"} | {
    *("pathlib", "tempfile", "pickle", "importlib", "ctypes", "multiprocessing", "soundfile"),
    *("zipfile", "tarfile", "glob", "signal", "runpy", "webbrowser"),
}
# In methods that no config can call.
TRUSTED = {
    "noisygan.data.dataset": {"pathlib", "soundfile", "os", "open"},
    "noisygan.generators.ddsp_voices": {"importlib"},
    "noisygan.training.trainer": {"pathlib"},
}


def test_modules_that_configs_name_reach_nothing_outside():
    found = {}
    for package in ("synths", "cppn", "discriminators", "noisygan"):
        path = importlib.import_module(package).__path__
        for info in pkgutil.walk_packages(path, package + "."):
            if config.is_open(info.name) and not info.ispkg:
                source = Path(info.module_finder.path, info.name.rpartition(".")[2] + ".py")
                found[info.name] = set(reached(source)) - TRUSTED.get(info.name, set())
    assert len(found) > 30
    assert {name: names for name, names in found.items() if names} == {}


def reached(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from {alias.name.split(".")[0] for alias in node.names} & REACHING_OUT
        elif isinstance(node, ast.ImportFrom):
            yield from {(node.module or "").split(".")[0]} & REACHING_OUT
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from {node.func.id} & {"eval", "exec", "compile", "__import__", "open"}


# ---- values and files ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["{[1]: 2}", "{{}: 1}", "9" * 5000, "[" * 500, "{'class_name': 'Lambda', 'config': {}}", "(1"],
)
def test_values_that_nothing_can_take(value):
    header = "import noisygan.generators.hybrid\n"
    assert "stranger.gin line 3" in complaint(f"{header}Hybrid.name = {value}\n")


def test_a_config_that_needs_itself(tmp_path):
    parse_config(HEADER + "import noisygan.generators.hybrid\nHybrid.prior = @Hybrid()")
    from noisygan.generators.hybrid import Hybrid

    with pytest.raises(UsageError):
        config.configured(Hybrid)()


@pytest.mark.parametrize("name", ["x" * 300 + ".gin", "~nobody-of-this-name/x.gin", "x\0", ""])
def test_names_that_no_file_can_have(name):
    with pytest.raises(UsageError, match="neither a file nor a bundled config"):
        config.find_config(name)


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "large.gin"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="more than 1 MB"):
        config.parse([path])
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a text file"):
        config.parse([path])


# ---- widening --------------------------------------------------------------------------------

OWN = """
class Part:
    def __init__(self, size=3):
        self.size = size

def scale(x):
    return x
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A config that names a module of the reader's own."""
    (tmp_path / "site" / "my_parts").mkdir(parents=True)
    (tmp_path / "site" / "my_parts" / "__init__.py").write_text("")
    (tmp_path / "site" / "my_parts" / "bells.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    path = tmp_path / "own.gin"
    path.write_text(HEADER + "import my_parts.bells\nPart.size = 4\nmy_parts.bells.scale.x = 1\n")
    return path


def test_a_module_of_ones_own_is_allowed_by_name_loudly_and_once(own, capsys):
    asked = ["config", "--gin_file", str(own)]
    assert main(asked) == 2
    assert "add allow_module my_parts.bells" in capsys.readouterr().err
    for module in ("my_parts.bells", "my_parts"):
        assert main([*asked, "--allow_module", module]) == 0
        said = capsys.readouterr()
        assert f"caution: whatever config is loaded may call everything in {module}" in said.err
        assert "my_parts.bells.Part:\n    size = 4" in said.out
    assert main(asked) == 2
    assert main([*asked, "--allow_module", "my parts"]) == 2
    assert "expected a module name" in capsys.readouterr().err


def test_every_command_that_loads_a_config_can_be_told():
    parser = build_parser()
    commands = parser._subparsers._group_actions[0].choices
    for name, command in commands.items():
        dests = {action.dest for action in command._actions}
        if name != "demo":  # resumes only its runs
            assert ("allow_module" in dests) == bool(dests & {"gin_file", "run_dir"}), name


def test_what_is_started_is_told_too(own, monkeypatch, tmp_path):
    from noisygan.comparison import training
    from noisygan.comparison.systems import System

    started = []

    class Process(contextlib.nullcontext):
        def __init__(self, command, **_):
            super().__init__(self)
            started.append(command)

        def wait(self):
            return 0

    monkeypatch.setattr(subprocess, "Popen", Process)
    config.allow_modules(["my_parts"])
    system = System("x", "", str(own), {0: tmp_path / "run"})
    training.train(system, 0, tmp_path, [], ("steps", 1))
    assert started[0][-2:] == ["--allow_module", "my_parts"]
