"""Filters on recordings; a filter value that does not occur is an error that lists what does."""

from noisygan.errors import UsageError

# At most this many values are listed in an error.
_N_LISTED = 12


def select(entries, folder, filters, min_pitch=None, max_pitch=None):
    """Recordings that pass all filters.

    Args:
      entries: list of Entry.
      folder: That they come from, for messages.
      filters: dict of a filter's name -> (field of Entry, list of values or None for all).
      min_pitch, max_pitch: MIDI numbers, included, or None.

    Returns:
      list of Entry, never empty.

    Raises:
      UsageError: if a value does not occur, or nothing passes all filters.
    """
    chosen = entries
    for name, (field, wanted) in filters.items():
        if wanted is None:
            continue
        there = [getattr(entry, field) for entry in entries]
        absent = [value for value in wanted if value not in there]
        if absent:
            asked = ", ".join(_show(value) for value in absent)
            raise UsageError(
                f"no recording in {folder} has {name} {asked}; " + _what_is_there(name, there)
            )
        chosen = [entry for entry in chosen if getattr(entry, field) in wanted]
    if min_pitch is not None or max_pitch is not None:
        low = 0.0 if min_pitch is None else min_pitch
        high = 127.0 if max_pitch is None else max_pitch
        in_range = [e for e in chosen if e.pitch is not None and low <= e.pitch <= high]
        if chosen and not in_range:
            raise UsageError(
                f"no recording in {folder} has a pitch of {low:g} to {high:g}; "
                + _what_is_there("pitches", [entry.pitch for entry in chosen])
            )
        chosen = in_range
    if not chosen:
        asked = ", ".join(
            f"{name} {', '.join(map(_show, wanted))}"
            for name, (_, wanted) in filters.items()
            if wanted is not None
        )
        combinations = sorted({_combination(entry) for entry in entries} - {""})
        raise UsageError(
            f"no recording in {folder} passes all filters together ({asked}); there are "
            + _listed(combinations)
        )
    return chosen


def _what_is_there(name, values):
    known = sorted({value for value in values if value is not None})
    if not known:
        return (
            f"none of the {len(values)} recordings says its {name}; name files "
            "`<label>-<pitch>-<velocity>.wav` as NSynth does, or leave the filter out"
        )
    return f"there are {_listed(known)}"


def _listed(values):
    shown = [_show(value) for value in values]
    if len(shown) > _N_LISTED:
        shown = [*shown[: _N_LISTED - 1], "...", shown[-1]]
    return ", ".join(shown)


def _combination(entry):
    parts = (entry.label or entry.family, entry.source, entry.velocity)
    return " ".join(_show(part) for part in parts if part is not None)


def _show(value):
    return str(value) if isinstance(value, str) else f"{value:g}"
