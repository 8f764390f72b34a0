"""Configs from strangers: what they may name, and how much they may ask for."""

import ast
import importlib.util
import pkgutil
import subprocess
from pathlib import Path

import keras
import pytest

from noisygan import config, config_allowed, config_sizes
from noisygan.cli.main import COMMANDS, LOADING_CONFIGS, build_parser, main
from noisygan.errors import UsageError

HEADER = "from __gin__ import dynamic_registration\n"


@pytest.fixture(autouse=True)
def narrow():
    """No test leaves the allow-list wider."""
    yield
    config_allowed.widen(())


def complaint(text):
    with pytest.raises(UsageError) as caught:
        config.parse_text(HEADER + text, "stranger.gin")
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "noisygan.training.runs.RunFolder",
        "noisygan.training.runs.load_generator",
        "noisygan.training.loop.StopSignals",
        "noisygan.training.summaries.EventWriter",
        "noisygan.data.noteset.NoteSet",
        "noisygan.data.prepared.load.Split",
        "noisygan.data.prepared.reading.read",
        "noisygan.data.download.get",
        "noisygan.data.download.Archive",
        "noisygan.files.written_whole",
        "noisygan.archives.read_arrays",
        "noisygan.evaluation.embeddings.Embedding",
        "noisygan.studio.server.serve",
        "synths.kernels.compiling.compiled",
        "synths.kernels.threads.run",
        "synths.native.set_native_kernels",
        "synths.pitch.CREPE",
        "synths.saving.registered",
        "synths.noise.white_noise",
        "synths.noise.np.load",
        "discriminators.layers.convolve",
        "noisygan.losses.matching.tf.io.write_file",
        "noisygan.generators.hybrid.keras.utils.get_file",
        "tensorflow_probability.distributions.Sample",
        "tensorflow_probability.distributions.JointDistributionCoroutine",
        "tensorflow_probability.distributions.normal.tf.io.write_file",
        "tensorflow.io.write_file",
        "keras.utils.get_file",
        "os.system",
        "subprocess.run",
        "builtins.eval",
    ],
)
def test_what_is_no_part_of_a_network_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = name.rpartition(".")[0]
    for text in (
        f"import {module}\nTrainer.generator = @{name}()",
        f"a = @{name}()",
        f"{name}.x = 1",
    ):
        assert "stranger.gin" in complaint(text)
    assert not list(tmp_path.iterdir())


def test_parts_of_networks_are_let_through():
    for name in (
        "synths.harmonic.Harmonic",
        "cppn.activations.gaussian",
        "synths.units.exp_sigmoid",
    ):
        module, _, short = name.rpartition(".")
        value = getattr(importlib.import_module(module), short)
        assert config_allowed.is_allowed(value)


def open_modules():
    for package in ("synths", "cppn", "discriminators", "noisygan"):
        path = importlib.import_module(package).__path__
        for info in pkgutil.walk_packages(path, package + "."):
            if config_allowed.rule_of(info.name) and not info.ispkg:
                yield info.name


# Of a module that a config may name: what it would take to write files, start programs or connect.
REACHING_OUT = {"os", "sys", "subprocess", "shutil", "socket", "urllib", "http", "requests"} | {
    *("pathlib", "tempfile", "pickle", "importlib", "ctypes", "multiprocessing", "soundfile"),
    *("zipfile", "tarfile", "glob", "threading", "signal", "runpy", "webbrowser"),
}
# These draw progress, write summaries or look at time, in methods that no config can call.
TRUSTED = {
    "noisygan.data.recordings": {"pathlib", "soundfile", "os"},
    "noisygan.training.trainer": set(),
    "noisygan.generators.ddsp_voices": {"importlib"},
}


@pytest.mark.parametrize("module", sorted(open_modules()))
def test_modules_that_configs_name_reach_nothing_outside(module):
    source = Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            used |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            used.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "compile", "__import__"), module
            assert node.func.id != "open" or module in TRUSTED, module
    assert used & REACHING_OUT <= TRUSTED.get(module, set())


