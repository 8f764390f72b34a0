"""Tables of a comparison: every metric of every system, and the best system by each."""

from __future__ import annotations

import csv
import dataclasses
import io

from noisygan.evaluation.measures import MMD, NOTE_DISTANCE
from noisygan.evaluation.report import Result, badness, number, overlap

_EXPLAINED = {
    "note distance": "mean of level, slope, end (if most end) and bands distance, relative to "
    "the difference between neighbouring recordings",
    "level distance": "difference in level over time from the recording of the same note",
    "slope distance": "difference in the rise or fall of the level",
    "end distance": "difference in the time at which the note ends",
    "bands distance": "difference in level of 24 mel bands over time",
    "MMD^2 x 1000, log-mel": "unbiased squared distance of two sets of pooled log-mel spectra",
    "Frechet, log-mel": "distance of two normal distributions fitted to them",
    "recall, log-mel": "share of the recordings with a generated example in their neighbourhood",
    "coverage, log-mel": "share of the recordings with a generated example among their nearest",
    "NDB, log-mel": "share of clusters that generated examples fill differently from recordings",
    "descriptor distance": "mean distance of attack, decay, brightness and others, in deviations "
    "of the recordings",
    "two-sample accuracy": "accuracy of a CNN that separates generated from real; 50 is perfect",
    "within 50 cents of the target pitch": "by a pitch tracker, of some examples",
    "Frechet audio distance": "of two normal distributions fitted to a public embedding of frames",
    "pitch accuracy": "share of examples whose pitch by a public classifier is the target",
    "diversity": "mean distance between generated examples, relative to recordings",
    "checkerboard energy": "tones of upsampling layers",
    "suspicious copies": "examples closer to a training example than recordings are to each other",
}


def metrics_of(results):
    """Metrics with the values of all systems, list of dicts for `reports.comparison_report`.

    Each class has a group of the main metrics that are computed by class.

    Args:
      results: dict system -> (list of Result, list of such lists, one per seed).
    """
    found = {}
    for system, (joined, seeds) in results.items():
        by_seed = [{r.metric.name: r.value for r in [*own, *_by_class(own)]} for own in seeds]
        for result in [*joined, *_by_class(joined)]:
            metric = result.metric
            entry = found.setdefault(
                metric.name,
                {
                    "name": metric.name,
                    "group": metric.group,
                    "unit": metric.unit,
                    "higher_is_better": metric.higher_is_better,
                    "headline": metric.headline,
                    "floor": result.floor,
                    "explained": _EXPLAINED.get(metric.name, ""),
                    "values": {},
                },
            )
            low, high = result.interval or (None, None)
            entry["values"][system] = {
                "value": result.value,
                "interval": None if low is None else [low, high],
                "ceiling": result.ceiling,
                "not_run": result.not_run,
                "seeds": [seed.get(metric.name) for seed in by_seed],
            }
    return list(found.values())


def _by_class(results):
    """Results of each class, of the main metrics."""
    return [
        Result(
            dataclasses.replace(
                r.metric, name=f"{r.metric.name}, {name}", group=f"class: {name}", headline=False
            ),
            **r.per_class[name],
        )
        for name in sorted({name for r in results for name in r.per_class})
        for r in results
        if name in r.per_class and r.metric.headline
    ]


def ranked(metric):
    """(system, value) pairs of a metric, the best first; in the given order if none is better."""
    found = [(name, v["value"]) for name, v in metric["values"].items() if v["value"] is not None]
    if found and badness(metric, found[0][1]) is None:
        return found
    return sorted(found, key=lambda pair: badness(metric, pair[1]))


def main_metric(metrics, systems):
    """The metric that orders systems: the note distance if all have it, else MMD; or None."""
    by_name = {metric["name"]: metric for metric in metrics}
    candidates = [by_name[name] for name in (NOTE_DISTANCE, MMD) if name in by_name]
    whole = [metric for metric in candidates if len(ranked(metric)) == len(systems)]
    return next(iter(whole or candidates[::-1]), None)


def order_of(systems, metric):
    """Names of systems, the best by a metric (or None) first, those without a value last."""
    names = [name for name, _ in ranked(metric)] if metric else []
    return names + [system for system in systems if system not in names]


