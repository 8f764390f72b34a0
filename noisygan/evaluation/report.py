"""The figures of one evaluation on disk, evaluation.json and .md, written anew after each."""

from __future__ import annotations

import json
import math
import pathlib

from noisygan.evaluation.results import Result
from noisygan.files import atomic_write, make_folder

FORMAT = 1


class Report:
    """Results as they come.

    Args:
      out_dir: Folder for the two files; made where it is missing.
      facts: dict of what was compared, as it stands at the head of evaluation.json.
    """

    def __init__(self, out_dir, facts):
        self.out_dir = pathlib.Path(out_dir)
        make_folder(self.out_dir)
        self.facts = facts
        self.results = []
        self.self_test = None
        self.pairs = []

    def add(self, result):
        """Takes a Result and writes both files."""
        self.results.append(result)
        self.write()

    def write(self, complete=False):
        """Writes both files.

        Args:
          complete: Whether nothing more will come.
        """
        data = {
            "format": FORMAT,
            "complete": complete,
            **self.facts,
            "metrics": [result.as_json() for result in self.results],
            "pairs": self.pairs,
            "self_test": self.self_test,
        }
        for name, text in (
            ("evaluation.json", json.dumps(data, indent=1, allow_nan=False) + "\n"),
            ("evaluation.md", self.text(complete)),
        ):
            with atomic_write(self.out_dir / name, overwrite=True) as part:
                part.write_text(text, encoding="utf-8")

    def text(self, complete=True):
        """evaluation.md."""
        n, reference = self.facts["n"], self.facts["reference"]
        seeds = ", ".join(f"{name} {value}" for name, value in self.facts["seeds"].items())
        lines = [
            f"# {self.facts['name']}",
            "",
            f"{n['generated']} sounds against {n['test']} held-out recordings "
            f"({n['train']} for training), {self.facts['seconds']:.3g} s at "
            f"{self.facts['sample_rate']} Hz. Reference {reference['fingerprint'][:12]}; seeds: "
            f"{seeds}.",
            "",
            *[f"- **Note:** {warning}." for warning in self.facts["warnings"]],
            "",
            *([] if complete else ["", "Not finished: more figures are to come."]),
            "",
            "floor: what training recordings get in place of the generated sounds. ceiling: "
            f"{self.facts['ceiling']}. [ ]: 95 % bootstrap interval. "
            "Higher or lower is better as the arrow says; `=`: the nearer to the floor the better.",
            "",
        ]
        head = [r for r in self.results if r.metric.headline]
        lines += ["## At a glance", "", *_table(head), ""]
        lines += _per_class(self.results)
        if self.self_test:
            lines += self_test_lines(self.self_test)
        groups = dict.fromkeys(r.metric.group for r in self.results)
        for group in groups:
            chosen = [r for r in self.results if r.metric.group == group and not r.metric.headline]
            if chosen:
                lines += [f"## {group[0].upper()}{group[1:]}", "", *_table(chosen), ""]
        if self.pairs:
            told = "In `pairs/`: each generated sound beside its nearest training sound."
            lines += ["## Closest pairs", "", told, ""]
            lines += [
                f"{i + 1}. {pair['training']}, {pair['distance_db']:.1f} dB"
                + (" - suspicious" if pair["suspicious"] else "")
                for i, pair in enumerate(self.pairs)
            ]
        return "\n".join(lines).rstrip() + "\n"


def _table(results):
    rows = [["measure", "", "value", "interval", "floor", "ceiling", "note"]]
    for r in results:
        arrow = {True: "higher", False: "lower", None: "="}[r.metric.higher_is_better]
        unit = f" [{r.metric.unit}]" if r.metric.unit else ""
        value = "not run" if r.value is None else number(r.value)
        between = (
            "" if r.interval is None else f"{number(r.interval[0])} .. {number(r.interval[1])}"
        )
        notes = [part for part in (r.not_run, r.note) if part]
        if r.wrong_order:
            notes.append(f"self-test: does not order {', '.join(r.wrong_order)}")
        ends = ["" if x is None else number(x) for x in (r.floor, r.ceiling)]
        note = "; ".join(notes).replace("|", "/")
        rows.append([r.metric.name + unit, arrow, value, between, *ends, note])
    rule = ["---", "---", "---:", "---:", "---:", "---:", "---"]
    return [f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]]]