# ---- sizes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        ("Hybrid.latent_dim = 1000000000", "latent_dim is 1000000000; expected at most 1,000,000"),
        ("Hybrid.latent_dim = -1000000000", "latent_dim is -1000000000"),
        ("n = 99999999\nHybrid.latent_dim = %n", "n is 99999999"),
        ("CPPN.n_layers = 1001", "n_layers is 1001; expected at most 1,000"),
        ("Hybrid.seconds = 1e9", "seconds is 1000000000.0; expected at most 3600"),
        ("Recordings.n_samples = 10000000000", "n_samples is 10000000000"),
        ("HarmonicVoice.n_harmonics = [[(7777777, 1)]]", "n_harmonics is 7777777"),
        ("Hybrid.latent_dim = " + "9" * 5000, "not a gin statement"),
        ("Hybrid.latent_dim = 0x" + "f" * 5000, "latent_dim is a whole number of 20000 bits; exp"),
        ("Hybrid.latent_dim = -0b" + "1" * 20_000, "latent_dim is a whole number of 20000 bits"),
        ("Hybrid.name = {0x" + "f" * 5000 + ": 1}", "name is a whole number of 20000 bits"),
        ("Hybrid.seconds = 0x" + "f" * 5000, "seconds is a whole number of 20000 bits"),
        ("Hybrid.name = {'class_name': 'Lambda', 'config': {}}", 'holds "class_name"'),
        ("Hybrid.prior = @Hybrid()", "needs itself"),
        ("a = %b\nb = [%a]\nHybrid.name = %a", "needs itself"),
        ("s/" * 300_000 + "Hybrid.name = 'a'", "a name of 300,000 parts, s/s/s"),
        ("Hybrid.prior = [@" + "s/" * 300_000 + "Hybrid()]", "a name of 300,000 parts"),
        ("s/" * 300_000 + "n = 1", "a name of 300,000 parts"),
        ("Hybrid.name = %" + "s/" * 300_000 + "n", "a name of 300,001 parts"),
        ("Hybrid.prior = @synths." + "a." * 300 + "x()", "a name of 302 parts, synths.a.a"),
        ("a." * 300_000 + "x = 1", "parts"),
        ("a." * 300_000 + "x:\n    y = 1", "parts"),
        ("import synths.harmonic." + "a." * 3000 + "b", "a name of 3,003 parts"),
        ("from synths." + "a." * 3000 + "b import c", "parts"),
    ],
)
def test_what_would_fill_the_memory_is_refused(binding, expected):
    header = "import noisygan.generators.hybrid\nimport noisygan.generators.voices\n"
    header += "import noisygan.data.recordings\nimport cppn.networks\n"
    message = complaint(header + binding)
    assert expected in message and len(message) < 400


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{[1]: 2}", "stranger.gin line 4: a list or a dict is the key of a dict; expected a text"),
        ("[\n{'a': {([1],): 2}}]", "stranger.gin line 5: a list or a dict is the key of a dict"),
        ("{{}: 1}", "stranger.gin line 4: a list or a dict is the key of a dict"),
        ("1j", "stranger.gin line 4: name holds a complex number; expected real ones"),
        ("[{-0.5j: 1}]", "stranger.gin line 4: name holds a complex number"),
    ],
)
def test_values_that_gin_reads_and_nothing_can_take(value, expected):
    header = "import noisygan.generators.hybrid\n"
    assert expected in complaint(f"{header}\nHybrid.name = {value}\n")
    assert expected in complaint(f"{header}Hybrid:\n    name = {value}\n")
    param = value.replace("\n", "")
    with pytest.raises(UsageError, match="--gin_param 'Hybrid.name = .*: (a list|name holds)"):
        config.parse_text(HEADER, "stranger.gin", [f"Hybrid.name = {param}"])


