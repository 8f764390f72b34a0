"""The table of a comparison: every metric of every system, and who is best at what."""

from __future__ import annotations

import csv
import io

from noisygan.evaluation.report import number
from noisygan.reports.ranking import badness, overlap

_EXPLAINED = {
    "MMD^2 x 1000, log-mel": "unbiased squared distance of two sets of pooled log-mel spectra",
    "Frechet, log-mel": "distance of two normal distributions fitted to them",
    "recall, log-mel": "share of the recordings that have a generated sound in their neighbourhood",
    "coverage, log-mel": "share of the recordings whose nearest neighbours hold a generated sound",
    "NDB, log-mel": "share of clusters that are more or less often hit than by recordings",
    "descriptor distance": "mean distance of attack, decay, brightness and so on, in deviations of "
    "the recordings",
    "two-sample accuracy": "accuracy of a fresh network that tells generated from real; 50 is a "
    "guess",
    "within 50 cents of the asked pitch": "of the sounds that a pitch tracker hears",
    "diversity": "mean distance between generated sounds, by that of recordings",
    "checkerboard energy": "buzz of layers that raise the rate",
    "suspicious copies": "sounds that are nearer to a training sound than recordings are to each "
    "other",
}


def metrics_of(results):
    """Metrics with the figures of all systems.

    Args:
      results: dict system -> (list of Result, list of figures by seed: dicts metric -> value).

    Returns:
      list of dicts as `noisygan.reports.comparison_report` shows them.
    """
    found = {}
    for system, (joined, by_seed) in results.items():
        for result in joined:
            metric = result.metric
            entry = found.setdefault(
                metric.name,
                {
                    "name": metric.name,
                    "group": metric.group,
                    "unit": metric.unit,
                    "higher_is_better": metric.higher_is_better,
                    "headline": metric.headline,
                    "wrong_order": ", ".join(result.wrong_order or []) or None,
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


def ranked(metric):
    """Systems that have a value, the best first; as they stand where none is better.

    Args:
      metric: One of `metrics_of`.

    Returns:
      list of (system, value).
    """
    found = [(name, v["value"]) for name, v in metric["values"].items() if v["value"] is not None]
    if found and badness(metric, found[0][1]) is None:
        return found
    return sorted(found, key=lambda pair: badness(metric, pair[1]))


def order_of(systems, metrics):
    """Names of systems, those with the best headline figure first, those without one last."""
    names = [name for name, _ in ranked(metrics[0])] if metrics else []
    return names + [system for system in systems if system not in names]


def verdict(metrics):
    """Who is best at what: sentences, the first about the headline metric.

    The next is level with the best where their intervals overlap.
    """
    said = []
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
        if metric["wrong_order"]:
            behind.append(f"doubtful: the self-test's {metric['wrong_order']} in a wrong order")
        who = "all alike" if len(equal) == len(ranks) else " and ".join(equal)
        said.append(f"{metric['name']}: {who}, {number(value)}{unit} ({'; '.join(behind)}).")
    return said


def as_csv(order, metrics):
    """A line for each metric of each system."""
    text = io.StringIO()
    columns = ("system", "metric", "group", "unit", "better", "value", "low", "high")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, "recordings", "untrained", "seeds", "not_run"])
    better = {True: "higher", False: "lower", None: "nearer to recordings"}
    for metric in metrics:
        for name in order:
            found = metric["values"].get(name)
            if found is None:
                continue
            row = [name, metric["name"], metric["group"], metric["unit"]]
            row += [better[metric["higher_is_better"]], found["value"]]
            row += [*(found["interval"] or ("", "")), metric["floor"], found["ceiling"]]
            seeds = " ".join("" if v is None else f"{v:.6g}" for v in found["seeds"])
            writer.writerow([*row, seeds, found["not_run"]])
    return text.getvalue()


def as_markdown(data):
    """report.md.

    Args:
      data: As of `noisygan.reports.comparison_report.write_page`.
    """
    order = [system["name"] for system in data["systems"]]
    lines = [f"# {data['title']}", "", *(f"- {sentence}" for sentence in data["verdict"]), ""]
    lines += [f"*{warning}*\n" for warning in data["warnings"]]
    heads = [m for m in data["metrics"] if m["headline"]]
    lines += [*_markdown_table(order, heads), ""]
    doubtful = any(m["wrong_order"] for m in data["metrics"])
    doubt = " (*): the self-test doubts it." if doubtful else ""
    lines += [
        "Means over the seeds, in brackets the 95 % interval over all of them. *recordings*: "
        "training recordings in a system's place; *untrained*: the same system before training."
        + doubt,
        "",
    ]
    lines += [f"- {name}: {value}" for name, value in data["facts"]]
    lines += ["", f"Made again by `{data['command']}`.", "", "## All figures", ""]
    groups = dict.fromkeys(m["group"] for m in data["metrics"])
    for group in groups:
        lines += [f"### {group}", ""]
        lines += [*_markdown_table(order, [m for m in data["metrics"] if m["group"] == group]), ""]
    return "\n".join(lines)


def _markdown_table(order, metrics):
    yield "| metric | recordings | " + " | ".join(order) + " | untrained |"
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
        mark = " (*)" if metric["wrong_order"] else ""
        yield f"| {metric['name']}{unit}{mark} | {floor} | {' | '.join(cells)} | {ends} |"
