"""A system looks the same everywhere on the page: its colour, its mark, its name."""

from __future__ import annotations

import math

from noisygan.reports.page import escape

RECORDINGS = "recordings"
N_TONES = 8


def _polygon(n, radius=8.5, turn=-90.0, inner=None):
    points = []
    for i in range(n if inner is None else 2 * n):
        r = radius if inner is None or i % 2 == 0 else inner
        angle = math.radians(turn + i * 360.0 / (n if inner is None else 2 * n))
        points.append(f"{r * math.cos(angle):.1f} {r * math.sin(angle):.1f}")
    return f"M{'L'.join(points)}Z"


RING = "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z"
SHAPES = (
    RING,
    "M-6.5 -6.5H6.5V6.5H-6.5Z",
    _polygon(3, 9.5),
    _polygon(4, 9.5),
    "M-3 -8.5H3V-3H8.5V3H3V8.5H-3V3H-8.5V-3H-3Z",
    _polygon(3, 9.5, 90.0),
    _polygon(5, 9.5, inner=4.2),
    _polygon(6, 8.5),
)


class Palette:
    """Marks of the systems of one page.

    Args:
      names: Names in their order.
    """

    def __init__(self, names):
        self.names = list(names)

    def kind(self, name):
        """Class of the style sheet: s0 to s7, or `rec` for recordings (None or "recordings")."""
        if name is None or name == RECORDINGS:
            return "rec"
        return f"s{self.names.index(name) % N_TONES}"

    def shape(self, name):
        """SVG path of its mark, about 18 x 18 around 0.

        Past the eighth the colours come again, with the shapes dealt anew.
        """
        if self.kind(name) == "rec":
            return RING
        i = self.names.index(name)
        return SHAPES[(i + 3 * (i // N_TONES)) % N_TONES]

    def mark(self, name):
        """The mark as an inline picture."""
        return (
            f'<svg class="mark {self.kind(name)}" viewBox="-10 -10 20 20" aria-hidden="true">'
            f'<path d="{self.shape(name)}"/></svg>'
        )

    def badge(self, name):
        """Mark and name."""
        text = escape(name or RECORDINGS).replace("_", "_<wbr>")
        return f'<span class="badge">{self.mark(name)}<span>{text}</span></span>'
