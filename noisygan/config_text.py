"""Reads .gin text into plain statements, and writes statements back as .gin text.

Nothing is imported, called or looked up here: what a file asks for is data until
`noisygan.config_names` has checked it against the allow-list.
"""

import dataclasses
import io
import math
import pathlib
import tokenize

from gin import config_parser

from noisygan.errors import UsageError

LINE_LENGTH = 100
# A resolved config has some ten thousand.
MAX_BYTES = 1 << 20
# Of a name or a scope; each of its beginnings is looked up.
MAX_PARTS = 20


@dataclasses.dataclass(frozen=True)
class Reference:
    """`@scope/module.Name` or, when evaluated, `@scope/module.Name()`."""

    scope: str
    selector: str
    evaluate: bool


@dataclasses.dataclass(frozen=True)
class Macro:
    """`%name`: a value that is bound once and used in several places."""

    name: str


@dataclasses.dataclass(frozen=True)
class Binding:
    """`scope/selector.parameter = value`; a macro's definition has an empty parameter."""

    scope: str
    selector: str
    parameter: str
    value: object
    where: str

    @property
    def key(self):
        return self.scope, self.selector, self.parameter

    @property
    def is_macro(self):
        return not self.parameter

    def name(self):
        """How a person would write the left side."""
        prefix = f"{self.scope}/" if self.scope else ""
        return f"{prefix}{self.selector}" + (f".{self.parameter}" if self.parameter else "")


@dataclasses.dataclass(frozen=True)
class Block:
    """The head of an indented group of bindings: `scope/selector:`."""

    selector: str
    where: str


@dataclasses.dataclass(frozen=True)
class Import:
    """An import line. `name` is what the file calls the module, `module` what it is."""

    module: str
    name: str
    where: str


@dataclasses.dataclass(frozen=True)
class Include:
    """An include line."""

    path: str
    where: str


class _Delegate(config_parser.ParserDelegate):
    """Turns references and macros into data, where gin's own delegate would look them up."""

    def configurable_reference(self, scoped_configurable_name, evaluate):
        *scopes, selector = scoped_configurable_name.split("/")
        return Reference("/".join(scopes), selector, evaluate)

    def macro(self, macro_name):
        return Macro(macro_name)


def read_file(path):
    """The text of one .gin file.

    Args:
      path: pathlib.Path of the file.

    Returns:
      str.

    Raises:
      UsageError: if it cannot be read or is not text.
    """
    path = pathlib.Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"config {path} has more than {MAX_BYTES >> 20} MB; expected less")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (
            "it is not a text file" if isinstance(error, UnicodeDecodeError) else error.strerror
        )
        raise UsageError(f"config {path} cannot be read: {reason}") from None


def statements(text, source):
    """Parses .gin text without looking anything up.

    Args:
      text: The text of a .gin file, or one binding.
      source: Where it comes from, for messages: a path or `--gin_param '...'`.

    Returns:
      A list of Import, Include, Block and Binding in the text's order.

    Raises:
      UsageError: if the text is not gin's language; names the line.
    """
    found = []
    try:
        parser = config_parser.ConfigParser(io.StringIO(text), _Delegate())
        for statement in parser:
            line = statement.location.line_num
            where = f"{source} line {line}" if "\n" in text else source
            _check_names(statement, where)
            if isinstance(statement, config_parser.ImportStatement):
                found.append(_import(statement, where))
            elif isinstance(statement, config_parser.IncludeStatement):
                found.append(Include(statement.filename, where))
            elif isinstance(statement, config_parser.BlockDeclaration):
                found.append(Block(statement.selector, where))
            else:
                _check_literals(statement, where)
                found.append(
                    Binding(
                        statement.scope,
                        statement.selector,
                        statement.arg_name,
                        statement.value,
                        where,
                    )
                )
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, StopIteration) as error:
        raise UsageError(_syntax_message(error, source, text)) from None
    except TypeError:  # what Python says where gin makes a dict of what it has read
        line = parser.current_token.start[0]
        where = f"{source} line {line}" if "\n" in text else source
        raise UsageError(
            f"{where}: a list or a dict is the key of a dict; expected a text or a number there"
        ) from None
    return found


def _check_names(statement, where):
    """Refuses names and scopes of many parts."""
    names = [getattr(statement, part, None) for part in ("scope", "selector", "module", "alias")]
    found = references(getattr(statement, "value", None))
    for each in found:
        names += [each.name] if isinstance(each, Macro) else [each.scope, each.selector]
    for name in filter(None, names):
        n = max(name.count("/"), name.count(".")) + 1
        if n > MAX_PARTS:
            raise UsageError(
                f"{where}: a name of {n:,} parts, {name[:20]}...; expected at most {MAX_PARTS}"
            )


