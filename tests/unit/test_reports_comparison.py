"""The page of a comparison as markup: whole, self-contained, escaped, every number qualified."""

import copy
import html.parser
import json
import re

import pytest

from noisygan.errors import RunError
from noisygan.reports import comparison_report as page_module
from noisygan.reports.comparison_report import write_page
from tests.comparison_data import SYSTEMS, comparison

NAMES = [name for name, _ in SYSTEMS]
SECTIONS = ["table", "listen", "time", "descriptors", "map", "between", "blind", "facts"]
VOID = ("meta", "link", "img", "path", "br", "input", "wbr")


class Page(html.parser.HTMLParser):
    """The elements of a page, (tag, attributes), and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open_tags, self.words = [], [], []
        self.feed(text)

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
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def data():
    return comparison()


@pytest.fixture(scope="module")
def page_file(data, tmp_path_factory):
    return write_page(data, tmp_path_factory.mktemp("page") / "made" / "index.html")


@pytest.fixture(scope="module")
def page(page_file):
    return Page(page_file.read_text(encoding="utf-8"))


def sections(text):
    return [attributes["id"] for attributes in Page(text).all("section")]


def test_it_is_one_file_that_loads_nothing(page_file, page):
    for tag, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), tag
    text = page_file.read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest", text)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")
    assert [path.name for path in page_file.parent.iterdir()] == ["index.html"]


def test_every_section_is_there_and_every_id_once(page):
    assert [attributes["id"] for attributes in page.all("section")] == SECTIONS
    assert not page.open_tags
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)


@pytest.mark.parametrize(
    ("part", "section"),
    [
        ("metrics", "table"),
        ("interpolations", "between"),
        ("histograms", "descriptors"),
        ("map", "map"),
    ],
)
def test_a_missing_part_leaves_its_section_out(data, part, section):
    without = {key: value for key, value in data.items() if key != part}
    empty = {**data, part: type(data[part])()}
    for less in (without, empty):
        assert sections(page_module.body(less)) == [s for s in SECTIONS if s != section]


def test_without_sounds_there_is_nothing_to_rate(data):
    made = sections(page_module.body({**data, "grid": {"columns": [], "rows": {}}}))
    assert made == [s for s in SECTIONS if s not in ("listen", "blind")]


def test_nothing_at_all_is_a_page_too():
    assert sections(page_module.body({})) == []


def test_a_system_without_sounds_curves_or_numbers_stands_in_the_table(data):
    less = copy.deepcopy(data)
    name = NAMES[1]
    del less["grid"]["rows"][name], less["interpolations"][name]
    less["grid"]["rows"][NAMES[0]][1] = None
    less["systems"][1]["curves"] = []
    less["systems"][2]["curves"] = [[], [{"seconds": 3.0, "step": 1, "value": None}]]
    for metric in less["metrics"]:
        del metric["values"][name]
    text = page_module.body(less)
    assert sections(text) == SECTIONS
    rows = re.findall(r"<tr><th scope=\"row\" data-sort.*?</tr>", text)
    n_metrics = sum(metric["headline"] for metric in data["metrics"])
    assert rows[1].count("not run") >= n_metrics and rows[0].count("not run") == 0


def test_names_and_texts_are_escaped(data):
    evil = "</script><script>alert(1)</script>\"'&<b>"
    text = json.dumps(data)
    for original in (NAMES[1], data["title"], "steps", data["curve_title"], "Hz", "15 minutes"):
        text = text.replace(json.dumps(original)[1:-1], json.dumps(evil)[1:-1])
    bad = json.loads(text)
    bad["grid"]["columns"][0]["title"] = evil
    bad["systems"][0]["description"] = bad["map"]["explained"] = evil
    bad["verdict"] = bad["warnings"] = [evil]
    bad["metrics"][0]["wrong_order"] = bad["metrics"][0]["explained"] = evil
    made = Page(page_module.body(bad))
    assert len(made.all("script")) == 3 and not made.all("b") and not made.open_tags
    assert sum(words.count("alert(1)") for words in made.words) > 10
    for _, attributes in made.elements:
        for name in attributes:
            assert re.fullmatch("(?!on)[a-z-]+", name), attributes


def cells(text):
    """Rows of the first table: name -> list of (attributes, text) of its cells."""
    table = re.search(r'<table class="results" id="at-a-glance">.*?</table>', text)[0]
    rows = {}
    for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", table):
        name = re.search(r"</svg><span>(.*?)</span>|row\">(\w+)<small>", row)
        name = name[1] or name[2]
        rows[name] = re.findall(r"<td(.*?)>(.*?)</td>", row)
    return rows


def test_best_level_floor_and_doubt_are_marked(data):
    text = page_module.body(data)
    rows = cells(text)
    distance = rows["hybrid"][0]
    assert "best" in distance[0] and "\N{BLACK STAR}" in distance[1]
    assert "The same untrained (ceiling): 1,525" in distance[1] and "Seeds: 17" in distance[1]
    assert rows["recordings"][0][1] == '<span class="value">1.30</span>'
    assert rows["untrained"][0][1] == '<span class="between">1,525</span>'
    assert [cell[1].count("\N{BLACK STAR}") for cell in rows["sample-GAN"]] == [0] * 8
    assert "not run" in rows["sample-GAN"][5][1] and "data-sort" not in rows["sample-GAN"][5][0]
    assert "no &lt;sound&gt; was voiced" in rows["sample-GAN"][5][1]
    # Diversity: the nearest to the recordings' is best, and 1.05 is nearer to 1 than 0.8.
    assert "best" in rows["hybrid"][6][0] and 'data-sort="0.05"' in rows["hybrid"][6][0]
    doubtful = re.findall(r'<th [^>]*class="doubtful".*?</th>', text)
    assert all("two-sample accuracy" in head for head in doubtful) and len(doubtful) == 2


def best_at(data):
    text = page_module.body(data)
    found = re.search(r'<ul class="best-at">.*?</ul>', text)
    assert text.index("best at") < text.index("Most varied") < text.index('at-a-glance"')
    return re.findall(r"<li>(.*?)</li>", found[0])


def test_who_is_best_at_what_is_said_first_and_where_others_are_level(data):
    clear, level = best_at(data)
    assert "best at 4 of 7:" in clear and ">hybrid<" in clear
    assert "MMD^2 x 1000, log-mel" in clear and "told from" not in clear
    assert "first, level with others:" in level and ">hybrid<" not in level
    assert "two-sample accuracy (doubtful)" in level


def test_a_first_place_that_many_share_is_no_one_s(data):
    shared = copy.deepcopy(data)
    for value in shared["metrics"][1]["values"].values():
        value["value"] = 0.5
    lines = best_at(shared)
    assert "best at 3 of 7:" in lines[0] and "recall" not in lines[0] + lines[1]
    assert "no single best:" in lines[2] and "recall" in lines[2]


def test_many_sentences_wait_behind_a_summary(data):
    many = {**data, "verdict": [f"sentence {i}" for i in range(9)]}
    assert re.search(r"<details>.*sentence 8.*</details>", page_module.body(many))
    assert "<details>" not in page_module.body(data)


def test_what_no_system_has_stands_last(data):
    empty = copy.deepcopy(data["metrics"][0]) | {"name": "not here", "headline": True}
    for value in empty["values"].values():
        value["value"] = None
    text = page_module.body({**data, "metrics": [empty, *data["metrics"]]})
    assert "not run" in cells(text)["hybrid"][7][1]


def test_overlapping_intervals_are_level():
    data = comparison(n_columns=1, n_points=1)
    values = data["metrics"][0]["values"]
    second = next(iter(list(values.values())[1:]))
    assert "\N{WHITE STAR}" not in cells(page_module.body(data))["hybrid"][0][1]
    second["interval"] = [10.0, 200.0]
    rows = list(cells(page_module.body(data)).values())
    assert "\N{WHITE STAR}" in rows[1][0][1] and "\N{WHITE STAR}" not in rows[2][0][1]


def test_where_nothing_says_what_is_better_nothing_is_best(data):
    steps = next(m for m in data["metrics"] if m["name"] == "steps")
    only = page_module.body({**data, "metrics": [{**steps, "headline": True}]})
    assert "\N{BLACK STAR} best</span>" not in only


def test_ratings_stand_in_the_table(data):
    counted = {"hybrid": {"value": 3.4, "interval": [3.0, 3.8], "n": 40}}
    hybrid, *_, recordings = cells(page_module.body({**data, "listening": counted})).values()
    assert "3.40" in hybrid[-1][1] and "40 ratings" in hybrid[-1][1]
    assert "hidden" not in recordings[-1][0]
    assert "hidden" in cells(page_module.body(data))["hybrid"][-1][0]


def test_a_large_page_loses_sounds_of_the_map_first(data, tmp_path, monkeypatch):
    size = len(page_module.body(data).encode())
    points = data["map"]["points"]
    sound = len(points[0]["clip"]["audio"])
    monkeypatch.setattr(page_module, "MAX_BYTES", size - 10 * sound)
    text = write_page(data, tmp_path / "page.html").read_text(encoding="utf-8")
    made = [p for p in Page(text).all("path") if "data-x" in p]
    silent = sum("data-clip" not in point for point in made)
    assert len(made) == len(points) and 5 <= silent < len(points) / 2
    monkeypatch.setattr(page_module, "MAX_BYTES", 1000)
    with pytest.raises(RunError, match="fewer or shorter"):
        write_page(data, tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()
