"""Plots: scales for numbers of any size, curves over training time, outlines."""

import numpy as np
import pytest

from noisygan.reports.comparison_plots import race
from noisygan.reports.comparison_report import Palette
from noisygan.reports.plots import Axis, Curve, Plot, Scale


def test_numbers_of_one_size_are_linear_and_wide_ones_logarithmic():
    scale = Scale([2.0, 3.0, 10.0])
    assert not scale.wide
    assert [scale.fraction(v) for v in (2, 3, 6, 10)] == pytest.approx([0, 0.125, 0.5, 1])
    assert scale.fraction(0.0) == 0 and scale.fraction(99.0) == 1
    scale = Scale([1.0, 1000.0])
    steps = [scale.fraction(10.0**k) for k in range(4)]
    assert scale.wide and steps[0] == 0 and steps[3] == 1
    assert steps[3] - steps[2] == pytest.approx(steps[2] - steps[1], rel=0.01)
    assert scale.ticks() == [1, 10, 100, 1000]


def test_negative_zero_equal_and_tiny_numbers_have_a_place():
    scale = Scale([-5.0, 0.0, 900.0], unit=1.3)
    places = [scale.fraction(v) for v in (-5, -1, 0, 1, 10, 900)]
    assert places == sorted(places) and places[0] == 0 and places[-1] == 1
    assert scale.ticks() == [-1, 0, 1, 10, 100]
    for values in ([0.0], [3.0, 3.0], [-2.0], [0.0, 0.0]):
        assert Scale(values).fraction(values[0]) == pytest.approx(0.5)
    assert Scale([1e-12, 1.0, 900.0]).fraction(1.0) < 0.5


def test_nan_breaks_a_curve_and_ticks_outside_are_left_out():
    axis = Axis(0.0, 4.0, ((0.0, "0"), (2.0, "2", "wide"), (9.0, "9")))
    y = np.array([0.0, 4.0, np.nan, 4.0, 0.0])
    plot = Plot(axis, axis, "a plot", (Curve(np.arange(5.0), y, "real"),))
    ((kind, d),) = plot.paths
    assert kind == "real" and d == "M0.0 1000.0L250.0 0.0M750.0 0.0L1000.0 1000.0"
    assert plot.labels[2:] == [("xt", "left", "0.00", "0"), ("xt wide", "left", "50.00", "2")]
    assert plot.grid == [1000, 500]


def system(name, *curves):
    return {
        "name": name,
        "curves": [[{"seconds": t, "step": 1, "value": v} for t, v in c] for c in curves],
    }


def drawn(*systems, floor=None):
    found = race(systems, Palette([s["name"] for s in systems]), "distance", floor)
    return found and found[0]


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
    plot = drawn(system("a", curve), floor=floor)
    assert plot.paths[-1][0] == "s0 thick" and plot.paths[-1][1].startswith("M")
    assert "nan" not in str(plot.paths)
    assert any(kind.startswith("xt") for kind, *_ in plot.labels)
    assert ("recordings" in [text for *_, text in plot.labels]) == (floor is not None)


def test_every_seed_is_thin_and_the_mean_thick():
    assert drawn(system("a"), system("b", [], [(0.0, 3.0)], [(None, 3.0)])) is None
    plot = drawn(system("a", [(10, 100), (100, 50)], [(20, 300), (100, 70)]), system("b", [(9, 1)]))
    kinds = [curve.kind for curve in plot.curves]
    assert kinds == ["s0 faint", "s0 faint", "s0 thick", "s1 thick"]
    # At 20 s, the first time that both reach.
    assert "a: 197.2 at first, 60 at the end." in plot.description


def test_labels_at_the_right_keep_apart_and_inside():
    systems = [system(f"s{i}", [(10, 500), (100, 100 + i)]) for i in range(8)]
    labels = drawn(*systems, floor=100.0).labels
    tops = [float(at) for kind, _, at, _ in labels if "right" in kind]
    assert len(tops) == 9 and min(tops) >= 0 and max(tops) <= 100
    assert min(a - b for a, b in zip(tops, tops[1:], strict=False)) > 5.5
