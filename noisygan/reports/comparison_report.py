"""The page of a comparison: which system is best at what, to be seen and to be heard."""

from __future__ import annotations

import pathlib

from noisygan.errors import RunError
from noisygan.files import make_folder, written_whole
from noisygan.reports import (
    comparison_plots as page_plots,
)
from noisygan.reports import (
    comparison_sounds as page_sounds,
)
from noisygan.reports import (
    comparison_table as page_table,
)
from noisygan.reports.page import Contents, asset, document, escape
from noisygan.reports.palette import Palette

MAX_BYTES = 30_000_000
SCRIPTS = ("keys.js", "player.js", "table.js", "map.js", "blind.js")
FIRST_TABLE = "at-a-glance"
# More sentences than these wait behind a summary: the table says it better.
MAX_SENTENCES = 4


def write_page(data, out_file):
    """Writes the page.

    A part that is missing or empty leaves its section out. Where the page would pass
    `MAX_BYTES`, sounds of the map's points are left out evenly; the points stay.

    Args:
      data: dict of what JSON holds. Sounds ("clips") are FLAC and pictures PNG, as `data:`
        addresses:
        id: Hex digits; answers files of the listening test name it.
        title, made, noisygan, command: Text; the command makes the comparison again.
        facts: list of (name, text). warnings, verdict: lists of sentences.
        systems: list of {name, description, seeds, curves}, the best first; a curve is a list of
          {seconds, step, value}, of one seed. curve_title: text. curve_floor: number or None.
        metrics: list of {name, group, unit, higher_is_better (None: nearer to the floor),
          headline, wrong_order (text or None), floor, explained, values: {system: {value,
          interval, ceiling, not_run, seeds}}}.
        grid: {columns: [{title, recording: clip}], rows: {system: [clip, ...]}}.
        interpolations: {system: [clip, ...]}.
        histograms: list of {name, unit, edges, recordings, systems: {system: shares}}.
        map: {points: [{x, y, system or None for a recording, clip}], explained}.
        listening: {system or "recordings": {value, interval, n}} or None: ratings so far.
        spectrogram_axes: {seconds, low_hz, high_hz}.
        A clip: {title, audio, gain_db, peaks: [[lowest, highest], ...] in -1..1, spectrogram}.
      out_file: The page; an older one is replaced.

    Returns:
      pathlib.Path of the page.

    Raises:
      RunError: if it cannot be written, or is too large even so.
    """
    out_file = pathlib.Path(out_file)
    text = body(data)
    size = len(text.encode("utf-8"))
    if size > MAX_BYTES:
        text = body(_with_fewer_sounds(data, size - MAX_BYTES))
        size = len(text.encode("utf-8"))
    if size > MAX_BYTES:
        raise RunError(
            f"{out_file} would take {size / 1e6:.0f} MB, expected {MAX_BYTES / 1e6:.0f} at most; "
            "show fewer or shorter sounds"
        )
    make_folder(out_file.parent)
    with written_whole(out_file, overwrite=True) as part:
        part.write_text(text, encoding="utf-8")
    return out_file


def _with_fewer_sounds(data, excess):
    """The same without some sounds of the map, evenly, that take `excess` bytes or a bit more."""
    points = (data.get("map") or {}).get("points") or []
    sizes = [len(p["clip"]["audio"]) if p.get("clip") else 0 for p in points]
    share = min(1.0, 1.02 * excess / sum(sizes)) if sum(sizes) else 0.0
    kept, dropped, seen = [], 0.0, 0
    for point, size in zip(points, sizes, strict=True):
        seen += size
        if dropped < share * seen:
            dropped += size
            point = {**point, "clip": None}
        kept.append(point)
    return {**data, "map": {**(data.get("map") or {}), "points": kept}}


