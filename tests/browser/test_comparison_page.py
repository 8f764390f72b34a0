"""The page of a comparison: whole, self-contained, escaped, and alive in a real browser."""

import copy
import html.parser
import json
import re

import pytest

from noisygan.comparison import page as page_module
from noisygan.comparison.listening import count, read_answers
from noisygan.comparison.page import write_page
from noisygan.errors import RunError
from tests.browser.comparison_data import SYSTEMS, comparison

NAMES = [name for name, _ in SYSTEMS]
SECTIONS = ["table", "listen", "time", "descriptors", "map", "between", "blind", "facts"]
VOID = ("meta", "link", "img", "path", "br", "input", "wbr")
# Decodes every sound of the page and says how long the shortest is.
SHORTEST = """
(async () => {
  const buffers = await Promise.all(page.data.clips.map((clip, i) => page.player.load(i)));
  window.shortest = Math.min(...buffers.map((buffer) => buffer.duration));
})(); undefined
"""


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
        name = re.search(r"</svg><span>(.*?)</span>", row)[1]
        rows[name] = re.findall(r"<td(.*?)>(.*?)</td>", row)
    return rows


def test_best_level_floor_and_doubt_are_marked(data):
    text = page_module.body(data)
    rows = cells(text)
    distance = rows["hybrid"][0]
    assert "best" in distance[0] and "\N{BLACK STAR}" in distance[1]
    assert "The same untrained (ceiling): 1,525" in distance[1] and "Seeds: 17" in distance[1]
    assert rows["recordings"][0][1] == '<span class="value">1.30</span>'
    assert [cell[1].count("\N{BLACK STAR}") for cell in rows["sample-GAN"]] == [0] * 8
    assert "not run" in rows["sample-GAN"][5][1] and "data-sort" not in rows["sample-GAN"][5][0]
    assert "no &lt;sound&gt; was voiced" in rows["sample-GAN"][5][1]
    # Diversity: the nearest to the recordings' is best, and 1.05 is nearer to 1 than 0.8.
    assert "best" in rows["hybrid"][6][0] and 'data-sort="0.05"' in rows["hybrid"][6][0]
    doubtful = re.findall(r'<th [^>]*class="doubtful".*?</th>', text)
    assert all("told from recordings" in head for head in doubtful) and len(doubtful) == 2


def test_who_is_best_at_what_is_said_first(data):
    text = page_module.body(data)
    (line,) = re.findall(r'<ul class="best-at"><li>(.*?)</li></ul>', text)
    assert "best at 7 of 7:" in line and ">hybrid<" in line
    assert "recall, log-mel" in line and "told from recordings (doubtful)" in line
    assert "no single best" not in line
    assert text.index("best at 7") < text.index("Most varied") < text.index('at-a-glance"')


def test_a_first_place_that_many_share_is_no_one_s(data):
    shared = copy.deepcopy(data)
    for value in shared["metrics"][1]["values"].values():
        value["value"] = 0.5
    text = page_module.body(shared)
    lines = re.findall(r"<li>(.*?)</li>", re.search(r'<ul class="best-at">.*?</ul>', text)[0])
    assert "best at 6 of 7:" in lines[0] and "recall" not in lines[0]
    assert "no single best:" in lines[1] and "recall" in lines[1]


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


# ------------------------------------------------------------------------------------ in a browser


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_it_lives_in_a_browser(chromium, page_file, width, tmp_path):
    chromium.open(page_file, width)
    chromium.evaluate(SHORTEST)
    chromium.wait("window.shortest > 0.5")
    assert chromium.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    small = (
        "[...document.querySelectorAll('button')].filter(b => b.offsetParent && %s)"
        ".map(b => b.outerHTML)"
    )
    assert chromium.evaluate(small % "b.offsetHeight < 32") == []
    assert chromium.evaluate(small % "!b.textContent.trim() && !b.ariaLabel") == []
    chromium.evaluate("document.querySelector('[data-shows]').click()")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    assert chromium.evaluate("document.querySelectorAll('#all-metrics table').length") == 7
    chromium.screenshot(tmp_path / "page.png")
    assert chromium.problems == []
    assert len(chromium.requests) == 1 and chromium.requests[0].startswith("file:")


