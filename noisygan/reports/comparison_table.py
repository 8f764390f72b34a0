"""The tables of the page: systems down, metrics across, each number with all that qualifies it."""

from __future__ import annotations

from noisygan.evaluation.report import number
from noisygan.reports.page import escape
from noisygan.reports.palette import RECORDINGS
from noisygan.reports.ranking import badness, overlap
from noisygan.reports.scales import Scale

MINUS = "\N{MINUS SIGN}"
BETTER = {
    True: ("\N{UPWARDS ARROW}", "higher is better"),
    False: ("\N{DOWNWARDS ARROW}", "lower is better"),
    None: ("=", "nearer to the recordings is better"),
}
RATING = {
    "name": "listening test",
    "unit": "1 to 5",
    "higher_is_better": True,
    "explained": "What listeners of the blind test below said: how much does it sound like a "
    "recording? Mean of their ratings.",
}


class Column:
    """A metric, and how its numbers compare.

    Args:
      metric: dict as `write_page` takes it.
      names: Names of the systems.
    """

    def __init__(self, metric, names):
        self.metric = metric
        self.better = metric.get("higher_is_better")
        self.floor = metric.get("floor")
        values = metric.get("values") or {}
        self.cells = {name: values.get(name) or {} for name in names}
        self.ranks = {
            name: self.rank(cell["value"])
            for name, cell in self.cells.items()
            if cell.get("value") is not None
        }
        found = [rank for rank in self.ranks.values() if rank is not None]
        self.best = {name for name, rank in self.ranks.items() if found and rank == min(found)}
        self.near_best = {
            name
            for name in self.ranks
            if name not in self.best and any(self._overlap(name, best) for best in self.best)
        }
        self.scale = self._scale()
        self.ceilings = [
            cell["ceiling"] for cell in self.cells.values() if cell.get("ceiling") is not None
        ]

    def rank(self, value):
        """The lower the better; None where nothing says what is better."""
        return badness(self.metric, value)

    def _overlap(self, one, other):
        return overlap(*(self.cells[name].get("interval") for name in (one, other)))

    def _scale(self):
        shown = [cell["value"] for cell in self.cells.values() if cell.get("value") is not None]
        for cell in self.cells.values():
            shown += cell.get("interval") or []
        shown += [] if self.floor is None else [self.floor]
        return Scale(shown, self.floor and abs(self.floor)) if shown else None

    def place(self, value):
        """Percent from the left of the strip; the left is better, if anything is."""
        at = 100 * self.scale.fraction(value)
        return 100 - at if self.better else at


def table(columns, palette, caption, table_id, ratings=None):
    """A table that the script makes sortable.

    Args:
      columns: list of Column.
      palette: Palette.
      caption: Text.
      table_id: Its id.
      ratings: dict of ratings counted so far for a further column, which the script shows when
        there are some; None: without that column.

    Returns:
      HTML.
    """
    first = columns[0] if columns else None
    heads = ['<th scope="col"><button class="sort" type="button">system</button></th>']
    for column in columns:
        order = ' aria-sort="ascending"' if column is first and _in_order(column) else ""
        heads.append(_head(column, order))
    rated = (
        Column({**RATING, "values": ratings or {}}, palette.names) if ratings is not None else None
    )
    if rated:
        heads.append(_head(rated, f" data-rated-head{'' if ratings else ' hidden'}"))
    rows = []
    for i, name in enumerate(palette.names):
        cells = [_cell(column, name) for column in columns]
        if ratings is not None:
            cells.append(_rating_cell(ratings, name))
        rows.append(
            f'<tr><th scope="row" data-sort="{i}">{palette.badge(name)}</th>{"".join(cells)}</tr>'
        )
    floors = "".join(f"<td>{_floor(column)}</td>" for column in columns)
    if ratings is not None:
        floors += _rating_cell(ratings, RECORDINGS)
    untrained = ""
    if any(column.ceilings for column in columns):
        ceilings = "".join(f"<td>{_ceiling(column)}</td>" for column in columns)
        if ratings is not None:
            ceilings += _rating_cell(ratings, "")  # no one hears these
        untrained = f'<tr><th scope="row">untrained<small>the ceiling</small></th>{ceilings}</tr>'
    return (
        f'<div class="scroll" role="region" aria-labelledby="{table_id}-caption" tabindex="0">'
        f'<table class="results" id="{table_id}"><caption id="{table_id}-caption">'
        f"{escape(caption)}</caption><thead><tr>{''.join(heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody>"
        f'<tbody class="floor"><tr><th scope="row">{palette.badge(None)}'
        f"<small>the floor</small></th>{floors}</tr>{untrained}</tbody></table></div>"
    )


def _in_order(column):
    ranks = [column.ranks.get(name) for name in column.cells]
    return (
        column.better is False
        and None not in ranks
        and all(a <= b for a, b in zip(ranks, ranks[1:], strict=False))
    )