def body(data):
    """The whole page as text; `data` as of `write_page`."""
    systems = data.get("systems") or []
    palette = Palette([system["name"] for system in systems])
    clips, contents = page_sounds.Clips(), Contents()
    grid = data.get("grid") or {}
    heard = page_sounds.grid(grid, palette, clips)
    trials = page_sounds.trials(grid, palette, clips) if heard else []
    n_trials = sum(len(row["sounds"]) for row in trials)
    sections = [
        contents.section(
            "table",
            "Which is best at what",
            "Under each number: its 95 % interval, and where it stands in its column (left is "
            "better; the upright line: recordings). \N{BLACK STAR} best, \N{WHITE STAR} level with "
            "it: their intervals overlap. Press a heading to sort, a number for all about it.",
            _tables(data, palette, bool(heard)),
        ),
        contents.section("listen", "Listen", _listen_lede(data), heard and SWITCHES + heard),
        contents.section(
            "time",
            "Quality against training time",
            "Thin lines are seeds, thick ones their mean.",
            page_plots.race(
                systems, palette, data.get("curve_title") or "Distance", data.get("curve_floor")
            ),
        ),
        contents.section(
            "descriptors",
            "What they get right and wrong",
            "How often sounds have which value: recordings in grey, a system's sounds over them. "
            "At the right, what both have in common; 100 % is the same. Bars are cut at twice "
            "the recordings' highest.",
            _histograms(data, palette),
        ),
        contents.section(
            "map", "Map of sounds", escape(_map_lede(data)), _map(data, palette, clips)
        ),
        contents.section(
            "between",
            "From one sound to another",
            "Between two latent codes under one condition: a system that has understood passes "
            "through sounds, one that has memorised jumps.",
            page_sounds.interpolations(data.get("interpolations") or {}, palette, clips),
        ),
        contents.section(
            "blind",
            "Blind listening test",
            f"Rate {n_trials} sounds without knowing whose they are; recordings are hidden among "
            "them. Leave whenever you like and go on later, or finish early: the order is such "
            "that all systems are heard alike. Answers are saved as a file, and files of any "
            "number of listeners are counted into the table above.",
            BLIND if heard else "",
        ),
        contents.section("facts", "Facts", "How this was made.", _facts(data, systems, palette)),
    ]
    head = _best_at(data, palette) + _verdict(data.get("verdict") or [])
    head += _to_mind(len(data.get("warnings") or []))
    for_script = {
        "id": data.get("id") or "",
        "trials": trials,
        "clips": clips.entries,
    }
    return document(
        data.get("title") or "Comparison",
        "comparison",
        head + contents.contents(),
        "".join(sections),
        "\n".join(asset(name) for name in SCRIPTS),
        style=asset("comparison.css"),
        credit=_credit(data),
        tail=BLIND_STAGE + NOW + page_sounds.as_script(for_script, "data"),
    )


def _columns(data, palette):
    """All metrics, and those to look at first; of these, the ones without any number last."""
    columns = [page_table.Column(metric, palette.names) for metric in data.get("metrics") or []]
    head = [column for column in columns if column.metric.get("headline")] or columns
    return columns, sorted(head, key=lambda column: not column.ranks)


def _best_at(data, palette):
    """Lines for each system that is best at something: at what, and where others are level."""
    found = [column for column in _columns(data, palette)[1] if column.best]
    # Where many share the first place, it says nothing of any.
    decided = [c for c in found if len(c.best) <= max(1, len(c.ranks) / 3)]
    lines = []
    for name in palette.names:
        first = [column for column in decided if name in column.best]
        badge = palette.badge(name)
        own = [column for column in first if not column.near_best and len(column.best) == 1]
        if own:
            lines.append((badge, f"best at {len(own)} of {len(found)}:", own))
            badge = ""
        if level := [column for column in first if column not in own]:
            lines.append((badge, "first, level with others:", level))
    if lines and len(decided) < len(found):
        lines.append(("", "no single best:", [c for c in found if c not in decided]))
    items = "".join(
        f"<li>{badge}<span><strong>{said}</strong> {_named(own)}</span></li>"
        for badge, said, own in lines
    )
    return f'<ul class="best-at">{items}</ul>' if items else ""


def _named(columns):
    names = [c.metric["name"] + " (doubtful)" * bool(c.metric.get("wrong_order")) for c in columns]
    return " \N{MIDDLE DOT} ".join(f"<span>{escape(name)}</span>" for name in names)


def _verdict(sentences):
    if not sentences:
        return ""
    found = f'<ul class="verdict">{"".join(f"<li>{escape(s)}</li>" for s in sentences)}</ul>'
    if len(sentences) <= MAX_SENTENCES:
        return found
    return f"<details><summary>The same with numbers, in sentences</summary>{found}</details>"


def _to_mind(n):
    if not n:
        return ""
    things = f"{n} thing{'' if n == 1 else 's'}"
    return f'<p class="mind"><a href="#notes">{things} to mind when reading the numbers</a></p>'


def _tables(data, palette, can_rate):
    columns, head = _columns(data, palette)
    if not columns:
        return ""
    ratings = data.get("listening") or {}
    first = page_table.table(
        head, palette, "At a glance", FIRST_TABLE, ratings if can_rate or ratings else None
    )
    groups = {}
    for column in columns:
        groups.setdefault(column.metric.get("group") or "further", []).append(column)
    more = "".join(
        page_table.table(own, palette, name[:1].upper() + name[1:], f"group-{i}")
        for i, (name, own) in enumerate(groups.items())
    )
    doubtful = any(column.metric.get("wrong_order") for column in columns)
    notes = "".join(f"<li>{escape(text)}</li>" for text in data.get("warnings") or [])
    if doubtful:
        notes += (
            "<li>Metrics marked \N{LEFT DOUBLE QUOTATION MARK}self-test: doubtful"
            "\N{RIGHT DOUBLE QUOTATION MARK} put recordings that were spoilt more and more into "
            "a wrong order; press one of their numbers to see where.</li>"
        )
    return (
        f'{first}<p class="more" role="status" aria-live="polite">Press a number: its seeds, the '
        "floor (recordings in its place), the ceiling (the same system untrained), and what is "
        'measured stand here.</p><button class="plain switch" type="button" role="switch" '
        'aria-checked="false" data-shows="all-metrics">Show all '
        f'{len(columns)} metrics</button><div id="all-metrics" hidden>{more}</div>'
        + (f'<ul id="notes" class="notes">{notes}</ul>' if notes else "")
    )


