"""HTML pages in tests: parsed, and checked for what every page promises."""

import html.parser
import re

VOID = ("meta", "link", "img", "path", "br", "input", "wbr")


class Page(html.parser.HTMLParser):
    """Elements of a page, a list of (tag, attributes), and its words; tags close in order."""

    def __init__(self, text):
        super().__init__()
        self.text, self.elements, self.open_tags, self.words = text, [], [], []
        self.feed(text)
        assert not self.open_tags

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        """Attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def sections(self):
        return [section["id"] for section in self.all("section")]

    def check(self):
        """The page loads nothing, its ids are unique, and it links to all of its sections."""
        for tag, attributes in self.elements:
            for name in ("src", "href"):
                assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, name)
        assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest", self.text)
        policy = next(m["content"] for m in self.all("meta") if "http-equiv" in m)
        assert "default-src 'none'" in policy
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        links = [a["href"][1:] for a in self.all("a")]
        assert links[-len(self.sections) :] == self.sections and set(links) <= set(ids)
        words = "".join(self.words)
        assert not re.search(r"\bNone\b|\bnan\b|\{\{", words), re.search(r".*(None|nan).*", words)
