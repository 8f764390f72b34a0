"""Plots as markup: numbers in, small self-contained pieces of HTML out.

A plot is a box whose curves are an SVG stretched to fill it and whose labels are HTML, so that text
keeps its size on a phone and colours follow the page's light or dark theme.
"""

from __future__ import annotations

import base64
import dataclasses
import html
import io

import numpy as np

MAX_POINTS = 500


@dataclasses.dataclass(frozen=True)
class Axis:
    """One axis: its range, and its ticks, (value, label) or (value, label, class) each."""

    low: float
    high: float
    ticks: tuple = ()

    def fraction(self, value):
        return (np.asarray(value, np.float64) - self.low) / (self.high - self.low)


@dataclasses.dataclass(frozen=True)
class Curve:
    """One line of a plot; `kind` is a class name that the style sheet colours, `label` its name."""

    x: np.ndarray
    y: np.ndarray
    kind: str
    label: str = ""


def time_axis(seconds):
    """0 to `seconds`, with about four labelled ticks."""
    step = _round_step(seconds / 4.0)
    ticks = np.arange(0.0, seconds + 1e-6, step)
    return Axis(0.0, float(seconds), tuple((float(t), f"{t:g} s") for t in ticks))


def value_axis(low, high, unit="", n_ticks=4):
    """A linear axis that holds low to high, with round ticks."""
    if not high > low:
        low, high = low - 1.0, high + 1.0
    step = _round_step((high - low) / n_ticks)
    first, last = np.floor(low / step), np.ceil(high / step)
    ticks = step * np.arange(first, last + 1)
    labels = tuple((float(t), f"{t:g}{unit}".replace("-", "\N{MINUS SIGN}")) for t in ticks)
    return Axis(float(ticks[0]), float(ticks[-1]), labels)


def _round_step(about):
    magnitude = 10.0 ** np.floor(np.log10(max(about, 1e-9)))
    return float(min((m * magnitude for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - about)))


def line_plot(curves, x_axis, y_axis, description, right_ticks=(), audio=None, marks=()):
    """Curves over a common pair of axes.

    Args:
      curves: List of `Curve`; NaN breaks a line.
      x_axis, y_axis: `Axis`.
      description: What a screen reader says.
      right_ticks: (value on the y axis, label) pairs at the right side, or triples with a class
        name that the style sheet colours.
      audio: Id of the audio element whose playhead moves over the plot (x is its time).
      marks: x values of vertical lines.

    Returns:
      HTML.
    """
    grid = "".join(f'<path d="M0 {_y(y_axis, v)}H1000"/>' for v, *_ in y_axis.ticks)
    lines = "".join(f'<path d="M{_x(x_axis, v)} 0V1000"/>' for v in marks)
    paths = "".join(
        f'<path class="curve {c.kind}" d="{path_of(c.x, c.y, x_axis, y_axis)}"/>' for c in curves
    )
    svg = (
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        f'<g class="grid">{grid}</g><g class="marks">{lines}</g>{paths}</svg>'
    )
    named = [c for c in curves if c.label]
    legend = "".join(
        f'<span class="key {c.kind}"><i></i>{html.escape(c.label)}</span>' for c in named
    )
    legend = f'<p class="legend">{legend}</p>' if legend else ""
    return legend + _box(svg, x_axis, y_axis, description, right_ticks, audio)


def image_plot(source, x_axis, y_axis, description, audio=None, crisp=False):
    """An image (see `heat_map`) between axes; arguments as in `line_plot`."""
    kind = ' class="crisp"' if crisp else ""
    image = f'<img{kind} src="{source}" alt="" draggable="false">'
    return _box(image, x_axis, y_axis, description, (), audio)


def _box(content, x_axis, y_axis, description, right_ticks, audio):
    def labels(kind, side, axis, ticks, flip):
        spans = []
        for value, label, *more in ticks:
            at = float(axis.fraction(value))
            if -1e-6 <= at <= 1.0 + 1e-6 and label:
                at = 1.0 - at if flip else at
                text = html.escape(label)
                names = " ".join((kind, *more))
                spans.append(f'<span class="{names}" style="{side}:{100 * at:.2f}%">{text}</span>')
        return "".join(spans)

    timeline = f' data-audio="{audio}"' if audio else ""
    head = '<i class="playhead"></i>' if audio else ""
    right = " with-right" if right_ticks else ""
    return (
        f'<div class="plot{right}" role="img" aria-label="{html.escape(description, True)}">'
        f'<div class="area"{timeline}>{content}{head}</div>'
        f'<div aria-hidden="true">{labels("yt", "top", y_axis, y_axis.ticks, True)}'
        f"{labels('yt right', 'top', y_axis, right_ticks, True)}"
        f"{labels('xt', 'left', x_axis, x_axis.ticks, False)}</div></div>"
    )


def _x(axis, value):
    return f"{1000 * float(axis.fraction(value)):.0f}"


def _y(axis, value):
    return f"{1000 * (1 - float(axis.fraction(value))):.0f}"


def path_of(x, y, x_axis, y_axis):
    """SVG path data of a curve in a 1000 x 1000 box, thinned to at most `MAX_POINTS` points."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x) > MAX_POINTS:
        keep = np.linspace(0, len(x) - 1, MAX_POINTS).astype(int)
        x, y = x[keep], y[keep]
    across = 1000 * x_axis.fraction(x)
    down = 1000 * (1.0 - y_axis.fraction(y))
    parts, pen_down = [], False
    for a, d in zip(across, np.clip(down, -200, 1200), strict=True):
        if np.isfinite(d):
            parts.append(f"{'L' if pen_down else 'M'}{a:.1f} {d:.1f}")
        pen_down = bool(np.isfinite(d))
    return "".join(parts)


def waveform(audio, audio_id=None, n_columns=300):
    """The outline of a waveform, scaled to its own peak, as one filled shape."""
    audio = np.asarray(audio)
    peak = float(np.abs(audio).max()) or 1.0
    columns = np.array_split(audio / peak, min(n_columns, len(audio)))
    high = [500 - 480 * max(float(c.max()), 0.004) for c in columns]
    low = [500 - 480 * min(float(c.min()), -0.004) for c in columns]
    across = np.linspace(0, 1000, len(columns))
    there = "L".join(f"{x:.0f} {y:.0f}" for x, y in zip(across, high, strict=True))
    back = "L".join(f"{x:.0f} {y:.0f}" for x, y in zip(across[::-1], low[::-1], strict=True))
    timeline = f' data-audio="{audio_id}"' if audio_id else ""
    return (
        f'<div class="wave"{timeline} aria-hidden="true">'
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none">'
        f'<path d="M{there}L{back}Z"/></svg><i class="playhead"></i></div>'
    )


def heat_map(values, low, high, colours="magma"):
    """An array as a PNG data address, one pixel a cell, first row at the bottom.

    Args:
      values: [n_rows, n_columns].
      low, high: Values of the darkest and the brightest colour.
      colours: A matplotlib colour map.

    Returns:
      A `data:image/png;base64,` address.
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
