"""Page about a comparison: which system is best at what, to be seen and to be heard."""

from __future__ import annotations

import numpy as np

from noisygan.evaluation.report import badness, overlap
from noisygan.reports import comparison_plots as plots
from noisygan.reports import page
from noisygan.reports.plots import Scale, arrays, metric_plot, outline
from noisygan.reports.run_report import METRICS

MAX_BYTES = 30_000_000
RECORDINGS = "recordings"
N_TONES = 8
NOT_RUN = {"value": None, "interval": None, "ceiling": None, "not_run": None, "seeds": []}


def write(data, path):
    """Write the page of a comparison.

    An empty part leaves its section out. The points of the map have no sounds where the page would
    exceed `MAX_BYTES`.

    Args:
      data: dict that JSON can hold. Audio is FLAC or Ogg Vorbis and pictures are PNG, as `data:`
        addresses:
        id: Hex digits; files of ratings name it.
        title, made, noisygan, command: Text; the command makes the comparison again.
        facts: list of (name, text). warnings, verdict: lists of sentences.
        systems: list of {name, description, conditions, seeds, curves}, the best first; conditions
          are names of what it is conditioned on; a curve is a list of {seconds, step, value}, of
          one seed. curve_title: text. curve_floor: number or None.
        losses: {system: [records of metrics of a seed, ...]}.
        metrics: list of {name, group, unit, higher_is_better (None: nearer to the floor),
          headline, floor, explained, values: {system: {value,
          interval, ceiling, not_run, seeds}}}.
        grid: {columns: [{title, recording: clip}], rows: {system: [clip, ...]}}.
        interpolations: {system: [clip, ...]}.
        histograms: list of {name, unit, edges, recordings, systems: {system: shares}}.
        map: {points: [{x, y, system or None for a recording, clip}], explained}.
        spectrogram_axes: {seconds, high_hz}.
        A clip: {title, audio, gain_db, peaks: [[lowest, highest], ...] in -1..1, spectrogram}.
      path: File; an older one is replaced.

    Returns:
      pathlib.Path of the page.

    Raises:
      RunError: if it cannot be written.
    """
    text = render(data)
    if len(text) > MAX_BYTES:
        points = [{**point, "clip": None} for point in data["map"]["points"]]
        text = render({**data, "map": {**data["map"], "points": points}})
    return page.write(path, text)


def render(data):
    """HTML of the page; `data` as of `write`."""
    palette, clips = Palette([system["name"] for system in data["systems"]]), Clips()
    columns = [Column(metric, palette.names) for metric in data["metrics"]]
    # Metrics to look at first; those without any value last.
    head = [column for column in columns if column.metric["headline"]] or columns
    head = sorted(head, key=lambda column: not column.ranks)
    groups = {}
    for column in columns:
        groups.setdefault(column.metric["group"], []).append(column)
    # (system or None for recordings, its clips) of each row.
    grid = [(None, [column["recording"] for column in data["grid"]["columns"]])]
    grid += [(name, data["grid"]["rows"][name]) for name in palette.names]
    trials = [
        {
            "system": name or RECORDINGS,
            "sounds": [[i, clips.add(clip, name)] for i, clip in enumerate(own)],
        }
        for name, own in grid
    ]
    return page.render(
        "comparison.html",
        title=data["title"],
        kicker="comparison",
        credit=[f"{data['made']}, noisygan {data['noisygan']}"],
        data=data,
        palette=palette,
        clips=clips,
        columns=columns,
        head=head,
        groups=groups,
        best_at=_best_at(head, palette.names),
        heads=[column["title"] for column in data["grid"]["columns"]],
        grid=grid,
        trials=trials,
        unconditional=[s["name"] for s in data["systems"] if not s["conditions"]],
        losses=_losses(data["losses"]),
        race=plots.race(data["systems"], palette, data["curve_title"], data["curve_floor"]),
        histograms=[plots.histogram(h, palette.names) for h in data["histograms"]],
        points=plots.sound_map(data["map"]["points"]),
        map_size=(plots.MAP_WIDTH, plots.MAP_HEIGHT),
    )


def _losses(by_system):
    """(system, `Plot`) of the losses of each system that has some."""
    title, *wanted = METRICS[0]
    found = {
        name: metric_plot(f"{title} of {name}", wanted, [arrays(records) for records in seeds])
        for name, seeds in by_system.items()
    }
    return [(name, plot) for name, plot in found.items() if plot]


def _best_at(head, names):
    """(system, statement, columns) of each system that is best at something.

    A system's name is None where the line before has named it, "" for metrics without a winner.
    """
    found = [column for column in head if column.best]
    # Where many share the first place, it says nothing of any.
    decided = [c for c in found if len(c.best) <= max(1, len(c.ranks) / 3)]
    lines = []
    for name in names:
        first = [column for column in decided if name in column.best]
        own = [column for column in first if not column.near_best and len(column.best) == 1]
        if own:
            lines.append((name, f"best at {len(own)} of {len(found)}:", own))
        if level := [column for column in first if column not in own]:
            lines.append((None if own else name, "first, level with others:", level))
    if lines and len(decided) < len(found):
        rest = [column for column in found if column not in decided]
        lines.append((None, "no single best:", rest))
    return lines


