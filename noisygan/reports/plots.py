"""Plots as data for the templates: axes, curves, heat maps, outlines.

A plot is a box whose curves are an SVG stretched to fill it and whose labels are HTML
(templates/macros.html), so that text keeps its size on a phone and colours follow the page's light
or dark theme.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import math

import numpy as np

MAX_POINTS = 500
# Larger ratios between the largest and the smallest value are shown on a bent scale.
WIDE = 15.0
MAX_DECADES = 5


@dataclasses.dataclass(frozen=True)
class Axis:
    """Range of an axis and its ticks, (value, label) or (value, label, CSS class) each."""

    low: float
    high: float
    ticks: tuple = ()

    def fraction(self, value):
        """Position of values, 0 at `low` and 1 at `high`."""
        return (np.asarray(value, np.float64) - self.low) / (self.high - self.low)


@dataclasses.dataclass(frozen=True)
class Curve:
    """Line of a plot; `kind` is a CSS class, `label` its name in the legend. NaN breaks it."""

    x: np.ndarray
    y: np.ndarray
    kind: str
    label: str = ""


@dataclasses.dataclass(frozen=True)
class Plot:
    """Curves or an image between two axes.

    Attributes:
      x, y: `Axis`.
      description: Text for screen readers.
      curves: `Curve` objects.
      image: `data:` address of a `heat_map`, or None.
      right_ticks: Further ticks of the y axis at the right side.
      sound: `Sound` whose playhead moves over the plot, or None; x is its time.
      crisp: Whether cells of the image have sharp edges.
    """

    x: Axis
    y: Axis
    description: str
    curves: tuple = ()
    image: str | None = None
    right_ticks: tuple = ()
    sound: object = None
    crisp: bool = False

    @property
    def paths(self):
        """(CSS class, SVG path data) of every curve."""
        return [(c.kind, path(self.x.fraction(c.x), self.y.fraction(c.y))) for c in self.curves]

    @property
    def grid(self):
        """Heights of the grid lines in the box of 1000 x 1000."""
        return [1000 - 1000 * at for at, *_ in _inside(self.y, self.y.ticks)]

    @property
    def labels(self):
        """(CSS classes, side, percent from it, text) of every tick."""
        found = []
        for kind, side, axis, ticks in (
            ("yt", "top", self.y, self.y.ticks),
            ("yt right", "top", self.y, self.right_ticks),
            ("xt", "left", self.x, self.x.ticks),
        ):
            for at, text, *more in _inside(axis, ticks):
                at = 100 * (1.0 - at if side == "top" else at)
                found.append((" ".join((kind, *more)), side, f"{at:.2f}", text))
        return found


def _inside(axis, ticks):
    at = [(float(axis.fraction(value)), label, *more) for value, label, *more in ticks]
    return [tick for tick in at if -1e-6 <= tick[0] <= 1.0 + 1e-6 and tick[1]]


def time_axis(seconds):
    """Axis from 0 to `seconds` with about four ticks."""
    ticks = np.arange(0.0, seconds + 1e-6, _round_step(seconds / 4.0))
    return Axis(0.0, float(seconds), tuple((float(t), f"{t:g} s") for t in ticks))


def value_axis(low, high, unit="", n_ticks=4):
    """Axis that contains low to high, with round ticks."""
    if not high > low:
        low, high = low - 1.0, high + 1.0
    step = _round_step((high - low) / n_ticks)
    ticks = step * np.arange(np.floor(low / step), np.ceil(high / step) + 1)
    labels = tuple((float(t), f"{t:g}{unit}".replace("-", "\N{MINUS SIGN}")) for t in ticks)
    return Axis(float(ticks[0]), float(ticks[-1]), labels)


def step_axis(last):
    """Axis of training steps from 0."""
    ticks = [t for t in value_axis(0.0, last).ticks if t[0] <= last and t[0] == int(t[0])]
    labels = tuple((v, f"{v:,.0f}" if v else "step 0") for v, _ in ticks)
    return Axis(0.0, max(float(last), 1.0), labels)


def arrays(records):
    """Records of metrics (dicts) as float arrays by name, NaN where one lacks a value."""
    names = dict.fromkeys(
        name for line in records for name, value in line.items() if isinstance(value, (int, float))
    )
    return {name: np.array([line.get(name, np.nan) for line in records], float) for name in names}


def metric_plot(title, wanted, runs):
    """`Plot` of metrics over the steps of one or several runs, or None without any.

    Args:
      title: What they are.
      wanted: (name, title, CSS class) of each metric.
      runs: list of dicts, as of `arrays`.
    """
    curves = []
    for name, label, kind in wanted:
        for metrics in runs:
            known = np.isfinite(metrics.get(name, [np.nan]))
            if known.sum() > 1:
                x, y = metrics["step"][known], metrics[name][known]
                curves += [Curve(x, y, f"{kind} faint"), Curve(x, _running_mean(y), kind, label)]
                label = ""  # One entry of the legend.
    if not curves:
        return None
    low, high = np.percentile(np.concatenate([c.y for c in curves]), (0.5, 99.5))
    axes = step_axis(max(c.x[-1] for c in curves)), value_axis(float(low), float(high))
    return Plot(*axes, f"{title} over training", tuple(curves))


def _running_mean(values):
    """Centred mean over a fortieth of the values, over fewer at the ends."""
    box = np.ones(2 * (len(values) // 80) + 1)
    sums, counts = (np.convolve(v, box, "same") for v in (values, np.ones(len(values))))
    return sums / counts


def _round_step(about):
    magnitude = 10.0 ** np.floor(np.log10(max(about, 1e-9)))
    return float(min((m * magnitude for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - about)))


def path(x, y):
    """SVG path data of fractions in a box of 1000 x 1000, at most `MAX_POINTS` points."""
    if len(x) > MAX_POINTS:
        keep = np.linspace(0, len(x) - 1, MAX_POINTS).astype(int)
        x, y = np.asarray(x)[keep], np.asarray(y)[keep]
    down = np.clip(1000 * (1.0 - np.asarray(y, np.float64)), -200, 1200)
    parts, pen_is_down = [], False
    for a, d in zip(1000 * np.asarray(x, np.float64), down, strict=True):
        if np.isfinite(d):
            parts.append(f"{'L' if pen_is_down else 'M'}{a:.1f} {d:.1f}")
        pen_is_down = bool(np.isfinite(d))
    return "".join(parts)


def outline(low, high):
    """SVG path data of a waveform, filled between the lowest and highest samples of columns."""
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    top = 1.04 * max(float(np.max(high, initial=0)), -float(np.min(low, initial=0)), 1e-3)
    x = np.linspace(0.0, 1.0, len(low))
    there = path(x, 0.5 + np.maximum(high / top, 0.008) / 2)
    back = path(x[::-1], (0.5 + np.minimum(low / top, -0.008) / 2)[::-1])
    return f"{there}L{back[1:]}Z"


def step_path(shares, top):
    """SVG path data of a histogram, filled, in a box of 1000 x 100."""
    heights = 100 - 100 * np.clip(np.asarray(shares, float) / top, 0.0, 1.0)
    x = np.linspace(0, 1000, len(heights) + 1)[1:]
    steps = (f"V{h:.1f}H{right:.0f}" for h, right in zip(heights, x, strict=True))
    return f"M0 100{''.join(steps)}V100Z"


def histogram(edges, heights, ticks, description):
    """`Plot` of a histogram as a curve of steps."""
    x = np.repeat(np.asarray(edges, np.float64), 2)
    y = np.concatenate([[0.0], np.repeat(np.asarray(heights, np.float64), 2), [0.0]])
    return Plot(
        Axis(float(edges[0]), float(edges[-1]), tuple(ticks)),
        value_axis(0.0, float(max(heights) or 1)),
        description,
        (Curve(x, y, "real"),),
    )


def heat_map(values, low, high, colours="magma"):
    """An array as a PNG `data:` address, one pixel a cell, first row at the bottom.

    Args:
      values: [n_rows, n_columns].
      low, high: Values of the darkest and the brightest colour.
      colours: A matplotlib colour map.
    """
    from matplotlib import colormaps
    from PIL import Image

    scaled = np.clip((np.asarray(values, np.float64) - low) / (high - low), 0.0, 1.0)
    cells = (np.nan_to_num(scaled)[::-1] * 255).astype(np.uint8)
    image = Image.frombytes("P", cells.shape[::-1], cells.tobytes())
    image.putpalette((colormaps[colours](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes())
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return data_address("image/png", stream.getvalue())


def data_address(media_type, content):
    """Bytes as a `data:` address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