def _head(column, attributes):
    metric = column.metric
    arrow, words = BETTER[column.better]
    unit = f' <span class="unit">{escape(metric["unit"])}</span>' if metric.get("unit") else ""
    doubt = ""
    if metric.get("wrong_order"):
        doubt = '<span class="doubt"><span aria-hidden="true">?</span> self-test: doubtful</span>'
        attributes += ' class="doubtful"'
    title = escape(". ".join(p for p in (metric.get("explained"), metric.get("wrong_order")) if p))
    first = "descending" if column.better else "ascending"
    return (
        f'<th scope="col"{attributes} data-first="{first}"><button class="sort" type="button" '
        f'title="{title}">{escape(metric["name"])}{unit} <span class="better">'
        f'<span aria-hidden="true">{arrow}</span> <span class="words">{words}</span></span>'
        f"{doubt}</button></th>"
    )


def _cell(column, name):
    cell, metric = column.cells[name], column.metric
    more = escape(_more(column, name))
    button = f'<button class="cell" type="button" data-more="{more}">'
    if cell.get("value") is None:
        return f'<td class="none">{button}not run</button></td>'
    best = name in column.best
    flag = ""
    if best:
        flag = '<span class="flag">\N{BLACK STAR} best</span>'
    elif name in column.near_best:
        flag = '<span class="flag">\N{WHITE STAR} level</span>'
    rank = column.ranks[name]
    key = cell["value"] if rank is None or column.better is not None else rank
    kinds = ["best"] * best + ["doubtful"] * bool(metric.get("wrong_order"))
    return (
        f'<td class="{" ".join(kinds)}" data-sort="{key:.9g}">{button}'
        f'<span class="value">{shown(cell["value"])}</span>{flag}{_between(cell)}'
        f"{_strip(column, cell)}</button></td>"
    )


def _between(cell):
    if not cell.get("interval"):
        return ""
    return f'<span class="between">{between(cell["interval"])}</span>'


def _strip(column, cell):
    """Where the number stands among all of its column: its interval, itself, and the floor."""
    ends = cell.get("interval") or (cell["value"], cell["value"])
    low, high = sorted(column.place(end) for end in ends)
    floor = ""
    if column.floor is not None:
        floor = f'<i class="at-floor" style="left:{column.place(column.floor):.1f}%"></i>'
    return (
        '<span class="strip-of" aria-hidden="true">'
        f'{floor}<i class="reach" style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
        f'<i class="dot" style="left:{column.place(cell["value"]):.1f}%"></i></span>'
    )


def _more(column, name):
    """All that is known of a number, as text."""
    cell, metric = column.cells[name], column.metric
    parts = [f"{name}, {metric['name']}: "]
    if cell.get("value") is None:
        parts[0] += f"not run ({cell.get('not_run') or 'no reason given'})"
    else:
        unit = f" {metric['unit']}" if metric.get("unit") else ""
        parts[0] += shown(cell["value"]) + unit
        if cell.get("interval"):
            parts[0] += f", 95 % interval {between(cell['interval'])}"
    seeds = [shown(v) for v in cell.get("seeds") or [] if v is not None]
    if len(seeds) > 1:
        parts.append(f"Seeds: {', '.join(seeds)}")
    if column.floor is not None:
        parts.append(f"Recordings in its place (floor): {shown(column.floor)}")
    if cell.get("ceiling") is not None:
        parts.append(f"The same untrained (ceiling): {shown(cell['ceiling'])}")
    parts.append(BETTER[column.better][1].capitalize())
    parts += [metric[key] for key in ("explained", "wrong_order") if metric.get(key)]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


def _floor(column):
    return "" if column.floor is None else f'<span class="value">{shown(column.floor)}</span>'


def _ceiling(column):
    """What the systems get before training: the lowest and the highest."""
    if not column.ceilings:
        return ""
    low, high = min(column.ceilings), max(column.ceilings)
    text = shown(low) if shown(low) == shown(high) else between((low, high))
    return f'<span class="between">{text}</span>'


def _rating_cell(ratings, name):
    """A cell of the listening test; the script fills it anew when answers are counted."""
    rating = ratings.get(name)
    if not rating:
        return f'<td data-rated="{escape(name)}"{"" if ratings else " hidden"}></td>'
    n = rating["n"]
    reach = between(rating["interval"]) if rating.get("interval") else ""
    return (
        f'<td data-rated="{escape(name)}" data-sort="{rating["value"]:.9g}"><span class="value">'
        f'{rating["value"]:.2f}</span><span class="between">{reach}</span>'
        f'<span class="between">{n} rating{"" if n == 1 else "s"}</span></td>'
    )


def shown(value):
    """A number for readers, with a true minus sign."""
    return number(value).replace("-", MINUS)


def between(interval):
    """An interval for readers."""
    return " to ".join(shown(end) for end in interval)
