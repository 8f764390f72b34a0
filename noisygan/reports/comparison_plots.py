"""The plots of the page: quality over time, histograms, the map, outlines of sounds."""

from __future__ import annotations

import math

import numpy as np

from noisygan.reports.comparison_table import shown
from noisygan.reports.page import escape
from noisygan.reports.plots import Axis, Curve, line_plot, path_of, value_axis
from noisygan.reports.scales import Scale

# Labels at the right of a plot keep this share of its height between them.
LABEL_GAP = 0.062
TIMES_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
MAP_WIDTH, MAP_HEIGHT, MAP_MARGIN = 1000, 640, 26


# ------------------------------------------------------------------------------- quality over time


def race(systems, palette, title, floor=None):
    """The headline distance of every system over its training time.

    Args:
      systems: list of dicts with name and curves.
      palette: Palette.
      title: What the curves show.
      floor: What recordings get, or None.

    Returns:
      HTML; "" without curves.
    """
    runs = {
        s["name"]: [_points(curve) for curve in s.get("curves") or [] if _points(curve)]
        for s in systems
    }
    runs = {name: curves for name, curves in runs.items() if curves}
    if not runs:
        return ""
    points = [p for curves in runs.values() for curve in curves for p in curve]
    values = [v for _, v in points] + ([] if floor is None else [floor])
    scale = Scale(values, floor and abs(floor))
    across = Scale([t for t, _ in points])
    x_axis, y_axis = _time_axis(across), _bent_axis(scale)
    curves, ends = [], []
    if floor is not None:
        line = np.array([x_axis.low, x_axis.high]), np.full(2, scale.bend(floor))
        curves.append(Curve(*line, "rec floor-line"))
        ends.append((scale.bend(floor), "recordings", "rec"))
    for name, own in runs.items():
        kind = palette.kind(name)
        if len(own) > 1:
            curves += [Curve(*_bent(c, across, scale), f"{kind} faint") for c in own]
        mean = _mean(own)
        x, y = _bent(mean, across, scale)
        curves.append(Curve(x, y, f"{kind} thick"))
        ends.append((float(y[-1]), name, kind))
    description = f"{title} over training time. " + " ".join(
        f"{name}: {shown(_mean(own)[0][1])} at first, {shown(_mean(own)[-1][1])} at the end."
        for name, own in runs.items()
    )
    plot = line_plot(curves, x_axis, y_axis, description, _apart(ends, y_axis))
    return (
        f'<figure class="graph race"><figcaption>{escape(title)} <small>lower is better'
        f"{'; logarithmic scale' if scale.wide else ''}</small></figcaption>{plot}"
        "</figure>"
    )


def _points(curve):
    return [
        (float(p["seconds"]), float(p["value"]))
        for p in curve
        if p.get("value") is not None and math.isfinite(p["value"]) and (p["seconds"] or 0.0) > 0
    ]


def _bent(points, across, scale):
    x, y = zip(*points, strict=True)
    return np.array([across.bend(v) for v in x]), np.array([scale.bend(v) for v in y])


def _mean(curves):
    """Mean of the seeds over the times that all of them reach."""
    if len(curves) == 1:
        return curves[0]
    first = max(c[0][0] for c in curves)
    last = min(c[-1][0] for c in curves)
    times = sorted({t for c in curves for t, _ in c if first <= t <= last} | {first, last})
    if last < first:
        return curves[0]
    values = np.mean([np.interp(times, *zip(*c, strict=True)) for c in curves], axis=0)
    return [(float(t), float(v)) for t, v in zip(times, values, strict=True)]


def _time_axis(across):
    low, high = across.bend(across.low), across.bend(across.high)
    times = [t for t in TIMES_SECONDS if across.low <= t <= across.high]
    if not across.wide:
        low = 0.0
        steps = [t for t in TIMES_SECONDS if 2 <= across.high / t <= 6] or [across.high]
        times = np.arange(0, across.high * 1.001, max(steps)).tolist()
    ticks = _thinned([(across.bend(t), clock(t)) for t in times], low, high, 0.13)
    everywhere = _thinned(ticks, low, high, 0.26)
    # The style sheet shows `wide` ones where there is room.
    return Axis(low, high, tuple(t if t in everywhere else (*t, "wide") for t in ticks))


def _thinned(ticks, low, high, gap):
    """Ticks with room between them."""
    kept = []
    for at, label in ticks:
        if not kept or (at - kept[-1][0]) / (high - low) >= gap:
            kept.append((at, label))
    return tuple(kept)


def _bent_axis(scale):
    if not scale.wide:
        return value_axis(scale.low, scale.high)
    low, high = scale.bend(scale.low), scale.bend(scale.high)
    room = 0.04 * (high - low)
    ticks = _thinned([(scale.bend(v), shown(v)) for v in scale.ticks()], low, high, 0.07)
    return Axis(low - room, high + room, ticks)


def _apart(ends, axis):
    """Labels at the ends of curves, moved until none covers another."""
    ends = sorted(ends)
    gap = min(LABEL_GAP, 1.0 / max(1, len(ends)))
    places = [float(axis.fraction(at)) for at, _, _ in ends]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    over = max(0.0, places[-1] - 1.0)
    places[-1] -= over
    for i in range(len(places) - 2, -1, -1):
        places[i] = min(places[i], places[i + 1] - gap)
    return [
        (axis.low + p * (axis.high - axis.low), label, kind)
        for p, (_, label, kind) in zip(places, ends, strict=True)
    ]


