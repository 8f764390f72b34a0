"""Loads gin configs strictly.

`parse` reads files and bindings, checks every name against an allow-list before importing
anything, and hands gin one flat text in which each object has its full name. A misspelt module,
class, function, parameter or scope, and a binding that nothing used, is a UsageError which names
the nearest right spelling.

What differs from `gin.parse_config_file`:

- short names: `Trainer.batch_size = 8` means the one class `Trainer` of the imported modules;
- a binding that was only needed by an object that a later line replaced is dropped, so that
  swapping a part (`Trainer.discriminator = @...`) is not an error about the old part's numbers;
- `resolved_text` holds every value, defaults too, and parses again to the same thing.
"""

import dataclasses
import functools
import os
import pathlib

import gin
import gin.config

from noisygan import config_allowed, config_names, config_sizes, config_text
from noisygan.config_allowed import nearest
from noisygan.config_text import Binding, Block, Import, Include, Macro, Reference
from noisygan.errors import NoisyganError, RunError, UsageError

_REQUIRED = "gin.REQUIRED"
# Of one parse, however deep; our own configs have five at most.
MAX_INCLUDES = 200


# ---- bundled configs -------------------------------------------------------------------------


def bundled_folder():
    """The folder of the configs that come with the package.

    Returns:
      pathlib.Path: `gin/` of a checkout, else the copy inside the installed package.

    Raises:
      UsageError: if the installation holds neither.
    """
    package = pathlib.Path(__file__).resolve().parent
    for folder in (package.parent / "gin", package / "_gin"):
        if (folder / "runs").is_dir():
            return folder
    raise UsageError(f"the bundled configs are missing from {package}; install noisygan again")


def bundled_configs():
    """The runs, ablations and comparisons that come with the package.

    Returns:
      dict of short name (`runs/notes.gin`) -> pathlib.Path, runs first.
    """
    folder = bundled_folder()
    return {
        path.relative_to(folder).as_posix(): path
        for group in ("runs", "ablations", "comparisons")
        for path in sorted((folder / group).rglob("*.gin"))
    }


