"""Report of an evaluation: metrics with interval, floor and ceiling, as JSON, text and HTML."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib

from noisygan.files import atomic_write, make_folder

FORMAT = 4
_HEAD = ("metric", "better", "value", "interval", "floor", "ceiling", "note")


@dataclasses.dataclass(frozen=True)
class Metric:
    """Name, unit and direction of a metric.

    Attributes:
      name: Unique, such as "MMD^2 x 1000, log-mel".
      group: Heading in the report.
      unit: "" for plain numbers.
      higher_is_better: True, False, or None: the closer to the floor the better.
      headline: Whether it is one of the main metrics.
    """

    name: str
    group: str
    unit: str = ""
    higher_is_better: bool | None = False
    headline: bool = False


@dataclasses.dataclass
class Result:
    """Value of a metric.

    Attributes:
      metric: Metric.
      value: float, or None if it was not computed.
      interval: (low, high), 95 %, or None.
      floor: Value of training recordings in place of the generated examples, or None.
      ceiling: Value of an untrained generator, or None.
      note: Remark for the reader.
      not_run: Why there is no value, or None.
      per_class: dict class -> dict of value, interval, floor.
    """

    metric: Metric
    value: float | None = None
    interval: tuple | None = None
    floor: float | None = None
    ceiling: float | None = None
    note: str = ""
    not_run: str | None = None
    per_class: dict = dataclasses.field(default_factory=dict)

    def as_json(self):
        """A flat dict for JSON; non-finite numbers are None."""
        found = dataclasses.asdict(self)
        return _plain({**found.pop("metric"), **found})

    @classmethod
    def from_json(cls, entry):
        """The Result of `as_json`."""
        entry = dict(entry)
        metric = Metric(**{f.name: entry.pop(f.name) for f in dataclasses.fields(Metric)})
        return cls(metric, **entry)


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclasses.dataclass
class Report:
    """Metrics of generated examples against held-out recordings.

    `report["diversity"]` is a `Result`. In a notebook the report shows itself as a table.

    Attributes:
      facts: dict: what was compared, and with which seeds; the head of evaluation.json.
      results: list of Result.
      pairs: list of dict: the closest pairs of generated example and training recording, with
        names, distance_db, suspicious.
      seeds: Reports of the runs that this one joins; empty for one run.
      complete: Whether all metrics are computed.
      pair_audio: list of (generated, training) float32 [n_samples], as `pairs`.
      generated: The Examples that were evaluated; None if several runs are joined.

    Example:
      >>> report = noisygan.evaluate(noisygan.load("runs/flute"), "my_notes")
      >>> report["note distance"].value, report["diversity"].interval
      (0.82, (0.8, 0.95))
      >>> report.save("evaluated")
    """

    facts: dict
    results: list = dataclasses.field(default_factory=list)
    pairs: list = dataclasses.field(default_factory=list)
    seeds: list = dataclasses.field(default_factory=list)
    complete: bool = False
    pair_audio: list = dataclasses.field(default_factory=list, repr=False)
    generated: object = dataclasses.field(default=None, repr=False)

    def __getitem__(self, name: str) -> Result:
        """The Result of a metric; KeyError if there is no such metric."""
        return {r.metric.name: r for r in self.results}[name]

    def save(self, folder: str | pathlib.Path) -> None:
        """Write evaluation.json, evaluation.md and the audio of the closest pairs (pairs/).

        Reports of several seeds get a folder each. Files of an earlier save are replaced.

        Example:
          >>> report.save("evaluated")
        """
        from noisygan.audio_io import audio_files

        folder = pathlib.Path(folder)
        for report in self.seeds:
            report.save(folder / f"seed-{report.facts['seeds']['training'][0]}")
        make_folder(folder)
        data = {"format": FORMAT, "complete": self.complete, **self.facts}
        data |= {"metrics": [result.as_json() for result in self.results], "pairs": self.pairs}
        content = json.dumps(data, indent=1, allow_nan=False) + "\n"
        for name, text in (("evaluation.json", content), ("evaluation.md", str(self))):
            with atomic_write(folder / name, overwrite=True) as part:
                part.write_text(text, encoding="utf-8")
        for i, pair in enumerate(self.pair_audio, start=1):
            make_folder(folder / "pairs")
            for kind, audio in zip(("generated", "training"), pair, strict=True):
                path = folder / "pairs" / f"{i:02d}-{kind}.wav"
                path.unlink(missing_ok=True)
                audio_files.write_wav(path, audio, self.facts["sample_rate"])

    def __str__(self):
        n, reference = self.facts["n"], self.facts["reference"]
        seeds = ", ".join(f"{name} {value}" for name, value in self.facts["seeds"].items())
        embeddings = "; ".join(self.facts["embeddings"])
        embeddings = f" Embeddings: {embeddings}." if embeddings else ""
        text = f"""\
# {self.facts["name"]}

{n["generated"]} generated examples against {n["test"]} held-out recordings ({n["train"]} for \
training), {self.facts["seconds"]:.3g} s at {self.facts["sample_rate"]} Hz. Reference \
{reference["fingerprint"][:12]}; seeds: {seeds}.{embeddings}

