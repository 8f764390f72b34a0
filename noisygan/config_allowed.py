"""The allow-list of configs: which modules may be imported, and what of them may be named.

A config is code: `@os.system()` in a .gin file would run a shell command, and run folders are
passed on. What a config may name:

- classes of `synths`, `cppn`, `discriminators`, `noisygan.generators` and `noisygan.losses`, and of
  those modules of `noisygan.data` and `noisygan.training` that are listed here: their constructors
  store and validate, make weights, and touch no files;
- functions of the few modules that hold activations and scalings;
- distributions of tensorflow_probability that numbers describe; synths and effects of ddsp;
- whatever the modules define that the person at the keyboard has named by --allow_module.

Only what such a module defines counts, not what it imported: `synths.noise.np.load` is refused.
"""

import dataclasses
import difflib
import inspect
import re

from noisygan.errors import UsageError

OPTION = "--allow_module"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One entry of the allow-list: a package or module, with everything below it."""

    prefix: str
    functions: bool = False


RULES = (
    # The narrower ones come first.
    Rule("cppn.activations", functions=True),
    Rule("synths.frequency_scales", functions=True),
    Rule("synths.modal", functions=True),
    Rule("synths.transient", functions=True),
    Rule("synths.units", functions=True),
    Rule("synths"),
    Rule("cppn"),
    Rule("discriminators"),
    Rule("noisygan.generators"),
    Rule("noisygan.losses"),
    Rule("noisygan.data.recordings"),
    Rule("noisygan.training.augmentation"),
    Rule("noisygan.training.growth"),
    Rule("noisygan.training.optimizers"),
    Rule("noisygan.training.pretraining"),
    Rule("noisygan.training.quality"),
    Rule("noisygan.training.trainer"),
    Rule("ddsp.synths"),
    Rule("ddsp.effects"),
)

# Below an allowed package, but no parts of a network: they compile, start threads, choose how the
# whole process computes, or load weights.
DENIED = (
    *("synths.kernels", "synths.native", "synths.pitch", "synths.portable", "synths.sharing"),
)

TFP = "tensorflow_probability"
TFP_DISTRIBUTIONS = "tensorflow_probability.python.distributions"
# Others call functions that they are given, or draw as many numbers as one asks them for.
DISTRIBUTIONS = frozenset(
    (
        *("Beta", "Cauchy", "Exponential", "Gamma", "Gumbel", "HalfCauchy", "HalfNormal"),
        *("InverseGamma", "Kumaraswamy", "Laplace", "LogNormal", "Logistic", "LogitNormal"),
        *("MultivariateNormalDiag", "MultivariateNormalTriL", "Normal", "Pareto", "StudentT"),
        *("SphericalUniform", "Triangular", "TruncatedNormal", "Uniform", "VonMises"),
        *("VonMisesFisher", "Weibull"),
    )
)

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")

_widened = []


def widen(modules):
    """Lets configs import these modules, and name all that they define, until the next call.

    Args:
      modules: Dotted names; each stands for everything below it.

    Raises:
      UsageError: for what is no name of a module.
    """
    for module in modules:
        if not _MODULE.fullmatch(module):
            raise UsageError(f"{OPTION} {module}: expected a module's name, such as my_synths.fm")
    _widened[:] = [Rule(module, functions=True) for module in modules]


def widened():
    """Names of the modules by which the allow-list is widened."""
    return [rule.prefix for rule in _widened]


def as_options():
    """The options that widen the allow-list of a command alike: list of str."""
    return [word for module in widened() for word in (OPTION, module)]


def within(name, prefix):
    """Whether a dotted name is another one or lies below it."""
    return name == prefix or name.startswith(prefix + ".")


def rule_of(module):
    """The rule that allows a module, or None. Denied and private modules have none."""
    for rule in _widened:
        if within(module, rule.prefix):
            return rule
    if any(within(module, denied) for denied in DENIED):
        return None
    if any(part.startswith("_") for part in module.split(".")):
        return None
    return next((rule for rule in RULES if within(module, rule.prefix)), None)


def is_open(module):
    """Whether a name may lead through a module."""
    return bool(module in (TFP, TFP_DISTRIBUTIONS) or rule_of(module) or _is_ancestor(module))


def _is_ancestor(module):
    """Whether a package itself holds nothing to name, but leads to an allowed one."""
    return any(rule.prefix.startswith(module + ".") for rule in (*_widened, *RULES))


def summary():
    """The allow-list as a person reads it."""
    known = [*widened(), *(rule.prefix for rule in RULES if not rule.prefix.startswith("ddsp"))]
    tops = [name for name in known if not any(name.startswith(f"{other}.") for other in known)]
    return ", ".join([*tops, TFP, "ddsp"])


def check_module(module, where):
    """Refuses a module that a config may not import. Imports nothing.

    Args:
      module: Dotted name.
      where: File and line, for the message.

    Raises:
      UsageError: if the module is not on the allow-list.
    """
    if module == TFP or rule_of(module) or _is_ancestor(module):
        return
    known = [rule.prefix for rule in (*_widened, *RULES)] + [TFP]
    top = module.split(".")[0]
    hint = nearest(module, known) or nearest(top, [name.split(".")[0] for name in known])
    raise UsageError(
        f"{where}: a config may not import {module}{hint}; allowed are {summary()}; if you know "
        f"what {module} does, add {OPTION} {module}"
    )


def is_allowed(value):
    """Whether a config may name this object: a class or function that an allowed module defines."""
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", "")
    if not isinstance(module, str) or "." in name or name.startswith("_"):
        return False
    if inspect.isclass(value) and within(module, TFP_DISTRIBUTIONS):
        return name in DISTRIBUTIONS
    rule = rule_of(module)
    if rule is None:
        return False
    if inspect.isclass(value):
        return not issubclass(value, BaseException)
    return inspect.isfunction(value) and rule.functions


def nearest(name, names):
    """The most similar of some names.

    Args:
      name: What was written.
      names: What could have been written.

    Returns:
      ` (nearest: X)`, ready to be appended to a message, or an empty string.
    """
    names = sorted({str(n) for n in names})
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not found:
        lower = {n.lower(): n for n in names}
        found = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)]
    return f" (nearest: {found[0]})" if found else ""