ORDER = (
    "[...document.querySelectorAll('#at-a-glance tbody:first-of-type th')].map(h => h.innerText)"
)
HEADING = "document.querySelectorAll('#at-a-glance thead th')[{}]"


@pytest.mark.browser
def test_the_table_sorts_by_mouse_and_by_keyboard(chromium, page_file):
    chromium.open(page_file, 1280)
    recall, pitch = HEADING.format(2), HEADING.format(6)
    assert chromium.evaluate(f"{HEADING.format(1)}.getAttribute('aria-sort')") == "ascending"
    assert chromium.evaluate(ORDER) == NAMES
    chromium.evaluate(f"{recall}.querySelector('button').click()")  # higher is better: best first
    assert chromium.evaluate(f"{recall}.getAttribute('aria-sort')") == "descending"
    assert chromium.evaluate(ORDER) == NAMES
    chromium.evaluate(f"{recall}.querySelector('button').focus()")
    chromium.press("Enter")
    assert chromium.evaluate(f"{recall}.getAttribute('aria-sort')") == "ascending"
    assert chromium.evaluate(ORDER) == NAMES[::-1]
    assert chromium.evaluate("document.querySelectorAll('#at-a-glance [aria-sort]').length") == 1
    # What was not run is last in both orders.
    for _ in range(2):
        chromium.evaluate(f"{pitch}.querySelector('button').click()")
        assert chromium.evaluate(ORDER)[-1] == NAMES[-1]
    assert chromium.evaluate(ORDER)[0] == NAMES[-2]
    cell = "document.querySelector('#at-a-glance .best .cell')"
    chromium.evaluate(f"{cell}.focus()")
    chromium.press("Enter")
    said = chromium.evaluate("document.querySelector('.more').innerText")
    # One stop for Tab, arrows between the numbers.
    stops = "document.querySelectorAll('#at-a-glance .cell[tabindex=\"0\"]').length"
    label = "document.activeElement.dataset.more.split(':')[0]"
    assert chromium.evaluate(stops) == 1
    before = chromium.evaluate(label)
    chromium.press("ArrowRight")
    after = chromium.evaluate(label)
    assert before == f"{NAMES[0]}, MMD^2 x 1000, log-mel" and after.startswith(NAMES[0])
    assert after != before and chromium.evaluate(stops) == 1
    assert "95 % interval" in said and "floor" in said and "ceiling" in said


TILE = "document.querySelectorAll('.sounds tbody tr')[{}].querySelectorAll('[data-clip]')[{}]"


@pytest.mark.browser
def test_rows_take_over_from_each_other_at_the_same_place(chromium, page_file):
    chromium.open(page_file, 1280)
    first, second, other = TILE.format(0, 1), TILE.format(2, 1), TILE.format(2, 2)
    pressed = "{}.getAttribute('aria-pressed') === 'true'"
    chromium.evaluate("document.querySelector('[data-loop]').click()")
    chromium.evaluate(f"{first}.focus()")
    chromium.press("Enter")
    chromium.wait("page.player.position() > 0.2")
    assert chromium.evaluate(pressed.format(first))
    # Both at once: where it was before the press, where it is once the other plays.
    chromium.evaluate(
        "window.before = page.player.position();"
        f"page.player.load(Number({second}.dataset.clip)).then(() => {second}.click())"
    )
    chromium.wait(pressed.format(second))
    elapsed = "(page.player.position() - window.before + 0.6) % 0.6"
    assert chromium.evaluate(elapsed) < 0.3 and not chromium.evaluate(pressed.format(first))
    assert chromium.evaluate("page.player.playing()") == chromium.evaluate(
        f"Number({second}.dataset.clip)"
    )
    # An arrow key moves, and what plays moves along; to another column it does not.
    chromium.evaluate(f"{second}.focus()")
    chromium.press("ArrowRight")
    assert chromium.evaluate(f"document.activeElement === {other}")
    assert chromium.evaluate(pressed.format(second))
    chromium.press("ArrowLeft")
    chromium.press("ArrowDown")
    chromium.wait(pressed.format(TILE.format(3, 1)))
    chromium.evaluate(f"{other}.click()")
    chromium.wait(pressed.format(other))
    assert chromium.evaluate("page.player.position()") < 0.3
    chromium.evaluate(f"{other}.click()")
    assert chromium.evaluate("page.player.playing()") is None
    assert chromium.evaluate("document.querySelectorAll('[tabindex=\"0\"].tile-of').length") == 1
    assert chromium.problems == []