class Scale:
    """Scale of values that may differ by orders of magnitude.

    Linear where the values are of one size, otherwise asinh(value / unit): logarithmic far from 0,
    linear near it, and defined for 0 and below. `unit` None: the smallest of `values`.
    """

    def __init__(self, values, unit=None):
        largest = max(abs(v) for v in values)
        sizes = [abs(v) for v in ([unit] if unit else values) if v]
        self.unit = max(min(sizes, default=1.0), largest * 10.0**-MAX_DECADES)
        self.wide = largest > WIDE * self.unit
        low, high = min(values), max(values)
        if not high > low:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        self.low, self.high = low, high

    def bend(self, value):
        """Position of a value in equal steps."""
        return math.asinh(value / self.unit) if self.wide else value

    def fraction(self, value):
        """0 at the lowest value, 1 at the highest; clipped."""
        low, high = self.bend(self.low), self.bend(self.high)
        return min(1.0, max(0.0, (self.bend(value) - low) / (high - low)))

    def ticks(self):
        """0 and powers of ten of both signs between the ends of a wide scale."""
        first = math.floor(math.log10(self.unit))
        last = math.ceil(math.log10(max(abs(self.low), abs(self.high))))
        powers = [10.0**k for k in range(first, last + 1)]
        found = [-p for p in reversed(powers)] + [0.0] + powers
        return [v for v in found if self.low <= v <= self.high]