def test_lists_within_lists_are_counted_before_they_are_made():
    lines = ["a0 = [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{i} = [{', '.join([f'%a{i - 1}'] * 9)}]" for i in range(1, 12)]
    text = "import noisygan.generators.hybrid\n" + "\n".join(lines) + "\nHybrid.name = %a11"
    assert "more than 10000 parts" in complaint(text)


def test_what_replaced_values_led_to_is_looked_at_once(monkeypatch):
    n, walked = 300, []

    def of(graph, node, of=config._Graph.of):
        walked.append(node)
        return of(graph, node)

    monkeypatch.setattr(config._Graph, "of", of)
    names = [f"m{i}" for i in range(n)]
    lines = [f"{name} = 1" for name in names] + [f"r = [{', '.join(f'%{m}' for m in names)}]"]
    lines += ["Hybrid.seconds = %r"] * n + ["Hybrid.seconds = 1.0"]
    config.parse_text("import noisygan.generators.hybrid\n" + "\n".join(lines))
    assert len(walked) < 20 * n


@pytest.mark.parametrize("name", ["x" * 300 + ".gin", "~nobody-of-this-name/x.gin"])
def test_names_that_no_file_can_have_are_names_of_no_file(name):
    with pytest.raises(UsageError, match="neither a file nor a bundled config"):
        config.find_config(name)
    assert "to include, neither beside" in complaint(f"include 'a/{name.removeprefix('~')}'")


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "large.gin"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="has more than 1 MB"):
        config.parse([path])


def test_weights_are_refused_before_they_are_made():
    keras.layers.Dense(7).build((None, 5))
    plain = keras.layers.Layer.add_weight
    too_many = pytest.raises(UsageError, match="asks for weights of 100000x1000000")
    with too_many, config_sizes.weights_within():
        keras.layers.Dense(1_000_000).build((None, 100_000))
    with config_sizes.weights_within(42):
        keras.layers.Dense(7).build((None, 5))
    one_less = pytest.raises(UsageError, match="more than 41 in all")
    with one_less, config_sizes.weights_within(41):
        keras.layers.Dense(7).build((None, 5))
    assert keras.layers.Layer.add_weight is plain


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
    assert "add --allow_module my_parts.bells" in capsys.readouterr().err
    for module in ("my_parts.bells", "my_parts"):
        assert main([*asked, "--allow_module", module]) == 0
        said = capsys.readouterr()
        assert f"caution: whatever config is loaded may call everything in {module}" in said.err
        assert "my_parts.bells.Part:\n    size = 4" in said.out
    assert main(asked) == 2
    assert main([*asked, "--allow_module", "my parts"]) == 2
    assert "expected a module's name" in capsys.readouterr().err


def test_every_command_that_loads_a_config_can_be_told():
    parser = build_parser()
    commands = parser._subparsers._group_actions[0].choices
    for name, command in commands.items():
        dests = {action.dest for action in command._actions}
        if name in LOADING_CONFIGS:
            assert "allow_module" in dests, name
        # The demo goes on with runs of its own config alone; plan takes a name and loads nothing.
        elif name not in ("demo", "plan"):
            assert not dests & {"gin_file", "run_dir", "allow_module"}, name
    assert set(LOADING_CONFIGS) <= set(COMMANDS)


def test_what_is_started_is_told_too(own, monkeypatch, tmp_path):
    from noisygan.comparison import systems as comparison_systems
    from noisygan.comparison import training

    started = []

    class Process:
        def __init__(self, command, **_):
            started.append(command)

        def wait(self):
            return 0

    monkeypatch.setattr(subprocess, "Popen", Process)
    config_allowed.widen(["my_parts"])
    system = comparison_systems.System("x", "", str(own), {0: tmp_path / "run"})
    training.train(system, 0, tmp_path, [], ("steps", 1))
    assert started[0][-2:] == ["--allow_module", "my_parts"]