class Column:
    """A metric, and how its values compare.

    Args:
      metric: dict as `write` takes it.
      names: Names of the systems.

    Attributes:
      cells: dict of each system's values; empty where there are none.
      ranks: Of the systems with a value, the lower the better; None where nothing is better.
      best, near_best: Systems with the best value; those whose interval overlaps a best one's.
      ceilings: Lowest and highest value of untrained systems, or None.
    """

    def __init__(self, metric, names):
        self.metric = metric
        self.better = metric["higher_is_better"]
        self.floor = metric["floor"]
        self.cells = {name: metric["values"].get(name, NOT_RUN) for name in names}
        known = {n: c for n, c in self.cells.items() if c["value"] is not None}
        self.ranks = {name: badness(metric, cell["value"]) for name, cell in known.items()}
        found = [rank for rank in self.ranks.values() if rank is not None]
        self.best = {name for name, rank in self.ranks.items() if found and rank == min(found)}
        reach = {name: cell["interval"] for name, cell in known.items()}
        self.near_best = {
            name for name in known if any(overlap(reach[name], reach[best]) for best in self.best)
        } - self.best
        ends = [c["ceiling"] for c in self.cells.values() if c["ceiling"] is not None]
        self.ceilings = (min(ends), max(ends)) if ends else None
        shown = [cell["value"] for cell in known.values()]
        shown += [end for ends in reach.values() for end in ends or ()]
        shown += [] if self.floor is None else [self.floor]
        self._scale = Scale(shown, self.floor and abs(self.floor)) if shown else None

    @property
    def is_in_order(self):
        """True if the lowest value is best and the systems stand in its order."""
        ranks = [self.ranks.get(name) for name in self.cells]
        return self.better is False and None not in ranks and ranks == sorted(ranks)

    def key(self, name):
        """Sort key of a system's cell."""
        rank = self.ranks[name]
        is_value = rank is None or self.better is not None
        return f"{self.cells[name]['value'] if is_value else rank:.9g}"

    def place(self, value):
        """Percent from the left of a cell's strip; the left is better, if anything is."""
        at = 100 * self._scale.fraction(value)
        return 100 - at if self.better else at

    def reach(self, name):
        """(left, width) of a system's interval in its strip, percent."""
        cell = self.cells[name]
        ends = cell["interval"] or (cell["value"], cell["value"])
        low, high = sorted(self.place(end) for end in ends)
        return low, high - low


class Clips:
    """Sounds of the page, each once."""

    def __init__(self):
        self.entries, self._known = [], {}

    def add(self, clip, system):
        """Number of a clip on the page; `system` is None for a recording."""
        key = (system, clip["title"], clip["audio"])
        if key not in self._known:
            self._known[key] = len(self.entries)
            entry = {name: clip[name] for name in ("title", "gain_db", "audio")}
            self.entries.append({"who": system or RECORDINGS, **entry})
        return self._known[key]

    @staticmethod
    def outline(clip):
        """SVG path data of a clip's waveform."""
        return outline(*np.transpose(clip["peaks"]))


# ------------------------------------------------------------------------------------------ palette


RING = "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z"
SHAPES = (
    RING,
    "M-6.5 -6.5H6.5V6.5H-6.5Z",
    "M0 -9.5L8.2 4.7L-8.2 4.7Z",
    "M0 -9.5L9.5 0L0 9.5L-9.5 0Z",
    "M-3 -8.5H3V-3H8.5V3H3V8.5H-3V3H-8.5V-3H-3Z",
    "M0 9.5L-8.2 -4.8L8.2 -4.8Z",
    "M0 -9.5L2.5 -3.4L9 -2.9L4 1.3L5.6 7.7L0 4.2L-5.6 7.7L-4 1.3L-9 -2.9L-2.5 -3.4Z",
    "M0 -8.5L7.4 -4.2L7.4 4.2L0 8.5L-7.4 4.2L-7.4 -4.3Z",
)


class Palette:
    """Colours and marks of the systems of a page, the same everywhere on it."""

    def __init__(self, names):
        self.names = list(names)

    def kind(self, name):
        """CSS class: s0 to s7, or `rec` for recordings (None)."""
        return "rec" if name is None else f"s{self.names.index(name) % N_TONES}"

    def shape(self, name):
        """SVG path data of a system's mark, about 18 x 18 around 0.

        Past the eighth system the colours repeat with other shapes.
        """
        if name is None:
            return RING
        i = self.names.index(name)
        return SHAPES[(i + 3 * (i // N_TONES)) % N_TONES]

    def number(self, name):
        """Index of a system, -1 for recordings."""
        return -1 if name is None else self.names.index(name)