floor: training recordings in place of the generated examples. ceiling: {self.facts["ceiling"]}. \
[ ]: 95 % interval. `=`: the closer to the floor the better.
"""
        lines = [text, *(f"- **Note:** {warning}." for warning in self.facts["warnings"])]
        if not self.complete:
            lines.append("- Not finished: more metrics follow.")
        head = [r for r in self.results if r.metric.headline]
        lines += ["", "## Main metrics", "", *_markdown(head), "", *_per_class(self.results)]
        for group in dict.fromkeys(r.metric.group for r in self.results):
            own = [r for r in self.results if r.metric.group == group and not r.metric.headline]
            if own:
                lines += [f"## {group[0].upper()}{group[1:]}", "", *_markdown(own), ""]
        if self.pairs:
            lines += ["## Closest pairs", "", "Audio in `pairs/`.", ""]
        for i, pair in enumerate(self.pairs, start=1):
            mark = " - suspicious" if pair["suspicious"] else ""
            lines.append(f"{i}. {pair['training']}, {pair['distance_db']:.1f} dB{mark}")
        return "\n".join(lines).rstrip() + "\n"

    def _repr_html_(self):
        return html_table(_rows([r for r in self.results if r.metric.headline]), self.facts["name"])


_TABLE = """\
<table>{% if caption %}<caption>{{ caption }}</caption>{% endif %}
<thead><tr>{% for cell in head %}<th>{{ cell }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>"""


def html_table(rows, caption=None):
    """Rows of text as an HTML table; the first one is the head."""
    import jinja2

    template = jinja2.Template(_TABLE, autoescape=True)
    return template.render(head=rows[0], rows=rows[1:], caption=caption)


def _rows(results):
    rows, directions = [list(_HEAD)], {True: "higher", False: "lower", None: "="}
    for r in results:
        better = directions[r.metric.higher_is_better]
        unit = f" [{r.metric.unit}]" if r.metric.unit else ""
        value = "not run" if r.value is None else number(r.value)
        interval = "" if r.interval is None else " .. ".join(map(number, r.interval))
        ends = ["" if x is None else number(x) for x in (r.floor, r.ceiling)]
        note = "; ".join(part for part in (r.not_run, r.note) if part)
        rows.append([r.metric.name + unit, better, value, interval, *ends, note])
    return rows


def _markdown(results):
    rows = [[cell.replace("|", "/") for cell in row] for row in _rows(results)]
    rows.insert(1, ["---", "---", "---:", "---:", "---:", "---:", "---"])
    return [f"| {' | '.join(row)} |" for row in rows]


def _per_class(results):
    found = [r for r in results if r.per_class and (r.metric.headline or r.metric.group == "drums")]
    if not found:
        return []
    names = sorted({name for r in found for name in r.per_class})
    lines = ["## By class", "", "Value, and floor of the class in brackets.", ""]
    lines += [f"| metric | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for r in found:
        own = [r.per_class.get(name, {"value": math.nan, "floor": None}) for name in names]
        floors = ["" if o["floor"] is None else f" ({number(o['floor'])})" for o in own]
        cells = [number(o["value"]) + floor for o, floor in zip(own, floors, strict=True)]
        lines.append(f"| {r.metric.name} | {' | '.join(cells)} |")
    return [*lines, ""]


def number(value):
    """Format a number with about three significant digits and no exponent."""
    if not math.isfinite(value):
        return ""
    if abs(value) >= 1000 or value == round(value):
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}" if abs(value) < 100 else f"{value:.1f}"


def badness(metric, value):
    """Rank of a value of a metric (dict): the lower the better; None where nothing is better."""
    better, floor = metric["higher_is_better"], metric["floor"]
    if better is None:
        return None if floor is None else abs(value - floor)
    return -value if better else value


def overlap(one, other):
    """True if two intervals, [low, high] or None, overlap."""
    return bool(one and other and max(one[0], other[0]) <= min(one[1], other[1]))


def join_results(seeds):
    """Join results of several seeds: means, and the interval that contains all intervals.

    Args:
      seeds: list (one per seed) of lists of Result, of the same metrics.
    """
    found = []
    for results in zip(*seeds, strict=True):
        first = results[0]
        run = [r for r in results if r.value is not None]
        values = ", ".join(number(r.value) for r in run)
        classes = sorted({name for r in run for name in r.per_class})
        per_class = {}
        for name in classes:
            own = [r.per_class[name] for r in run if name in r.per_class]
            per_class[name] = {
                "value": _mean(o["value"] for o in own),
                "interval": _outer(o["interval"] for o in own),
                "floor": _mean(o["floor"] for o in own),
            }
        note = "; ".join(part for part in (f"seeds: {values}" if run else "", first.note) if part)
        value, interval = _mean(r.value for r in run), _outer(r.interval for r in run)
        ends = (_mean(getattr(r, end) for r in results) for end in ("floor", "ceiling"))
        not_run = None if run else first.not_run
        found.append(Result(first.metric, value, interval, *ends, note, not_run, per_class))
    return found


def _mean(values):
    values = [v for v in values if v is not None]
    return sum(values) / len(values) if values else None


def _outer(intervals):
    ends = list(zip(*filter(None, intervals), strict=True))
    return (min(ends[0]), max(ends[1])) if ends else None


def join_reports(reports):
    """The Report of several seeds of one system."""
    facts = dict(reports[0].facts)
    training = [seed for r in reports for seed in r.facts["seeds"]["training"]]
    facts["seeds"] = {**facts["seeds"], "training": training}
    facts["warnings"] = list(dict.fromkeys(w for r in reports for w in r.facts["warnings"]))
    return Report(facts, join_results([r.results for r in reports]), seeds=reports, complete=True)
