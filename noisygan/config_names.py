"""What a config may name, and which object a name in a config means.

Names are resolved here, against the allow-list (`noisygan.config_allowed`), before anything is
imported, and gin only ever sees the result.
"""

import functools
import importlib
import importlib.util
import inspect
import pkgutil
import types

from noisygan import ddsp_package
from noisygan.config_allowed import (
    TFP,
    TFP_DISTRIBUTIONS,
    check_module,
    is_allowed,
    is_open,
    nearest,
    rule_of,
    summary,
    within,
)
from noisygan.errors import UsageError

# gin's own helpers that a config may use: a macro's value is bound without naming it.
SINGLETON = "gin.singleton"

NO_DEFAULT = inspect.Parameter.empty


def import_module(module, where):
    """Imports a module that `check_module` let pass.

    Args:
      module: Dotted name.
      where: File and line, for the message.

    Returns:
      The module.

    Raises:
      UsageError: if there is no such module; names the nearest one.
    """
    if within(module, "ddsp"):
        _load_ddsp(where)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        if not within(module, missing):
            raise UsageError(
                f"{where}: importing {module} needs the package {missing}, which is not installed"
            ) from None
        parent = missing.rpartition(".")[0]
        siblings = _submodules(importlib.import_module(parent)) if parent else []
        hint = nearest(missing, [f"{parent}.{name}" for name in siblings])
        raise UsageError(f"{where}: there is no module {missing}{hint}") from None


def _load_ddsp(where):
    """Imports ddsp as only its own helper can; the error says how to install it."""
    try:
        ddsp_package.load()
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _submodules(package):
    return [info.name for info in pkgutil.iter_modules(getattr(package, "__path__", []))]


def canonical(value):
    """The one name under which an allowed object appears in a resolved config.

    Args:
      value: A class or function for which `is_allowed` holds.

    Returns:
      (module, selector), e.g. ("synths.harmonic", "synths.harmonic.Harmonic").
    """
    if within(value.__module__, TFP_DISTRIBUTIONS):
        return TFP, f"{TFP}.distributions.{value.__qualname__}"
    return value.__module__, f"{value.__module__}.{value.__qualname__}"


def members(module):
    """The names in a module that a config may write.

    Args:
      module: An imported module.

    Returns:
      dict name -> class or function.
    """
    if module.__name__ == TFP:
        return {}
    found = {}
    for name in dir(module):
        value = getattr(module, name, None)
        if not name.startswith("_") and is_allowed(value):
            found[name] = value
    return found


