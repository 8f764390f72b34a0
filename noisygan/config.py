"""Find, parse, build and write gin configs.

A config is code, so only classes and functions of allow-listed modules may be imported and called
(`allow_modules` adds some). Parsing is strict: a misspelt module, name, parameter or scope, and a
binding without a use, is a UsageError that names the nearest correct one. Three differences from
`gin.parse_config_file`:

- short names: `Trainer.batch_size = 8` means the one class `Trainer` of the imported modules;
- replacing a part (`Trainer.discriminator = @...`) also drops the old part's bindings;
- `resolved_text` holds every value, defaults included, and parses to the same config.
"""

import contextlib
import difflib
import functools
import importlib
import inspect
import io
import math
import os
import pathlib
import pkgutil
import pprint
import re
from typing import NamedTuple

import gin
from gin import config_parser

from noisygan import ddsp_package
from noisygan.errors import NoisyganError, RunError, UsageError

# Packages and modules whose classes a config may name: their constructors store, validate and make
# weights. Of `functions`, also functions: activations and scalings.
_CLASSES = str.split(
    """synths cppn discriminators noisygan.generators noisygan.losses noisygan.data.dataset
    noisygan.training.augmentation noisygan.training.growth noisygan.training.optimizers
    noisygan.training.pretraining noisygan.training.quality noisygan.training.trainer
    ddsp.synths ddsp.effects"""
)
_FUNCTIONS = str.split(
    "cppn.activations synths.frequency_scales synths.modal synths.transient synths.units"
)
# They compile, start threads, set global state or load weights.
_DENIED = str.split(
    "synths.crepe synths.kernels synths.native synths.pitch synths.portable synths.sharing"
)
_TFP = "tensorflow_probability"
# Distributions of numbers; others call functions that they are given.
_DISTRIBUTIONS = str.split(
    """Beta Cauchy Exponential Gamma Gumbel HalfCauchy HalfNormal InverseGamma Kumaraswamy Laplace
    LogNormal Logistic LogitNormal MultivariateNormalDiag MultivariateNormalTriL Normal Pareto
    SphericalUniform StudentT Triangular TruncatedNormal Uniform VonMises VonMisesFisher Weibull"""
)
# Keras looks up objects by dicts with these keys.
_KERAS_KEYS = ("class_name", "registered_name")
_SINGLETON = "gin.singleton"
# Names of 0.1 -> names of 0.2: modules, classes and parameters.
_RENAMED = {
    "Conditions": "ConditionEncoder",
    "conditions": "condition_encoder",
    "AskedPitch": "ConditionedPitch",
    "PrintedDrumDCGAN": "PublishedDrumDCGAN",
    "Humanize": "ConditionJitter",
    "humanize": "condition_jitter, module jitter",
    "Unsteadiness": "Jitter",
    "unsteadiness": "jitter",
    "in_use": "inference_mode",
    "before": "pretraining",
    "balance": "removed",
    "recordings": "noisygan.data.dataset",
}
_MAX_BYTES = 1 << 20

_allowed = []  # by `allow_modules`


def allow_modules(modules):
    """Let configs import these modules and call everything they define, until the next call.

    Args:
      modules: Dotted names; each includes its submodules.

    Raises:
      UsageError: for what is not a module name.
    """
    for module in modules:
        if not all(part.isidentifier() for part in module.split(".")):
            raise UsageError(f"allow_module {module}: expected a module name like my_synths.fm")
    _allowed[:] = modules


def allowed_modules():
    """The modules added by `allow_modules`: list of str."""
    return list(_allowed)


def bundled_folder():
    """Folder of the configs that come with the package: pathlib.Path."""
    package = pathlib.Path(__file__).resolve().parent
    for folder in (package.parent / "gin", package / "_gin"):
        if (folder / "runs").is_dir():
            return folder
    raise UsageError(f"the bundled configs are missing from {package}; install noisygan again")


def bundled_configs():
    """Bundled runs, ablations and comparisons: dict of short name -> pathlib.Path, runs first."""
    folder = bundled_folder()
    return {
        path.relative_to(folder).as_posix(): path
        for group in ("runs", "ablations", "comparisons")
        for path in sorted((folder / group).rglob("*.gin"))
    }


