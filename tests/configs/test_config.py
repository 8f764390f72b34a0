"""The rules of configs: strict names, an allow-list, resolved text that parses to the same."""

import importlib
import math
import os
import re
import subprocess
import sys
import textwrap

import gin.config
import numpy
import pytest

from noisygan import config
from noisygan.errors import RunError, UsageError
from tests.toys import parse_config

PARTS = """
import os
import subprocess
from pathlib import Path

from . import helpers

def relu(x):
    return max(x, 0)

def scale(x, by=2.0):
    return x * by

def gain(x, db=-6.0):
    return x, db

class Prior:
    def __init__(self, latent_dim=8, spread=1.0):
        self.latent_dim, self.spread = latent_dim, spread

class Voice:
    def __init__(self, n_harmonics=16, activation=relu, limit=float("inf")):
        self.n_harmonics, self.activation, self.limit = n_harmonics, activation, limit

    def play(self):
        return self.n_harmonics

class OtherVoice:
    def __init__(self, n_bands=4):
        self.n_bands = n_bands

class Base:
    def __init__(self, name=None, trainable=True, **kwargs):
        if kwargs:
            raise TypeError(f"unknown {kwargs}")

class Layer(Base):
    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width

class Top:
    def __init__(self, voice=None, voices=(), prior=None, shaper=None, size=4, table=None):
        self.voice, self.voices, self.prior = voice, voices, prior
        self.shaper, self.size, self.table = shaper, size, table
        if size < 0:
            raise ValueError(f"size is {size}, expected 0 or more")
        if size > 1000:
            raise RunError(f"size {size} does not fit in memory")

class Refuser:
    def __init__(self, inner=None):
        self.inner = inner

_hidden = relu

from noisygan.errors import RunError
"""