def verdict(metrics):
    """Sentences: the best system by each main metric, the headline metric first.

    The next system is level with the best if their intervals overlap.
    """
    sentences = []
    for metric in metrics:
        ranks = ranked(metric) if metric["headline"] else []
        if len(ranks) < 2 or (metric["higher_is_better"] is None and metric["floor"] is None):
            continue
        value, second = ranks[0][1], ranks[1][1]
        equal = [name for name, v in ranks if v == value]
        unit = f" {metric['unit']}" if metric["unit"] else ""
        first, next_one = (metric["values"][name]["interval"] for name, _ in ranks[:2])
        level = ", level with it" if overlap(first, next_one) else ""
        behind = [] if len(equal) > 1 else [f"next {ranks[1][0]}, {number(second)}{unit}{level}"]
        if metric["floor"] is not None:
            behind.append(f"recordings {number(metric['floor'])}{unit}")
        who = "all alike" if len(equal) == len(ranks) else " and ".join(equal)
        sentences.append(f"{metric['name']}: {who}, {number(value)}{unit} ({'; '.join(behind)}).")
    return sentences


def as_csv(data):
    """CSV text with a line for each metric of each system; `data` as of `as_markdown`."""
    text = io.StringIO()
    columns = ("system", "conditions", "metric", "group", "unit", "better", "value", "low", "high")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, "recordings", "untrained", "seeds", "not_run"])
    better = {True: "higher", False: "lower", None: "nearer to recordings"}
    for metric in data["metrics"]:
        for system in data["systems"]:
            found = metric["values"].get(system["name"])
            if found is None:
                continue
            row = [system["name"], " ".join(system["conditions"])]
            row += [metric["name"], metric["group"], metric["unit"]]
            row += [better[metric["higher_is_better"]], found["value"]]
            row += [*(found["interval"] or ("", "")), metric["floor"], found["ceiling"]]
            seeds = " ".join("" if v is None else f"{v:.6g}" for v in found["seeds"])
            writer.writerow([*row, seeds, found["not_run"]])
    return text.getvalue()


def as_markdown(data):
    """Text of report.md; `data` as of `noisygan.reports.comparison_report.write`."""
    order = {
        system["name"]: system["name"] + ("" if system["conditions"] else " (unconditional)")
        for system in data["systems"]
    }
    lines = [f"# {data['title']}", "", *(f"- {sentence}" for sentence in data["verdict"]), ""]
    lines += [f"*{warning}*\n" for warning in data["warnings"]]
    heads = [m for m in data["metrics"] if m["headline"]]
    lines += [*_markdown_table(order, heads), ""]
    lines += [
        "Means over the seeds, in brackets the range of their 95 % intervals. *recordings*: "
        "training recordings in a system's place; *untrained*: the same system before training.",
        "",
    ]
    lines += [f"- {name}: {value}" for name, value in data["facts"]]
    lines += ["", f"Command: `{data['command']}`.", "", "## All metrics", ""]
    groups = dict.fromkeys(m["group"] for m in data["metrics"])
    for group in groups:
        lines += [f"### {group}", ""]
        lines += [*_markdown_table(order, [m for m in data["metrics"] if m["group"] == group]), ""]
    return "\n".join(lines)


def _markdown_table(order, metrics):
    yield "| metric | recordings | " + " | ".join(order.values()) + " | untrained |"
    yield "|---|" + "---:|" * (len(order) + 2)
    for metric in metrics:
        best = ranked(metric)[:1] if metric["higher_is_better"] is not None else []
        cells = []
        for name in order:
            found = metric["values"].get(name) or {"value": None}
            if found["value"] is None:
                cells.append("not run")
                continue
            cell = number(found["value"])
            if best and found["value"] == best[0][1]:
                cell = f"**{cell}**"
            if found["interval"]:
                cell += f" ({' to '.join(number(end) for end in found['interval'])})"
            cells.append(cell)
        ceilings = [v["ceiling"] for v in metric["values"].values() if v["ceiling"] is not None]
        ends = f"{number(min(ceilings))} to {number(max(ceilings))}" if ceilings else ""
        floor = "" if metric["floor"] is None else number(metric["floor"])
        unit = f", {metric['unit']}" if metric["unit"] else ""
        yield f"| {metric['name']}{unit} | {floor} | {' | '.join(cells)} | {ends} |"