def describe(path):
    """First comment line of a config, empty if it does not begin with one."""
    first = read(path).lstrip().split("\n", 1)[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def find_config(name):
    """Find a config by path or bundled name.

    Args:
      name: A path, or a bundled file such as `runs/notes.gin`, `notes.gin` or `notes`.

    Returns:
      pathlib.Path.

    Raises:
      UsageError: if there is none; names the nearest bundled config.
    """
    path = os.path.expanduser(name)
    if os.path.isfile(path):
        return pathlib.Path(path)
    folder = bundled_folder()
    bundled = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*.gin")}
    wanted = pathlib.PurePath(name).as_posix().removeprefix("gin/").removesuffix(".gin") + ".gin"
    for candidate in (wanted, f"runs/{wanted}", f"ablations/{wanted}"):
        if candidate in bundled:
            return bundled[candidate]
    hint = nearest(wanted, bundled) or nearest(wanted, [p.name for p in bundled.values()])
    raise UsageError(
        f"no config {name}: neither a file nor a bundled config{hint}; "
        "`noisygan configs` lists the bundled ones"
    )


def read(path):
    """Text of a .gin file, with or without a byte order mark."""
    try:
        if os.path.getsize(path) > _MAX_BYTES:
            raise UsageError(f"config {path} has more than {_MAX_BYTES >> 20} MB")
        return pathlib.Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise UsageError(f"config {path} cannot be read: {reason}") from None


def nearest(name, names):
    """` (nearest: X)` for the most similar of some names, or an empty string."""
    lower = {str(n).lower(): str(n) for n in names}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f" (nearest: {lower[found[0]]})" if found else ""


def _hint(name, names):
    """What to write instead of an unknown name: its name since 0.2, or the nearest one."""
    new = _RENAMED.get(name.rsplit(".", 1)[-1])
    old = f" (since noisygan 0.2: {new}; noisygan==0.1.0 reads configs of 0.1)"
    return old if new else nearest(name, names)


_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d*)?(e[-+]?\d+)?\s*", re.IGNORECASE)


class _Reference(NamedTuple):
    """`@scope/module.Name`, with () if evaluated; without a selector the macro `%scope`."""

    scope: str
    selector: str = ""
    evaluate: bool = True

    def __repr__(self):
        name = f"{self.scope}/{self.selector}" if self.scope else self.selector
        return f"@{name}{'()' * self.evaluate}" if self.selector else f"%{self.scope}"


class _Binding(NamedTuple):
    """`scope/selector.parameter = value`; without a selector the macro `scope = value`."""

    scope: str
    selector: str
    parameter: str
    value: object
    where: str

    @property
    def key(self):
        return self[:3]

    def __str__(self):
        """The short spelling: `voice/Harmonic.n_harmonics`."""
        name = f"{self.selector.rsplit('.', 1)[-1]}.{self.parameter}"
        return f"{self.scope}/{name}" if self.scope else name


class _Delegate(config_parser.ParserDelegate):
    """Turns references and macros into data; gin's own delegate looks them up."""

    def configurable_reference(self, scoped_configurable_name, evaluate):
        scope, _, selector = scoped_configurable_name.rpartition("/")
        return _Reference(scope, selector, evaluate)

    def macro(self, macro_name):
        return _Reference(macro_name)


def _statements(text, source, path=None, parents=()):
    """Statements of .gin text with its includes in place: list of (gin statement, where)."""
    found, parser = [], None

    def where(line):
        return f"{source} line {line}" if path else source

    try:
        parser = config_parser.ConfigParser(io.StringIO(text), _Delegate())
        statements = list(parser)
    except Exception as error:  # SyntaxError, TokenError, TypeError, RecursionError, ...
        line = parser.current_token.start[0] if parser and parser.current_token else 1
        message = _first_line(error)
        _, unquoted, token = str(error).partition("Failed to parse token ")
        if unquoted:
            message = f"{token[:40]}: write text in quotes, an object as @module.Name()"
        raise UsageError(
            f"{where(line)}: not a gin statement ({message}); expected e.g. Trainer.batch_size = 16"
        ) from None
    for statement in statements:
        place = where(statement.location.line_num)
        if isinstance(statement, config_parser.IncludeStatement):
            included = _find_include(statement.filename, place, path)
            if included.resolve() in parents:
                raise UsageError(f"{place}: {statement.filename} includes itself")
            found += _read_statements(included, parents)
        else:
            found.append((statement, place))
    return found