class Names:
    """The names which the files of one config may use.

    A name is understood when it begins with what the file imported, is written in full from an
    allowed package on (`discriminators.mfcc.MfccDiscriminator`), or is the end of exactly one
    class or function of the modules that the whole config imports (`Trainer`).
    """

    def __init__(self):
        self._modules = {}  # module name -> module, of every file
        self._mentioned = {}  # selector -> object, already named in full by a file
        self._known = {}  # what names meant since either of them last grew

    def add_import(self, module, where):
        """Imports a module for all files of this config.

        Args:
          module: Dotted name.
          where: File and line, for messages.

        Returns:
          The module.
        """
        check_module(module, where)
        self._modules[module] = import_module(module, where)
        return self._modules[module]

    def resolve(self, selector, imports, where):
        """Finds the class or function that a name means.

        Args:
          selector: The name as written, e.g. `Trainer` or `synths.harmonic.Harmonic`.
          imports: dict of the file's own names to module names.
          where: File and line, for messages.

        Returns:
          The class or function.

        Raises:
          UsageError: if it means nothing, several things, or something that is not allowed.
        """
        key = (len(self._modules), len(self._mentioned), selector, *imports.items())
        if key in self._known:
            return self._known[key]
        value = self._through_imports(selector, imports, where)
        if value is None:
            value = self._by_ending(selector, where)
        if value is None:
            value = self._in_full(selector, where)
        if value is None:
            raise UsageError(f"{where}: {self._unknown(selector)}")
        self._mentioned[canonical(value)[1]] = value
        self._known[key] = value
        return value

    def _through_imports(self, selector, imports, where):
        for name in sorted(imports, key=len, reverse=True):
            if selector.startswith(name + "."):
                return self._walk(
                    self._modules[imports[name]], selector[len(name) + 1 :], selector, where
                )
        return None

    def _by_ending(self, selector, where):
        found = {}
        for name, value in self._everything():
            if name == selector or name.endswith("." + selector):
                found[canonical(value)[1]] = value
        if len(found) > 1:
            mentioned = {name: value for name, value in found.items() if name in self._mentioned}
            if len(mentioned) != 1:
                raise UsageError(
                    f"{where}: {selector} could mean any of {', '.join(sorted(found))}; "
                    "write more of it"
                )
            found = mentioned
        return next(iter(found.values()), None)

    def _in_full(self, selector, where):
        parts = selector.split(".")
        if parts[0] == "ddsp":
            _load_ddsp(where)
        for length in range(len(parts) - 1, 0, -1):
            module = ".".join(parts[:length])
            if not (rule_of(module) or module == TFP):
                continue
            try:
                found = importlib.util.find_spec(module)
            except ModuleNotFoundError:
                found = None
            if found is not None:
                return self._walk(
                    self.add_import(module, where), ".".join(parts[length:]), selector, where
                )
        return None

    def _walk(self, module, rest, selector, where):
        """Follows attributes through allowed modules to an allowed class or function."""
        value = module
        parts = rest.split(".")
        for i, part in enumerate(parts):
            if not isinstance(value, types.ModuleType):
                raise UsageError(
                    f"{where}: {selector} goes on after {'.'.join(parts[:i])}, which is not a "
                    "module; a config names classes and functions, not what is inside them"
                )
            if not is_open(value.__name__):
                raise UsageError(
                    f"{where}: a config may not reach into {value.__name__} (by {selector}); "
                    f"allowed are {summary()}"
                )
            child = None if part.startswith("_") else getattr(value, part, None)
            if child is None and rule_of(f"{value.__name__}.{part}") and part in _submodules(value):
                child = import_module(f"{value.__name__}.{part}", where)
            if child is None:
                options = [*members(value), *_submodules(value)]
                raise UsageError(f"{where}: {value.__name__} has no {part}{nearest(part, options)}")
            value = child
        if not is_allowed(value):
            raise UsageError(
                f"{where}: a config may not name {selector}; allowed are the classes, and "
                f"functions that scale, which these modules define themselves: {summary()}"
            )
        return value

    def _everything(self):
        yield from self._mentioned.items()
        for module in list(self._modules.values()):
            for value in members(module).values():
                yield canonical(value)[1], value
            for name, value in members(module).items():
                yield f"{module.__name__}.{name}", value

    def _unknown(self, selector):
        names = {name for name, _ in self._everything()}
        short = {name.rsplit(".", 1)[-1] for name in names}
        hint = nearest(selector, short if "." not in selector else names)
        hint = hint or nearest(selector.rsplit(".", 1)[-1], short)
        top = selector.split(".")[0]
        return f"nothing is called {selector}{hint}" + (
            "" if hint else f"; neither an imported module nor an object of one begins with {top}"
        )


@functools.cache
def parameters(value):
    """The parameters of a class or function that a config can bind.

    A constructor that passes `**kwargs` on has its parents' parameters too (Keras layers).

    Args:
      value: A class or function.

    Returns:
      dict name -> default (`inspect.Parameter.empty` where there is none), or None if the names
      cannot be known (a function with `**kwargs`).
    """
    if not inspect.isclass(value):
        signature = inspect.signature(value)
        return None if _is_variadic(signature) else _named(signature)
    found = {}
    for parent in inspect.getmro(value):
        if "__init__" not in vars(parent) or parent is object:
            continue
        signature = inspect.signature(vars(parent)["__init__"])
        found = {**_named(signature, skip_first=True), **found}
        if not _is_variadic(signature):
            break
    return found


def own_parameters(value):
    """Like `parameters`, without what a constructor inherits through `**kwargs`."""
    if not inspect.isclass(value):
        return _named(inspect.signature(value))
    for parent in inspect.getmro(value):
        if "__init__" in vars(parent) and parent is not object:
            return _named(inspect.signature(vars(parent)["__init__"]), skip_first=True)
    return {}


def _is_variadic(signature):
    return any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())


def _named(signature, skip_first=False):
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = [p for p in signature.parameters.values() if p.kind in kinds]
    return {p.name: p.default for p in named[1 if skip_first else 0 :]}
