"""Page of a comparison, alive in a real browser."""

import json

import numpy as np
import pytest
from scipy import stats

from noisygan.reports.comparison_report import write
from tests.comparison_data import SYSTEMS, comparison

pytestmark = pytest.mark.browser

NAMES = [name for name, _ in SYSTEMS]
# Decodes every sound of the page; then `shortest` is the length of the shortest.
SHORTEST = """
(async () => {
  const buffers = await Promise.all(page.data.clips.map((clip, i) => page.player.load(i)));
  window.shortest = Math.min(...buffers.map((buffer) => buffer.duration));
})(); undefined
"""
ORDER = (
    "[...document.querySelectorAll('#at-a-glance tbody:first-of-type .badge')]"
    ".map(badge => badge.innerText)"
)
HEADING = "document.querySelectorAll('#at-a-glance thead th')[{}]"
TILE = "document.querySelectorAll('.sounds tbody tr')[{}].querySelectorAll('[data-clip]')[{}]"
PLAYING = "page.player.playing()"


@pytest.fixture(scope="module")
def data():
    return comparison()


@pytest.fixture(scope="module")
def page_file(data, tmp_path_factory):
    return write(data, tmp_path_factory.mktemp("page") / "index.html")


@pytest.mark.parametrize("width", [1280, 360])
def test_it_lives_in_a_browser(chromium, page_file, width):
    chromium.open(page_file, width)
    chromium.evaluate(SHORTEST)
    chromium.wait("window.shortest > 0.5")
    assert chromium.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    wrong = (
        "[...document.querySelectorAll('button')].filter(b => b.offsetParent && (b.offsetHeight "
        "< 32 || !b.textContent.trim() && !b.ariaLabel)).map(b => b.outerHTML)"
    )
    assert chromium.evaluate(wrong) == []
    chromium.evaluate("document.querySelector('[data-shows]').click()")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    assert chromium.evaluate("document.querySelectorAll('#all-metrics table').length") == 7
    assert chromium.problems == []
    assert len(chromium.requests) == 1 and chromium.requests[0].startswith("file:")


def test_the_table_sorts_by_mouse_and_by_keyboard(chromium, page_file):
    chromium.open(page_file, 1280)
    recall, pitch = HEADING.format(2), HEADING.format(6)
    sort = "{}.getAttribute('aria-sort')"
    assert chromium.evaluate(sort.format(HEADING.format(1))) == "ascending"
    assert chromium.evaluate(ORDER) == NAMES
    chromium.evaluate(f"{recall}.querySelector('button').click()")  # higher is better: best first
    assert chromium.evaluate(sort.format(recall)) == "descending"
    assert chromium.evaluate(ORDER) == NAMES
    chromium.evaluate(f"{recall}.querySelector('button').focus()")
    chromium.press("Enter")
    assert chromium.evaluate(sort.format(recall)) == "ascending"
    assert chromium.evaluate(ORDER) == NAMES[::-1]
    assert chromium.evaluate("document.querySelectorAll('#at-a-glance [aria-sort]').length") == 1
    # What was not run is last in both orders.
    for _ in range(2):
        chromium.evaluate(f"{pitch}.querySelector('button').click()")
        assert chromium.evaluate(ORDER)[-1] == NAMES[-1]
    chromium.evaluate("document.querySelector('#at-a-glance .best .cell').focus()")
    chromium.press("Enter")
    said = chromium.evaluate("document.querySelector('.more').innerText")
    assert "95 % interval" in said and "floor" in said and "ceiling" in said
    # One stop for Tab, arrows between the numbers.
    stops = "document.querySelectorAll('#at-a-glance .cell[tabindex=\"0\"]').length"
    label = "document.activeElement.dataset.more.split(':')[0]"
    assert chromium.evaluate(stops) == 1
    assert chromium.evaluate(label) == f"{NAMES[0]}, MMD^2 x 1000, log-mel"
    chromium.press("ArrowRight")
    assert chromium.evaluate(label) == f"{NAMES[0]}, recall, log-mel"
    assert chromium.evaluate(stops) == 1


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
    assert chromium.evaluate(PLAYING) is None
    assert chromium.evaluate("document.querySelectorAll('[tabindex=\"0\"].tile-of').length") == 1
    assert chromium.problems == []


def test_interpolations_play_through(chromium, page_file):
    chromium.open(page_file, 1280)
    chromium.evaluate(
        "window.heard = new Set(); window.timer = setInterval("
        f"() => window.heard.add({PLAYING}), 10);"
        "document.querySelector('[data-through]').click()"
    )
    wanted = chromium.evaluate("document.querySelector('[data-through]').dataset.through")
    for pressed in ("true", "false"):
        chromium.wait(f"document.querySelector('[data-through]').ariaPressed === '{pressed}'")
    heard = chromium.evaluate("[...window.heard].filter((i) => i !== null)")
    assert heard == [int(i) for i in wanted.split()] and len(heard) == 5