def _check_literals(statement, where):
    """Refuses the one kind of literal that `format_value` has no form for."""
    if any(isinstance(value, complex) for value in literals(statement.value)):
        name = statement.arg_name or statement.selector
        raise UsageError(
            f"{where}: {name} holds a complex number; expected real ones, such as 1 or 0.5"
        )


def _import(statement, where):
    name = statement.bound_name() if statement.is_from or statement.alias else statement.module
    return Import(statement.module, name, where)


def _syntax_message(error, source, text):
    """One line from one of the many ways in which gin's parser and tokenizer complain."""
    message = str(error.args[0]) if error.args else type(error).__name__
    message = message[: 2 * LINE_LENGTH]
    line = None
    if len(error.args) > 1 and isinstance(error.args[1], tuple):
        location = error.args[1]
        line = location[0] if isinstance(location[0], int) else location[1]
    where = f"{source} line {line}" if line and "\n" in text else source
    if "Failed to parse token" in message:
        token = message.rsplit("Failed to parse token", 1)[1].strip().strip("'")
        return (
            f'{where}: {token} is no value; write text in quotes ("{token}"), '
            f"an object as @module.{token}() and a shared value as %{token}"
        )
    if isinstance(error, RecursionError):
        message = "nested too deeply"
    message = " ".join(message.split())
    return f"{where}: not a gin statement ({message}); expected e.g. Trainer.batch_size = 16"


def references(value):
    """All Reference and Macro objects inside a value, however deep.

    Args:
      value: What stands right of an equals sign.

    Yields:
      Reference and Macro objects.
    """
    if isinstance(value, (Reference, Macro)):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from references(key)
            yield from references(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from references(item)


def literals(value):
    """All numbers, text, truth values and None inside a value, however deep.

    Args:
      value: What stands right of an equals sign.

    Yields:
      Keys and values of dicts and items of lists and tuples; no Reference or Macro.
    """
    if isinstance(value, dict):
        for pair in value.items():
            for item in pair:
                yield from literals(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from literals(item)
    elif not isinstance(value, (Reference, Macro)):
        yield value


def map_references(value, function):
    """The same value with `function(reference)` in place of each Reference.

    Args:
      value: What stands right of an equals sign.
      function: Takes a Reference, returns what replaces it.

    Returns:
      A new value; containers are copied.
    """
    if isinstance(value, Reference):
        return function(value)
    if isinstance(value, dict):
        return {
            map_references(key, function): map_references(item, function)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(map_references(item, function) for item in value)
    return value


def format_value(value, indent=0):
    """Writes a value so that gin reads the same one back.

    Args:
      value: A literal, Reference or Macro, or a list, tuple or dict of these.
      indent: Column of the line on which it stands, for breaking long containers.

    Returns:
      str, or None where the value has no such form (an object, a function, NaN).
    """
    short = _format_flat(value)
    if short is None or len(short) + indent <= LINE_LENGTH:
        return short
    brackets = {list: "[]", tuple: "()", dict: "{}"}.get(type(value))
    if brackets is None or not value:
        return short
    step = indent + 4
    if isinstance(value, dict):
        items = [f"{_format_flat(k)}: {format_value(v, step)}" for k, v in value.items()]
    else:
        items = [format_value(item, step) for item in value]
    pad = " " * step
    return (
        brackets[0]
        + "\n"
        + "".join(f"{pad}{item},\n" for item in items)
        + " " * indent
        + brackets[1]
    )


def _format_flat(value):
    if isinstance(value, Reference):
        scope = f"{value.scope}/" if value.scope else ""
        return f"@{scope}{value.selector}" + ("()" if value.evaluate else "")
    if isinstance(value, Macro):
        return f"%{value.name}"
    if value is None or isinstance(value, (bool, str, bytes)):
        # Exact types only: a subclass (an enum, say) would not read back as itself.
        return repr(value) if type(value) in (type(None), bool, str, bytes) else None
    if isinstance(value, (int, float)) and type(value) in (int, float):
        if isinstance(value, float) and math.isinf(value):
            return "1e999" if value > 0 else "-1e999"
        return None if value != value else repr(value)
    if type(value) in (list, tuple):
        items = [_format_flat(item) for item in value]
        if None in items:
            return None
        if type(value) is list:
            return "[" + ", ".join(items) + "]"
        return "(" + ", ".join(items) + ("," if len(items) == 1 else "") + ")"
    if type(value) is dict:
        items = [(_format_flat(k), _format_flat(v)) for k, v in value.items()]
        if any(k is None or v is None for k, v in items):
            return None
        return "{" + ", ".join(f"{k}: {v}" for k, v in items) + "}"
    return None
