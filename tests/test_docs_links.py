"""Links between README, docs and code lead somewhere, in the repository as on the site."""

import re

import pytest

from tests.documents import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(document):
    """Anchors of a document's headings, as GitHub and mkdocs both make them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in headings}


def broken(document):
    """Links of a document that lead nowhere."""
    text = re.sub(r"^```.*?^```|`[^`]*`", "", document.read_text("utf-8"), flags=re.M | re.S)
    found = []
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        path = (document.parent / target).resolve() if target else document
        if re.match(r"[a-z]+:", link):
            continue
        if not path.exists() or (anchor and anchor not in anchors(path)):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    assert broken(document) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One, two\n[a](#one-two) [b](#three) [c](gone.md) [d](https://x.org) `[e](f)`"
    )
    assert broken(page) == ["#three", "gone.md"]
