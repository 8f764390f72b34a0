"""Tables and verdict of a comparison."""

import csv
import dataclasses
import io

from noisygan.comparison import table
from noisygan.evaluation.report import Metric, Result, join_results

DISTANCE = Metric("MMD^2 x 1000, log-mel", "distance: log-mel", "", False, True)
RIGHT = Metric("accuracy on generated examples", "classifier", "%", True, True)
DIVERSITY = Metric("diversity", "diversity", "of the recordings'", None, True)


def result(metric, value, floor=None, **more):
    return Result(metric, value, None if value is None else (value - 1, value + 1), floor, **more)


def metrics():
    values = {"good": (2.0, 90.0, 0.9), "middle": (5.0, 95.0, 1.3), "bad": (80.0, None, 0.2)}
    results = {}
    for name, (distance, right, diversity) in values.items():
        joined = [
            result(DISTANCE, distance, 1.0, ceiling=100.0),
            result(RIGHT, right, 99.0, not_run=None if right else "no class"),
            result(DIVERSITY, diversity, 1.0),
        ]
        seeds = [[result(DISTANCE, distance + d)] for d in (-1.0, 1.0)]
        results[name] = joined, seeds
    return table.metrics_of(dict(reversed(results.items())))


def names(metric):
    return [name for name, _ in table.ranked(metric)]


def test_the_better_is_lower_higher_or_nearer_to_recordings():
    distance, right, diversity = metrics()
    assert names(distance) == ["good", "middle", "bad"]
    assert names(right) == ["middle", "good"]
    assert names(diversity) == ["good", "middle", "bad"]
    order = table.order_of(["bad", "middle", "good", "failed"], distance)
    assert order == ["good", "middle", "bad", "failed"]


def test_the_note_distance_orders_systems_that_all_have_it():
    note = Metric(table.NOTE_DISTANCE, "note envelopes", "", False, True)
    found = {n: ([result(note, v), result(DISTANCE, 1.0)], [[]]) for n, v in (("a", 2), ("b", 1))}
    assert table.main_metric(table.metrics_of(found), found)["name"] == table.NOTE_DISTANCE
    found["raw"] = [result(note, None, not_run="no pitch"), result(DISTANCE, 3.0)], [[]]
    assert table.main_metric(table.metrics_of(found), found)["name"] == DISTANCE.name
    assert table.main_metric([], {}) is None


def test_the_verdict():
    verdict = table.verdict(metrics())
    assert verdict[0] == "MMD^2 x 1000, log-mel: good, 2 (next middle, 5; recordings 1)."
    assert verdict[1].startswith("accuracy on generated examples: middle, 95 % (next good, 90 %")
    assert len(verdict) == 3
    found = metrics()[:1]
    found[0]["values"]["middle"]["interval"] = [2.9, 6.0]
    assert "(next middle, 5, level with it; recordings 1)" in table.verdict(found)[0]
    for value in found[0]["values"].values():
        value["value"] = 0.0
    assert table.verdict(found) == ["MMD^2 x 1000, log-mel: all alike, 0 (recordings 1)."]
    found[0]["values"]["bad"]["value"] = 1.0
    assert "middle and good, 0 (" in table.verdict(found)[0]
    nobody = table.metrics_of({"a": ([Result(DISTANCE, None, not_run="why")], [[]])})
    assert table.verdict(nobody) == [] and table.order_of(["a"], nobody[0]) == ["a"]


def test_each_class_has_a_group_of_the_main_metrics():
    def one_seed(kick, snare, floor=1.0):
        values = {"kick": kick, **({"snare": snare} if snare else {})}
        per_class = {n: {"value": v, "interval": None, "floor": floor} for n, v in values.items()}
        other = dataclasses.replace(DISTANCE, name="MMD^2 x 1000, mfcc", headline=False)
        return [result(DISTANCE, 1.0, per_class=per_class), result(other, 1.0, per_class=per_class)]

    seeds = [one_seed(2.0, 9.0), one_seed(4.0, None)]
    found = table.metrics_of({"a": (join_results(seeds), seeds)})
    by_class = [metric for metric in found if metric["group"].startswith("class: ")]
    kick, snare = by_class
    assert [kick["name"], snare["name"]] == [f"{DISTANCE.name}, {n}" for n in ("kick", "snare")]
    assert kick["floor"] == 1.0 and not kick["headline"]
    assert (kick["values"]["a"]["value"], kick["values"]["a"]["seeds"]) == (3.0, [2.0, 4.0])
    assert (snare["values"]["a"]["value"], snare["values"]["a"]["seeds"]) == (9.0, [9.0, None])


def test_csv_has_a_line_for_each_figure():
    systems = [{"name": "good", "conditions": ["pitch"]}, {"name": "bad", "conditions": []}]
    text = table.as_csv({"systems": systems, "metrics": metrics()})
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [r["conditions"] for r in rows[:2]] == ["pitch", ""]
    assert [(r["system"], r["value"]) for r in rows[:2]] == [("good", "2.0"), ("bad", "80.0")]
    assert rows[0]["recordings"] == "1.0" and rows[0]["seeds"] == "1 3"
    assert rows[3]["value"] == "" and rows[3]["not_run"] == "no class"
    assert {r["better"] for r in rows} == {"lower", "higher", "nearer to recordings"}


def test_markdown_marks_the_best_and_says_what_was_not_run():
    found = metrics()
    text = table.as_markdown(
        {
            "title": "three",
            "verdict": table.verdict(found),
            "warnings": ["few examples"],
            "facts": [["budget", "3 minutes"]],
            "command": "noisygan compare",
            "metrics": found,
            "systems": [{"name": n, "conditions": ["label"]} for n in ("good", "middle", "bad")],
        }
    )
    line = next(line for line in text.splitlines() if line.startswith("| MMD"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:2] == ["MMD^2 x 1000, log-mel", "1"]
    assert cells[2:5] == ["**2** (1 to 3)", "5 (4 to 6)", "80 (79 to 81)"]
    assert cells[5] == "100 to 100"
    assert "| **95** (94 to 96) | not run |" in text
    assert "*few examples*" in text and "3 minutes" in text