def test_the_map_plays_by_mouse_and_by_keyboard(chromium, page_file):
    chromium.open(page_file, 1280)
    point = "document.querySelectorAll('.point')[5]"
    chromium.evaluate(f"{point}.scrollIntoView()")
    chromium.evaluate(
        f"var box = {point}.getBoundingClientRect(); document.querySelector('.map').dispatchEvent("
        "new MouseEvent('click', {clientX: box.x + box.width / 2 + 2, clientY: box.y + 5}))"
    )
    chromium.wait(f"{PLAYING} === Number({point}.dataset.clip)")
    assert chromium.evaluate("document.querySelector('.map-said').innerText").startswith("hybrid")
    assert chromium.evaluate(f"document.activeElement === {point}")
    before = chromium.evaluate(f"Number({point}.dataset.x)")
    key, sign = ("ArrowRight", 1) if before < 500 else ("ArrowLeft", -1)
    chromium.press(key)
    assert sign * (chromium.evaluate("Number(document.activeElement.dataset.x)") - before) > 0
    chromium.press("Enter")
    chromium.wait(f"{PLAYING} === Number(document.activeElement.dataset.clip)")
    chromium.press("Enter")
    assert chromium.evaluate(PLAYING) is None
    shown = "[...document.querySelectorAll('.point')].filter(p => p.getClientRects().length).length"
    total = chromium.evaluate(shown)
    for left in (total - 12, total):
        chromium.evaluate("document.querySelectorAll('[data-toggle]')[1].click()")
        assert chromium.evaluate(shown) == left
    assert chromium.problems == []


def without_names(chromium):
    """Whether no name of a system is anywhere in the document."""
    text = chromium.evaluate("document.documentElement.outerHTML + document.title")
    return not [n for n in (*NAMES, "WaveGAN", "recordings", "pitch 60") if n in text]


def test_the_listening_test_runs_to_its_end(chromium, data, page_file, tmp_path):
    for _ in range(2):
        chromium.open(page_file, 1280)
        chromium.evaluate("localStorage.clear()")
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
        chromium.wait(f"{PLAYING} !== null")
        chromium.press("Enter")  # nothing is passed over
        assert chromium.evaluate(said) == f"Sound {i + 1} of {total}"
        chromium.press("4")
        chromium.press("Enter")
    # Left, the page closed, and gone on with.
    chromium.evaluate("document.querySelector('[data-stage=leave]').click()")
    assert chromium.evaluate("document.title") == data["title"] and not without_names(chromium)
    chromium.open(page_file, 360)
    assert chromium.evaluate("document.querySelector('[data-rated-head]').hidden")
    chromium.evaluate("document.querySelector('[data-blind=resume]').click()")
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
    saved = json.loads(path.read_text())
    answers = saved["answers"]
    assert len(answers) == total and all(a["plays"] >= 1 for a in answers)
    assert {a["system"] for a in answers} == {*NAMES, "recordings"}
    assert sorted(a["column"] for a in answers if a["system"] == "hybrid") == [0, 1, 2]
    assert [a["rating"] for a in answers[:4]] == [4] * 4
    assert saved["listener"] == "A <b> listener"
    assert_counted(chromium, answers)
    assert chromium.problems == [] and len(chromium.requests) == 1
    # Another listener's file is added, and the own one is not counted twice.
    theirs = [{**a, "rating": 1} for a in answers[:7]]
    other = saved | {"listener": "other", "made": "2026-01-01T00:00:00Z", "answers": theirs}
    (tmp_path / "other.json").write_text(json.dumps(other))
    (tmp_path / "wrong.json").write_text(json.dumps(saved | {"comparison": "another"}))
    load(chromium, [path, tmp_path / "other.json", tmp_path / "wrong.json"])
    counted = "document.querySelector('.counted').innerText"
    chromium.wait(f"{counted}.includes('2 listeners')")
    assert "wrong.json is of another comparison" in chromium.evaluate(counted)
    assert_counted(chromium, answers + theirs)


def load(chromium, paths):
    """Chooses files in the page's field for answers."""
    root = chromium.call("DOM.getDocument")["root"]["nodeId"]
    node = chromium.call("DOM.querySelector", nodeId=root, selector="[data-answers]")["nodeId"]
    chromium.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])


def assert_counted(chromium, answers):
    """The table has the mean of each system's ratings and its 95 % interval by Student's t."""
    ratings = {a["system"]: [] for a in answers}
    for answer in answers:
        ratings[answer["system"]].append(answer["rating"])
    shown = chromium.evaluate(
        "[...document.querySelectorAll('[data-rated]:not([data-rated=\"\"])')].map("
        "c => [c.dataset.rated, c.hidden, [...c.children].map(s => s.textContent)])"
    )
    assert {name for name, _, _ in shown} == set(ratings)
    for name, hidden, texts in shown:
        own = np.array(ratings[name])
        half = stats.t.ppf(0.975, len(own) - 1) * own.std(ddof=1) / len(own) ** 0.5
        expected = np.clip([own.mean() - half, own.mean() + half], 1, 5)
        ends = [float(end) for end in texts[1].split(" to ")]
        assert not hidden and texts[0] == f"{own.mean():.2f}"
        assert ends == pytest.approx(expected, abs=0.011)
        assert texts[2] == f"{len(own)} ratings"


def test_a_name_cannot_run_as_script(chromium, data, tmp_path):
    text = json.dumps(data).replace("sample-GAN", "<img src=x onerror=alert(1)>")
    chromium.open(write(json.loads(text), tmp_path / "page.html"), 800)
    chromium.evaluate("document.querySelectorAll('.cell').forEach((cell) => cell.click())")
    assert chromium.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert chromium.problems == [] and len(chromium.requests) == 1