@pytest.mark.browser
def test_interpolations_play_through(chromium, page_file):
    chromium.open(page_file, 1280)
    chromium.evaluate(
        "window.heard = new Set(); window.timer = setInterval("
        "() => window.heard.add(page.player.playing()), 10);"
        "document.querySelector('[data-through]').click()"
    )
    wanted = chromium.evaluate("document.querySelector('[data-through]').dataset.through")
    chromium.wait("document.querySelector('[data-through]').ariaPressed === 'true'")
    chromium.wait("document.querySelector('[data-through]').ariaPressed === 'false'")
    heard = chromium.evaluate("[...window.heard].filter((i) => i !== null)")
    assert heard == [int(i) for i in wanted.split()] and len(heard) == 5


@pytest.mark.browser
def test_the_map_plays_by_mouse_and_by_keyboard(chromium, page_file):
    chromium.open(page_file, 1280)
    point = "document.querySelectorAll('.point')[5]"
    chromium.evaluate(f"{point}.scrollIntoView()")
    chromium.evaluate(
        f"var box = {point}.getBoundingClientRect(); document.querySelector('.map').dispatchEvent("
        "new MouseEvent('click', {clientX: box.x + box.width / 2 + 2, clientY: box.y + 5}))"
    )
    chromium.wait(f"page.player.playing() === Number({point}.dataset.clip)")
    assert chromium.evaluate("document.querySelector('.map-said').innerText").startswith("hybrid")
    assert chromium.evaluate(f"document.activeElement === {point}")
    before = chromium.evaluate(f"Number({point}.dataset.x)")
    ways = {"ArrowLeft": -1, "ArrowRight": 1}
    key = "ArrowRight" if before < 500 else "ArrowLeft"
    chromium.press(key)
    after = chromium.evaluate("Number(document.activeElement.dataset.x)")
    assert (after - before) * ways[key] > 0
    chromium.press("Enter")
    chromium.wait("page.player.playing() === Number(document.activeElement.dataset.clip)")
    chromium.press("Enter")
    assert chromium.evaluate("page.player.playing()") is None
    shown = "[...document.querySelectorAll('.point')].filter(p => p.getClientRects().length).length"
    total = chromium.evaluate(shown)
    chromium.evaluate("document.querySelectorAll('[data-toggle]')[1].click()")
    assert chromium.evaluate(shown) == total - 12
    chromium.evaluate("document.querySelectorAll('[data-toggle]')[1].click()")
    assert chromium.evaluate(shown) == total
    assert chromium.problems == []


def without_names(chromium):
    """Whether no name of a system is anywhere in the document."""
    text = chromium.evaluate("document.documentElement.outerHTML + document.title")
    return not [n for n in (*NAMES, "WaveGAN", "recordings", "pitch 60") if n in text]