def _per_class(results):
    found = [r for r in results if r.per_class]
    if not found:
        return []
    names = sorted({name for r in found for name in r.per_class})
    lines = ["## By class", "", "Value, with the floor of the class in brackets.", ""]
    shown = [r for r in found if r.metric.headline or "drums" in r.metric.group]
    lines.append(f"| measure | {' | '.join(names)} |")
    lines.append("|---|" + "---:|" * len(names))
    for r in shown:
        cells = []
        for name in names:
            own = r.per_class.get(name)
            if own is None or own["value"] != own["value"]:
                cells.append("")
                continue
            floor = "" if own["floor"] is None else f" ({number(own['floor'])})"
            cells.append(number(own["value"]) + floor)
        lines.append(f"| {r.metric.name} | {' | '.join(cells)} |")
    return [*lines, ""]


def self_test_lines(found):
    """The self-test's table as lines of Markdown.

    Args:
      found: As of `noisygan.evaluation.self_test.self_test`.
    """
    ladders = found["ladders"]
    lines = [
        "## Self-test",
        "",
        "Recordings that were spoilt more and more, in place of generated sounds: does the measure "
        "get worse at every rung? `yes`, or the values that it gave.",
        "",
        "Rungs: " + "; ".join(f"{name}: {', '.join(rungs)}" for name, rungs in ladders.items()),
        "",
        f"| measure | {' | '.join(ladders)} |",
        "|---|" + "---|" * len(ladders),
    ]
    for name, own in found["metrics"].items():
        cells = []
        for ladder in ladders:
            one = own.get(ladder)
            if one is None:
                cells.append("")
            elif one["ordered"]:
                cells.append("yes")
            else:
                cells.append(", ".join("-" if v is None else number(v) for v in one["values"]))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def number(value):
    """A number as a reader wants it: about three digits that count, no exponent."""
    if not math.isfinite(value):
        return ""
    if abs(value) >= 1000 or value == round(value):
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}" if abs(value) < 100 else f"{value:.1f}"


def joined(seeds):
    """Figures of several seeds of one system in one.

    The value is the mean over the seeds, as are floor and ceiling; the interval reaches from the
    lowest of their lower ends to the highest of their upper ends.

    Args:
      seeds: list (one a seed) of lists of Result, of the same metrics.

    Returns:
      list of Result.
    """

    def mean(values):
        values = [v for v in values if v is not None]
        return sum(values) / len(values) if values else None

    found = []
    for results in zip(*seeds, strict=True):
        first = results[0]
        run = [r for r in results if r.value is not None]
        missing = [r.not_run for r in results if r.value is None]
        intervals = [r.interval for r in run if r.interval]
        values = ", ".join(number(r.value) for r in run)
        note = "; ".join(part for part in (f"seeds: {values}" if run else "", first.note) if part)
        classes = {name for r in run for name in r.per_class}
        per_class = {}
        for name in sorted(classes):
            own = [r.per_class[name] for r in run if name in r.per_class]
            ends = [o["interval"] for o in own if o["interval"]]
            per_class[name] = {
                "value": mean([o["value"] for o in own]),
                "interval": _outer(ends),
                "floor": mean([o["floor"] for o in own]),
            }
        found.append(
            Result(
                first.metric,
                mean([r.value for r in run]),
                _outer(intervals),
                mean([r.floor for r in results]),
                mean([r.ceiling for r in results]),
                note,
                not_run=missing[0] if missing and not run else None,
                per_class=per_class,
                wrong_order=first.wrong_order,
            )
        )
    return found


def _outer(intervals):
    if not intervals:
        return None
    return (min(low for low, _ in intervals), max(high for _, high in intervals))