def _listen_lede(data):
    text = (
        "Systems down, sounds across; the recording of each sound on top. While one plays, press "
        "another of its column and it goes on from the same place. All sounds are matched in "
        "loudness."
    )
    axes = data.get("spectrogram_axes")
    if axes:
        text += (
            f" Every picture is {axes['seconds']:.3g} s long and reaches from "
            f"{axes['low_hz']:,.0f} to {axes['high_hz']:,.0f} Hz."
        )
    keys = "Arrow keys move, Enter plays, Escape stops."
    return f'{escape(text)} <span class="only-keys">{keys}</span>'


def _histograms(data, palette):
    found = [page_plots.histogram(entry, palette) for entry in data.get("histograms") or []]
    return f'<div class="histograms">{"".join(found)}</div>' if found else ""


def _map_lede(data):
    explained = (data.get("map") or {}).get("explained") or ""
    return (
        f"{explained} Press a point to hear it, or move with the arrow keys and press Enter; "
        "press a name to hide or show its points."
    ).strip()


def _map(data, palette, clips):
    return page_plots.sound_map((data.get("map") or {}).get("points") or [], palette, clips)


def _facts(data, systems, palette):
    rows = [(escape(name), escape(text)) for name, text in data.get("facts") or []]
    for system in systems:
        seeds = ", ".join(str(seed) for seed in system.get("seeds") or [])
        text = escape(system.get("description") or "")
        text += f" <small>Seeds: {escape(seeds)}.</small>" if seeds else ""
        rows.append((palette.badge(system["name"]), text))
    if data.get("command"):
        rows.append(("Make it again", f"<code>{escape(data['command'])}</code>"))
    lines = "".join(f'<tr><th scope="row">{name}</th><td>{text}</td></tr>' for name, text in rows)
    return f'<table class="facts">{lines}</table>' if rows else ""


def _credit(data):
    made = [data.get("made"), data.get("noisygan") and f"noisygan {data['noisygan']}"]
    made = ", ".join(part for part in made if part)
    return f"<p>{escape(made)}</p>" if made else ""


SWITCHES = (
    '<div class="bar only-js"><button class="plain switch" type="button" role="switch" '
    'aria-checked="false" data-loop>Play in a loop</button></div>'
    "<noscript><p>Playing, sorting and the listening test need JavaScript.</p></noscript>"
)
NOW = (
    '<div class="now" hidden><span class="now-name"></span><span class="now-clock"></span>'
    '<button class="plain" type="button" data-stop>Stop</button></div>'
)
BLIND = (
    '<div class="blind-start only-js"><p class="blind-said" role="status" aria-live="polite"></p>'
    '<p><label>Your name, or anything to tell your answers by <input type="text" '
    'data-listener maxlength="80" autocomplete="off"></label></p>'
    '<p class="actions"><button class="plain strong" type="button" data-blind="resume" hidden>'
    'Go on</button> <button class="plain" type="button" data-blind="start">Start</button> '
    '<button class="plain" type="button" data-blind="save" hidden>Save the answers</button></p>'
    '<p><label>Count answers files into the table <input type="file" data-answers multiple '
    'accept=".json,application/json"></label></p><p class="counted" role="status" '
    'aria-live="polite"></p></div>'
)
# Stands outside the rest of the page, which is taken out of the document while the test runs.
BLIND_STAGE = (
    '<div class="stage" role="region" aria-label="Blind listening test" hidden>'
    '<p class="stage-count" role="status" aria-live="polite" tabindex="-1"></p>'
    '<div class="stage-bar" aria-hidden="true"><i></i></div>'
    f'<button class="stage-play" type="button" aria-pressed="false">{page_sounds.GLYPH}'
    '<span class="start">Play again</span><span class="stop">Stop</span></button>'
    "<fieldset><legend>How much does this sound like a recording?</legend>"
    '<div class="stage-ratings"></div>'
    '<p class="stage-ends" aria-hidden="true"><span>not at all</span><span>it is one</span></p>'
    "</fieldset>"
    '<p class="actions"><button class="plain" type="button" data-stage="back">Back</button> '
    '<button class="plain strong" type="button" data-stage="next" disabled>Next</button></p>'
    '<p class="actions quiet"><button class="plain" type="button" data-stage="leave">Leave, go on '
    'later</button> <button class="plain" type="button" data-stage="finish">Finish here</button>'
    '</p><p class="quiet only-keys">Keys: Space plays, 1 to 5 rate, Enter goes on.</p></div>\n'
)