def _read_statements(path, parents=()):
    return _statements(read(path), path, path, (*parents, pathlib.Path(path).resolve()))


def _find_include(name, where, including):
    """An include beside the including file or among the bundled configs: only .gin files."""
    if os.path.isabs(name) or name.startswith("~") or not name.endswith(".gin"):
        raise UsageError(f"{where}: include .gin files by relative path, not {name}")
    folders = [pathlib.Path(including).parent] if including else []
    folders.append(bundled_folder())
    for folder in folders:
        path = folder / name
        if os.path.isfile(path) and path.resolve().suffix == ".gin":
            return path
    options = [p.relative_to(f).as_posix() for f in folders for p in f.rglob("*.gin")]
    raise UsageError(f"{where}: no {name} to include{nearest(name, options)}")


def _within(name, prefixes):
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def is_open(module):
    """True if a config may name what this module defines."""
    if _within(module, _allowed):
        return True
    private = any(part.startswith("_") for part in module.split("."))
    return _within(module, _CLASSES) and not _within(module, _DENIED) and not private


def is_allowed(value):
    """True if a config may name this object; only the module that defines it counts."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(module, str) or not is_open(module) or "." in name or name.startswith("_"):
        return False
    if inspect.isclass(value):
        return not issubclass(value, BaseException)
    return inspect.isfunction(value) and _within(module, (*_FUNCTIONS, *_allowed))


def _check_module(module, where):
    """Refuse a module that a config may not import. Imports nothing."""
    known = (*_allowed, *_CLASSES, _TFP)
    if module == _TFP or is_open(module) or any(k.startswith(f"{module}.") for k in known):
        return
    raise UsageError(
        f"{where}: a config may not import {module}{_hint(module, known)}; "
        f"if you trust it, add allow_module {module}"
    )


def _canonical(value):
    """(module, full name) under which resolved configs name an object."""
    if value.__module__.startswith(_TFP):
        return _TFP, f"{_TFP}.distributions.{value.__qualname__}"
    return value.__module__, f"{value.__module__}.{value.__qualname__}"


class _Names:
    """The objects that a config can name."""

    def __init__(self):
        self.known = {}  # each name of an object of the imported modules -> object
        self.objects = {}  # full name -> object that the config names

    def add(self, module):
        """Import a module and add its members."""
        if _within(module, ("ddsp",)):
            ddsp_package.load()
        imported = importlib.import_module(module)
        members = {n: v for n, v in vars(imported).items() if n[0] != "_" and is_allowed(v)}
        if module == _TFP:
            members = {n: getattr(imported.distributions, n) for n in _DISTRIBUTIONS}
        for name, value in members.items():
            self.known[_canonical(value)[1]] = self.known[f"{module}.{name}"] = value

    def import_module(self, module, where):
        """`add` with errors for people."""
        try:
            self.add(module)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
        except ModuleNotFoundError as error:
            missing = error.name or module
            if not _within(module, (missing,)):
                raise UsageError(f"{where}: {module} needs {missing}: not installed") from None
            parent = missing.rpartition(".")[0]
            folders = getattr(importlib.import_module(parent), "__path__", ()) if parent else ()
            siblings = [f"{parent}.{info.name}" for info in pkgutil.iter_modules(folders)]
            message = f"{where}: there is no module {missing}{_hint(missing, siblings)}"
            raise UsageError(message) from None

    def resolve(self, selector, aliases, where):
        """Full name of the class or function that a selector means."""
        if selector == _SINGLETON:
            return selector
        first, _, rest = selector.partition(".")
        name = f"{aliases[first]}.{rest}" if rest and first in aliases else selector
        module = name.rpartition(".")[0]
        if name not in self.known and is_open(module):
            with contextlib.suppress(ModuleNotFoundError):
                self.add(module)
        ends = [v for n, v in self.known.items() if n.endswith("." + name)]
        ends = [self.known[name]] if name in self.known else ends
        found = {_canonical(value)[1]: value for value in ends}
        if len(found) > 1:
            found = {n: v for n, v in found.items() if n in self.objects} or found
        if len(found) > 1:
            options = ", ".join(sorted(found))
            raise UsageError(f"{where}: {selector} could be {options}; write more of it")
        if not found:
            short = [n.rsplit(".", 1)[-1] for n in self.known]
            hint = _hint(name, self.known if "." in name else short)
            hint = hint or nearest(name.rsplit(".", 1)[-1], short)
            raise UsageError(f"{where}: nothing is called {selector}{hint}")
        self.objects |= found
        return next(iter(found))


@functools.cache
def _parameters(value, inherited=True):
    """Parameters of a class or function: dict of name -> default; None if it takes any.

    A constructor with `**kwargs` has its parents' parameters too, if `inherited`.
    """
    functions = [value]
    if inspect.isclass(value):
        functions = [vars(c)["__init__"] for c in value.__mro__[:-1] if "__init__" in vars(c)]
    found = {}
    for function in functions:
        parameters = list(inspect.signature(function).parameters.values())
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        found = {**{p.name: p.default for p in named if p.name != "self"}, **found}
        if not inherited or not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return found
    return found if inspect.isclass(value) else None


def _map(value, function):
    """The same value with `function(leaf)` in place of each leaf."""
    if type(value) is dict:
        return {_map(k, function): _map(v, function) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_map(item, function) for item in value)
    return function(value)


def _references(value):
    leaves = []
    _map(value, leaves.append)
    return [leaf for leaf in leaves if isinstance(leaf, _Reference)]


def _format(value):
    """A value as .gin text, or None if it has no literal form (an object, a function, NaN)."""

    def literal(leaf):
        if type(leaf) not in (type(None), bool, int, float, str, bytes, _Reference) or leaf != leaf:
            raise ValueError
        return _Infinity(leaf) if leaf in (math.inf, -math.inf) else leaf

    try:
        text = pprint.pformat(_map(value, literal), width=80, sort_dicts=False)
        return text.replace("\n", "\n" + 8 * " ")
    except ValueError:
        return None


class _Infinity(float):
    def __repr__(self):
        return "1e999" if self > 0 else "-1e999"


class _Loaded:
    """The config that the last `parse` loaded."""

    def __init__(self):
        self.bindings = {}  # _Binding.key -> _Binding
        self.objects = {}  # full name -> class or function
        self.built = set()  # nodes that `configured` builds


_loaded = _Loaded()


def parse(files, overrides=()):
    """Load configs in place of what was loaded before.

    Args:
      files: Names or paths of .gin files (see `find_config`); later files win.
      overrides: Bindings such as `Trainer.batch_size = 8`, applied last.

    Raises:
      UsageError: one line: what is wrong, in which file and line, and the nearest correct spelling.
    """
    global _loaded
    statements = [s for name in files for s in _read_statements(find_config(name))]
    for override in overrides:
        found = _statements(override, f"override '{override}'")
        if not found:
            raise UsageError(f"override '{override}': expected e.g. Trainer.n_critic = 2")
        statements += found

    # Nothing is imported unless every import is allowed.
    names = _Names()
    imports = [(s, where) for s, where in statements if _is_import(s)]
    for step in (_check_module, names.import_module):
        for statement, where in imports:
            step(statement.module, where)
    renamed = [statement for statement, _ in imports if statement.is_from or statement.alias]
    aliases = {statement.bound_name(): statement.module for statement in renamed}

    loaded, replaced = _Loaded(), []
    for statement, where in statements:
        if isinstance(statement, config_parser.BindingStatement):
            binding = _binding(statement, names, aliases, where)
            replaced.append(loaded.bindings.pop(binding.key, None))
            loaded.bindings[binding.key] = binding
    replaced = list(filter(None, replaced))
    _check_macros(loaded.bindings.values(), replaced)
    _check_numbers(loaded.bindings.values(), names.objects)
    _drop_replaced(loaded, replaced, names.objects)
    gin.clear_config()
    try:
        gin.parse_config(_text(loaded))
    except Exception as error:
        raise UsageError(f"the config cannot be loaded: {_first_line(error)}") from error
    _loaded = loaded


def _is_import(statement):
    is_import = isinstance(statement, config_parser.ImportStatement)
    return is_import and statement.module != "__gin__.dynamic_registration"


def _binding(statement, names, aliases, where):
    def resolve(leaf):
        if isinstance(leaf, _Reference) and leaf.selector:
            return leaf._replace(selector=names.resolve(leaf.selector, aliases, where))
        if leaf in _KERAS_KEYS:
            raise UsageError(f'{where}: "{leaf}" names objects past the allow-list; use @Name()')
        return leaf

    value = _map(statement.value, resolve)
    scope, selector, parameter = statement.scope, statement.selector, statement.arg_name
    if not parameter:
        return _Binding(f"{scope}/{selector}" if scope else selector, "", "", value, where)
    selector = names.resolve(selector, aliases, where)
    is_singleton = selector == _SINGLETON
    known = {"constructor": None} if is_singleton else _parameters(names.objects[selector])
    if known is not None and parameter not in known:
        hint = _hint(parameter, known) or f"; it has {', '.join(known) or 'none'}"
        short = selector.rsplit(".", 1)[-1]
        raise UsageError(f"{where}: {short} has no parameter {parameter}{hint}")
    return _Binding(scope, selector, parameter, value, where)


def _macros(value):
    """Names of the macros in a value."""
    return [r.scope for r in _references(value) if not r.selector]


def _check_macros(bindings, replaced):
    """Macros that are used are defined, not by themselves; defined ones are (or were) used."""
    defined = {b.scope: b.where for b in bindings if not b.selector}
    both = (*bindings, *replaced)
    used = {name: b.where for b in both for name in _macros(b.value)}
    for name in used.keys() - defined.keys():
        raise UsageError(f"{used[name]}: %{name} is not defined{nearest(name, defined)}")
    leads_to = {b.scope: _macros(b.value) for b in bindings if not b.selector}
    for name in defined:
        reached = set(leads_to[name])
        while more := {each for other in reached for each in leads_to[other]} - reached:
            reached |= more
        if name in reached:
            raise UsageError(f"{defined[name]}: %{name} refers to itself")
    for name in defined.keys() - used.keys():
        raise UsageError(f"{defined[name]}: nothing uses the value {name}{nearest(name, used)}")


def _check_numbers(bindings, objects):
    """No number is given as text, by itself or by a macro."""
    macros = {b.scope: b for b in bindings if not b.selector}
    for b in bindings:
        given = b
        while isinstance(given.value, _Reference) and not given.value.selector:
            given = macros[given.value.scope]
        if b.selector not in objects or not isinstance(given.value, str):
            continue
        default = (_parameters(objects[b.selector]) or {}).get(b.parameter)
        is_required = default is inspect.Parameter.empty
        if isinstance(default, (int, float)) or (is_required and _NUMBER.fullmatch(given.value)):
            name = f"{b.selector.rsplit('.', 1)[-1]}.{b.parameter}"
            expected = "a number" if is_required else f"a number such as {default}"
            expected = "True or False" if isinstance(default, bool) else expected
            what = f"{name} is text, {given.value!r}; expected {expected} without quotes"
            raise UsageError(f"{given.where}: {what}")


def _scopes(scope):
    parts = scope.split("/") if scope else []
    return ["/".join(parts[:n]) for n in range(len(parts) + 1)]


def _nodes(value, scope):
    """Nodes, (scope, full name), that a value leads to when it is evaluated in a scope."""
    for reference in _references(value):
        yield (reference.scope or scope), reference.selector
        if not (reference.evaluate or reference.scope):
            yield "", reference.selector  # called later, perhaps where no scope is active


def _reach(bindings, nodes):
    """(nodes that some nodes lead to, keys of the bindings that take effect there)."""
    of_node = {}
    for b in bindings.values():
        of_node.setdefault((b.scope, b.selector), {})[b.parameter] = b
    seen, used, queue = set(), set(), list(nodes)
    while queue:
        scope, selector = node = queue.pop()
        if node in seen:
            continue
        seen.add(node)
        effective = {}
        for prefix in _scopes(scope):
            effective |= of_node.get((prefix, selector), {})
        used |= {b.key for b in effective.values()}
        queue += [n for b in effective.values() for n in _nodes(b.value, scope)]
    return seen, used


def _drop_replaced(loaded, replaced, objects):
    """Drop the bindings of parts that only a replaced value named; keep the objects in use."""
    bindings = loaded.bindings
    named = {r.selector for b in (*bindings.values(), *replaced) for r in _references(b.value)}
    roots = {(b.scope, b.selector) for b in bindings.values() if b.selector not in {"", *named}}
    seen, alive = _reach(bindings, roots)
    old = {n for b in replaced for n in _nodes(b.value, b.scope)}
    dropped = _reach(bindings, old)[1] - alive
    loaded.bindings = {key: b for key, b in bindings.items() if key not in dropped}
    kept = {selector for _, selector in seen} | {b.selector for b in loaded.bindings.values()}
    loaded.objects = {name: value for name, value in objects.items() if name in kept}


def check_all_used():
    """Check that every binding takes effect in what `configured` has built.

    Call it once everything has been built. A binding equal to the parameter's default passes.

    Raises:
      UsageError: names the first binding without a use, and the nearest scope or object with one.
    """
    seen, used = _reach(_loaded.bindings, _loaded.built)
    for binding in _loaded.bindings.values():
        value = _loaded.objects.get(binding.selector, object)
        default = (_parameters(value) or {}).get(binding.parameter, object)
        short = binding.selector.rsplit(".", 1)[-1]
        scopes = {scope for scope, name in seen if name == binding.selector}
        if not binding.selector or binding.key in used:
            continue
        if not scopes:
            names = [name.rsplit(".", 1)[-1] for _, name in seen]
            why = f"no {short} was built{nearest(short, names)}"
        elif _format(default) == _format(binding.value):
            continue
        elif not any(binding.scope in _scopes(scope) for scope in scopes):
            hint = nearest(binding.scope, scopes)
            why = f"no {short} was built in the scope {binding.scope}{hint}"
        else:
            why = f"each scope of {short} overrides it"
        raise UsageError(f"{binding.where}: nothing used {binding}: {why}")


def configured(cls):
    """A class or function with its parameters taken from the loaded config.

    Args:
      cls: For example `noisygan.Trainer`.

    Returns:
      A callable; its arguments win over the config. An error that a wrong value causes is raised
      as a UsageError of one line.
    """
    try:
        wrapped = gin.get_configurable(cls)
    except ValueError:
        gin.external_configurable(cls, name=cls.__qualname__, module=cls.__module__)
        wrapped = gin.get_configurable(cls)
    _loaded.built.add(("", _canonical(cls)[1]))

    @functools.wraps(cls, updated=())
    def build(*args, **kwargs):
        try:
            return wrapped(*args, **kwargs)
        except NoisyganError as error:
            # gin appends lines about the call.
            kind = RunError if isinstance(error, RunError) else UsageError
            raise kind(_first_line(error)) from error
        except (TypeError, ValueError, RuntimeError) as error:
            place = str(error).partition("In call to configurable '")[2].partition("'")[0]
            place = f" (in {place})" if place else ""
            message = f"the config builds no {cls.__name__}: {_first_line(error)}{place}"
            raise UsageError(message) from error

    return build


def _first_line(error):
    return next(iter(str(error).strip().splitlines()), type(error).__name__).strip()


def resolved_text():
    """The loaded config with full names, without includes and with defaults written out.

    It parses to the same config, whatever defaults a later version has. Defaults without a literal
    form (functions) are comments.
    """
    return _text(_loaded, defaults=True)


def _text(loaded, defaults=False):
    modules = sorted({_canonical(value)[0] for value in loaded.objects.values()})
    lines = ["from __gin__ import dynamic_registration", "", *(f"import {m}" for m in modules), ""]
    groups = {}
    for b in loaded.bindings.values():
        if b.selector:
            groups.setdefault((b.selector, b.scope), {})[b.parameter] = _format(b.value)
        else:
            lines.append(f"{b.scope} = {_format(b.value)}")
    for selector, value in loaded.objects.items() if defaults else ():
        if not selector.startswith(_TFP):
            group = groups.setdefault((selector, ""), {})
            for name, default in _parameters(value, inherited=False).items():
                if name not in group and default is not inspect.Parameter.empty:
                    text = getattr(default, "__name__", type(default).__name__)
                    group[name] = _format(default) or f"# {text} (default)"
    for (selector, scope), group in sorted(groups.items()):
        comments = [f"    # {name}: {text[2:]}" for name, text in group.items() if text[0] == "#"]
        values = [f"    {name} = {text}" for name, text in group.items() if text[0] != "#"]
        if values:
            lines += ["", f"{scope}/{selector}:" if scope else f"{selector}:", *comments, *values]
    return "\n".join(lines) + "\n"
