"""The sounds of the page: each inside it once, shown as tiles that play."""

from __future__ import annotations

import json

from noisygan.reports.comparison_plots import outline
from noisygan.reports.page import escape
from noisygan.reports.palette import RECORDINGS

GLYPH = (
    '<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true"><path class="start" '
    'd="M7 4.5v15l13-7.5z"/><path class="stop" d="M6 5h4.5v14H6zM13.5 5H18v14h-4.5z"/></svg>'
)


class Clips:
    """The sounds that the page holds, each once."""

    def __init__(self):
        self.entries = []
        self._known = {}

    def add(self, clip, system):
        """Takes a clip and returns its number on the page.

        Args:
          clip: dict as `write_page` takes it.
          system: Name of whose it is; None: a recording.
        """
        key = (system, clip["title"], clip["audio"])
        if key not in self._known:
            self._known[key] = len(self.entries)
            self.entries.append(
                {
                    "who": system or RECORDINGS,
                    "title": clip["title"],
                    "gain_db": clip.get("gain_db"),
                    "audio": clip["audio"],
                }
            )
        return self._known[key]


def as_script(data, element_id):
    """Data for the script, as an element that can hold any text."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":  # so that no text of it ends the element
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{element_id}">{text}</script>\n'


def tile(clip, system, palette, clips, together=""):
    """A sound as a button over its pictures.

    Args:
      clip: dict, or None.
      system: Name, None: a recording.
      palette: Palette.
      clips: Clips, which take the sound.
      together: Sounds of one name go on from where another was, when one is switched to.

    Returns:
      HTML.
    """
    if clip is None:
        return '<span class="absent">none</span>'
    number = clips.add(clip, system)
    kind = palette.kind(system)
    name = f"{system or 'recording'}, {clip['title']}"
    picture = ""
    if clip.get("spectrogram"):
        picture = (
            f'<img src="{escape(clip["spectrogram"])}" alt="Spectrogram of {escape(name)}" '
            'draggable="false">'
        )
    group = f' data-together="{together}"' if together else ""
    return (
        f'<button class="tile-of {kind}" type="button" data-clip="{number}"{group} '
        f'aria-pressed="false" aria-label="Play {escape(name)}">{picture}'
        f"{outline(clip.get('peaks'), kind)}{GLYPH}"
        '<i class="playhead"></i></button>'
    )


def grid(data, palette, clips):
    """Systems down, sounds across, recordings above them.

    Args:
      data: dict with columns and rows.
      palette: Palette.
      clips: Clips.

    Returns:
      HTML; "" without columns.
    """
    columns = data.get("columns") or []
    if not columns:
        return ""
    rows = [(None, [column.get("recording") for column in columns])]
    rows += [(name, data["rows"][name]) for name in palette.names if name in data["rows"]]
    heads = "".join(f'<th scope="col">{escape(column["title"])}</th>' for column in columns)
    lines = []
    for name, own in rows:
        own = [*own, *[None] * (len(columns) - len(own))]
        cells = "".join(
            f"<td>{tile(clip, name, palette, clips, f'column-{i}')}</td>"
            for i, clip in enumerate(own)
        )
        lines.append(f'<tr><th scope="row">{palette.badge(name)}</th>{cells}</tr>')
    return (
        '<div class="scroll" role="region" aria-label="Sounds of every system" tabindex="0">'
        f'<table class="sounds"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def interpolations(data, palette, clips):
    """A strip for each system, from one code to another, and a button that plays it through."""
    rows = []
    for name in palette.names:
        own = [clip for clip in data.get(name) or [] if clip]
        if not own:
            continue
        numbers = " ".join(str(clips.add(clip, name)) for clip in own)
        cells = "".join(f"<li>{tile(clip, name, palette, clips)}</li>" for clip in own)
        rows.append(
            f'<div class="way"><header>{palette.badge(name)}<button class="plain" type="button" '
            f'data-through="{numbers}" aria-pressed="false" aria-label="Play through, '
            f'{escape(name)}">Play through</button></header>'
            f'<ol class="steps" aria-label="{escape(name)}, from one code to another">{cells}</ol>'
            "</div>"
        )
    return "".join(rows)


def trials(data, palette, clips):
    """What the listening test draws from: for every system its sounds' numbers, by column."""
    columns = data.get("columns") or []
    rows = {RECORDINGS: [column.get("recording") for column in columns]}
    rows |= {name: own for name, own in data.get("rows", {}).items() if name in palette.names}
    return [
        {
            "system": name,
            "sounds": [
                [i, clips.add(clip, None if name == RECORDINGS else name)]
                for i, clip in enumerate(own)
                if clip
            ],
        }
        for name, own in rows.items()
    ]