@pytest.mark.browser
def test_the_listening_test_runs_to_its_end(chromium, data, page_file, tmp_path):
    chromium.open(page_file, 1280)
    chromium.evaluate("localStorage.clear()")
    chromium.open(page_file, 1280)
    assert not without_names(chromium)
    chromium.evaluate(
        "document.querySelector('[data-listener]').value = 'A <b> listener';"
        "document.querySelector('[data-blind=start]').click()"
    )
    total = (1 + len(NAMES)) * 3
    said = "document.querySelector('.stage-count').innerText"
    for i in range(4):
        assert chromium.evaluate(said) == f"Sound {i + 1} of {total}"
        assert without_names(chromium)
        chromium.wait("page.player.playing() !== null")
        chromium.press("Enter")  # nothing is passed over
        assert chromium.evaluate(said) == f"Sound {i + 1} of {total}"
        chromium.press("4")
        assert chromium.evaluate("document.querySelector('.stage :checked').value") == "4"
        chromium.press("Enter")
    # Left, the page closed, and gone on with.
    chromium.evaluate("document.querySelector('[data-stage=leave]').click()")
    assert (
        chromium.evaluate("!!document.querySelector('#at-a-glance') && document.title")
        == (data["title"])
    )
    chromium.open(page_file, 360)
    assert chromium.evaluate("document.querySelector('[data-rated-head]').hidden")
    chromium.evaluate("document.querySelector('[data-blind=resume]').click()")
    assert chromium.evaluate(said) == f"Sound 5 of {total}"
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 360
    for i in range(4, total):
        assert chromium.evaluate(said) == f"Sound {i + 1} of {total}" and without_names(chromium)
        chromium.evaluate(f"document.querySelectorAll('.stage input')[{i % 5}].click()")
        chromium.evaluate("document.querySelector('[data-stage=next]').click()")
    assert chromium.evaluate("document.querySelector('.stage').hidden")
    # The file.
    chromium.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    chromium.evaluate("document.querySelector('[data-blind=save]').click()")
    chromium.until(lambda: list(tmp_path.glob("answers-*.json")), "a saved file")
    (path,) = tmp_path.glob("answers-*.json")
    answers = read_answers(path, data["id"], NAMES)
    assert len(answers) == total and all(a["plays"] >= 1 for a in answers)
    assert {a["system"] for a in answers} == {*NAMES, "recordings"}
    assert sorted(a["column"] for a in answers if a["system"] == "hybrid") == [0, 1, 2]
    assert [a["rating"] for a in answers[:4]] == [4] * 4
    assert json.loads(path.read_text())["listener"] == "A <b> listener"
    # The table says what Python counts.
    assert_counted(chromium, count(answers))
    assert chromium.problems == [] and len(chromium.requests) == 1
    # Another listener's file is added, and the own one is not counted twice.
    other = json.loads(path.read_text()) | {"listener": "other", "made": "2026-01-01T00:00:00Z"}
    other["answers"] = [{**a, "rating": 1} for a in answers[:7]]
    (tmp_path / "other.json").write_text(json.dumps(other))
    wrong = json.loads(path.read_text()) | {"comparison": "another"}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    load(chromium, [path, tmp_path / "other.json", tmp_path / "wrong.json"])
    chromium.wait("document.querySelector('.counted').innerText.includes('2 listeners')")
    told = chromium.evaluate("document.querySelector('.counted').innerText")
    assert "wrong.json is of another comparison" in told
    assert_counted(chromium, count(answers + other["answers"]))


def load(chromium, paths):
    """Chooses files in the page's field for answers."""
    root = chromium.call("DOM.getDocument")["root"]["nodeId"]
    node = chromium.call("DOM.querySelector", nodeId=root, selector="[data-answers]")["nodeId"]
    chromium.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])


def assert_counted(chromium, expected):
    shown = json.loads(
        chromium.evaluate(
            "JSON.stringify([...document.querySelectorAll('[data-rated]')].map("
            "c => [c.dataset.rated, c.hidden, [...c.children].map(s => s.textContent)]))"
        )
    )
    assert {name for name, _, _ in shown} == set(expected)
    for name, hidden, texts in shown:
        own = expected[name]
        low, high = own["interval"]
        ends = [float(end) for end in texts[1].split(" to ")]
        assert not hidden and texts[0] == f"{own['value']:.2f}"
        assert ends == pytest.approx([low, high], abs=0.011)
        assert texts[2] == f"{own['n']} ratings"


@pytest.mark.browser
def test_a_name_cannot_run_as_script(chromium, data, tmp_path):
    text = json.dumps(data).replace("sample-GAN", "<img src=x onerror=alert(1)>")
    chromium.open(write_page(json.loads(text), tmp_path / "page.html"), 800)
    chromium.evaluate("document.querySelectorAll('.cell').forEach((cell) => cell.click())")
    assert chromium.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert chromium.problems == [] and len(chromium.requests) == 1
