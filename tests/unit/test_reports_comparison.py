"""Page of a comparison as markup: whole, self-contained, escaped, every number qualified."""

import copy
import json
import re

import pytest

from noisygan.reports import comparison_report
from noisygan.reports.comparison_report import render, write
from tests.comparison_data import SYSTEMS, comparison
from tests.pages import Page

NAMES = [name for name, _ in SYSTEMS]
SECTIONS = [
    "table", "listen", "time", "losses", "descriptors", "map", "between", "blind", "facts"
]  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return comparison()


@pytest.fixture(scope="module")
def text(data):
    return render(data)


def test_the_page_is_one_file_that_loads_nothing(data, tmp_path):
    path = write(data, tmp_path / "made" / "index.html")
    page = Page(path.read_text(encoding="utf-8"))
    page.check()
    assert page.sections == SECTIONS
    assert [path.name for path in path.parent.iterdir()] == ["index.html"]


@pytest.mark.parametrize(
    ("part", "gone"),
    [("metrics", "table"), ("histograms", "descriptors"), ("losses", "losses")],
)
def test_an_empty_part_leaves_its_section_out(data, part, gone):
    found = Page(render({**data, part: type(data[part])()})).sections
    assert found == [s for s in SECTIONS if s != gone]


def test_a_system_without_curves_or_numbers_stands_in_the_table(data):
    less = copy.deepcopy(data)
    name = NAMES[1]
    less["systems"][1]["curves"] = []
    less["systems"][2]["curves"] = [[], [{"seconds": 3.0, "step": 1, "value": None}]]
    for metric in less["metrics"]:
        del metric["values"][name]
    text = render(less)
    assert Page(text).sections == SECTIONS
    rows = list(cells(text).values())
    n_metrics = sum(metric["headline"] for metric in data["metrics"])
    assert ["not run" in cell[1] for cell in rows[1]] == [True] * n_metrics + [False]
    assert not any("not run" in cell[1] for cell in rows[0])


def test_names_and_texts_are_escaped(data):
    evil = "</script><script>alert(1)</script>\"'&<b>"
    text = json.dumps(data)
    for original in (NAMES[1], data["title"], "steps", data["curve_title"], "Hz", "15 minutes"):
        text = text.replace(json.dumps(original)[1:-1], json.dumps(evil)[1:-1])
    bad = json.loads(text)
    bad["grid"]["columns"][0]["title"] = evil
    bad["systems"][0]["description"] = bad["map"]["explained"] = evil
    bad["verdict"] = bad["warnings"] = [evil]
    bad["metrics"][0]["explained"] = evil
    made = Page(render(bad))
    assert len(made.all("script")) == 3 and not made.all("b")
    assert sum(words.count("alert(1)") for words in made.words) > 10
    for _, attributes in made.elements:
        for name in attributes:
            assert re.fullmatch("(?!on)[a-z-]+", name), attributes


def cells(text):
    """Rows of the first table: name -> list of (attributes, markup) of its cells."""
    table = re.search(r'<table class="results" id="at-a-glance">.*?</table>', text, re.S)[0]
    rows = {}
    for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", table, re.S):
        name = re.search(r"</svg><span>(.*?)</span>|row\">(\w+)<small>", row)
        found = re.findall(r"<td(.*?)>(.*?)</td>", row, re.S)
        rows[name[1] or name[2]] = [(a, " ".join(markup.split())) for a, markup in found]
    return rows


def test_best_level_and_floor_are_marked(text):
    rows = cells(text)
    distance = rows["hybrid"][0]
    assert "best" in distance[0] and "★" in distance[1]
    assert "The same untrained (ceiling): 1,525" in distance[1] and "Seeds: 17" in distance[1]
    assert rows["recordings"][0][1] == '<span class="value">1.30</span>'
    assert rows["untrained"][0][1] == '<span class="between">1,525</span>'
    assert not any("★" in cell[1] for cell in rows["sample-GAN"])
    assert "not run" in rows["sample-GAN"][5][1] and "data-sort" not in rows["sample-GAN"][5][0]
    assert "no &lt;sound&gt; was voiced" in rows["sample-GAN"][5][1]
    # Diversity: the nearest to the recordings' is best, and 1.05 is nearer to 1 than 0.8.
    assert "best" in rows["hybrid"][6][0] and 'data-sort="0.05"' in rows["hybrid"][6][0]


def test_unconditional_systems_are_marked_and_every_seed_has_its_losses(data, text):
    rows = re.findall(r"<th scope=\"row\".*?</th>", text, re.S)
    marked = {row for row in rows if "unconditional" in row}
    assert marked and all("sample-" in row for row in marked)
    section = re.search(r'<section id="losses".*?</section>', text, re.S)[0]
    figures = re.findall(r"<figure.*?</figure>", section, re.S)
    assert len(figures) == len(SYSTEMS) - 1
    # Two losses of two seeds, raw and smoothed; one legend.
    assert [len(re.findall('<path class="curve', f)) for f in figures] == [8] * len(figures)
    assert all(f.count('class="key ') == 2 for f in figures)


def best_at(data):
    text = render(data)
    found = re.search(r'<ul class="best-at">.*?</ul>', text, re.S)
    assert text.index("best at") < text.index("Most varied") < text.index('at-a-glance"')
    return re.findall(r"<li>(.*?)</li>", found[0], re.S)


def test_winners_and_ties_are_named_first(data):
    clear, level = best_at(data)
    assert "best at 4 of 7:" in clear and ">hybrid<" in clear
    assert "MMD^2 x 1000, log-mel" in clear and "accuracy" not in clear
    assert "first, level with others:" in level and ">hybrid<" not in level
    assert "two-sample accuracy" in level
    # A first place that many share is no one's.
    shared = copy.deepcopy(data)
    for value in shared["metrics"][1]["values"].values():
        value["value"] = 0.5
    lines = best_at(shared)
    assert "best at 3 of 7:" in lines[0] and "recall" not in lines[0] + lines[1]
    assert "no single best:" in lines[2] and "recall" in lines[2]


def test_overlapping_intervals_are_level():
    data = comparison(n_columns=1, n_points=1)
    values = data["metrics"][0]["values"]
    assert "☆" not in cells(render(data))["hybrid"][0][1]
    list(values.values())[1]["interval"] = [10.0, 200.0]
    rows = list(cells(render(data)).values())
    assert "☆" in rows[1][0][1] and "☆" not in rows[2][0][1]


def test_the_map_of_a_large_page_is_silent(data, text, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison_report, "MAX_BYTES", len(text) - 1)
    less = Page(write(data, tmp_path / "page.html").read_text(encoding="utf-8"))
    made = [p for p in less.all("path") if "data-x" in p]
    assert len(made) == len(data["map"]["points"])
    assert not any("data-clip" in point for point in made) and less.sections == SECTIONS
