"""Plots of a comparison: quality over training time, histograms, the map of sounds."""

from __future__ import annotations

import math

import numpy as np

from noisygan.reports.page import shown, time_text
from noisygan.reports.plots import Axis, Curve, Plot, Scale, step_path, value_axis

# Labels at the right of a plot keep this share of its height between them.
LABEL_GAP = 0.062
TIMES_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
MAP_WIDTH, MAP_HEIGHT, MAP_MARGIN = 1000, 640, 26


def race(systems, palette, title, floor=None):
    """Distance of every system over its training time.

    Args:
      systems: list of dicts with name and curves.
      palette: `Palette`.
      title: What the curves show.
      floor: Distance of recordings, or None.

    Returns:
      (`Plot`, whether its scale is logarithmic), or None without curves.
    """
    runs = {s["name"]: [_points(c) for c in s.get("curves") or [] if _points(c)] for s in systems}
    runs = {name: curves for name, curves in runs.items() if curves}
    if not runs:
        return None
    points = [p for curves in runs.values() for curve in curves for p in curve]
    values = [v for _, v in points] + ([] if floor is None else [floor])
    scale = Scale(values, floor and abs(floor))
    across = Scale([t for t, _ in points])
    x_axis, y_axis = _time_axis(across), _bent_axis(scale)

    def bent(curve, kind):
        x, y = zip(*curve, strict=True)
        return Curve(np.array([*map(across.bend, x)]), np.array([*map(scale.bend, y)]), kind)

    curves, ends = [], []
    if floor is not None:
        at = scale.bend(floor)
        line = np.array([x_axis.low, x_axis.high])
        curves.append(Curve(line, np.full(2, at), "rec floor-line"))
        ends.append((at, "recordings", "rec"))
    description = f"{title} over training time."
    for name, own in runs.items():
        kind, mean = palette.kind(name), _mean(own)
        if len(own) > 1:
            curves += [bent(curve, f"{kind} faint") for curve in own]
        curves.append(bent(mean, f"{kind} thick"))
        ends.append((float(curves[-1].y[-1]), name, kind))
        first, last = shown(mean[0][1]), shown(mean[-1][1])
        description += f" {name}: {first} at first, {last} at the end."
    labels = tuple(_apart(ends, y_axis))
    return Plot(x_axis, y_axis, description, tuple(curves), None, labels), scale.wide


def _points(curve):
    return [
        (float(p["seconds"]), float(p["value"]))
        for p in curve
        if p.get("value") is not None and math.isfinite(p["value"]) and (p["seconds"] or 0.0) > 0
    ]


def _mean(curves):
    """Mean of the seeds over the times that all of them reach."""
    first = max(c[0][0] for c in curves)
    last = min(c[-1][0] for c in curves)
    if len(curves) == 1 or last < first:
        return curves[0]
    times = sorted({t for c in curves for t, _ in c if first <= t <= last} | {first, last})
    values = np.mean([np.interp(times, *zip(*c, strict=True)) for c in curves], axis=0)
    return [(float(t), float(v)) for t, v in zip(times, values, strict=True)]


def _time_axis(scale):
    low, high = scale.bend(scale.low) if scale.wide else 0.0, scale.bend(scale.high)
    times = [(scale.bend(t), time_text(t)) for t in TIMES_SECONDS if scale.low <= t <= scale.high]
    return Axis(low, high, _thinned(times or [(high, time_text(scale.high))], low, high, 0.2))


def _bent_axis(scale):
    if not scale.wide:
        return value_axis(scale.low, scale.high)
    low, high = scale.bend(scale.low), scale.bend(scale.high)
    room = 0.04 * (high - low)
    ticks = _thinned([(scale.bend(v), shown(v)) for v in scale.ticks()], low, high, 0.07)
    return Axis(low - room, high + room, ticks)


def _thinned(ticks, low, high, gap):
    """Ticks with room between them."""
    kept = []
    for at, label in ticks:
        if not kept or (at - kept[-1][0]) / (high - low) >= gap:
            kept.append((at, label))
    return tuple(kept)


def _apart(ends, axis):
    """Labels at the ends of curves, moved until none covers another."""
    ends = sorted(ends)
    gap = min(LABEL_GAP, 1.0 / max(1, len(ends)))
    places = [float(axis.fraction(at)) for at, _, _ in ends]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    places[-1] = min(places[-1], 1.0)
    for i in range(len(places) - 2, -1, -1):
        places[i] = min(places[i], places[i + 1] - gap)
    return [
        (axis.low + p * (axis.high - axis.low), label, kind)
        for p, (_, label, kind) in zip(places, ends, strict=True)
    ]


def histogram(entry, names):
    """Distribution of one descriptor: a strip for each system, recordings behind each.

    Args:
      entry: dict of name, unit, edges, recordings and systems (shares).
      names: Names of the systems.

    Returns:
      dict of name, unit, marks, behind (path) and strips: (name, path, overlap in percent).
    """
    real = np.asarray(entry["recordings"], float)
    top = 2.0 * max(real.max(initial=0.0), 1e-9)
    strips = []
    for name in names:
        if name in entry["systems"]:
            shares = np.asarray(entry["systems"][name], float)
            overlap = 100 * float(np.minimum(shares, real).sum())
            strips.append((name, step_path(shares, top), overlap))
    edges = entry["edges"]
    marks = [float(f"{edge:.3g}") for edge in (edges[0], edges[len(edges) // 2], edges[-1])]
    behind = step_path(real, top)
    return {"name": entry["name"], "unit": entry.get("unit"), "marks": marks, "behind": behind,
            "strips": strips}  # fmt: skip


def sound_map(points):
    """(system, clip, x, y) of the points of the map in its box; recordings last, on top."""
    points = [p for p in points if math.isfinite(p["x"]) and math.isfinite(p["y"])]
    points.sort(key=lambda point: point.get("system") is None)

    def placed(name, size):
        values = np.array([p[name] for p in points], float)
        span = max(float(np.ptp(values)), 1e-9) if len(values) else 1.0
        return MAP_MARGIN + (size - 2 * MAP_MARGIN) * (values - values.min(initial=np.inf)) / span

    across, down = placed("x", MAP_WIDTH), MAP_HEIGHT - placed("y", MAP_HEIGHT)
    return [
        (p.get("system"), p.get("clip"), round(x), round(y))
        for p, x, y in zip(points, across.tolist(), down.tolist(), strict=True)
    ]
