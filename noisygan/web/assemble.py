"""One HTML file from a model, the page and the scripts of this folder."""

import json
import pathlib
import re

_FOLDER = pathlib.Path(__file__).parent
# Modules import each other in lines of these two forms, and export functions, classes, constants.
_IMPORT = re.compile(r'^import (?:\* as (\w+)|\{([^}]*)\}) from "\./([\w-]+)\.js";$', re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.M)
_PLACE = re.compile(r"\{\{ (\w+) (\S*) ?\}\}")


def page(model):
    """HTML of the instrument of a model, a dict for JSON: it loads nothing else.

    Raises:
      ValueError: if the model holds NaN or infinity.
    """
    makers = {
        "style": read,
        "script": bundle,
        # No name in the model can end its element.
        "model": lambda _: json.dumps(model, allow_nan=False).replace("<", "\\u003c"),
    }
    return _PLACE.sub(lambda place: makers[place[1]](place[2]), read("page.html"))


def read(name):
    """Text of a file of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def bundle(name):
    """One script from a module of this folder and the modules that it imports.

    Pages from disk may not import files. Each module becomes a function that returns its exports,
    in the order of the imports.
    """
    parts = {}

    def add(name):
        if name in parts:
            return
        text = read(f"{name}.js")
        for found in _IMPORT.finditer(text):
            add(found[3])
        exports = ", ".join(_EXPORT.findall(text))
        text = _EXPORT.sub("", _IMPORT.sub(_constant, text))
        parts[name] = (
            f"const {_variable(name)} = (() => {{\n{text}return {{ {exports} }};\n}})();\n"
        )

    add(name.removesuffix(".js"))
    return "".join(parts.values())


def _constant(found):
    """The import of a module as a constant."""
    names = found[1] or "{" + found[2].replace(" as ", ": ") + "}"
    return f"const {names} = {_variable(found[3])};"


def _variable(name):
    return "module_" + name.replace("-", "_")
