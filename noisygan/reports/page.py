"""Self-contained HTML pages from jinja2 templates.

A page holds its sounds, pictures, style and scripts, and loads nothing: its content security policy
allows no address. Templates are in templates/, style and scripts in static/.
"""

from __future__ import annotations

import functools
import pathlib

import jinja2

from noisygan.evaluation.report import number
from noisygan.files import atomic_write, make_folder

MINUS = "\N{MINUS SIGN}"


class Players:
    """Ids of the sounds of a page; each sound is embedded once."""

    def __init__(self):
        self.ids, self.embedded = {}, set()

    def id(self, sound):
        """Id of the audio element of a `Sound`."""
        return self.ids.setdefault(sound, f"sound-{len(self.ids) + 1}")

    def embed(self, sound):
        """Mark a sound as part of the page; False if it already was."""
        is_new = sound not in self.embedded
        self.embedded.add(sound)
        return is_new


def render(template, **values):
    """HTML of a page: a file in templates/ with variables, whose text is escaped."""
    page = _environment().get_template(template)
    return page.render(titles=[], players=Players(), **values)


def write(path, text):
    """Write a page, replacing an older one; returns its Path. RunError if it cannot be written."""
    path = pathlib.Path(path)
    make_folder(path.parent)
    with atomic_write(path, overwrite=True) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


@functools.cache
def _environment():
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("noisygan.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.globals["static"] = _static
    environment.filters |= {"number": shown, "interval": interval, "time": time_text}
    return environment


def _static(name):
    """Text of a file in static/, for a style or script element."""
    path = pathlib.Path(__file__).with_name("static") / name
    return path.read_text(encoding="utf-8")


def shown(value):
    """A number with about three significant digits and a true minus sign."""
    return number(value).replace("-", MINUS)


def interval(ends):
    """An interval, `1.2 to 3.4`."""
    return " to ".join(shown(end) for end in ends)


def time_text(seconds):
    """A time as `22 s`, `2 min` or `1.5 h`."""
    size, unit = next(s for s in ((3600, "h"), (60, "min"), (0, "s")) if seconds >= s[0])
    value = seconds / (size or 1)
    return f"{round(value, 1 if value < 10 else 0):g} {unit}"