HEADER = "from __gin__ import dynamic_registration\nimport toyparts.parts\n"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A package `toyparts` that a config may import, and a function that loads a config text."""
    package = tmp_path / "site" / "toyparts"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "helpers.py").write_text("import numpy as np\n\nclass Thing:\n    pass\n")
    (package / "parts.py").write_text(PARTS)
    (package / "plain.py").write_text("class Top:\n    pass\n\nclass Only:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in [n for n in sys.modules if n.split(".")[0] == "toyparts"]:
        del sys.modules[name]
    # gin's registry outlives a test, and would hold the classes of the previous test's package.
    for key in [k for k in gin.config._REGISTRY._selector_map if k.startswith("toyparts.")]:
        gin.config._REGISTRY.pop(key)
    folder = tmp_path / "bundled"
    for group in ("runs", "ablations", "models"):
        (folder / group).mkdir(parents=True)
    monkeypatch.setattr(config, "bundled_folder", lambda: folder)
    importlib.invalidate_caches()
    config.allow_modules(["toyparts"])

    def load(text, *overrides, header=HEADER):
        parse_config(header + textwrap.dedent(text), overrides)
        return importlib.import_module("toyparts.parts")

    load.folder = folder
    yield load
    config.allow_modules([])


def build(parts):
    return config.configured(parts.Top)()


def complaint(load, text, *overrides, header=HEADER):
    with pytest.raises(UsageError) as caught:
        load(text, *overrides, header=header)
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---- what loads ------------------------------------------------------------------------------


def test_values_references_macros_scopes_and_singletons(toy):
    parts = toy(
        """
        n = 5
        toyparts.parts.Top:
            voices = [@low/toyparts.parts.Voice(), @high/toyparts.parts.Voice()]
            voice = @shared/gin.singleton()
            prior = @shared/gin.singleton()
            shaper = @toyparts.parts.scale
            table = {"a": (1, -2.5), "b": [None, True]}
        shared/gin.singleton.constructor = @toyparts.parts.Prior
        toyparts.parts.Voice.n_harmonics = %n
        high/toyparts.parts.Voice.n_harmonics = 9
        toyparts.parts.scale.by = 3.0
        """
    )
    top = build(parts)
    assert [v.n_harmonics for v in top.voices] == [5, 9]
    assert top.voice is top.prior
    assert top.shaper(2.0) == 6.0
    assert top.table == {"a": (1, -2.5), "b": [None, True]}
    config.check_all_used()


def test_ways_to_import_and_to_name(toy):
    for line, name in [
        ("import toyparts.parts", "toyparts.parts.Top"),
        ("from toyparts import parts", "parts.Top"),
        ("import toyparts.parts as p", "p.Top"),
    ]:
        parts = toy(
            f"{name}.size = 7", header=f"from __gin__ import dynamic_registration\n{line}\n"
        )
        assert build(parts).size == 7
    # Short names mean what the config imports; a full name needs no import.
    toy("Top.size = 1", "Top.size = 2", "parts.Top.prior = @toyparts.helpers.Thing()")
    top = build(sys.modules["toyparts.parts"])
    assert top.size == 2 and type(top.prior).__name__ == "Thing"


def test_an_ambiguous_short_name(toy):
    header = HEADER + "import toyparts.plain\n"
    message = complaint(toy, "", "Top.size = 2", header=header)
    assert "toyparts.parts.Top" in message and "toyparts.plain.Top" in message
    # What the config already configures is preferred.
    assert build(toy("toyparts.parts.Top.size = 1", "Top.size = 2", header=header)).size == 2


def test_later_bindings_win_and_params_win_over_files(toy, tmp_path):
    (tmp_path / "a.gin").write_text(HEADER + "Top.size = 1\nTop.table = 'a'\n")
    (tmp_path / "b.gin").write_text("Top.size = 2\n")
    config.parse([tmp_path / "a.gin", tmp_path / "b.gin"], ["Top.table = 'c'"])
    top = build(sys.modules["toyparts.parts"])
    assert (top.size, top.table) == (2, "c")


def test_parse_replaces_what_was_loaded_unless_it_fails(toy):
    parts = toy("Top.size = 9\nTop.voice = @Voice()")
    complaint(toy, "Top.sise = 1")
    assert build(parts).size == 9 and "size = 9" in config.resolved_text()
    assert build(toy("Top.table = 3")).size == 4
    config.check_all_used()
    assert "9" not in config.resolved_text()


def test_layers_that_pass_kwargs_on_have_their_parents_parameters(toy):
    toy("Top.voice = @Layer()\nLayer.width = 5\nLayer.trainable = False")
    message = complaint(toy, "Top.voice = @Layer()\nLayer.widht = 5")
    assert "widht (nearest: width)" in message


def test_a_probability_distribution_by_name(toy):
    parts = toy(
        """
        toyparts.parts.Top.prior = @tfp.distributions.Normal()
        tfp.distributions.Normal.loc = 0.0
        tfp.distributions.Normal.scale = 2.0
        """,
        header=HEADER + "import tensorflow_probability as tfp\n",
    )
    assert float(build(parts).prior.stddev()) == 2.0
    config.check_all_used()
    parse_config(config.resolved_text())
    assert float(build(parts).prior.stddev()) == 2.0


# ---- includes and names of configs ------------------------------------------------------------


def test_includes_beside_the_file_and_among_the_bundled(toy, tmp_path):
    (toy.folder / "models" / "part.gin").write_text(HEADER + "Top.size = 1\nTop.table = 1\n")
    (tmp_path / "near.gin").write_text("Top.table = 2\n")
    mine = tmp_path / "mine.gin"
    includes = "include 'models/part.gin'\nTop.table = 1\ninclude 'near.gin'\n"
    mine.write_text("# Mine.\n" + includes + "Top.size = 3\n", "utf-8-sig")
    config.parse([mine])
    top = build(sys.modules["toyparts.parts"])
    assert (top.size, top.table) == (3, 2)
    assert config.describe(mine) == "Mine."


@pytest.mark.parametrize("name", ["runs/notes.gin", "notes.gin", "notes", "gin/runs/notes.gin"])
def test_bundled_configs_by_short_name(toy, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (toy.folder / "runs" / "notes.gin").write_text("# Notes.\n" + HEADER)
    assert config.find_config(name) == toy.folder / "runs" / "notes.gin"


def test_misspelt_names_of_configs(toy, tmp_path):
    (toy.folder / "runs" / "notes.gin").write_text("# Pitched notes.\n" + HEADER)
    (toy.folder / "ablations" / "one.gin").write_text(HEADER)
    with pytest.raises(UsageError, match=r"nearest: runs/notes\.gin"):
        config.parse(["runs/nots.gin"])
    assert list(config.bundled_configs()) == ["runs/notes.gin", "ablations/one.gin"]
    assert config.describe(toy.folder / "runs" / "notes.gin") == "Pitched notes."
    assert config.describe(toy.folder / "ablations" / "one.gin") == ""
    for name, included in (("a", "runs/note"), ("b", "c"), ("c", "b")):
        (tmp_path / f"{name}.gin").write_text(f"include '{included}.gin'\n")
    for name, message in (
        ("a.gin", r"a\.gin line 1: .*nearest: runs/notes\.gin"),
        ("b.gin", "includes itself"),
    ):
        with pytest.raises(UsageError, match=message):
            config.parse([tmp_path / name])


# ---- misspelt --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("toyparts.parts.Tpo.size = 1", "toyparts.parts.Tpo (nearest: toyparts.parts.Top)"),
        ("Vioce.n_harmonics = 1", "nothing is called Vioce (nearest: Voice)"),
        ("Top.sice = 1", "Top has no parameter sice (nearest: size)"),
        ("Top.voice = @Voyce()", "nothing is called Voyce (nearest: Voice)"),
        ("Top.shaper = @toyparts.parts.scael", "(nearest: toyparts.parts.scale)"),
        ("Top.size = %nn\nn = 1", "%nn is not defined (nearest: n)"),
        ("import toyparts.part", "no module toyparts.part (nearest: toyparts.parts)"),
        ("import synth", "may not import synth (nearest: synths)"),
        ("wdith = 3", "nothing uses the value wdith"),
        ("Top.size = small", "write text in quotes"),
        ("Top.size = ", "not a gin statement"),
        ("Top.size", "not a gin statement"),
        ("Top.table = [1, 2", "not a gin statement"),
        (
            "from __gin__ import dynamic_registrations",
            "may not import __gin__.dynamic_registrations",
        ),
    ],
)
def test_a_misspelling_is_one_line_with_the_nearest_right_spelling(toy, text, expected):
    message = complaint(toy, text)
    assert expected in message
    assert "my.gin line 3" in message or "my.gin line 4" in message
    if "\n" not in text and "import" not in text:
        param = complaint(toy, "", text)
        assert expected in param
        assert f"override '{text}'" in param


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A scope that no reference opens.
        (
            "Top.voice = @voice/Voice()\nvocie/Voice.n_harmonics = 3",
            "nothing used vocie/Voice.n_harmonics: no Voice was built in the scope vocie"
            " (nearest: voice)",
        ),
        # An object that nothing builds.
        (
            "Top.voice = @Voice()\nOtherVoice.n_bands = 3",
            "nothing used OtherVoice.n_bands: no OtherVoice was built (nearest: Voice)",
        ),
        # A value that every scope overrides.
        (
            "Top.voice = @a/Voice()\nVoice.n_harmonics = 3\na/Voice.n_harmonics = 4",
            "nothing used Voice.n_harmonics",
        ),
    ],
)
def test_a_binding_that_nothing_used(toy, text, expected):
    build(toy(text))
    with pytest.raises(UsageError) as caught:
        config.check_all_used()
    assert expected in str(caught.value)
    assert "my.gin line" in str(caught.value)


def test_what_is_handed_over_uncalled_counts_as_used(toy):
    build(toy("Top.shaper = @scale\nscale.by = 4.0"))
    config.check_all_used()
    build(toy("Top.shaper = @x/scale\nx/scale.by = 4.0\nx/gain.db = 1.0"))
    with pytest.raises(UsageError, match="x/gain.db"):
        config.check_all_used()


def test_replacing_a_part_is_no_error_about_the_old_parts_numbers(toy):
    text = "n = 4\nTop.voice = @old/Voice()\nold/Voice.n_harmonics = %n\nVoice.limit = 2.0"
    build(toy(text, "Top.voice = @OtherVoice()"))
    config.check_all_used()
    assert "Voice.n_harmonics" not in config.resolved_text()
    # But a misspelt scope of the replaced part was never right.
    build(toy(text + "\nodl/Voice.n_harmonics = 3", "Top.voice = @OtherVoice()"))
    with pytest.raises(UsageError, match="odl/Voice"):
        config.check_all_used()


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Hybrid.conditions = None", "condition_encoder"),
        ("Hybrid.pitch = @AskedPitch()", "ConditionedPitch"),
        ("import noisygan.data.recordings", "noisygan.data.dataset"),
        ("import noisygan.generators.humanize", "jitter"),
        ("Trainer.balance = None", "removed"),
    ],
)
def test_names_of_0_1_name_those_of_0_2_and_the_version_that_reads_them(text, new):
    header = "import noisygan.generators.hybrid\nimport noisygan.training.trainer\n"
    with pytest.raises(UsageError) as caught:
        parse_config(header + text)
    assert new in str(caught.value) and "noisygan==0.1.0" in str(caught.value)


# ---- building --------------------------------------------------------------------------------


def test_a_wrong_value_is_a_one_line_usage_error(toy):
    parts = toy("Refuser.inner = @Top()\nTop.size = -3")
    with pytest.raises(UsageError) as caught:
        config.configured(parts.Refuser)()
    assert str(caught.value) == (
        "the config builds no Refuser: size is -3, expected 0 or more (in Top)"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Top.size = '8'", "Top.size is text, '8'; expected a number such as 4 without quotes"),
        ("n = '8'\nm = %n\nTop.size = %m", "line 3: Top.size is text, '8'; expected a number"),
        (
            "Base.trainable = 'False'",
            "Base.trainable is text, 'False'; expected True or False",
        ),
        ("scale.x = '1.5'", "scale.x is text, '1.5'; expected a number without quotes"),
    ],
)
def test_a_number_as_text_is_named(toy, text, expected):
    assert expected in complaint(toy, text)
    toy("Prior.latent_dim = 2\nBase.name = '8'\nscale.x = 'a'")


@pytest.mark.parametrize(
    "text", ["n = %n", "n = %m\nm = %n", "n = [1, %m]\nm = (%n,)", "n = %m\nm = [%m]"]
)
def test_a_macro_that_refers_to_itself_is_named(toy, text):
    found = complaint(toy, f"{text}\nTop.size = %n")
    assert re.search(r"line \d: %[mn] refers to itself", found)


def test_an_error_for_people_stays_itself(toy):
    parts = toy("Refuser.inner = @Top()\nTop.size = 2000")
    with pytest.raises(RunError) as caught:
        config.configured(parts.Refuser)()
    assert str(caught.value) == "size 2000 does not fit in memory"
    assert config.configured(parts.Prior)().latent_dim == 8  # without any binding


# ---- the resolved text -----------------------------------------------------------------------


def test_the_resolved_text_reads_back_to_the_same_thing(toy):
    words = [f"a rather long entry number {i}" for i in range(8)]
    parts = toy(
        f"""
        depth = 3
        Top.voices = [@a/Voice(), @b/Voice(), @b/Voice()]
        a/Voice.limit = 1e999
        b/Voice.limit = -1e999
        Voice.n_harmonics = %depth
        Top.table = {{'long': {words!r}, 'one': (1,), 'none': None, 'nested': [(), {{}}, []]}}
        Top.shaper = @scale
        Top.prior = @Prior()
        """
    )
    first = build(parts)
    text = config.resolved_text()
    parse_config(text)
    second = build(parts)
    config.check_all_used()
    assert config.resolved_text() == text
    assert second.table == first.table
    assert [v.n_harmonics for v in second.voices] == [3, 3, 3]
    assert [v.limit for v in second.voices] == [math.inf, -math.inf, -math.inf]
    assert second.shaper(1.0) == first.shaper(1.0)
    assert second.prior.latent_dim == 8


def test_the_resolved_text_keeps_defaults_and_what_has_no_literal_form(toy, monkeypatch):
    parts = toy("Top.voice = @Voice()")
    text = config.resolved_text()
    assert "n_harmonics = 16" in text
    assert "limit = 1e999" in text  # the default float("inf"), which gin itself would leave out
    assert "# activation: relu (default)" in text
    monkeypatch.setattr(parts.Voice.__init__, "__defaults__", (99, parts.relu, 0.0))
    parse_config(text)
    voice = build(parts).voice
    assert (voice.n_harmonics, voice.limit) == (16, math.inf)
    assert voice.activation is parts.relu


@pytest.mark.parametrize(
    "value", [1, -1, 2.5, 1e-9, 10**20, "a'b\"c\n", "x y " * 60, b"x", True, None]
)
def test_literals_read_back(toy, value):
    toy(f"Top.size = 1\nTop.table = [{value!r}, [{{1: {value!r}}}, ({value!r},)]]")
    parse_config(config.resolved_text())
    table = build(importlib.import_module("toyparts.parts")).table
    assert table == [value, [{1: value}, (value,)]]
    assert type(table[0]) is type(value)


@pytest.mark.parametrize("value", [float("nan"), object(), len, {1, 2}, [object()], {"a": len}])
def test_defaults_without_a_literal_form_are_comments(toy, monkeypatch, value):
    parts = toy("Top.prior = @Prior()")
    monkeypatch.setattr(parts.Prior.__init__, "__defaults__", (8, value))
    parse_config(HEADER + "Top.prior = @Prior()")
    assert "    # spread: " in config.resolved_text()
    parse_config(config.resolved_text())


# ---- hostile configs -------------------------------------------------------------------------


HOSTILE = {
    "a module outside": "import os\nTop.size = @os.system()",
    "from outside": "from os import path\nTop.size = @path.exists()",
    "an alias": "import subprocess as synths\nTop.size = @synths.run()",
    "a module that the victim already has": "import trap_module",
    "an attribute of an allowed module": "Top.size = @toyparts.parts.os.system()",
    "what an allowed module imported": "Top.size = @toyparts.parts.Path()",
    "numpy through an allowed module": "import toyparts.helpers\nTop.size = @helpers.np.load()",
    "numpy through a module's module": "Top.size = @toyparts.parts.helpers.np.load()",
    "builtins by short name": "Top.size = @eval()",
    "builtins by attribute": "Top.size = @toyparts.parts.__builtins__.eval()",
    "a dunder chain": "Top.size = @toyparts.parts.Top.__init__.__globals__()",
    "a method": "Top.size = @toyparts.parts.Voice.play()",
    "a private name": "Top.shaper = @toyparts.parts._hidden",
    "the command line": "import noisygan.cli.main\nTop.size = @noisygan.cli.main.main()",
    "the config module": "import noisygan.config\nTop.size = @noisygan.config.parse()",
    "gin's internals": "import gin.config\nTop.size = 1",
    "gin's helpers": "Top.size = @gin.config.external_configurable()",
    "a tfp module": (
        "import tensorflow_probability as tfp\nTop.size = @tfp.internal.lazy_loader.LazyLoader()"
    ),
    "binding a parameter of it": "toyparts.parts.subprocess.run.args = ['true']",
    "a block": "toyparts.parts.os.system:\n    command = 'true'",
    "an include of a system file": "include '/etc/passwd'",
    "an include that climbs": "include '../../../../../../../../etc/passwd'",
    "an include of home": "include '~/secret.gin'",
    "a gin feature": "from __gin__ import system",
    "inside a list of a dict": "Top.table = {'a': [@toyparts.parts.os.getlogin()]}",
    "as a dictionary key": "Top.table = {@toyparts.parts.os.getlogin(): 1}",
    "a call instead of a literal": "Top.size = __import__('os').system('true')",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_configs_are_refused_before_anything_is_called(toy, tmp_path, monkeypatch, text):
    trap = tmp_path / "site" / "trap_module.py"
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n")
    called = []

    def spring(*args, **kwargs):
        called.append((args, kwargs))

    parts = importlib.import_module("toyparts.parts")
    for module, name in [(os, "system"), (subprocess, "run"), (numpy, "load"), (os, "getlogin")]:
        monkeypatch.setattr(module, name, spring)
    monkeypatch.setattr(parts, "Path", spring)
    with pytest.raises(UsageError) as caught:
        toy(text)
        build(parts)
    assert "root:" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert called == []
    assert not (tmp_path / "sprung").exists()


def test_nothing_is_imported_when_any_import_is_refused(toy):
    with pytest.raises(UsageError):
        toy("import toyparts.plain\nimport os\n")
    assert "toyparts.plain" not in sys.modules
    assert "toyparts.parts" not in sys.modules


def test_a_symlink_does_not_lead_an_include_elsewhere(toy, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("root: x\n")
    (tmp_path / "link.gin").symlink_to(secret)
    (tmp_path / "a.gin").write_text("include 'link.gin'\n")
    with pytest.raises(UsageError, match=r"no link\.gin to include"):
        config.parse([tmp_path / "a.gin"])
