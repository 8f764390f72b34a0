"""The document that every page stands in: one file that loads nothing, light and dark.

Sounds, pictures, style and script are inside the file; it opens from disk and says so to the
browser (a content security policy without any address).
"""

from __future__ import annotations

import html
from importlib import resources

POLICY = "default-src 'none'; img-src data:; media-src data:; " + (
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
<script>document.documentElement.classList.add("js")</script>
</head>
<body>
<header class="top">
<p class="kicker">noisygan <span>{kicker}</span></p>
<h1>{title}</h1>
{head}
</header>
<main>{content}</main>
<footer>{credit}<p>Written by <code>noisygan</code>. Everything is inside this file.</p></footer>
<p class="spoken" role="status" aria-live="polite"></p>
{tail}<script>{script}</script>
</body>
</html>
"""


def document(title, kicker, head, content, script, style="", credit="", tail=""):
    """A whole page.

    Args:
      title: Text of the title.
      kicker: Text over the title.
      head: HTML between the title and the sections.
      content: HTML of the sections.
      script: JavaScript.
      style: CSS beside the house's own.
      credit: HTML at the head of the footer.
      tail: HTML before the script.

    Returns:
      HTML.
    """
    return PAGE.format(
        policy=POLICY,
        title=escape(title),
        kicker=escape(kicker),
        style=asset("style.css") + style,
        head=head,
        content=content,
        credit=credit,
        tail=tail,
        script=script,
    )


def asset(name):
    """Text of a file in static/."""
    return resources.files("noisygan.reports").joinpath("static", name).read_text(encoding="utf-8")


def escape(text):
    """Text for HTML, attributes included."""
    return html.escape(str(text), quote=True)


class Contents:
    """Builds sections and remembers their titles."""

    def __init__(self):
        self.titles = {}

    def section(self, anchor, title, lede, body):
        """A titled section; empty if its body is. `lede` and `body` are HTML."""
        if not body:
            return ""
        self.titles[anchor] = title
        return (
            f'<section id="{anchor}" aria-labelledby="{anchor}-title">'
            f'<h2 id="{anchor}-title">{title}</h2><p class="lede">{lede}</p>{body}</section>'
        )

    def contents(self):
        """Links to the sections that were made."""
        links = "".join(
            f'<li><a href="#{anchor}">{title}</a></li>' for anchor, title in self.titles.items()
        )
        return f'<nav aria-label="Sections"><ul>{links}</ul></nav>'