def describe(path):
    """The one-line description of a config: its first comment line.

    Args:
      path: pathlib.Path of a .gin file.

    Returns:
      str, empty if the file does not begin with a comment.
    """
    first = config_text.read_file(path).lstrip().split("\n", 1)[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def find_config(name):
    """Finds a config by path or by its bundled name.

    Args:
      name: A path, or `runs/notes.gin`, `notes.gin` or `notes`; other bundled files, such as
        `models/hybrid.gin`, by their path below the bundled folder.

    Returns:
      pathlib.Path.

    Raises:
      UsageError: if there is none; names the nearest bundled config.
    """
    # Of os.path: those of pathlib raise for a name too long, or a ~ that nobody has.
    path = os.path.expanduser(name)
    if os.path.isfile(path):
        return pathlib.Path(path)
    folder = bundled_folder()
    bundled = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*.gin"))}
    wanted = pathlib.PurePath(name).as_posix().removeprefix("./").removeprefix("gin/")
    wanted = wanted if wanted.endswith(".gin") else wanted + ".gin"
    if wanted in bundled:
        return bundled[wanted]
    for group in ("runs", "ablations"):
        if f"{group}/{wanted}" in bundled:
            return bundled[f"{group}/{wanted}"]
    short = {f"{p.stem}": key for key, p in bundled_configs().items()}
    hint = nearest(wanted, bundled) or nearest(wanted.removesuffix(".gin"), short)
    raise UsageError(
        f"no config {name}: neither a file nor a bundled config{hint}; "
        "`noisygan configs` lists the bundled ones"
    )


# ---- parsing ---------------------------------------------------------------------------------


class _Loaded:
    """What the last `parse` left: effective bindings, and who refers to whom."""

    def __init__(self):
        self.bindings = {}  # Binding.key -> Binding, effective
        self.objects = {}  # canonical selector -> class or function
        self.called_later = set()  # (scope, selector) handed over without being called


_loaded = _Loaded()


def parse(gin_files, gin_params=()):
    """Loads configs, replacing whatever was loaded before.

    Args:
      gin_files: Names or paths of .gin files (see `find_config`); later files win.
      gin_params: Bindings such as `Trainer.batch_size = 8`, applied last.

    Raises:
      UsageError: one line: what is wrong, in which file and line, and the nearest right spelling.
    """
    _load([_read_unit(find_config(name)) for name in gin_files], gin_params)


def parse_text(text, source="config", gin_params=()):
    """Loads a config from text, such as a run folder's resolved config.

    Args:
      text: The text of a .gin file.
      source: Where it comes from, for messages.
      gin_params: Bindings applied last.

    Raises:
      UsageError: as `parse`.
    """
    _load([_Unit(None, (), config_text.statements(text, source))], gin_params)


@dataclasses.dataclass(frozen=True)
class _Unit:
    """Statements that share one table of imports: a file, a piece of one, or a --gin_param."""

    path: pathlib.Path | None
    parents: tuple  # resolved paths of this file and of those which include it
    statements: list

    def imports(self):
        """Import statements of modules; gin's own features are checked and left out."""
        found = [s for s in self.statements if isinstance(s, Import)]
        return [s for s in found if not _is_feature(s)]


def _read_unit(path, parents=(), count=lambda text: None):
    text = config_text.read_file(path)
    count(text)
    statements = config_text.statements(text, str(path))
    return _Unit(path, (*parents, path.resolve()), statements)


def _load(units, gin_params):
    global _loaded
    units = [*units, *(_Unit(None, (), _param_statements(param)) for param in gin_params)]
    units = _with_includes(units, _Included())

    # Nothing has been imported yet, and nothing will be unless every import passes.
    for unit in units:
        for statement in unit.imports():
            config_allowed.check_module(statement.module, statement.where)
    names = config_names.Names()
    for unit in units:
        for statement in unit.imports():
            names.add_import(statement.module, statement.where)

    loaded = _Loaded()
    replaced = []
    for unit in units:
        table = {statement.name: statement.module for statement in unit.imports()}
        for statement in unit.statements:
            if isinstance(statement, Block):
                _resolve(names, statement.selector, table, statement.where, loaded)
            elif isinstance(statement, Binding):
                binding = _resolve_binding(names, statement, table, loaded)
                previous = loaded.bindings.pop(binding.key, None)
                if previous is not None:
                    replaced.append(previous)
                loaded.bindings[binding.key] = binding
    _check_macros(loaded, replaced)
    _check_required(loaded)
    _drop_leftovers(loaded, replaced)
    live = loaded.bindings.values()
    config_sizes.check_values(live)
    nodes = {(_macro_name(b), "") if b.is_macro else (b.scope, b.selector) for b in live}
    config_sizes.check_parts(_Graph(live), nodes)

    gin.clear_config()
    try:
        gin.parse_config(_text(loaded, defaults=False))
    except Exception as error:
        gin.clear_config()
        raise UsageError(f"the config cannot be loaded: {first_line(error)}") from error
    _loaded = loaded


def _param_statements(param):
    source = f"--gin_param '{param}'"
    statements = config_text.statements(param, source)
    if not statements:
        raise UsageError(f"{source} is empty; expected e.g. Trainer.batch_size = 16")
    return statements


def _is_feature(statement):
    if not statement.module.startswith("__gin__"):
        return False
    if statement.module != "__gin__.dynamic_registration":
        raise UsageError(
            f"{statement.where}: gin has no {statement.module}; "
            "expected `from __gin__ import dynamic_registration`"
        )
    return True


class _Included:
    """How much one parse has included: thirty short files can ask for a billion of each other."""

    def __init__(self):
        self._n = 0
        self._n_characters = 0

    def count(self, text, statement):
        """Counts one more; UsageError where that is too much, before it is parsed."""
        self._n += 1
        self._n_characters += len(text)
        if self._n > MAX_INCLUDES or self._n_characters > config_text.MAX_BYTES:
            raise UsageError(
                f"{statement.where}: with {statement.path} the config includes {self._n} files of "
                f"{self._n_characters:,} characters; expected at most {MAX_INCLUDES} files of "
                f"{config_text.MAX_BYTES:,}: include each once"
            )


def _with_includes(units, included):
    """Puts included statements where the include stands.

    A file that includes others comes back in several pieces, in the order in which bindings
    apply; each piece carries all of the file's imports.

    Args:
      units: list of _Unit.
      included: What was included before, an _Included.

    Returns:
      list of _Unit without Include statements.
    """
    result = []
    for unit in units:
        imports = [s for s in unit.statements if isinstance(s, Import)]
        # Each once, for each piece carries them: the last of a name is the one that holds.
        imports = list({(s.module, s.name): s for s in reversed(imports)}.values())[::-1]
        piece = list(imports)
        for statement in unit.statements:
            if isinstance(statement, Include):
                path = _find_include(statement, unit.path)
                if path.resolve() in unit.parents:
                    raise UsageError(f"{statement.where}: {statement.path} includes itself")
                count = functools.partial(included.count, statement=statement)
                result.append(_Unit(unit.path, unit.parents, piece))
                result += _with_includes([_read_unit(path, unit.parents, count)], included)
                piece = list(imports)
            elif not isinstance(statement, Import):
                piece.append(statement)
        result.append(_Unit(unit.path, unit.parents, piece))
    return result


def _find_include(statement, including):
    """Where an include leads: beside the including file, else among the bundled configs.

    Absolute paths and files that are no .gin files are refused: a config from somebody else must
    not make its reader open any file of this machine.
    """
    wanted = pathlib.PurePath(statement.path)
    if wanted.is_absolute() or wanted.suffix != ".gin" or statement.path.startswith("~"):
        raise UsageError(
            f"{statement.where}: a config includes .gin files by relative path, "
            f"not {statement.path}"
        )
    folders = [pathlib.Path(including).parent] if including else []
    folders.append(bundled_folder())
    for folder in folders:
        path = folder / wanted
        if os.path.isfile(path) and path.resolve().suffix == ".gin":
            return path
    options = [p.relative_to(f).as_posix() for f in folders for p in f.rglob("*.gin")]
    raise UsageError(
        f"{statement.where}: no {statement.path} to include, neither beside the including file "
        f"nor among the bundled configs{nearest(statement.path, options)}"
    )


def _resolve(names, selector, imports, where, loaded):
    """Canonical selector of a written name; gin's singleton is the only helper let through."""
    if selector == config_names.SINGLETON:
        return selector
    if selector == "gin" or selector.startswith("gin."):
        raise UsageError(
            f"{where}: of gin's own helpers a config may use {config_names.SINGLETON} only, "
            f"not {selector}"
        )
    value = names.resolve(selector, imports, where)
    canonical = config_names.canonical(value)[1]
    loaded.objects[canonical] = value
    return canonical


def _resolve_binding(names, binding, imports, loaded):
    def resolve(reference):
        selector = _resolve(names, reference.selector, imports, binding.where, loaded)
        return Reference(reference.scope, selector, reference.evaluate)

    value = config_text.map_references(binding.value, resolve)
    if binding.is_macro:
        return Binding(binding.scope, binding.selector, "", value, binding.where)
    selector = _resolve(names, binding.selector, imports, binding.where, loaded)
    known = (
        {"constructor": None}
        if selector == config_names.SINGLETON
        else config_names.parameters(loaded.objects[selector])
    )
    if known is not None and binding.parameter not in known:
        short = selector.rsplit(".", 1)[-1]
        options = f"; it has {', '.join(known)}" if known else "; it has none"
        hint = nearest(binding.parameter, known)
        raise UsageError(
            f"{binding.where}: {short} has no parameter {binding.parameter}{hint or options}"
        )
    return Binding(binding.scope, selector, binding.parameter, value, binding.where)


def _macro_name(binding):
    return f"{binding.scope}/{binding.selector}" if binding.scope else binding.selector


def _check_macros(loaded, replaced):
    """Every macro used is defined, and every one defined is (or was) used."""
    defined = {_macro_name(b): b for b in loaded.bindings.values() if b.is_macro}
    used = set()
    for binding in [*loaded.bindings.values(), *replaced]:
        for reference in config_text.references(binding.value):
            if isinstance(reference, Macro):
                used.add(reference.name)
                if reference.name not in defined and reference.name != _REQUIRED:
                    raise UsageError(
                        f"{binding.where}: %{reference.name} is not defined"
                        f"{nearest(reference.name, defined)}"
                    )
    for name, binding in defined.items():
        if name not in used:
            raise UsageError(
                f"{binding.where}: nothing uses the value {name}{nearest(name, used)}; "
                "a parameter is bound as Name.parameter = value"
            )


def _check_required(loaded):
    for binding in loaded.bindings.values():
        if binding.value == Macro(_REQUIRED):
            raise UsageError(
                f"{binding.where}: {_person_name(binding)} needs a value; "
                f"give one, e.g. --gin_param '{_person_name(binding)} = ...'"
            )


def _person_name(binding):
    """`voice/Harmonic.n_harmonics`: the short spelling that a person would type."""
    if binding.is_macro:
        return binding.name()
    scope = f"{binding.scope}/" if binding.scope else ""
    return f"{scope}{binding.selector.rsplit('.', 1)[-1]}.{binding.parameter}"


# ---- who uses what ---------------------------------------------------------------------------


def _prefixes(scope):
    parts = scope.split("/") if scope else []
    return ["/".join(parts[:n]) for n in range(len(parts) + 1)]


class _Graph:
    """Which object, in which scope, the values of which bindings lead to.

    A node is (scope, selector): a call of `selector` while `scope` is active. A macro's node is
    (its name, "").
    """

    def __init__(self, bindings):
        self._by_node = {}
        for binding in bindings:
            node = (binding.scope, binding.selector)
            node = (_macro_name(binding), "") if binding.is_macro else node
            self._by_node.setdefault(node, []).append(binding)

    def of(self, node):
        """The bindings that apply to a node, whether or not a deeper scope overrides them."""
        scope, selector = node
        if not selector:
            return self._by_node.get(node, [])
        return [b for s in _prefixes(scope) for b in self._by_node.get((s, selector), [])]

    def targets(self, value, scope):
        """Nodes to which a value leads when it is evaluated in a scope."""
        found = []
        for reference in config_text.references(value):
            if isinstance(reference, Macro):
                found.append((reference.name, ""))
            else:
                found.append((reference.scope or scope, reference.selector))
                if not reference.scope:
                    # Handed over uncalled, it may be called where no scope is active.
                    found += [] if reference.evaluate else [("", reference.selector)]
        return found

    def reachable(self, nodes):
        """All nodes to which some nodes lead, these included."""
        seen, queue = set(), list(nodes)
        while queue:
            node = queue.pop()
            if node in seen:
                continue
            seen.add(node)
            for binding in self.of(node):
                queue += self.targets(binding.value, node[0])
        return seen

    def covered(self, nodes):
        """Keys of all bindings that apply to some nodes."""
        return {binding.key for node in nodes for binding in self.of(node)}


def _roots(graph, bindings):
    """Nodes that nothing refers to: the objects that Python builds, and misspelt ones."""
    referenced = {
        reference.selector
        for binding in bindings
        for reference in config_text.references(binding.value)
        if isinstance(reference, Reference)
    }
    return {
        (b.scope, b.selector) for b in bindings if not b.is_macro and b.selector not in referenced
    }


def _drop_leftovers(loaded, replaced):
    """Drops bindings that only a replaced value needed, and notes what is handed over uncalled."""
    live = list(loaded.bindings.values())
    graph = _Graph(live)
    roots = _roots(graph, [*live, *replaced])
    alive = graph.reachable(roots)
    targets = (graph.targets(b.value, "" if b.is_macro else b.scope) for b in replaced)
    old = graph.reachable({node for nodes in targets for node in nodes})
    leftovers = graph.covered(old) - graph.covered(alive)
    loaded.bindings = {k: b for k, b in loaded.bindings.items() if k not in leftovers}

    graph = _Graph(loaded.bindings.values())
    uncalled = set()
    for node in graph.reachable(_roots(graph, list(loaded.bindings.values()))):
        for binding in graph.of(node):
            for reference in config_text.references(binding.value):
                if isinstance(reference, Reference) and not reference.evaluate:
                    uncalled.add((reference.scope or node[0], reference.selector))
                    uncalled.add((reference.scope, reference.selector))
    loaded.called_later = graph.reachable(uncalled)
    mentioned = {s for _, s in graph.reachable(_roots(graph, list(loaded.bindings.values())))}
    mentioned |= {b.selector for b in loaded.bindings.values() if not b.is_macro}
    loaded.objects = {s: v for s, v in loaded.objects.items() if s in mentioned}


def check_all_used():
    """Checks, once everything has been built, that every binding of the config had a use.

    A binding counts as used when the object was built (or the function called) in its scope and
    its caller did not supply the parameter itself, or when the object was handed over uncalled,
    to be called later. One that equals the parameter's default changes nothing and passes.

    Raises:
      UsageError: names the first binding without a use, and the nearest scope or object with one.
    """
    calls = gin.config._OPERATIVE_CONFIG  # {(scope, selector): {parameter: value}}; no public way
    called = {}
    for (scope, selector), values in list(calls.items()):
        called.setdefault(selector, []).append((scope, set(values)))
    live = _loaded.bindings.values()
    called_later = _Graph(live).covered(_loaded.called_later)
    unused = [b for b in live if b.key not in called_later and not _is_used(b, called)]
    if not unused:
        return
    binding = unused[0]
    more = f" (and {len(unused) - 1} more)" if len(unused) > 1 else ""
    raise UsageError(
        f"{binding.where}: nothing used {_person_name(binding)}{more}: "
        f"{_why_unused(binding, called)}"
    )


def _is_used(binding, called):
    if binding.is_macro:
        return True  # _check_macros saw to it; its users may be called later
    for scope, supplied in called.get(binding.selector, []):
        scopes = _prefixes(scope)
        if binding.scope not in scopes or binding.parameter not in supplied:
            continue
        deeper = scopes[scopes.index(binding.scope) + 1 :]
        if not any((s, binding.selector, binding.parameter) in _loaded.bindings for s in deeper):
            return True
    value = _loaded.objects.get(binding.selector)
    if value is None:
        return False
    default = (config_names.parameters(value) or {}).get(binding.parameter)
    return binding.selector in called and _same(default, binding.value)


def _same(a, b):
    return type(a) is type(b) and config_text.format_value(a) == config_text.format_value(b)


def _why_unused(binding, called):
    short = binding.selector.rsplit(".", 1)[-1]
    if binding.selector not in called:
        built = {s.rsplit(".", 1)[-1] for s in called if not s.startswith("gin.")}
        return f"no {short} was built{nearest(short, built)}"
    scopes = {scope for scope, _ in called[binding.selector]}
    if not any(binding.scope in _prefixes(scope) for scope in scopes):
        known = {p for scope in scopes for p in _prefixes(scope)} - {""}
        hint = nearest(binding.scope, known)
        return f"no {short} was built in the scope {binding.scope}{hint}" + (
            "" if hint else "; scopes in use: " + (", ".join(sorted(known)) or "none")
        )
    return (
        f"whatever builds {short} supplies {binding.parameter} itself, or each scope overrides it"
    )


# ---- building --------------------------------------------------------------------------------


def configured(cls_or_selector):
    """The class or function with its parameters taken from the loaded config.

    Args:
      cls_or_selector: A class or function, or its full name, e.g.
        `noisygan.training.trainer.Trainer`.

    Returns:
      A callable; arguments given to it win over the config. What goes wrong inside because of a
      wrong value is raised as a UsageError of one line.

    Raises:
      UsageError: if there is no such object.
    """
    value = cls_or_selector
    if isinstance(value, str):
        value = config_names.Names().resolve(value, {}, "the program")
    try:
        wrapped = gin.get_configurable(value)
    except ValueError:
        gin.external_configurable(value, name=value.__qualname__, module=value.__module__)
        wrapped = gin.get_configurable(value)

    @functools.wraps(value, updated=())
    def build(*args, **kwargs):
        try:
            return wrapped(*args, **kwargs)
        except NoisyganError as error:
            # gin appends lines about the call; a person wants the first.
            kind = RunError if isinstance(error, RunError) else UsageError
            raise kind(first_line(error)) from error
        except (TypeError, ValueError, RuntimeError) as error:
            raise UsageError(f"the config builds no {value.__name__}: {_reason(error)}") from error

    return build


def first_line(error):
    """The first line of an exception's message, or its type where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _reason(error):
    """First line of the message, with the object in which gin says it happened."""
    place = [line for line in str(error).splitlines() if "In call to configurable" in line]
    name = place[0].split("'")[1] if place else ""
    return first_line(error) + (f" (in {name})" if name else "")


# ---- writing ---------------------------------------------------------------------------------


def resolved_text():
    """The whole loaded config as text that `parse` reads back to the same thing.

    No includes and no short names are left; parameters that the config does not mention stand
    there with their defaults, so that a later version's defaults do not change an old run.
    Defaults without a literal form (functions) are comments.

    Returns:
      str.
    """
    return _text(_loaded, defaults=True)


def _text(loaded, defaults):
    modules = {config_names.canonical(value)[0] for value in loaded.objects.values()}
    lines = ["from __gin__ import dynamic_registration", ""]
    lines += [f"import {module}" for module in sorted(modules)] + [""]
    groups = {}
    for binding in loaded.bindings.values():
        if binding.is_macro:
            lines.append(f"{_macro_name(binding)} = {config_text.format_value(binding.value)}")
        else:
            groups.setdefault((binding.selector, binding.scope), []).append(binding)
    if defaults:
        for selector in loaded.objects:
            groups.setdefault((selector, ""), [])
    for (selector, scope), bindings in sorted(groups.items()):
        values = [(b.parameter, config_text.format_value(b.value, 4)) for b in bindings]
        missing = _defaults(loaded, selector, bindings) if defaults and not scope else []
        comments = [f"    # {name}: {text}" for name, text, literal in missing if not literal]
        values += [(name, text) for name, text, literal in missing if literal]
        if not values:
            if comments:
                lines += ["", f"# {selector}:", *comments]
            continue
        lines += ["", f"{scope}/{selector}:" if scope else f"{selector}:", *comments]
        lines += [f"    {name} = {text}" for name, text in values]
    return "\n".join(lines) + "\n"


def _defaults(loaded, selector, bindings):
    """Parameters with a default that the config leaves alone: [(name, text, is literal)]."""
    value = loaded.objects.get(selector)
    if value is None or config_names.canonical(value)[0] == "tensorflow_probability":
        return []
    bound = {b.parameter for b in bindings}
    found = []
    for name, default in config_names.own_parameters(value).items():
        if name in bound or default is config_names.NO_DEFAULT:
            continue
        text = config_text.format_value(default, 4)
        found.append((name, text or _describe(default), text is not None))
    return found


def _describe(value):
    return getattr(value, "__name__", type(value).__name__) + " (default)"
