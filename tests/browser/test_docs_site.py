"""The site of the docs: strictly built, whole without a network, and searchable from disk."""

import os
import re
import subprocess
import sys

import pytest

from tests.documents import ROOT

# What makes a browser fetch something by itself, in HTML and in style sheets.
FETCHED = re.compile(
    r"""(?:<(?:script|img|audio|source|iframe)\b[^>]*?\bsrc=|<link\b[^>]*?\bhref=|url\(|@import\s)"""
    r"""["']?((?:https?:)?//[^"')\s]+)"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the built site."""
    pytest.importorskip("material", reason="pip install 'noisygan[docs]'")
    pytest.importorskip("mkdocstrings", reason="pip install 'noisygan[docs]'")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_what_is_fetched_is_found():
    for text in (
        '<script src="https://cdn.org/x.js">',
        "<link rel=stylesheet href='//fonts.org/y.css'>",
        "@font-face{src:url(https://fonts.org/z.woff)}",
    ):
        assert FETCHED.search(text), text
    assert not FETCHED.search('<a href="https://github.com">a link is no fetch</a>')


@pytest.mark.slow
def test_nothing_comes_from_the_network(site):
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    assert len(files) > 200
    fetched = {
        (path.name, address)
        for path in files
        for address in FETCHED.findall(path.read_text(encoding="utf-8"))
    }
    assert fetched == set()


@pytest.mark.slow
def test_pages_are_made_from_the_code(site):
    harmonic = (site / "api" / "synths.harmonic.html").read_text(encoding="utf-8")
    assert "With an inharmonicity the partials are those of a stiff string" in harmonic
    assert "get_controls" in harmonic
    configs = (site / "configs.html").read_text(encoding="utf-8")
    assert "Pitched notes: the recommended hybrid, MFCC and log-mel" in configs
    data = (site / "data.html").read_text(encoding="utf-8")
    assert 'href="api/noisygan.data.prepare.records.html"' in data
    assert "<audio controls" in (site / "gallery.html").read_text(encoding="utf-8")
    assert not (site / "site_hooks.py").exists()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_it_opens_and_searches_from_disk(site, chromium, width):
    chromium.open(site / "index.html", width)
    assert chromium.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chromium.evaluate("document.querySelector('[for=__search]').click()")
    chromium.wait("document.activeElement.matches('.md-search__input')")
    chromium.call("Input.insertText", text="inharmonicity")
    chromium.call("Input.dispatchKeyEvent", type="keyUp", key="y")
    found = "document.querySelectorAll('.md-search-result__link').length > 1"
    chromium.wait(found, seconds=60.0)
    assert "api/synths" in chromium.evaluate(
        "[...document.querySelectorAll('.md-search-result__link')].map(a => a.href).join(' ')"
    )
    assert all(address.startswith(("file:", "blob:")) for address in chromium.requests)
    assert chromium.problems == []