def clock(seconds):
    """A time as a reader says it: `30 s`, `2 min`, `1.5 h`."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


# -------------------------------------------------------------------------------------- histograms


def histogram(entry, palette):
    """Shares of one descriptor: a strip for each system, recordings behind each.

    Bars are cut at twice the recordings' highest.
    """
    edges, real = entry["edges"], np.asarray(entry["recordings"], float)
    top = 2.0 * max(real.max(initial=0.0), 1e-9)
    behind = _steps(real, top)
    strips = []
    for name in palette.names:
        shares = entry["systems"].get(name)
        if shares is None:
            continue
        shares = np.asarray(shares, float)
        overlap = 100 * float(np.minimum(shares, real).sum())
        strips.append(
            f'<div class="ridge {palette.kind(name)}">{palette.badge(name)}'
            f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
            f'aria-label="{escape(name)}: {overlap:.0f} % in common with the recordings">'
            f'<path class="real" d="{behind}"/><path class="made" d="{_steps(shares, top)}"/></svg>'
            f'<span class="common">{overlap:.0f} %</span></div>'
        )
    unit = f" <small>{escape(entry['unit'])}</small>" if entry.get("unit") else ""
    marks = (edges[0], edges[len(edges) // 2], edges[-1])
    scale = "".join(f"<span>{shown(float(f'{mark:.3g}'))}</span>" for mark in marks)
    return (
        f'<figure class="histogram"><figcaption>{escape(entry["name"])}{unit}</figcaption>'
        f'{"".join(strips)}<div class="scale" aria-hidden="true">{scale}</div></figure>'
    )


def _steps(shares, top):
    heights = 100 - 100 * np.clip(shares / top, 0.0, 1.0)
    x = np.linspace(0, 1000, len(shares) + 1)
    path = "".join(f"V{h:.1f}H{right:.0f}" for h, right in zip(heights, x[1:], strict=True))
    return f"M0 100{path}V100Z"


# --------------------------------------------------------------------------------------------- map


def sound_map(points, palette, clips):
    """All sounds as points that play; the nearer two are, the more alike.

    Args:
      points: list of dicts with x, y, system, clip.
      palette: Palette.
      clips: Clips, which take the sounds.

    Returns:
      HTML; "" without points.
    """
    points = [p for p in points if math.isfinite(p["x"]) and math.isfinite(p["y"])]
    if not points:
        return ""
    x, y = (np.array([p[axis] for p in points], float) for axis in "xy")
    ends = [(float(v.min()), max(float(np.ptp(v)), 1e-9)) for v in (x, y)]
    across = MAP_MARGIN + (MAP_WIDTH - 2 * MAP_MARGIN) * (x - ends[0][0]) / ends[0][1]
    down = MAP_MARGIN + (MAP_HEIGHT - 2 * MAP_MARGIN) * (1 - (y - ends[1][0]) / ends[1][1])
    # Recordings last: what others are compared with lies on top.
    order = sorted(range(len(points)), key=lambda i: points[i].get("system") is None)
    marks, counts = [], {}
    for i in order:
        name, clip = points[i].get("system"), points[i].get("clip")
        counts[name] = counts.get(name, 0) + 1
        title = f"{name or 'recording'}, {clip['title'] if clip else 'no sound kept'}"
        index = "" if clip is None else f' aria-pressed="false" data-clip="{clips.add(clip, name)}"'
        marks.append(
            f'<path class="point {palette.kind(name)}" d="{palette.shape(name)}" role="button" '
            f'tabindex="-1" aria-label="{escape(title)}"{index} '
            f'data-of="{_number(palette, name)}" data-x="{across[i]:.0f}" '
            f'data-y="{down[i]:.0f}" style="transform:translate({across[i]:.0f}px,'
            f'{down[i]:.0f}px) scale(var(--size))"/>'
        )
    keys = "".join(
        f'<button class="plain key-of" type="button" aria-pressed="true" '
        f'data-toggle="{_number(palette, name)}">{palette.badge(name)} '
        f"<small>{counts[name]}</small></button>"
        for name in [None, *palette.names]
        if name in counts
    )
    return (
        f'<div class="keys" role="group" aria-label="Shown on the map">{keys}</div>'
        f'<svg class="map" viewBox="0 0 {MAP_WIDTH} {MAP_HEIGHT}" role="group" '
        'aria-label="Map of sounds: arrow keys move from point to point, Enter plays">'
        f'{"".join(marks)}</svg><p class="map-said" aria-hidden="true">&nbsp;</p>'
    )


def _number(palette, name):
    return -1 if name is None else palette.names.index(name)


# ---------------------------------------------------------------------------------------- outlines


def outline(peaks, kind):
    """A waveform from pairs (lowest, highest), scaled to its own peak, as one filled shape."""
    if not peaks:
        return ""
    top = max(0.02, *(abs(end) for pair in peaks for end in pair)) * 1.04
    peaks = [(low / top, high / top) for low, high in peaks]
    x = np.linspace(0.0, 1.0, len(peaks))
    axis = Axis(-1.0, 1.0)
    there = path_of(x, [max(high, 0.008) for _, high in peaks], Axis(0.0, 1.0), axis)
    back = path_of(x[::-1], [min(low, -0.008) for low, _ in peaks][::-1], Axis(0.0, 1.0), axis)
    return (
        f'<svg class="outline {kind}" viewBox="0 0 1000 1000" preserveAspectRatio="none" '
        f'aria-hidden="true"><path d="{there}L{back[1:]}Z"/></svg>'
    )
