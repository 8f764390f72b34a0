"""Filters on recordings; a filter value that does not occur is an error that lists what does."""

from noisygan.errors import UsageError

# At most this many values are listed in an error.
_N_LISTED = 12


def select(entries, folder, filters, min_pitch=None, max_pitch=None):
    """Recordings that pass all filters.

    Args:
      entries: list of Entry.
      folder: That they come from, for messages.
      filters: dict of a filter's name -> (name of a value of Entry, list of values or None).
      min_pitch, max_pitch: MIDI numbers, included, or None.

    Returns:
      list of Entry, never empty.

    Raises:
      UsageError: if a value does not occur, or nothing passes all filters.
    """
    filters = {name: filter for name, filter in filters.items() if filter[1] is not None}
    chosen = entries
    for name, (field, wanted) in filters.items():
        there = [entry.value(field) for entry in entries]
        absent = [value for value in wanted if value not in there]
        if absent:
            what = f"{name} {listed(absent)}; {_what_is_there(name, there)}"
            raise UsageError(f"no recording in {folder} has {what}")
        chosen = [entry for entry in chosen if entry.value(field) in wanted]
    if not chosen:
        asked = ", ".join(f"{name} {listed(wanted)}" for name, (_, wanted) in filters.items())
        raise UsageError(f"no recording in {folder} passes all filters together ({asked})")
    if min_pitch is None and max_pitch is None:
        return chosen
    low, high = min_pitch or 0.0, 127.0 if max_pitch is None else max_pitch
    in_range = [e for e in chosen if e.pitch is not None and low <= e.pitch <= high]
    if not in_range:
        what = _what_is_there("pitches", [entry.pitch for entry in chosen])
        raise UsageError(f"no recording in {folder} has a pitch of {low:g} to {high:g}; {what}")
    return in_range


def listed(values):
    """Values with commas between; of many only the first ones and the last."""
    shown = [value if isinstance(value, str) else f"{value:g}" for value in values]
    if len(shown) > _N_LISTED:
        shown = [*shown[: _N_LISTED - 1], "...", shown[-1]]
    return ", ".join(shown)


def _what_is_there(name, values):
    known = sorted({value for value in values if value is not None})
    if known:
        return f"there are {listed(known)}"
    return (
        f"none of the {len(values)} recordings says its {name}; name files "
        "`<label>-<pitch>-<velocity>.wav`, or leave the filter out"
    )


def split_known(text, known):
    """Split a text at commas, but not within known values, which may have some."""
    parts, values = text.split(","), []
    while parts:
        lengths = range(len(parts), 1, -1)
        n = next((n for n in lengths if ",".join(parts[:n]) in known), 1)
        values.append(",".join(parts[:n]))
        del parts[:n]
    return values
