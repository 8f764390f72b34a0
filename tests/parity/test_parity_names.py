"""Whatever has a name of ddsp's takes ddsp's arguments, in ddsp's order, with ddsp's defaults."""

import inspect
import re
from pathlib import Path

import pytest

import synths
from synths.compat import ddsp as compat

PAGE = Path(__file__).parents[2] / "docs" / "synths.md"
DIFFERENCES = PAGE.with_name("ddsp-differences.md")

PROCESSORS = {
    "synths": ("FilteredNoise", "Harmonic", "Sinusoidal", "TensorToAudio", "Wavetable"),
    "effects": ("ExpDecayReverb", "FIRFilter", "FilteredNoiseReverb", "ModDelay", "Reverb"),
    "processors": ("Add", "Crop", "Mix", "Processor", "ProcessorGroup"),
    "losses": ("SpectralLoss",),
}

MODULES = (*PROCESSORS, "core", "spectral_ops", "dags")

# Defaults that are not ddsp's, on purpose: (name, argument).
OTHER_DEFAULTS = {("Processor.__init__", "name")}


def shared(ddsp):
    """{name: (ddsp's, ours)} of everything public that both have."""
    found = {}
    for module in MODULES:
        for name, theirs in vars(getattr(ddsp, module)).items():
            is_ddsps = str(getattr(theirs, "__module__", "")).startswith("ddsp")
            if is_ddsps and callable(theirs) and name in synths.__all__:
                found[name] = theirs, getattr(synths, name)
    return found


def callables(name, theirs, ours):
    """Pairs of functions to compare: the name itself, and a class's own methods."""
    if not inspect.isclass(theirs):
        return {name: (theirs, ours)}
    methods = ("__init__", "get_controls", "get_signal", "call")
    return {
        f"{name}.{method}": (getattr(theirs, method), getattr(ours, method))
        for method in methods
        if method in vars(theirs)
    }


def default(parameter):
    """A parameter's default, a function by its name."""
    if parameter.default is parameter.empty:
        return "none"
    return getattr(parameter.default, "__name__", parameter.default)


def differences(name, theirs, ours):
    """List differences that break a call written for ddsp."""
    wanted = list(inspect.signature(theirs).parameters.values())
    have = list(inspect.signature(ours).parameters.values())
    wanted = [each for each in wanted if each.kind is each.POSITIONAL_OR_KEYWORD]
    wrong = []
    for i, parameter in enumerate(wanted):
        if i >= len(have):
            wrong.append(f"{name} has no {parameter.name}, ddsp's argument {i}")
        elif have[i].name != parameter.name:
            wrong.append(f"{name}: argument {i} is {have[i].name}, in ddsp {parameter.name}")
        elif (
            default(have[i]) != default(parameter) and (name, parameter.name) not in OTHER_DEFAULTS
        ):
            wrong.append(f"{name}: {have[i]}, in ddsp {parameter}")
    for mine in have[len(wanted) :]:
        if mine.default is mine.empty and mine.kind is mine.POSITIONAL_OR_KEYWORD:
            wrong.append(f"{name}: {mine.name} must be given, and ddsp has no such argument")
    return wrong


def test_arguments_are_ddsps(ddsp):
    wrong = []
    pairs = shared(ddsp)
    assert len(pairs) > 30, sorted(pairs)
    for name, (theirs, ours) in pairs.items():
        for label, both in callables(name, theirs, ours).items():
            wrong += differences(label, *both)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", PROCESSORS)
def test_every_processor_is_there(module):
    missing = [name for name in PROCESSORS[module] if not hasattr(synths, name)]
    assert not missing


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_there_or_said_to_be_elsewhere(ddsp, module):
    left_out = DIFFERENCES.read_text(encoding="utf-8").split("## Only in")[1]
    rows = [line for line in left_out.splitlines() if line[:3] == "| `"]
    left_out = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert not left_out & set(synths.__all__)
    for name, theirs in vars(getattr(ddsp, module)).items():
        is_ddsps = str(getattr(theirs, "__module__", "")).startswith("ddsp")
        is_constant = not callable(theirs) and not inspect.ismodule(theirs)
        if name[0] != "_" and (is_ddsps or is_constant):
            assert name in synths.__all__ or name in left_out, f"ddsp.{module}.{name}"


def test_names_on_the_page_for_ddsps_users_are_there():
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\bsynths\.([A-Za-z_]\w+)\b", text)) - {"md", "png"}
    assert len(named) > 20
    assert not [name for name in named if not hasattr(synths, name)]


def test_names_in_the_tables_of_the_page_are_ddsps(ddsp):
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    for row in rows:
        module, *names = re.findall(r"`(\w+)`", row.split("|")[1])
        assert names
        assert not [name for name in names if not hasattr(getattr(ddsp, module), name)]
        assert not [name for name in names if not hasattr(synths, name)]


@pytest.mark.parametrize("module", [*MODULES])
def test_the_compatible_namespace_has_every_name_and_argument(ddsp, module):
    wrong = []
    for name, theirs in vars(getattr(ddsp, module)).items():
        is_ddsps = str(getattr(theirs, "__module__", "")).startswith("ddsp")
        is_constant = not callable(theirs) and not inspect.ismodule(theirs)
        if name[0] == "_" or not is_ddsps and not is_constant:
            continue
        ours = getattr(getattr(compat, module), name, None)
        if ours is None:
            wrong.append(f"{name} is missing")
        elif is_ddsps and callable(theirs):
            for label, both in callables(name, theirs, ours).items():
                if not isinstance(theirs, type) or label.endswith("__init__"):
                    wrong += differences(label, *both)
    assert not wrong, "\n".join(wrong)
