"""Curves over training time: awkward values, few points, labels that keep apart."""

import re

import pytest

from noisygan.reports.comparison_plots import clock, outline, race
from noisygan.reports.palette import Palette


def system(name, *curves):
    return {
        "name": name,
        "curves": [[{"seconds": t, "step": 1, "value": v} for t, v in c] for c in curves],
    }


def drawn(*systems, floor=None):
    return race(systems, Palette([s["name"] for s in systems]), "distance", floor)


def right_labels(html):
    found = re.findall(r'class="yt right \w+" style="top:([\d.]+)%">(.*?)<', html)
    return [(name, float(top)) for top, name in found]


@pytest.mark.parametrize(
    ("curve", "floor"),
    [
        ([(22.5, -17.0), (180.0, -5.0)], 21.0),  # below 0, narrow
        ([(22.5, 14.0), (90.0, -17.0), (180.0, 900.0)], 21.0),  # across 0, wide
        ([(10.0, 3.0)], None),  # a single point
        ([(1.0, 0.0), (20000.0, 0.0)], 0.0),  # nothing but 0
    ],
)
def test_any_curve_is_drawn(curve, floor):
    html = drawn(system("a", curve), floor=floor)
    assert 'class="curve s0 thick" d="M' in html and "nan" not in html
    assert len(re.findall('class="xt', html)) >= 1
    assert ("recordings" in html) == (floor is not None)


def test_nothing_is_drawn_without_points():
    assert drawn(system("a"), system("b", [], [(0.0, 3.0)], [(None, 3.0)])) == ""


def test_every_seed_is_thin_and_the_mean_thick():
    html = drawn(system("a", [(10, 100), (100, 50)], [(20, 300), (100, 70)]), system("b", [(9, 1)]))
    assert html.count('class="curve s0 faint"') == 2 and html.count("thick") == 2
    assert "a: 197.2 at first, 60 at the end." in html  # at 20 s, the first that both reach


def test_labels_at_the_right_keep_apart_and_inside():
    systems = [system(f"s{i}", [(10, 500), (100, 100 + i)]) for i in range(8)]
    tops = [top for _, top in right_labels(drawn(*systems, floor=100.0))]
    assert len(tops) == 9 and min(tops) >= 0 and max(tops) <= 100
    gaps = [a - b for a, b in zip(tops, tops[1:], strict=False)]
    assert min(gaps) > 5.5


def test_an_outline_fills_its_box():
    assert outline([], "s0") == ""
    heights = [
        float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", outline([[-0.1, 0.2]] * 9, "s0"))
    ]
    assert min(heights) == pytest.approx(19, abs=1) and max(heights) < 800


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (22.5, "22.5 s"), (60, "1 min"), (5400, "1.5 h")]
)
def test_times_are_said_as_people_do(seconds, text):
    assert clock(seconds) == text
